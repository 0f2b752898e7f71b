"""Reading titles, descriptions and messages."""
