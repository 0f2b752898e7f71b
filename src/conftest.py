"""What is shipped for other programs to import, and cannot be imported here."""

collect_ignore = ["leadlight/connect/tryton/leadlight_fields"]
