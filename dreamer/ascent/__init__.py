"""Gradient ascent on pictures: objectives, transforms, updates, regularisers, octaves, engine."""
