"""What we keep, and how it gets there."""
