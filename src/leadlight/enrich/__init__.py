"""Look leads up outside: providers, a waterfall of them, guarded network access, and where each value came from."""
