"""Whose deal it is: contact roles of opportunities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.portions import portions
from leadlight.connect.salesforce import soql
from leadlight.connect.salesforce.query import Query
from leadlight.errors import RemoteError

TABLE, DEAL, CONTACT = "OpportunityContactRole", "OpportunityId", "ContactId"
AT_ONCE = 300


def people(query: Query, deals: Sequence[str]) -> Mapping[str, str]:
    """Return the contact of each deal: of its primary role, else of its oldest one. Raises RemoteError."""
    found: dict[str, str] = {}
    for some in portions(deals, AT_ONCE):
        order = [DEAL, "IsPrimary", "CreatedDate", "Id"]
        asked = soql.select([DEAL, CONTACT, "IsPrimary"], TABLE, soql.among(DEAL, some), order=order)
        for one in _told(query, asked):
            deal, contact = one.get(DEAL), one.get(CONTACT)
            if (
                isinstance(deal, str)
                and isinstance(contact, str)
                and (one.get("IsPrimary") is True or deal not in found)
            ):
                found[deal] = contact
    return found


def deals(query: Query, since: datetime) -> Iterator[str]:
    """Yield the deals whose roles have changed: their own stamps do not tell. Raises RemoteError."""
    asked = soql.select([DEAL], TABLE, f"SystemModstamp >= {soql.moment(since)}", order=["SystemModstamp", "Id"])
    seen: set[str] = set()
    for one in _told(query, asked, deleted=True):
        deal = one.get(DEAL)
        if isinstance(deal, str) and soql.is_id(deal) and deal not in seen:
            seen.add(deal)
            yield deal


def _told(query: Query, asked: str, *, deleted: bool = False) -> Iterator[Mapping[str, Any]]:
    """Yield roles; none where the org has none, or shows us none: deals then have the contact they name themselves."""
    try:
        yield from query.all(asked, deleted=deleted)
    except RemoteError as error:
        if error.trouble != "absent":
            raise
