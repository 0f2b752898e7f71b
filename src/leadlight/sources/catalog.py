"""The names and types that the sources' headers promise, before anything is read."""

from __future__ import annotations

from pathlib import Path

from leadlight.errors import DataError, Fault
from leadlight.expr.types import Type
from leadlight.sources.names import snake_case
from leadlight.sources.read import Described, describe
from leadlight.spec.catalog import Catalog
from leadlight.spec.models import SourceKind, SourceSpec, WorkspaceSpec


def describe_sources(spec: WorkspaceSpec, root: Path) -> tuple[Catalog, list[str], list[Fault]]:
    """Look at the headers and first rows of every source; return names, notes and all faults.

    Types of events are not known from headers alone, unless every source of events has a fixed one.
    """
    described: dict[str, Described] = {}
    faults: list[Fault] = []
    for name, source in spec.sources.items():
        try:
            described[name] = describe(name, source, root)
        except DataError as error:
            faults += error.faults
    notes = [f"{name}: {note}" for name, found in described.items() for note in found.notes]
    return _catalog(spec, described), notes, faults


def _catalog(spec: WorkspaceSpec, described: dict[str, Described]) -> Catalog:
    return Catalog(
        attributes=_names(spec, described, SourceKind.LEADS),
        account_attributes=_names(spec, described, SourceKind.ACCOUNTS),
        properties=_names(spec, described, SourceKind.EVENTS),
        events=_events(list(spec.sources.values())),
        outcome=_outcome(described),
    )


def _names(spec: WorkspaceSpec, described: dict[str, Described], kind: SourceKind) -> dict[str, Type]:
    types: dict[str, Type] = {}
    for name, found in described.items():
        if spec.sources[name].role is kind:
            for column in found.columns:
                known = types.setdefault(column.name, column.type)
                if known is not column.type:  # two sources that disagree meet as text
                    types[column.name] = Type.TEXT
    return types


def _events(sources: list[SourceSpec]) -> frozenset[str] | None:
    kinds = [source.event for source in sources if source.role is SourceKind.EVENTS]
    return None if None in kinds else frozenset(kind for kind in kinds if kind is not None)


def _outcome(described: dict[str, Described]) -> tuple[str, Type] | None:
    for found in described.values():
        column = found.roles.get("outcome")
        if column is not None:
            return snake_case(column.header), column.type
    return None
