"""SOQL that is put together safely: names that are names, values that are quoted, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from leadlight.errors import RemoteError, shorten

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}(\.[A-Za-z][A-Za-z0-9_]{0,79}){0,5}")
ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")
ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}
LONGEST = 12_000
"""Characters of a query that surely fit into an address: Salesforce takes 16,384 bytes, and quotes become three."""
TITLE = "Salesforce"


def is_id(value: object) -> bool:
    """Say whether a value can be the id of a record.

    >>> is_id("00Q5g00000AbCdEEA0"), is_id("' OR Id != '"), is_id(7)
    (True, False, False)
    """
    return isinstance(value, str) and ID.fullmatch(value) is not None


def name(value: str) -> str:
    """Return the name of an object or a field as it stands. Raises RemoteError where it cannot be one.

    >>> name("Leadlight_Score__c")
    'Leadlight_Score__c'
    """
    if NAME.fullmatch(value) is None:
        message = f"{shorten(value)} cannot be the API name of an object or a field"
        fix = "Write the API name in leadlight.yaml, as it stands in Setup, Object Manager (own ones end in __c)."
        raise RemoteError(TITLE, "absent", message, fix=fix)
    return value


def text(value: str) -> str:
    r"""Return a text as a literal.

    >>> print(text("O'Neill \\ Söhne"))
    'O\'Neill \\ Söhne'
    """
    return "'" + "".join(ESCAPES.get(letter, letter) for letter in value if letter in ESCAPES or letter >= " ") + "'"


def moment(value: datetime) -> str:
    """Return a moment as a literal.

    >>> moment(datetime(2026, 3, 1, 12, 0, 0, 120000))
    '2026-03-01T12:00:00.120Z'
    """
    return value.isoformat(timespec="milliseconds") + "Z"


def among(field: str, values: Iterable[str]) -> str:
    """Return the condition that a field has one of these texts.

    >>> among("Id", ["a", "b"])
    "Id IN ('a','b')"
    """
    return f"{name(field)} IN ({','.join(text(value) for value in values)})"


def select(
    fields: Sequence[str], table: str, *conditions: str, order: Sequence[str] = (), limit: int | None = None
) -> str:
    """Return a query; conditions must all hold. Raises RemoteError where it is too long to be asked.

    >>> select(["Id", "Name"], "Lead", "IsDeleted = false", order=["Id"])
    'SELECT Id,Name FROM Lead WHERE IsDeleted = false ORDER BY Id'
    """
    query = " ".join(["SELECT", ",".join(name(field) for field in dict.fromkeys(fields)), "FROM", name(table)])
    if conditions:
        query += " WHERE " + " AND ".join(conditions)
    if order:
        query += " ORDER BY " + ",".join(name(field) for field in order)
    if limit is not None:
        query += f" LIMIT {limit:d}"
    if len(query) > LONGEST:
        message = f"{len(fields):,} fields of {table} are too many to ask for at once"
        raise RemoteError(TITLE, "invalid", message, fix="Name those that matter under `columns` of its source.")
    return query
