"""Which of a source's columns is what: roles, attributes or properties, their names, and those left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadlight.errors import DataError, Fault, did_you_mean
from leadlight.expr.types import Type
from leadlight.sources.names import snake_case, unique_names
from leadlight.sources.part import Part
from leadlight.spec.catalog import RESERVED, RESERVED_PROPERTIES
from leadlight.spec.findings import names_in
from leadlight.spec.models import SourceKind, SourceSpec

ROLES = ("id", "lead", "account", "created_at", "known_at", "at", "type", "message_id", "outcome", "value")
DELETED = "deleted"
"""The attribute of leads of a connection that says whether their record is gone."""
TIME_ROLES = frozenset({"created_at", "known_at", "at"})


@dataclass(frozen=True, slots=True)
class Slot:
    """A column to be read: its name in the table, its header, and the type that the user or the store has set."""

    name: str
    header: str
    role: str | None = None
    told: Type | None = None
    must: bool = False
    """A row without a value here is rejected."""
    hidden: bool = False
    """Read for the source's `where` only."""


def lay_out(source: str, spec: SourceSpec, parts: Sequence[Part], types: Mapping[str, Type]) -> tuple[Slot, ...]:
    """Match the spec's column names with the headers; roles first, then attributes in the order of the files.

    Raises DataError with all names that no header has, and the nearest header there is.
    """
    slots, faults = try_lay_out(source, spec, parts, types)
    if faults:
        raise DataError(faults)
    return slots


def try_lay_out(
    source: str, spec: SourceSpec, parts: Sequence[Part], types: Mapping[str, Type]
) -> tuple[tuple[Slot, ...], list[Fault]]:
    """Match what can be matched, as `lay_out` does, and return the faults of the rest."""
    headers = headers_of(parts)
    faults = _role_faults(source, spec, parts)
    roles = {role: find(headers, spec.header(told)) for role in ROLES if (told := getattr(spec, role)) is not None}
    dropped, faults_dropped = _dropped(source, spec, headers)
    taken = {header for header in roles.values() if header} | dropped
    kept, faults_kept = _kept(source, spec, headers, taken, [*headers, *(one for part in parts for one in part.more)])
    told, faults_types = _told(source, spec, kept, roles.get("outcome"))
    faults += faults_dropped + faults_kept + faults_types
    slots = [_role_slot(role, header, spec, {**types, **told}) for role, header in roles.items() if header is not None]
    slots += [Slot(name, header, told=told.get(name, types.get(name))) for name, header in kept.items()]
    slots += hidden_slots(spec, headers, slots)
    return tuple(slots), faults


def headers_of(parts: Sequence[Part]) -> list[str]:
    """Return the headers of all files, each once, in the order in which they come."""
    return list(dict.fromkeys(header for part in parts for header in part.columns))


def hidden_slots(spec: SourceSpec, headers: Sequence[str], slots: Sequence[Slot]) -> list[Slot]:
    """Return the columns that only the source's `where` needs."""
    if spec.where is None:
        return []
    present = {slot.header for slot in slots} | {slot.name.lower() for slot in slots if slot.role is None}
    names = names_in(spec.where)
    columns = zip(unique_names(headers, ()), headers, strict=True)
    lost = [(name, header) for name, header in columns if name in names and not {name, header} & present]
    return [Slot(f"_where_{name}", header, hidden=True) for name, header in lost]


def find(headers: Sequence[str], told: str) -> str | None:
    """Find the header a user means: as it stands, else without regard to case and punctuation.

    >>> find(["Lead Number", "Lead Source"], "lead_source")
    'Lead Source'
    """
    if told in headers:
        return told
    return next((header for header in headers if snake_case(header) == snake_case(told) != ""), None)


def _role_slot(role: str, header: str, spec: SourceSpec, told: Mapping[str, Type]) -> Slot:
    if role in TIME_ROLES:
        fixed: Type | None = Type.TIME
    else:
        fixed = Type.NUMBER if role == "value" else told.get("_outcome") if role == "outcome" else Type.TEXT
    key = {SourceKind.LEADS: "id", SourceKind.ACCOUNTS: "account"}.get(spec.role, "lead")
    must = role == key or (spec.role is SourceKind.EVENTS and role in {"at", "type"})
    if spec.connection is not None and key == "lead":
        must = False  # a deal of nobody is no fault: what has no lead, type or time is left out and counted
    return Slot(f"_{role}", header, role, fixed, must)


