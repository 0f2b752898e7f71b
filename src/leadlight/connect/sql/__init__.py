"""Any SQL database through SQLAlchemy: https://docs.sqlalchemy.org/en/20/core/engines.html.

Tables (or views) are read by a column that says when a row last changed, or as a whole where there is none; scores are
written back into columns that are there. Nothing else is written, and no table is ever altered.
"""

from __future__ import annotations

from leadlight.connect.sql.connector import Sql

CONNECTOR = Sql()
