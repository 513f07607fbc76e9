"""Recipes become pictures: the only floor where a recipe meets TensorFlow."""
