from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.learn.company import START, UNTIL, make_company

from leadlight.errors import NotFoundError, TooFewOutcomes
from leadlight.learn.candidates import candidates
from leadlight.learn.learn import bare_card
from leadlight.learn.run import LearnRun
from leadlight.learn.training import training
from leadlight.scorecards.places import by_value
from leadlight.scorecards.scores_at import scores_at
from leadlight.spec.models import ScorecardSpec
from leadlight.workspace import Workspace

Taught = tuple[Workspace, LearnRun]


def test_what_knows_the_outcome_or_the_time_is_left_out_by_name(taught: Taught) -> None:
    leaks = taught[1].learned.leaks
    assert {"lead_quality", "budget_year"} <= set(leaks.left_out)
    assert not {"source", "size", "colour", "shoe"} & set(leaks.left_out)
    spec = taught[1].learned.spec
    assert spec.learned is not None
    assert spec.learned["left_out"]["budget_year"].startswith("calendar")


def test_the_truth_is_found(taught: Taught) -> None:
    criteria = {criterion.name: criterion for criterion in taught[1].learned.criteria}
    points = criteria["Source"].points
    assert points["referral"] > points["organic"] > points["ads"]
    metrics = taught[1].learned.verdict.metrics
    assert metrics.auc is not None
    assert metrics.auc.low > 0.6


def test_the_file_gives_the_probabilities_that_were_learned(taught: Taught) -> None:
    workspace, run = taught
    ranking = workspace.rank("learned", limit=50)
    curve = run.learned.spec.calibration
    assert curve is not None
    assert curve.low is not None
    for row in ranking.rows:
        ledger = row.ledger
        assert sum(item.points for item in ledger.contributions) == pytest.approx(ledger.score, abs=1e-9)
        assert ledger.probability == pytest.approx(np.interp(ledger.score, curve.score, curve.probability))
        assert ledger.interval is not None
        assert ledger.interval[0] <= ledger.probability <= ledger.interval[1]
        assert 0 < ledger.probability < 1
    expected = [row.ledger.expected for row in ranking.rows]
    assert expected == sorted(expected, reverse=True), "the worth of a win is known, so value comes first"


def test_the_same_seed_learns_the_same_card(taught: Taught, company: Workspace) -> None:
    again = company.learn(force=True)
    assert isinstance(again, LearnRun)
    assert again.placed.path.read_text() == taught[1].placed.path.read_text()


def test_a_learned_card_is_opened_diffed_and_explained_like_any_other(taught: Taught) -> None:
    workspace, run = taught
    path = run.placed.path
    assert path.read_text().startswith("# Learned from ")
    assert set(workspace.check().scorecards) == {"house", "learned"}
    first = workspace.rank("learned", limit=1).rows[0].ledger.id
    assert "points" in str(workspace.explain(first, "learned"))
    assert workspace.diff("learned", against=path).moved == 0


def test_provenance_says_where_the_numbers_come_from(taught: Taught) -> None:
    learned = taught[1].learned.spec.learned
    assert learned is not None
    assert START.date().isoformat() <= learned["from"] <= learned["evaluation"]["from"]
    assert learned["to"] == UNTIL.date().isoformat()
    assert learned["wins"] == taught[1].learned.counts.wins
    assert learned["evaluation"]["in_time"] is True
    assert len(learned["data"]) == 12


def test_held_out_rows_are_later_than_all_that_was_learned_from(taught: Taught) -> None:
    verdict = taught[1].learned.verdict
    assert verdict.timed
    assert verdict.since is not None
    newest = (UNTIL - datetime(1970, 1, 1)).days - 30
    assert verdict.since < newest + 1
    assert [name for name, _ in verdict.systems] == [
        "learned scorecard", "today's scorecard", "first come, first served", "black box", "base rate",
    ]  # fmt: skip


def test_a_card_that_has_learned_from_the_rows_judged_by_is_not_held_against_them(
    taught: Taught, company: Workspace
) -> None:
    shutil.copy(taught[1].placed.path, company.root / "scorecards" / "learned.yaml")
    again = Workspace(company.root, now=lambda: UNTIL).learn(name="again", against="learned")
    assert isinstance(again, LearnRun)
    assert again.learned.verdict.better_than_today is None
    assert "learned has learned from the rows judged by, so it is not held against them" in again.learned.notes


def test_a_protected_attribute_is_never_learned_from(tmp_path: Path) -> None:
    workspace = make_company(tmp_path, leads=900, learn="learn: {protected: [source], leave_out: [size]}")
    with workspace.store() as engine:
        resolved = workspace._ready(engine)
        found = candidates(engine, resolved)
        assert not {"source", "size"} & set(training(engine, resolved, found, UNTIL).examples.names)
        spec = bare_card(engine, resolved, found, UNTIL)
    assert "'source'" not in str(spec)


def test_a_leak_can_be_put_back_by_name(company: Workspace) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'lead_quality'"):
        company.learn(keep=["lead_qualty"])
    with company.store() as engine:
        resolved = company._ready(engine)
        table = training(engine, resolved, candidates(engine, resolved), UNTIL)
    assert "lead_quality" in table.examples.names


def test_too_few_wins_say_what_to_do(company: Workspace) -> None:
    with pytest.raises(TooFewOutcomes, match="too few wins") as caught:
        company.learn(as_of=datetime(2025, 2, 10))
    assert caught.value.fix is not None
    assert "learn --from" in caught.value.fix


def test_bare_card_scores_as_its_tables_say(company: Workspace) -> None:
    from leadlight.learn.replay import resolved_card

    with company.store() as engine:
        resolved = company._ready(engine)
        spec = bare_card(engine, resolved, candidates(engine, resolved), UNTIL)
        card = resolved_card(resolved, spec, "bare")
        table = training(engine, resolved, candidates(engine, resolved), UNTIL)
        found = scores_at(engine, resolved, card, table.examples.lead, table.as_of)
    assert isinstance(spec, ScorecardSpec)
    assert found.scored.all()
    assert table.examples.won[np.argsort(-found.score)[:200]].mean() > 2 * table.examples.won.mean()
    # What is learned ranks by expected value, where worth is known: so does what a replay learns anew.
    assert by_value(card)
    assert found.probability == pytest.approx(1 / (1 + 2 ** (-found.score / 20)), abs=0.002)
