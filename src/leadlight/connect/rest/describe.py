"""What an endpoint's records hold: as leadlight.yaml says, or as its first page shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leadlight.connect.protocol import Field, Object
from leadlight.connect.rest.settings import EndpointSettings, kind_of
from leadlight.connect.typed import moment
from leadlight.expr.types import Type

DEPTH_MOST = 3
FIELDS_MOST = 500
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def flat(record: Mapping[str, Any], *, before: str = "", depth: int = 0) -> dict[str, Any]:
    """Return a record with what is nested in it beside the rest, bounded.

    >>> flat({"id": 1, "address": {"city": "Bonn"}})
    {'id': 1, 'address_city': 'Bonn'}
    """
    found: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and depth < DEPTH_MOST:
            found |= flat(value, before=f"{name}_", depth=depth + 1)
        else:
            found[name] = value
        if len(found) > FIELDS_MOST:
            break
    return found


def describe(name: str, endpoint: EndpointSettings, first: Iterable[Mapping[str, Any]]) -> Object:
    """Return an endpoint as an object; `first` are the records of its first page, flat."""
    kinds: dict[str, Type] = {}
    seen: dict[str, list[Any]] = {}
    for record in first:
        for field, value in record.items():
            seen.setdefault(field, []).append(value)
    for field, values in seen.items():
        kinds[field] = _kind(field, values)
    kinds |= {field: kind_of(kind) for field, kind in endpoint.fields.items()}
    kinds |= {field: Type.TIME for field in (endpoint.created_at, endpoint.modified_at) if field is not None}
    fields = tuple(Field(field, kind, field, custom=True, writable=False) for field, kind in kinds.items())
    whole = endpoint.since is None
    return Object(
        name,
        name,
        fields,
        id=endpoint.id,
        created_at=endpoint.created_at,
        modified_at=endpoint.modified_at,
        whole=whole,
        deletions=whole or endpoint.deleted is not None,
    )


def _kind(name: str, values: Sequence[Any]) -> Type:
    """Return what all values are that there are; keys are texts, since nobody reckons with them."""
    held = [value for value in values if value is not None and value != ""]
    if held and all(isinstance(value, bool) for value in held):
        return Type.BOOL
    key = name.lower() == "id" or name.lower().endswith(("_id", "Id"))
    if held and not key and all(isinstance(value, int | float) and not isinstance(value, bool) for value in held):
        return Type.NUMBER
    if held and all(isinstance(value, str) and _DAY.match(value) and moment(value) is not None for value in held):
        return Type.TIME
    return Type.TEXT
