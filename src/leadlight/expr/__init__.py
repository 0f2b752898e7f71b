"""Conditions and expressions: parse and check them, make SQL of them, say them in English."""
