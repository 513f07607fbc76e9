"""Motion: from a moment of a film to a 3×3 matrix, and a picture moved by it."""
