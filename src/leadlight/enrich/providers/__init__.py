"""One provider, one file."""
