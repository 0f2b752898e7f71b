"""Leads that are probably the same person, found by their likeness."""
