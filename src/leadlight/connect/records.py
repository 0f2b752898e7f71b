"""Records in an answer's JSON, as most systems give them: a list of objects that have an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadlight.connect.refusals import odd


def records_of(body: Any, key: str, title: str) -> list[dict[str, Any]]:
    """Return the records under a key. Raises RemoteError where they are no list of records.

    >>> records_of({"data": [{"id": 1}]}, "data", "Acme")
    [{'id': 1}]
    """
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise odd(title, f"`{key}` is no list of records")
    return found


def id_of(record: Mapping[str, Any], title: str) -> str:
    """Return a record's id. Raises RemoteError where it has none.

    >>> id_of({"id": 151}, "Acme")
    '151'
    """
    found = record.get("id")
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise odd(title, "a record has no id")
    return str(found)
