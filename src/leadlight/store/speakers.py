"""Who speaks of leads besides the user's own sources: what was looked up, and which word counts more."""

from __future__ import annotations

from leadlight.store.sql import Sql, literal

FILL = "(enrich)"
"""The source, in observations and names, of values that were looked up and yield to the user's own."""

PREFER = "(enrich, preferred)"
"""The same of those that win over the user's own."""

SPEAKERS = (FILL, PREFER)

DOMAIN = "(email domain)"
"""The source, in observations, of accounts that follow from e-mail addresses; they yield to all others."""

RANK = Sql(
    f"CASE WHEN o._source IN ({literal(FILL)}, {literal(DOMAIN)}) THEN 0 WHEN o._source = {literal(PREFER)} THEN 2 "
    "ELSE 1 END"
)
"""The rank of the speaker of an observation `o`: of several values that of the highest rank wins, then the newest."""

OURS = Sql(f"({literal(FILL)}, {literal(PREFER)})")
"""For `_source IN`."""
