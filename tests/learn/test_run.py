from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.learn.run import learned_name, to_beat
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.workspace import Workspace

SOURCES = """
sources:
  subscribers: {csv: subscribers.csv, id: id, created_at: since}
  ends: {csv: ends.csv, lead: id, at: at, outcome: what}
"""
CHURN, RENEWAL = "churn: {win: \"what = 'churned'\"}", "renewal: {win: \"what = 'renewed'\", repeats: true}"
CARD = "groups: {fit: {criteria: [{name: All, when: 'true', points: 1}]}}\n"


def seen_by(folder: Path, spec: str, cards: dict[str, str | None], outcome: str | None) -> ResolvedWorkspace:
    """Return a workspace with scorecards (name → outcome) as one outcome sees it."""
    (folder / "subscribers.csv").write_text("id,since\na,2026-01-01\n")
    (folder / "ends.csv").write_text("id,at,what\na,2026-02-01,renewed\n")
    (folder / "leadlight.yaml").write_text(SOURCES + spec)
    (folder / "scorecards").mkdir()
    for name, about in cards.items():
        head = f"outcome: {about}\n" if about else ""
        head += "learned: {to: '2026-01-15'}\n" if name == "learned" else ""
        (folder / "scorecards" / f"{name}.yaml").write_text(head + CARD)
    workspace = Workspace(folder)
    workspace.ingest()
    with workspace.store() as engine:
        return workspace._ready(engine).toward(outcome)


@pytest.mark.parametrize(
    ("outcome", "beaten", "name"),
    [("churn", "risk", "learned_churn"), ("renewal", None, "learned_renewal"), (None, "house", "learned")],
)
def test_a_scorecard_is_held_against_one_of_its_own_outcome(
    tmp_path: Path, outcome: str | None, beaten: str | None, name: str
) -> None:
    spec = f"outcome: {{win: \"what = 'expanded'\"}}\noutcomes: {{{CHURN}, {RENEWAL}}}\n"
    cards = {"fit": None, "house": None, "risk": "churn", "risk_2": "churn"}
    workspace = seen_by(tmp_path, spec, cards, outcome)
    found = to_beat(workspace)
    assert (None if found is None else found.name) == beaten
    assert learned_name(workspace, None) == name
    assert learned_name(workspace, "mine") == "mine"


def test_cards_without_a_name_are_of_the_only_outcome(tmp_path: Path) -> None:
    workspace = seen_by(tmp_path, f"outcomes: {{{CHURN}}}\n", {"fit": None, "risk": "churn"}, None)
    found = to_beat(workspace)
    assert found is not None
    assert (found.name, learned_name(workspace, None)) == ("fit", "learned_churn")


@pytest.mark.parametrize(("cards", "beaten"), [(("learned", "mine"), "mine"), (("learned",), "learned")])
def test_what_people_wrote_is_to_be_beaten_before_what_was_learned(
    tmp_path: Path, cards: tuple[str, ...], beaten: str
) -> None:
    workspace = seen_by(tmp_path, f"outcomes: {{{CHURN}}}\n", dict.fromkeys(cards), None)
    found = to_beat(workspace)
    assert found is not None
    assert found.name == beaten
