"""What `init --from` writes for every system, synced from its stand-in: at first, again, after edits, after kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
from ruamel.yaml import YAML

import leadlight
from connect.conformance import DAY, kind_of, people
from connect.stand_in import Call, Kind, StandIn
from leadlight.connect import extract, opened
from leadlight.connect.registry import connector
from leadlight.sources.lake import object_folder
from leadlight.workspace import Workspace

PORTION = 5
"""Rows that are kept at once, so that a kill comes between two."""
CHILD = """
import sys
from datetime import datetime
import leadlight
from leadlight.connect import extract, opened
from leadlight.connect.pace import Clock
extract.PORTION = {portion}
opened.Clock = lambda **_: Clock(sleep=lambda _: None, monotonic=lambda: 0.0)
workspace = leadlight.open(sys.argv[1], now=lambda: datetime.fromisoformat(sys.argv[2]))
print(workspace.sync().error)
"""


pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(system: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace as `init --from` writes it, which reads the stand-in."""
    from leadlight.templates.init import init

    for name, variable in variables(system).items():
        monkeypatch.setenv(name, variable)
    folder = tmp_path / "house"
    init(folder, system=system.system)
    system.page_most = 5
    yaml, file = YAML(), folder / "leadlight.yaml"
    told = yaml.load(file)
    told["connections"][system.system] |= system.settings()
    yaml.dump(told, file)
    monkeypatch.setattr(opened, "Clock", lambda **_: system.clock.clock())
    return leadlight.open(folder, now=system.clock.now)


def variables(system: StandIn) -> dict[str, str]:
    about = connector(system.system).about
    return {secret.variable: system.secrets[secret.name] for secret in about.secrets if secret.name in system.secrets}


def lake(workspace: Workspace, system: StandIn, kind: Kind) -> dict[str, Mapping[str, object]]:
    """Return the last version of each record of an object in the lake that is not gone."""
    folder = object_folder(workspace.root, system.system, kind.object)
    query = f"""SELECT * FROM read_parquet('{folder}/*.parquet', union_by_name := true)
        QUALIFY row_number() OVER (PARTITION BY _id ORDER BY _known_at DESC NULLS LAST) = 1"""
    with duckdb.connect() as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert len({row["_id"] for row in rows}) == len(rows)
    return {str(row["_id"]): row for row in rows if not row["_gone"]}


def agree(workspace: Workspace, system: StandIn, kind: Kind) -> None:
    """Assert that the lake holds what the system holds."""
    held, alive = lake(workspace, system, kind), system.alive(kind.object)
    assert set(held) == set(alive)
    for one, row in held.items():
        for name in (kind.text, kind.number):
            if name is not None and name in row:
                assert row[name] == alive[one].values[name], (one, name)


def leads(workspace: Workspace, system: StandIn) -> set[str]:
    """Return the records that are leads in the store, those too that are one person by their e-mail."""
    with workspace.store() as engine:
        rows = engine.rows("SELECT id FROM ids")
    return {str(one).removeprefix(f"{system.system}:") for (one,) in rows}


def mapped(system: StandIn) -> Kind:
    kind = kind_of(system, "people")
    assert kind.object in {source["object"] for source in connector(system.system).mapping.values()}
    return kind


def test_what_is_there_is_in_the_lake_and_again_changes_nothing(system: StandIn, workspace: Workspace) -> None:
    kind, ids = mapped(system), people(system)
    first = workspace.sync()
    assert first.error is None
    assert {one.object: one.new for one in first.connections[0].objects}[kind.object] >= len(ids)
    agree(workspace, system, kind)
    system.clock.advance(60)
    assert leads(workspace, system) == set(ids)
    again = workspace.sync()
    assert again.error is None
    assert not again.changed
    system.clock.advance(2 * DAY)
    system.edit(kind.object, ids[3], **{kind.text: "Changed"})
    if "delete" not in system.lacks:
        system.delete(kind.object, ids[5])
    new = system.add(kind.object, **{kind.text: "New", **kind.more})
    system.clock.advance(60)
    report = workspace.sync()
    assert report.error is None
    assert report.changed
    agree(workspace, system, kind)
    assert new in lake(workspace, system, kind)
    assert leads(workspace, system) == {*ids, new}  # who is deleted there is a lead of the past here


@pytest.mark.parametrize("after", [6, 12])
def test_a_kill_in_the_middle_leaves_nothing_out_and_nothing_twice(
    system: StandIn, workspace: Workspace, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, ids = mapped(system), people(system)
    if "http" in system.lacks:
        pytest.skip(f"{system.system}: {system.lacks['http']}")
    arguments = [sys.executable, "-c", CHILD.format(portion=PORTION), str(workspace.root), str(system.clock.now())]
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, env={**os.environ, **variables(system)})

    def kill(_: Call) -> None:
        system.clock.advance(1)  # the child waits by a clock of its own
        if len(system.calls) >= after:
            child.send_signal(signal.SIGKILL)

    system.at_call = kill
    child.communicate(timeout=60)
    system.at_call = lambda _: None
    system.clock.advance(60)
    monkeypatch.setattr(extract, "PORTION", PORTION)
    assert workspace.sync().error is None
    assert set(lake(workspace, system, kind)) == set(ids)
    agree(workspace, system, kind)
    system.clock.advance(60)
    assert not workspace.sync().changed
