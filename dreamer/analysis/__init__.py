"""Measurements on networks: exemplars, comparisons, naturalness, classes, words."""
