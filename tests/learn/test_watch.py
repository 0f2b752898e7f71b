from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.learn.company import UNTIL, make_company

from leadlight.errors import NotFoundError
from leadlight.learn.run import LearnRun
from leadlight.workspace import Workspace


def test_a_steady_company_needs_nothing(company: Workspace) -> None:
    found = company.watch("house", since="2026-01-01")
    assert not found.needs_learning
    assert {item.name for item in found.watch.features} == {"source", "size"}
    assert found.before > found.after > 100
    assert "gives no probabilities" in str(found)
    with pytest.raises(NotFoundError, match="did you mean 'source'"):
        company.watch("house", since="2026-01-01", segment="sourc")


def test_the_moment_of_learning_may_have_a_zone(company: Workspace) -> None:
    card = company.root / "scorecards" / "house.yaml"
    card.write_text(card.read_text() + 'learned: {to: "2026-01-01T02:00:00+02:00"}\n')
    found = Workspace(company.root, now=company.now).watch("house")
    assert found.since == datetime(2026, 1, 1)


def test_a_shift_is_named(tmp_path: Path) -> None:
    make_company(tmp_path, leads=800)
    text = (tmp_path / "leads.csv").read_text().splitlines()
    moved = [line.replace('"organic"', '"fair"') if '"2026-' in line or ",2026-" in line else line for line in text]
    (tmp_path / "leads.csv").write_text("\n".join(moved) + "\n")
    (tmp_path / "leadlight.duckdb").unlink()
    workspace = Workspace(tmp_path, now=lambda: UNTIL)
    workspace.ingest()
    found = workspace.watch("house", since="2026-01-01")
    assert found.needs_learning
    assert found.watch.features[0].name == "source"
    assert any("source" in reason for reason in found.watch.reasons)


def test_probabilities_are_held_against_what_came_since(taught: tuple[Workspace, LearnRun]) -> None:
    workspace, _ = taught
    found = workspace.watch("learned", since="2026-02-01", segment="source")
    everybody, *parts = found.watch.since
    assert everybody.n == found.settled == sum(part.n for part in parts)
    assert everybody.expected > 0


def test_a_card_just_learned_is_not_learned_again(taught: tuple[Workspace, LearnRun]) -> None:
    workspace, _ = taught
    seen = workspace.learn(if_needed=True)
    assert not isinstance(seen, LearnRun)
    assert not seen.needs_learning
    assert seen.after == 0
    assert "Too few to compare yet" in str(seen)
