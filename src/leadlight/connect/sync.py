"""Bring what was read of connections into the store: their sources, then whom the system has made one.

`extract` needs the network and no store, `take_in` the store and no network, so that a service can go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import duckdb

from leadlight.connect.lake import compact, held, relation
from leadlight.engines.base import Engine
from leadlight.errors import StoreInUse
from leadlight.expr.types import Type
from leadlight.sources.erased import drop_erased, erasures, people_columns
from leadlight.sources.ingest import Progress
from leadlight.sources.ingest_groups import ingest_groups
from leadlight.sources.ingest_report import IngestReport
from leadlight.sources.lake import ID, INTO, KNOWN_AT, LakeFile, connection_folder, lake_files, object_folder
from leadlight.spec.contract import NOTHING, ContractSpec
from leadlight.spec.models import SourceKind, SourceSpec, WorkspaceSpec
from leadlight.store.merges import join_told
from leadlight.store.touched import changing


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What the store made of connections: their sources, and how many leads are one with another now."""

    ingested: IngestReport | None
    joined: int


def connection_sources(spec: WorkspaceSpec, connections: Sequence[str]) -> list[str]:
    """Return the sources of connections."""
    return [name for name, source in spec.sources.items() if source.connection in connections]


def take_in(
    engine: Engine,
    spec: WorkspaceSpec,
    root: Path,
    connections: Sequence[str],
    *,
    now: datetime,
    contract: ContractSpec = NOTHING,
    given: Mapping[str, Type] = MappingProxyType({}),
    progress: Progress | None = None,
) -> TakenIn:
    """Read what is new in the lake into the store, and let leads be one that their system has made one.

    Only files that were not read before are read. It may be done at any time, and again; merges that people have undone
    stay undone. Raises what `ingest` raises.
    """
    sources = connection_sources(spec, connections)
    if not sources:
        return TakenIn(None, 0)
    report = ingest_groups(engine, spec, root, only=sources, now=now, contract=contract, given=given, progress=progress)
    pairs = list(_pairs(spec, root, connections))
    joined = 0
    if pairs:
        with changing(engine, spec.enrich):
            joined = join_told(engine, pairs, at=report.at)
    for connection in connections:
        _compact(spec, root, connection)
    return TakenIn(report, joined)


def _pairs(spec: WorkspaceSpec, root: Path, connections: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the ids of leads of which the system says that they are another one now, with that one's."""
    for source in _people(spec, connections):
        files = lake_files(object_folder(root, source.connection or "", source.object or ""))
        if not files:
            continue
        prefix = source.prefix or ""
        for id, into in _told(files):  # noqa: A001
            yield prefix + id, prefix + into


def _people(spec: WorkspaceSpec, connections: Sequence[str]) -> Iterator[SourceSpec]:
    for source in spec.sources.values():
        if source.connection in connections and source.role is SourceKind.LEADS and source.id == ID:
            yield source


def _told(files: Sequence[LakeFile]) -> list[tuple[str, str]]:
    """Return (id, into) of the records whose last version says so."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        return connection.execute(
            f"SELECT {ID}, {INTO} FROM {relation(files)} WHERE {ID} IN "  # noqa: S608
            f"(SELECT {ID} FROM {relation(files)} WHERE {INTO} IS NOT NULL) "
            f"QUALIFY row_number() OVER (PARTITION BY {ID} ORDER BY {KNOWN_AT} DESC NULLS LAST) = 1 "
            f"AND {INTO} IS NOT NULL ORDER BY ALL"
        ).fetchall()


def _compact(spec: WorkspaceSpec, root: Path, connection: str) -> None:
    """Make many small files one, unless somebody is reading the connection just now: then another time."""
    objects = {source.object for source in spec.sources.values() if source.connection == connection}
    try:
        with held(root, connection):
            before = erasures(connection_folder(root, connection)).hashes
            folders = {name: object_folder(root, connection, name) for name in sorted(filter(None, objects))}
            made = {name: folder for name, folder in folders.items() if compact(folder)}
            now = erasures(connection_folder(root, connection))
            for name, folder in made.items() if now.hashes - before else ():  # somebody was erased meanwhile
                drop_erased(lake_files(folder), people_columns(root, connection, name), now)
    except StoreInUse:
        return
