"""Records in: files and SQL tables, read into typed temporary tables, and from there into the store."""
