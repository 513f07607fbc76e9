"""Pictures in NumPy and OpenCV: noise, finishes, stabilization, contact sheets."""
