"""The report: gather facts, then lay them out on one self-contained page."""
