"""DeepDream on photos and films."""
