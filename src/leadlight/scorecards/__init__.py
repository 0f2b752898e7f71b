"""The scorecard: compiled to SQL, run, explained, compared, exported."""
