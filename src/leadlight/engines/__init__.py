"""Where SQL runs, and the only place that knows a database driver."""
