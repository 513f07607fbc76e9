"""The networks that dream."""
