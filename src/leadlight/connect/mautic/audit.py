"""Mautic's audit log: what a field was before, and who was merged into whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from leadlight.connect.mautic.php import UnreadableError, unserialized
from leadlight.connect.protocol import Object
from leadlight.connect.typed import moment, text, typed
from leadlight.connect.versions import Change

PAIR = 2


def changes_of(entry: Mapping[str, Any], of: Object) -> Iterator[Change]:
    """Yield the changes of wanted fields that an entry tells of."""
    at = moment(entry.get("date_added"))
    fields = _details(entry).get("fields")
    if at is None or not isinstance(fields, dict):
        return
    for name, pair in fields.items():
        field = of.field(str(name))
        values = _in_order(pair)
        if field is not None and field.history and len(values) == PAIR:
            yield Change(field.name, at, typed(values[1], field.type), typed(values[0], field.type))


def merged_into(entry: Mapping[str, Any]) -> str | None:
    """Return whom a record was merged into, where an entry tells of a merge."""
    return text(_details(entry).get("merged_into")) if entry.get("action") == "merge" else None


def _details(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an entry's details, which are JSON or what PHP's `serialize` writes, by Mautic's version."""
    import orjson

    told = entry.get("details")
    if isinstance(told, str):
        try:
            told = orjson.loads(told) if told[:1] in "{[" else unserialized(told)
        except (orjson.JSONDecodeError, UnreadableError):
            return {}
    return told if isinstance(told, dict) else {}


def _in_order(pair: Any) -> list[Any]:
    return list(pair.values()) if isinstance(pair, dict) else pair if isinstance(pair, list) else []
