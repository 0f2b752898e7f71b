"""The naive reference: what a score means, in plain Python loops, sharing no code with the compiler."""
