"""Gradient ascent on pictures: objectives, transforms, updates, regularizers and octaves."""
