"""A source's columns against its contract: which header is which column, what is absent, and what that costs."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import MAX_CHOICES_SHOWN, Fault, shorten
from leadlight.expr.types import Type
from leadlight.sources.layout import ROLES, TIME_ROLES, Slot, find
from leadlight.sources.names import snake_case
from leadlight.spec.catalog import RESERVED, RESERVED_PROPERTIES, Catalog
from leadlight.spec.contract import ColumnContract, ContractSpec, SourceContract
from leadlight.spec.models import SourceKind, SourceSpec
from leadlight.store import names
from leadlight.store.history import ACCOUNTS, LEADS, add_column, add_columns

PREFIX = "_contract_"
"""Before the names of columns that are read once more, as text, to be held against the contract."""

DECLARED = "(contract)"
"""The source, in the store's table of names, of columns that the contract names and no file may have."""


@dataclass(frozen=True, slots=True)
class ColumnFound:
    """A column that the contract names, and what the files have for it."""

    source: str
    column: str
    type: str
    required: bool
    header: str | None
    """The user's header; None where the column is absent."""
    missing: float | None = None
    """The share of rows that have no value in it; None where there is no row."""
    faults: int = 0
    means: str = ""
    without: str = ""
    """What is lost where it is absent."""
    nearest: str | None = None
    """Where it is absent, the header that could be it."""
    constant: str | None = None
    """What holds for every row in its place."""

    def as_dict(self) -> dict[str, Any]:
        """Return the column as plain JSON values."""
        return {
            "source": self.source,
            "column": self.column,
            "type": self.type,
            "required": self.required,
            "header": self.header,
            "missing": None if self.missing is None else round(self.missing, 6),
            "faults": self.faults,
            "means": self.means,
            "without": self.without,
            "nearest": self.nearest,
            "constant": self.constant,
        }


def described(source: str, column: str, contract: ColumnContract, header: str | None) -> ColumnFound:
    """Return what a contract says about a column, and the header that stands for it."""
    return ColumnFound(
        source, column, contract.type, contract.required, header, means=contract.means, without=contract.without or ""
    )


# ------------------------------------------------------------------------------------------------ columns to headers


def headers_by_column(spec: SourceSpec, contract: SourceContract, headers: Sequence[str]) -> dict[str, str | None]:
    """Return the header that stands for each column of a contract, None where there is none.

    A column is found by its name, through `rename` and `columns`, or as what a role of the source names. Where the
    contract does not say which role that is, it is found out: where the user writes `id: Ticket ID` and one unique
    column has no header, it is that one, and so for times, the lead of an event, the worth of a win.
    """
    dropped = {find(headers, spec.header(name)) for name in spec.drop}
    known = [header for header in headers if header not in dropped]
    found = {column: find(known, spec.header(column)) for column in contract.columns}
    told = {column: said.role or column for column, said in contract.columns.items()}
    found |= {
        column: _of_role(spec, role, known) for column, role in told.items() if role in ROLES and found[column] is None
    }
    for fits, roles in _PAIRS:
        free = {role: header for role, header in _roles(spec, known).items() if header not in found.values()}
        lost = [column for column, header in found.items() if header is None and fits(contract.columns[column])]
        found |= _only([column for column in lost if told[column] not in ROLES], free, roles)
    return found


_PAIRS: tuple[tuple[Callable[[ColumnContract], bool], frozenset[str]], ...] = (
    (lambda said: said.kind is Type.TIME, TIME_ROLES),
    (lambda said: said.unique, frozenset({"id", "account"})),
    (lambda said: said.kind is Type.TEXT and said.required and said.allowed is None, frozenset({"id", "lead"})),
    (lambda said: said.kind is Type.NUMBER and not said.required, frozenset({"value"})),
)
"""Which columns may stand for which roles, where only one of either is left."""


def constant(spec: SourceSpec, column: str, said: ColumnContract) -> str | None:
    """Return what the source says holds for every row in the place of a column (`outcome_is`, `event`)."""
    for role, value in (("outcome", spec.outcome_is), ("type", spec.event)):
        if value is not None and (role in (said.role, column) or value in (said.allowed or ())):
            return value
    return None


def _roles(spec: SourceSpec, headers: Sequence[str]) -> dict[str, str]:
    """Return the headers of a source's roles."""
    found = {role: _of_role(spec, role, headers) for role in ROLES}
    return {role: header for role, header in found.items() if header is not None}


def _of_role(spec: SourceSpec, role: str, headers: Sequence[str]) -> str | None:
    told: str | None = getattr(spec, role)
    return None if told is None else find(headers, spec.header(told))


def _only(columns: Sequence[str], free: Mapping[str, str], roles: frozenset[str]) -> dict[str, str | None]:
    """Pair the only column of a kind that has no header with the only role of that kind that stands for none."""
    left = [header for role, header in free.items() if role in roles]
    return {columns[0]: left[0]} if len(columns) == len(left) == 1 else {}


def contract_slots(spec: SourceSpec, contract: SourceContract, headers: Sequence[str]) -> list[Slot]:
    """Return the columns of a contract to be read once more, as text."""
    found = headers_by_column(spec, contract, headers)
    return [
        Slot(PREFIX + column, header, told=Type.TEXT, hidden=True)
        for column, header in found.items()
        if header is not None
    ]


def contract_types(spec: SourceSpec, contract: SourceContract | None) -> dict[str, Type]:
    """Return the types that a contract gives to attributes and properties, and to the outcome."""
    if contract is None:
        return {}
    types = {column: said.kind for column, said in contract.columns.items()}
    outcome = next((said.kind for column, said in contract.columns.items() if _plays(spec, "outcome", column)), None)
    return types if outcome is None else {**types, "_outcome": outcome}


