"""Features: from the tables of the documented shape to one row per lead and moment, as SQL."""
