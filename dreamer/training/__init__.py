"""Training of `dreamnet`: pictures, dreams, losses and an optimizer (see `train`)."""
