"""The service: events in over HTTP, counted durably and once, scored at once; scores and reasons out."""
