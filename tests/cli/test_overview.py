"""What `leadlight` alone says of a folder: where it stands and what to do next."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import leadlight
from leadlight.cli.overview import look
from leadlight.templates.init import init

MIXED = """
connections: {crm: {system: hubspot, push: {scorecard: house}}}
sources:
  fair: {csv: leads.csv, id: id, created_at: created}
  contacts: {connection: crm, object: contacts, kind: leads, columns: {email: email}}
"""
CARD = "groups: {fit: {criteria: [{name: Left an address, when: email is not null, points: 5}]}}"


def commands(folder: Path) -> list[str]:
    return [command for command, _ in look(folder).next]


def test_an_empty_folder_shows_every_way_to_begin(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert not found.workspace
    assert [command for command in commands(tmp_path) if command.startswith("leadlight init")] == [
        "leadlight init shop", "leadlight init --playbooks", "leadlight init --systems"
    ]  # fmt: skip


def test_files_are_ingested_then_ranked(tmp_path: Path) -> None:
    init(tmp_path, today=date(2026, 6, 30))
    assert commands(tmp_path) == ["leadlight check", "leadlight ingest"]
    leadlight.open(tmp_path).ingest()
    assert commands(tmp_path) == ["leadlight rank", "leadlight score"]
    leadlight.open(tmp_path).score(as_of="2026-06-30")
    found = look(tmp_path)
    assert found.scored_as_of is not None
    assert not {"leadlight sync", "leadlight push"} & set(commands(tmp_path))


def test_a_system_is_synced_and_written_back_to(tmp_path: Path) -> None:
    init(tmp_path, system="hubspot")
    assert commands(tmp_path) == ["leadlight check", "leadlight sync"]
    leadlight.open(tmp_path).ingest()  # there is nothing to read yet
    assert commands(tmp_path) == ["leadlight check", "leadlight sync"]
    (tmp_path / "leads.csv").write_text("id,created,email\na,2026-01-01,ann@acme.example\n")
    (tmp_path / "leadlight.yaml").write_text(MIXED, encoding="utf-8")
    (tmp_path / "scorecards" / "house.yaml").write_text(CARD, encoding="utf-8")
    workspace = leadlight.open(tmp_path)
    workspace.ingest()
    workspace.score()
    assert commands(tmp_path)[:4] == ["leadlight sync", "leadlight ingest", "leadlight score", "leadlight push"]


def test_after_a_reading_that_was_killed_it_is_still_to_be_read(tmp_path: Path) -> None:
    init(tmp_path, today=date(2026, 6, 30))
    with leadlight.open(tmp_path).store(write=True, create=True):
        pass  # the store is made before the first row is in it
    found = look(tmp_path)
    assert found.state.startswith("A workspace that has read nothing yet")
    assert commands(tmp_path) == ["leadlight check", "leadlight ingest"]
