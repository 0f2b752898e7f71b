"""Any REST API, described in leadlight.yaml in the words of dlt's declarative source; it is only read.

https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api
"""

from __future__ import annotations

from leadlight.connect.rest.connector import Rest

CONNECTOR = Rest()
