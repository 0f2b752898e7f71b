"""The names and types that the sources' headers promise, before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from leadlight.errors import DataError, Fault
from leadlight.expr.types import Type
from leadlight.sources.contract import with_contract
from leadlight.sources.lake import NotSynced, not_synced
from leadlight.sources.names import snake_case
from leadlight.sources.opened import Opened
from leadlight.sources.read import Column, Described, look
from leadlight.spec.catalog import OUTCOME, Catalog, Names, one_outcome
from leadlight.spec.contract import NOTHING, ContractSpec
from leadlight.spec.models import SourceKind, SourceSpec, WorkspaceSpec


def describe_sources(
    spec: WorkspaceSpec, root: Path, contract: ContractSpec = NOTHING
) -> tuple[Catalog, list[str], list[Fault]]:
    """Look at the headers and first rows of every source; return names, notes and all faults.

    Types of events are not known from headers alone, unless every source of events has a fixed one. Where a source
    cannot be opened, the catalog says which sorts of names are not all known. Columns that the contract names count as
    known, with its types, whether a file has them or not. That nothing was synced of a connection yet is a note.
    """
    described: dict[str, Described] = {}
    faults: list[Fault] = []
    unread: list[str] = []
    with Opened(spec.sources.values()) as opened:
        for name, source in spec.sources.items():
            try:
                described[name] = look(name, source, root, opened, contract=contract.get(name))
                faults += described[name].faults
            except NotSynced:
                unread.append(f"{name}: {not_synced(source)}")
            except DataError as error:
                faults += error.faults
    notes = [f"{name}: {note}" for name, found in described.items() for note in found.notes] + unread
    return with_contract(_catalog(spec, described), spec.sources, contract), notes, faults


def _catalog(spec: WorkspaceSpec, described: dict[str, Described]) -> Catalog:
    return Catalog(
        attributes=_names(spec, described, SourceKind.LEADS),
        account_attributes=_names(spec, described, SourceKind.ACCOUNTS),
        properties=_names(spec, described, SourceKind.EVENTS),
        events=_events(list(spec.sources.values())),
        outcome=_outcome(spec, described),
        hidden=frozenset(
            names for name, source in spec.sources.items() for names in _hidden(source, described.get(name))
        ),
    )


NAMES: dict[SourceKind, Names] = {
    SourceKind.LEADS: "attributes",
    SourceKind.ACCOUNTS: "account_attributes",
    SourceKind.EVENTS: "properties",
    SourceKind.OUTCOMES: "outcome",
}


def _hidden(source: SourceSpec, found: Described | None) -> list[Names]:
    """Say which sorts of names a source may give that could not be looked at."""
    unnamed = found is None or any(fault.path and fault.path.endswith(".columns") for fault in found.faults)
    names = [NAMES[source.role]] if unnamed else []
    lost = source.outcome is not None and (found is None or "outcome" not in found.roles)
    return [*names, "outcome"] if lost else names


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


def _outcome(spec: WorkspaceSpec, described: dict[str, Described]) -> tuple[str, Type] | None:
    sources = {name: spec.sources[name] for name in described}
    return one_outcome(
        [
            outcome_name(source, described[name].roles)
            for name, source in sources.items()
            if source.outcome_is is not None or "outcome" in described[name].roles
        ]
    )


def outcome_name(source: SourceSpec, roles: Mapping[str, Column]) -> tuple[str, Type]:
    """Return what a source that gives outcomes calls them, and their type."""
    if source.outcome_is is not None:
        return OUTCOME, Type.TEXT
    return snake_case(roles["outcome"].header), roles["outcome"].type
