"""Facts found in pages and texts."""
