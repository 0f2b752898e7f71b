"""What is shown of a person is what would be erased: the same tables, the same rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.scorecards.shop import LEADS, open_shop

from leadlight.errors import NotFoundError, UsageError
from leadlight.workspace import Workspace


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("access")
    workspace = open_shop(folder)
    (folder / "leads.csv").write_text(LEADS + "bob2,2026-01-20,BOB@acme.example ,Acme,manager,500\n")
    workspace.ingest()
    workspace.score()
    return workspace


def test_by_any_id_all_that_would_be_erased(shop: Workspace, tmp_path: Path) -> None:
    found = shop.access("bob2")
    assert set(found.ids) == {"bob", "bob2"}
    counts = {table: len(rows) for table, rows in found.tables.items()}
    file = found.write(tmp_path / "bob.json")
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text()) == json.loads(json.dumps(found.as_dict()))
    with shop.store(write=True) as engine:
        from leadlight.store.erase import about, find_person

        person = find_person(engine, "bob")
        for table, condition, told in about(engine, person):
            there = engine.rows(f"SELECT count(*) FROM {table} WHERE {condition}", [told])[0][0]
            assert counts.get(table, 0) == there


def test_nothing_of_others(shop: Workspace) -> None:
    text = json.dumps(shop.access("bob").as_dict())
    with shop.store() as engine:
        others = [str(own) for (own,) in engine.rows("SELECT id FROM ids WHERE id NOT IN ('bob', 'bob2')")]
    assert others
    assert [other for other in others if f'"{other}"' in text] == []


def test_says_where_from_and_why(shop: Workspace) -> None:
    found = shop.access("bob").as_dict()
    assert {row["_source"] for row in found["tables"]["observations"]} == {"leads"}
    assert all(row["_source"] for row in found["tables"]["events"])
    (score,) = [score for score in found["scores"] if score["scorecard"] == "house"]
    assert score["score"] == pytest.approx(sum(item["points"] for item in score["contributions"]))
    assert score["reasons"]
    assert found["facts"]["attributes"]


def test_moments_have_their_zone(shop: Workspace) -> None:
    found = shop.access("bob").as_dict()
    assert all(row["at"].endswith("Z") for row in found["tables"]["events"])
    assert "9999" not in json.dumps(found["tables"]["attributes"])  # what is still known has no end


def test_nobody(shop: Workspace) -> None:
    with pytest.raises(NotFoundError, match="nobody with the id 'x'"):
        shop.access("x")


def test_a_file_that_cannot_be_written(shop: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        shop.access("bob").write(tmp_path / "no" / "folder.json")