def _role_faults(source: str, spec: SourceSpec, parts: Sequence[Part]) -> list[Fault]:
    return [
        Fault(
            _no_column(role, spec, [*part.columns, *part.more]),
            None if spec.connection else part.shown,
            path=_path(source, role),
        )
        for role in ROLES
        if (told := getattr(spec, role)) is not None
        for part in parts
        if find(list(part.columns), spec.header(told)) is None
    ]


def _no_column(role: str, spec: SourceSpec, headers: Iterable[str]) -> str:
    """Say which columns there are, and how to write a value where a column's name was expected."""
    told = spec.header(getattr(spec, role))
    known = did_you_mean(told, headers)
    if spec.connection is not None:
        return f"{spec.object} has no field {told!r}; {known}"
    constant = {"type": "event", "outcome": "outcome_is"}.get(role)
    hint = f" If it is the {role} of every row, write {constant}: {told}"
    return f"there is no column {told!r}; {known}" + (hint if constant and not known.startswith("did") else "")


def _dropped(source: str, spec: SourceSpec, headers: Sequence[str]) -> tuple[set[str], list[Fault]]:
    found = {name: find(headers, name) for name in spec.drop}
    faults = [_unknown(source, "drop", name, headers) for name, header in found.items() if header is None]
    return {header for header in found.values() if header is not None}, faults


def _kept(
    source: str, spec: SourceSpec, headers: Sequence[str], taken: set[str], known: Sequence[str]
) -> tuple[dict[str, str], list[Fault]]:
    """Name the attributes: by the user's map, or else by their headers, all of them or those of the user's list.

    `known` are the headers that may be told where one does not exist.
    """
    reserved = _reserved(spec)
    if isinstance(spec.columns, dict):
        named_ones = dict(spec.columns)
        if _tells_deleted(spec, headers):
            named_ones.setdefault(DELETED, DELETED)
        return _mapped(source, "columns", named_ones, headers, reserved, known)
    ours, faults = _mapped(source, "rename", spec.rename, headers, reserved, known)
    wanted = {name: find(headers, name) for name in spec.columns} if spec.columns is not None else None
    faults += [_unknown(source, "columns", name, known) for name, header in (wanted or {}).items() if header is None]
    others = [header for header in headers if header not in ours.values()]
    names = dict(zip(others, unique_names(others, reserved | set(ours)), strict=True))
    names |= {header: name for name, header in ours.items()}
    if wanted is not None and _tells_deleted(spec, headers):
        wanted[DELETED] = DELETED
    chosen = [header for header in headers if header not in taken and (wanted is None or header in wanted.values())]
    return {names[header]: header for header in chosen}, faults


def _tells_deleted(spec: SourceSpec, headers: Sequence[str]) -> bool:
    return spec.connection is not None and spec.role is SourceKind.LEADS and DELETED in headers


def _mapped(
    source: str,
    key: str,
    told: Mapping[str, str],
    headers: Sequence[str],
    reserved: frozenset[str],
    known: Sequence[str],
) -> tuple[dict[str, str], list[Fault]]:
    """Return our name → header for the columns that the user names."""
    found = {name: find(headers, header) for name, header in told.items()}
    faults = [_unknown(source, key, told[name], known) for name in found if found[name] is None]
    faults += [
        Fault(f"{name!r} has a meaning of its own: choose another name", path=_path(source, key))
        for name in found
        if name in reserved or name.startswith("_")
    ]
    return {name: header for name, header in found.items() if header is not None}, faults


def _reserved(spec: SourceSpec) -> frozenset[str]:
    if spec.role is SourceKind.EVENTS:
        return RESERVED_PROPERTIES
    return RESERVED


def _told(
    source: str, spec: SourceSpec, kept: Mapping[str, str], outcome: str | None
) -> tuple[dict[str, Type], list[Fault]]:
    """Read `types`: keys are our names or headers; `_outcome` stands for the outcome column."""
    told: dict[str, Type] = {}
    faults = []
    for key, type_name in spec.types.items():
        header = find(list(kept.values()), key)
        name = key if key in kept else next((name for name, its in kept.items() if its == header), None)
        if name is None and outcome is not None and find([outcome], key):
            name = "_outcome"
        if name is None:
            faults.append(_unknown(source, "types", key, kept))
        else:
            told[name] = Type(type_name)
    return told, faults


def _path(source: str, key: str) -> str:
    return f"sources.{source}.{key}"


def _unknown(source: str, key: str, name: str, known: Sequence[str] | Mapping[str, str]) -> Fault:
    return Fault(f"there is no column {name!r}; {did_you_mean(name, known)}", path=_path(source, key))
