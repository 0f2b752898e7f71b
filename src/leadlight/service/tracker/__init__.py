"""Our own tracker for web pages: the script, as it is written and as it is sent."""
