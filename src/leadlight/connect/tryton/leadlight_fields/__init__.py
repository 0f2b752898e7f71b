"""A module for the server of Tryton: fields of leads and opportunities that Leadlight writes its scores to."""
