"""Who took part in activities: senders and receivers, callers, attendees, who responded to a campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadlight.connect.dynamics import odata
from leadlight.connect.dynamics.derived import PEOPLE

SELECT = "_activityid_value,_partyid_value,participationtypemask"
RANKS = {11: 0, 1: 1, 2: 2, 5: 3, 6: 4, 3: 5}
"""By `participationtypemask`: customer, sender, receiver, required and optional attendee, copy; whoever comes first."""


def people(tables: odata.Tables, activities: Sequence[str]) -> Mapping[str, str]:
    """Return the lead or contact of each activity that took part in it most plainly. Raises RemoteError."""
    found: dict[str, tuple[int, str]] = {}
    for one in tables.of("activityparties", "_activityid_value", activities, select=SELECT):
        activity, party = one.get("_activityid_value"), one.get("_partyid_value")
        rank = RANKS.get(one.get("participationtypemask"))  # type: ignore[arg-type]
        if one.get(f"_partyid_value@{odata.KIND}") not in PEOPLE or rank is None:
            continue
        if isinstance(activity, str) and odata.is_id(party):
            found[activity] = min(found.get(activity, (rank, str(party))), (rank, str(party)))
    return {activity: party for activity, (_, party) in found.items()}
