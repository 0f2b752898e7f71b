"""Data as they come: too few outcomes, or of one kind; columns that say nothing; values and moments out of place."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.learn.company import HOUSE, SPEC, START, UNTIL

from leadlight.errors import NotFoundError, TooFewOutcomes
from leadlight.learn.run import LearnRun
from leadlight.learn.training import past_rows
from leadlight.workspace import Workspace

LEADS = 500
NEW_SINCE = 350
"""The day from which on there is a region that was not there before."""


def oddities(
    folder: Path, *, won: float = 0.3, lost: bool = True, unborn: int = 0, early: int = 0, shift: int = 0, wait: int = 5
):
    """Write a company with a constant and an empty column and a late value; return its workspace.

    `unborn` leads are created after now, `early` ones have their outcome before they were created, and all outcomes
    come `wait` days after creation and `shift` days later.
    """
    dice = np.random.default_rng(1)
    day = np.sort(dice.uniform(0, 500, LEADS))
    good, wins = dice.random(LEADS) < 0.5, dice.random(LEADS)
    leads, deals = ["id,created,company,source,size,same,empty,region"], ["lead,closed,stage,amount"]
    for k in range(LEADS):
        created = UNTIL + timedelta(days=10) if k < unborn else START + timedelta(days=float(day[k]))
        region = dice.choice(["north", "south", "moon"][: 3 if day[k] >= NEW_SINCE else 2])
        source = "referral" if good[k] else "ads"
        leads.append(f"L{k},{created:%Y-%m-%d %H:%M},C{k},{source},{dice.integers(1, 500)},x,,{region}")
        is_won = wins[k] < won * (1.5 if good[k] else 0.5)
        closed = created + timedelta(days=-3 if k >= LEADS - early else wait + shift)
        if is_won or lost:
            deals.append(f"L{k},{closed:%Y-%m-%d %H:%M},{'won' if is_won else 'lost'},")
    (folder / "leads.csv").write_text("\n".join(leads) + "\n")
    (folder / "deals.csv").write_text("\n".join(deals) + "\n")
    (folder / "events.csv").write_text("lead,type,at,path\nL1,visit,2025-03-01,/\nL2,visit,2027-03-01,/\n")
    (folder / "scorecards").mkdir()
    (folder / "scorecards" / "house.yaml").write_text(HOUSE)
    (folder / "leadlight.yaml").write_text(
        SPEC.replace("LEARN", "").replace("parquet: events.parquet", "csv: events.csv")
    )
    workspace = Workspace(folder, now=lambda: UNTIL)
    workspace.ingest()
    return workspace


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> LearnRun:
    run = oddities(tmp_path_factory.mktemp("odd"), unborn=20, early=15).learn()
    assert isinstance(run, LearnRun)
    return run


def test_what_is_out_of_time_is_counted_and_said(learned: LearnRun) -> None:
    counts = learned.learned.counts
    assert (counts.before_creation, counts.in_future, counts.born_later, counts.events_later) == (15, 20, 20, 1)
    for sentence in (
        "15 outcomes are dated before their lead was created: left out",
        "20 outcomes are dated after the moment of learning: not looked at",
        "20 leads are dated after the moment of learning: not looked at",
        "1 events are dated after the moment of learning: not looked at",
    ):
        assert sentence in learned.learned.notes


def test_an_outcome_before_creation_closes_its_lead(tmp_path: Path) -> None:
    """Its lead was never open, so no moment of it is learned from."""
    workspace = oddities(tmp_path, early=15)
    with workspace.store() as engine:
        rows = past_rows(engine, workspace._ready(engine), UNTIL)
        of = dict(engine.rows("SELECT lead, id FROM leads"))
    seen = {of[int(lead)] for lead in rows.lead}
    assert not seen & {f"L{k}" for k in range(LEADS - 15, LEADS)}
    assert f"L{LEADS - 60}" in seen


def test_columns_that_say_nothing_are_named(learned: LearnRun) -> None:
    leaks = learned.learned.leaks
    found = {name: leaks.of(name) for name in ("same", "empty")}
    assert [finding and (finding.kind, finding.evidence) for finding in found.values()] == [
        ("constant", "has one value only"), ("constant", "has no value in any row"),
    ]  # fmt: skip
    assert "same is not used: it has one value only" in learned.learned.notes
    [sentence] = [note for note in learned.learned.notes if note.endswith("they have no value")]
    assert sentence.startswith("empty, ")
    assert not {"Same", "Empty"} & {criterion.name for criterion in learned.learned.criteria}


def test_values_that_were_not_there_before_are_counted(learned: LearnRun) -> None:
    [sentence] = [note for note in learned.learned.notes if "of region" in note]
    count, rows = (int(word) for word in sentence.split() if word.isdigit())
    assert rows == learned.learned.verdict.n
    assert 0.15 < count / rows < 0.6  # a third of what is new, and all that is judged is
    assert sentence.endswith("that was not learned from: they get the points of other values")


@pytest.mark.parametrize(
    ("won", "lost", "wins", "fewer"), [(0.0, True, "0 wins", "wins"), (9.0, False, "0 losses", "losses")]
)
def test_one_kind_of_outcome_alone(tmp_path: Path, won: float, lost: bool, wins: str, fewer: str) -> None:
    workspace = oddities(tmp_path, won=won, lost=lost)
    with pytest.raises(TooFewOutcomes, match=f"too few {fewer}") as caught:
        workspace.learn()
    assert wins in caught.value.message
    assert "One kind of outcome alone tells nothing apart" in str(caught.value)
    moved = workspace.adjust("house")
    assert (moved.proposal.changes, moved.placed) == ((), None)


def test_where_leads_never_close_how_long_they_are_known_tells_most_and_is_learned_from(tmp_path: Path) -> None:
    run = oddities(tmp_path, won=0.4, lost=False).learn()
    assert isinstance(run, LearnRun)
    assert "days_known" not in run.learned.leaks.left_out
    assert "Days known" in [criterion.name for criterion in run.learned.criteria]


def test_too_few_outcomes_say_how_many_and_what_to_do(tmp_path: Path) -> None:
    workspace = oddities(tmp_path, won=0.01)
    with pytest.raises(TooFewOutcomes, match="at least 10 are needed") as caught:
        workspace.learn()
    assert 0 < caught.value.wins < 10
    assert "leadlight learn --from NAME" in str(caught.value)


def test_a_lead_looked_at_again_and_again_is_one_win(tmp_path: Path) -> None:
    workspace = oddities(tmp_path, won=0.018, wait=29)
    with workspace.store() as engine:
        rows = past_rows(engine, workspace._ready(engine), UNTIL)
    winners = len(np.unique(rows.lead[rows.won]))
    assert winners < 10 < rows.won.sum()
    with pytest.raises(TooFewOutcomes, match="at least 10 are needed") as caught:
        workspace.learn()
    assert caught.value.wins == winners


def test_enough_in_all_but_too_few_to_judge_by(tmp_path: Path) -> None:
    workspace = oddities(tmp_path, won=0.03)
    with pytest.raises(TooFewOutcomes, match="too few wins") as caught:
        workspace.learn()
    assert "the others are kept to judge by" in str(caught.value)


def test_outcomes_that_are_all_to_come(tmp_path: Path) -> None:
    with pytest.raises(TooFewOutcomes, match="0 wins") as caught:
        oddities(tmp_path, shift=900).learn()
    assert f"{LEADS} outcomes are dated after the moment of learning" in str(caught.value)


def test_no_outcome_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no outcomes to learn from"):
        oddities(tmp_path, won=0, lost=False).learn()


def test_learning_as_of_the_past_says_what_came_later(tmp_path: Path) -> None:
    workspace = oddities(tmp_path)
    now, before = workspace.learn(), workspace.learn(as_of=datetime(2026, 2, 1))
    assert isinstance(now, LearnRun)
    assert isinstance(before, LearnRun)
    assert now.learned.counts.born_later == 0
    assert before.learned.counts.born_later > 0
