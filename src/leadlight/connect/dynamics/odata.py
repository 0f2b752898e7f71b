"""OData that is put together safely, and asked page by page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leadlight.connect.http import Http
from leadlight.connect.portions import portions
from leadlight.connect.refusals import odd
from leadlight.errors import RemoteError, shorten

TITLE = "Dynamics 365"
ROOT = "/api/data/v9.2"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
FORMATTED = "OData.Community.Display.V1.FormattedValue"
KIND = "Microsoft.Dynamics.CRM.lookuplogicalname"
PREFER = f'odata.include-annotations="{FORMATTED},{KIND}"'
TRACK = "odata.track-changes"
NEXT, DELTA, DELETED = "@odata.nextLink", "@odata.deltaLink", "$deletedEntity"
HEADERS = {"OData-MaxVersion": "4.0", "OData-Version": "4.0", "Accept": "application/json"}
IDS = 80
"""Ids that are asked for at once: they have to fit into an address."""


def is_id(value: object) -> bool:
    """Say whether a value can be the id of a record.

    >>> is_id("0e76dc8a-41b5-ec11-983f-0022482bf046"), is_id("x' or 1 eq 1"), is_id(7)
    (True, False, False)
    """
    if not isinstance(value, str) or len(value) != len("0e76dc8a-41b5-ec11-983f-0022482bf046"):
        return False
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def name(value: str) -> str:
    """Return the name of a table or column as it stands. Raises RemoteError where it cannot be one."""
    if NAME.fullmatch(value) is None:
        message = f"{shorten(value)} cannot be the logical name of a table or a column"
        fix = "Write the logical name in leadlight.yaml, as it stands beside the display name in Power Apps, Tables."
        raise RemoteError(TITLE, "absent", message, fix=fix)
    return value


def text(value: str) -> str:
    """Return a text as a literal.

    >>> text("O'Neill")
    "'O''Neill'"
    """
    return "'" + value.replace("'", "''") + "'"


def time(value: datetime) -> str:
    """Return a moment as a literal, to the second.

    >>> time(datetime(2026, 3, 1, 12, 0, 0, 500000))
    '2026-03-01T12:00:00Z'
    """
    return value.isoformat(timespec="seconds") + "Z"


def among(field: str, ids: Iterable[str]) -> str:
    """Return the condition that a field has one of these ids.

    >>> among("leadid", ["0e76dc8a-41b5-ec11-983f-0022482bf046"])
    '(leadid eq 0e76dc8a-41b5-ec11-983f-0022482bf046)'
    """
    return "(" + " or ".join(f"{name(field)} eq {UUID(one)}" for one in ids) + ")"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records, and where to go on."""

    records: Sequence[Mapping[str, Any]]
    next: str | None
    """The address of the next page of this answer."""
    delta: str | None
    """The address of what changes from now on."""


class Tables:
    """Asks for records."""

    def __init__(self, http: Http, page: int) -> None:
        self._http, self._page = http, page

    def batch(self, path: str, params: Mapping[str, str] | None = None, *, track: bool = False) -> Batch:
        """Return a page: the first one of a question, or one that another page names. Raises RemoteError."""
        prefer = ",".join([PREFER, f"odata.maxpagesize={self._page:d}", *([TRACK] if track else [])])
        told = self._http.ask("GET", path, params=params, headers={**HEADERS, "Prefer": prefer}).json()
        records = told.get("value") if isinstance(told, dict) else None
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise odd(TITLE, "a list of records has no `value`")
        return Batch(records, _link(told.get(NEXT)), _link(told.get(DELTA)))

    def all(self, path: str, **params: str) -> Iterator[Mapping[str, Any]]:
        """Yield the records of a question, of all its pages. Raises RemoteError."""
        batch = self.batch(path, {f"${key}": value for key, value in params.items()})
        yield from batch.records
        while batch.next is not None:
            batch = self.batch(batch.next)
            yield from batch.records

    def of(
        self, entity_set: str, field: str, ids: Iterable[str], *, select: str, where: str = "", orderby: str = ""
    ) -> Iterator[Mapping[str, Any]]:
        """Yield records whose field has one of these ids, so many at a time. Raises RemoteError."""
        for some in portions((one for one in ids if is_id(one)), IDS):
            condition = among(field, some)
            order = {"orderby": orderby} if orderby else {}
            told = {"select": select, "filter": f"{where} and {condition}" if where else condition}
            yield from self.all(f"{ROOT}/{name(entity_set)}", **told, **order)


def _link(told: object) -> str | None:
    return told if isinstance(told, str) and told else None
