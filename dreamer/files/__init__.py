"""Files: photos, pictures, films, and the recipes inside them, read and written."""
