"""Motion: camera paths as 3×3 matrices, optical flow, and pictures moved by either."""
