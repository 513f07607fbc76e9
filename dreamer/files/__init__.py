"""The only rooms that touch disk: photos in, pictures out, recipes inside them."""
