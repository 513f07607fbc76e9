"""Networks that dream: registry, weights, freezing, and measurements of their layers."""
