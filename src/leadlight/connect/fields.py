"""Which fields of an object are read, as its sources name them; and what has become of those that were read before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leadlight.connect.protocol import Field, Object
from leadlight.errors import Fault, SpecError, did_you_mean
from leadlight.expr.types import Type
from leadlight.sources.lake import OURS, wanted_fields
from leadlight.sources.layout import ROLES
from leadlight.spec.marks import Marks, Path
from leadlight.spec.models import SourceKind, SourceSpec

SHOWN = 5
US = "leadlight"
"""What is in the names of fields that `push` makes."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is asked for, what is kept of it, and what has to be said."""

    read: tuple[Field, ...]
    types: Mapping[str, Type]
    """The fields that are kept, with the types that the lake has for them."""
    known: list[str]
    """The fields that the lake has."""
    fresh: frozenset[str]
    """Those that the system did not have before."""
    notes: tuple[str, ...]


def choose(
    found: Object,
    sources: Mapping[str, SourceSpec],
    lake: Mapping[str, Type],
    before: Mapping[str, Any],
    marks: Marks,
    pushed: Collection[str] = (),
) -> Chosen:
    """Choose the fields that the sources of an object use.

    `lake` are the fields that were read before, `before` those that the system had then. When a record last changed is
    read, but kept only where a source names it: it would make a version of every touch. So it is with fields that take
    our own scores (`pushed`, and those called like us), which say nothing of a lead that we do not know. Raises
    SpecError where a source names a field that there never was.
    """
    usable = {one.name: one for one in _usable(found.fields)}
    wanted, faults, lost = set[str](), list[Fault](), set[str]()
    for name, source in sources.items():
        fields, missing = wanted_fields(source, list(usable))
        named_ones, _ = wanted_fields(source.model_copy(update={"columns": source.columns or []}), list(usable))
        ours = {one for one in fields if one in pushed or US in one.lower()}
        wanted |= (fields - {found.modified_at} - ours) | named_ones
        lost |= {one for one in missing if one in lake}
        faults += [
            marks.fault(f"{found.name} has no field {one!r}; {did_you_mean(one, usable)}", _place(name, source, one))
            for one in missing if one not in lake
        ]  # fmt: skip
    if faults:
        raise SpecError(faults)
    asked = wanted | {one for one in (found.created_at, found.modified_at) if one in usable}
    read = tuple(one for one in found.fields if one.name in asked and one.name in usable)
    types = {one.name: lake.get(one.name, one.type) for one in read if one.name in wanted}
    theirs = [one for one in usable if one not in pushed and US not in one.lower()]
    notes = (*_lost(lost, usable), *_drifted(read, lake), *_new(theirs, before))
    fresh = frozenset(types) - set(before) if before else frozenset()
    return Chosen(read, types, sorted(lake), fresh, notes)


def described(found: Object, sources: Mapping[str, SourceSpec]) -> dict[str, Any]:
    """Return what is noted of an object: its fields, and which columns hold ids of leads."""
    people = {column: source.prefix or "" for source in sources.values() if (column := people_column(source))}
    fields = {
        one.name: {"type": str(one.type), "label": one.label, "custom": one.custom, "history": one.history}
        for one in found.fields
    }
    return {"title": found.title, "fields": fields, "people": people}


def people_column(source: SourceSpec) -> str | None:
    """Return the column of a source's rows that says which lead they are about."""
    if source.role is SourceKind.ACCOUNTS:
        return None
    told = source.id if source.role is SourceKind.LEADS else source.lead
    return None if told is None else source.header(told)


def _usable(fields: tuple[Field, ...]) -> Iterator[Field]:
    """Yield the fields that can be columns: not called like ours, and no two that differ in case alone."""
    seen = set(OURS)
    for one in fields:
        if one.name.lower() not in seen:
            seen.add(one.name.lower())
            yield one


def _place(name: str, source: SourceSpec, field: str) -> Path:
    """Return where in leadlight.yaml a source names a field."""
    for role in ROLES:
        if getattr(source, role) is not None and field in (getattr(source, role), source.header(getattr(source, role))):
            return ("sources", name, role)
    if isinstance(source.columns, dict):
        return next((("sources", name, "columns", key) for key, its in source.columns.items() if its == field),
                    ("sources", name))  # fmt: skip
    if source.columns is not None and field in source.columns:
        return ("sources", name, "columns", source.columns.index(field))
    return next((("sources", name, "rename", key) for key, its in source.rename.items() if its == field),
                ("sources", name))  # fmt: skip


def _lost(lost: set[str], usable: Mapping[str, Field]) -> Iterator[str]:
    for name in sorted(lost):
        yield f"there is no field {name!r} any more, so it is missing from now on; {did_you_mean(name, usable)}"


def _drifted(read: tuple[Field, ...], lake: Mapping[str, Type]) -> Iterator[str]:
    for one in read:
        if lake.get(one.name, one.type) is not one.type:
            yield f"{one.name} was {lake[one.name]} and is {one.type} now: it stays {lake[one.name]} here"


def _new(usable: Collection[str], before: Mapping[str, Any]) -> Iterator[str]:
    """Speak of fields that the system did not have before."""
    new = sorted(set(usable) - set(before)) if before else []
    if new:
        shown = ", ".join(new[:SHOWN]) + (f" and {len(new) - SHOWN} more" if len(new) > SHOWN else "")
        yield f"new in the system: {shown}"