def _plays(spec: SourceSpec, role: str, column: str) -> bool:
    told: str | None = getattr(spec, role)
    return told is not None and snake_case(told) == column


# -------------------------------------------------------------------------------------------------- what is not there


def missing_faults(
    source: str,
    spec: SourceSpec,
    contract: SourceContract,
    headers: Sequence[str],
    file: str,
    alike: Mapping[str, str] | None = None,
) -> list[Fault]:
    """Return a fault for each required column that no header stands for, with the header that comes nearest.

    `alike` are headers whose values are those of a column.
    """
    found = headers_by_column(spec, contract, headers)
    free = [header for header in headers if header not in found.values()]
    return [
        Fault(_no_column(source, spec, column, said, free, (alike or {}).get(column)), file, path=column)
        for column, said in contract.columns.items()
        if found[column] is None and said.required and constant(spec, column, said) is None
    ]


def _no_column(
    source: str, spec: SourceSpec, column: str, said: ColumnContract, free: Sequence[str], alike: str | None
) -> str:
    near = alike or nearest_header(column, free)
    key = "columns" if isinstance(spec.columns, dict) else "rename"
    way = f"{key}: {{{column}: {json.dumps(near or 'YOUR HEADER', ensure_ascii=False)}}}"
    shown = ", ".join(map(shorten, free[:MAX_CHOICES_SHOWN])) + (", …" if len(free) > MAX_CHOICES_SHOWN else "")
    there = f"the nearest header is {near!r}: if that is it" if near else f"of {shown}, if one is it" if free else ""
    there = f"column {alike!r} has such values: if that is it" if alike else there
    fix = f"{there}, write `{way}` under sources.{source} in leadlight.yaml" if there else "all headers are in use"
    return f"no column holds it, and it is needed: {meaning(said)}; {fix}"


def meaning(said: ColumnContract) -> str:
    """Say what a column holds.

    >>> meaning(ColumnContract(type="text", means="how bad it is", example="1 - High"))
    'text, how bad it is, such as 1 - High'
    """
    noun = {Type.TEXT: "text", Type.NUMBER: "a number", Type.BOOL: "true or false", Type.TIME: "a time"}[said.kind]
    example = said.example if said.example is not None else said.allowed[0] if said.allowed else None
    return ", ".join([noun, *([said.means] if said.means else []), *([f"such as {example}"] if example else [])])


def nearest_header(column: str, headers: Sequence[str]) -> str | None:
    """Return the header whose name comes nearest to a column's, if one is near.

    >>> nearest_header("opened_at", ["Date Opened", "Opened", "State"])
    'Opened'
    """
    by_name = {snake_case(header): header for header in reversed(headers)}
    near = difflib.get_close_matches(column, by_name, n=1, cutoff=0.6)
    if near:
        return by_name[near[0]]
    words = {word for word in column.split("_") if len(word) > 3}
    return next((header for name, header in by_name.items() if words & set(name.split("_"))), None)


# ------------------------------------------------------------------------------------------- names that count as known


def with_contract(catalog: Catalog, sources: Mapping[str, SourceSpec], contract: ContractSpec) -> Catalog:
    """Return a catalog that knows the contract's columns too, though no file may have them."""
    leads = dict(_declared(sources, contract, SourceKind.LEADS))
    accounts = dict(_declared(sources, contract, SourceKind.ACCOUNTS))
    properties = dict(_declared(sources, contract, SourceKind.EVENTS))
    leads = {name: kind for name, kind in leads.items() if name not in catalog.account_attributes}
    accounts = {name: kind for name, kind in accounts.items() if name not in {**leads, **catalog.attributes}}
    return replace(
        catalog,
        attributes={**leads, **catalog.attributes},
        account_attributes={**accounts, **catalog.account_attributes},
        properties={**properties, **catalog.properties},
    )


def declare(engine: Engine, sources: Mapping[str, SourceSpec], contract: ContractSpec) -> None:
    """Give the store the columns that the contract names and no file has: always missing."""
    engine.execute("DELETE FROM names WHERE source = ?", [DECLARED])
    known = Catalog(
        attributes=names.known_types(engine, "attribute"),
        account_attributes=names.known_types(engine, "account_attribute"),
        properties=names.known_types(engine, "property"),
    )
    wanted = with_contract(known, sources, contract)
    leads = _new(wanted.attributes, known.attributes)
    accounts = _new(wanted.account_attributes, known.account_attributes)
    properties = _new(wanted.properties, known.properties)
    add_columns(engine, LEADS, leads)
    add_columns(engine, ACCOUNTS, accounts)
    present = {name.lower() for name in engine.columns("events")}
    for name in (name for name in properties if name.lower() not in present):
        engine.execute(add_column(engine, "events", name, properties[name]))
    names.record(engine, "attribute", DECLARED, leads)
    names.record(engine, "account_attribute", DECLARED, accounts)
    names.record(engine, "property", DECLARED, properties)


def _new(wanted: Mapping[str, Type], known: Mapping[str, Type]) -> dict[str, Type]:
    return {name: kind for name, kind in wanted.items() if name not in known}


def _declared(
    sources: Mapping[str, SourceSpec], contract: ContractSpec, kind: SourceKind
) -> Iterator[tuple[str, Type]]:
    """Yield the columns of sources of a kind that are attributes or properties: not what a role of the source names."""
    reserved = RESERVED_PROPERTIES if kind is SourceKind.EVENTS else RESERVED
    for source, said in contract.root.items():
        spec = sources.get(source)
        if (spec.role if spec else said.kind) is not kind:
            continue
        for name, column in said.columns.items():
            if name not in reserved and not (spec and any(_plays(spec, role, name) for role in ROLES)):
                yield name, column.kind
