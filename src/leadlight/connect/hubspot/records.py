"""From HubSpot's records to rows: what they are, what they were, what they go with, and what was merged into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leadlight.connect.hubspot import api
from leadlight.connect.hubspot.describe import CLOSED, LINKS, OUTCOME, WON
from leadlight.connect.hubspot.values import time, typed
from leadlight.connect.protocol import Row, Value, Want
from leadlight.connect.versions import Change, versions
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from leadlight.connect.http import Http
    from leadlight.connect.protocol import Field

HISTORY_BATCH = 50
"""Records in one request, where their history is asked for."""
BATCH = 100
LINK_BATCH = 1000
MERGED, MERGED_WHEN = "hs_merged_object_ids", "hs_calculated_merged_vids"
REMEMBERED = 20
"""Values of a property that HubSpot remembers (45 of a contact's): where there are as many, older ones are lost."""
PRIMARY = "primary"
LINKED_MOST = 500
"""Records of another object that one is taken to go with, at most."""

Found = Mapping[str, Any]
"""A record, as HubSpot sends it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Which properties make up the wanted fields of an object."""

    object: str
    fields: tuple[Field, ...]
    created_at: str
    modified_at: str
    history: bool

    @property
    def properties(self) -> list[str]:
        """The properties to ask for."""
        own = [field.name for field in self.fields if field.name not in self.derived]
        needed = [CLOSED, WON] if OUTCOME in self.derived else []
        merged = [MERGED, MERGED_WHEN] if self.object == "contacts" else [MERGED]
        return list(dict.fromkeys([*own, *needed, self.created_at, self.modified_at, *merged]))

    @property
    def remembered(self) -> list[str]:
        """The properties whose history to ask for."""
        own = [field.name for field in self.fields if field.history and field.name not in self.derived]
        return list(dict.fromkeys([*own, *([CLOSED, WON] if OUTCOME in self.derived else [])])) if self.history else []

    @property
    def types(self) -> dict[str, Type]:
        """The type of each property."""
        kinds = {field.name: field.type for field in self.fields if field.name not in self.derived}
        return kinds | ({CLOSED: Type.BOOL, WON: Type.BOOL} if OUTCOME in self.derived else {})

    @property
    def derived(self) -> set[str]:
        """The wanted fields that are no properties."""
        if self.object in ("contacts", "companies"):
            return set()
        extra = {*LINKS, *([OUTCOME] if self.object == "deals" else [])}
        return {field.name for field in self.fields if field.name in extra and not field.custom and not field.writable}


def shape(want: Want) -> Shape:
    """Return what is wanted, in HubSpot's terms."""
    wanted = want.object
    history = want.history and any(field.history for field in wanted.fields)
    return Shape(wanted.name, wanted.fields, wanted.created_at or "", wanted.modified_at or "", history)


def read_batch(http: Http, shape: Shape, ids: Sequence[str]) -> list[Found]:
    """Return records by their ids, with their history where it is wanted; those that are gone are left out."""
    found: list[Found] = []
    size = HISTORY_BATCH if shape.remembered else BATCH
    for start in range(0, len(ids), size):
        body: dict[str, Any] = {
            "inputs": [{"id": one} for one in ids[start : start + size]],
            "properties": shape.properties,
            "propertiesWithHistory": shape.remembered,
        }
        found += api.results(http.post(api.objects(shape.object, "batch", "read"), body))
    return found


def rows(http: Http, shape: Shape, found: Sequence[Found]) -> list[Row]:
    """Return the rows of some records: those of one together, oldest first, then what was merged into it."""
    links = _links(http, shape, [api.id_of(one) for one in found])
    made: list[Row] = []
    for one in found:
        made += [_finished(shape, row, links) for row in _versions(shape, one)]
        made += _merged(one)
    return made


def modified(shape: Shape, found: Found) -> datetime | None:
    """Return when a record last changed."""
    return time(_properties(found).get(shape.modified_at) or found.get("updatedAt") or "")


def gone(found: Found) -> Row:
    """Return the row of a record that was archived."""
    return Row(api.id_of(found), {}, time(found.get("archivedAt") or ""), gone=True)


def _versions(shape: Shape, found: Found) -> list[Row]:
    values = {name: typed(_properties(found).get(name), kind) for name, kind in shape.types.items()}
    if not shape.remembered:
        return [Row(api.id_of(found), values)]
    log = found.get("propertiesWithHistory")
    log = log if isinstance(log, dict) else {}
    changes = list(_changes(shape, log))
    whole = all(not isinstance(log.get(name), list) or len(log[name]) < REMEMBERED for name in shape.remembered)
    created = time(_properties(found).get(shape.created_at) or found.get("createdAt") or "")
    return versions(api.id_of(found), values, changes, created_at=created, whole=whole)


def _changes(shape: Shape, log: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what each property became, oldest first."""
    kinds = shape.types
    for name in shape.remembered:
        for entry in reversed(list(api.dicts(log.get(name)))):
            at = time(entry.get("timestamp") or "")
            if at is not None and name in kinds:
                yield Change(name, at, typed(entry.get("value"), kinds[name]))


def _finished(shape: Shape, row: Row, links: Mapping[str, Mapping[str, list[str]]]) -> Row:
    """Put in what is derived, take out what was only needed for that."""
    values: dict[str, Value] = {}
    for field in shape.fields:
        if field.name not in shape.derived:
            values[field.name] = row.values.get(field.name)
        elif field.name == OUTCOME:
            values[OUTCOME] = _outcome(row.values)
        else:
            linked = links[LINKS[field.name]].get(row.id, [])
            values[field.name] = (";".join(linked) if field.name == "contacts" else linked[0]) if linked else None
    return replace(row, values=values)


def _outcome(values: Mapping[str, Value]) -> str | None:
    if values.get(WON):
        return "won"
    return "lost" if values.get(CLOSED) else None


def _merged(found: Found) -> Iterator[Row]:
    """Yield a row for each record that was merged into this one."""
    properties, into = _properties(found), api.id_of(found)
    when = dict(part.split(":", 1) for part in _parts(properties.get(MERGED_WHEN)) if ":" in part)
    for merged in dict.fromkeys([*_parts(properties.get(MERGED)), *when]):
        if merged != into:
            yield Row(merged, {}, time(when.get(merged, "")), into=into)


def _parts(value: Any) -> list[str]:
    return [part.strip() for part in value.split(";") if part.strip()] if isinstance(value, str) else []


def _properties(found: Found) -> Mapping[str, Any]:
    properties = found.get("properties")
    return properties if isinstance(properties, dict) else {}


def _links(http: Http, shape: Shape, ids: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Return what records go with, by the other object: the primary one first."""
    wanted = {LINKS[name] for name in shape.derived if name in LINKS}
    return {to: linked(http, shape.object, to, ids) for to in sorted(wanted)}


def linked(http: Http, name: str, to: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return which records of another object go with these; those that go with none are left out."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(ids), LINK_BATCH):
        inputs = [{"id": one} for one in ids[start : start + LINK_BATCH]]
        answer = http.ask("POST", api.associations(name, to), json={"inputs": inputs}, expect=(api.NOT_FOUND,))
        for one in api.results(answer.json()) if answer.status != api.NOT_FOUND else []:
            source = one.get("from")
            if isinstance(source, dict):
                found[str(source.get("id"))] = _ordered(one.get("to"))
    return {id_: targets for id_, targets in found.items() if targets}


def _ordered(targets: Any) -> list[str]:
    known = [one for one in api.dicts(targets) if one.get("toObjectId") is not None][:LINKED_MOST]
    return list(dict.fromkeys(str(one["toObjectId"]) for one in sorted(known, key=_place)))


def _place(target: Mapping[str, Any]) -> tuple[bool, int, str]:
    """Return what a link is ordered by: the primary one first, then the oldest, for HubSpot's own order may change."""
    id_ = str(target["toObjectId"])
    return not _is_primary(target), len(id_), id_


def _is_primary(target: Mapping[str, Any]) -> bool:
    return any(str(kind.get("label") or "").lower() == PRIMARY for kind in api.dicts(target.get("associationTypes")))
