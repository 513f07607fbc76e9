"""How `dreamnet` is made: pictures, dreams, losses and an optimiser. See `dreamer.nets.train`."""
