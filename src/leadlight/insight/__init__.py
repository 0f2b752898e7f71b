"""Who buys and why: profile, similar leads, next actions."""
