from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.learn.campaign import SPEC, make_campaign

from leadlight.errors import NotFoundError, SpecError, UsageError
from leadlight.learn.run import to_beat
from leadlight.learn.uplift import UpliftRun
from leadlight.workspace import Workspace


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, UpliftRun]:
    workspace = make_campaign(tmp_path_factory.mktemp("moved"), "moved")
    return workspace, workspace.uplift()


def test_a_scorecard_of_who_is_moved_is_published(moved: tuple[Workspace, UpliftRun]) -> None:
    workspace, run = moved
    found = run.learned
    assert found.publishable
    assert run.placed.published
    assert "uplift" in workspace.loaded.scorecards
    assert {criterion.name for criterion in found.criteria} == {"Taste", "Age"}
    taste = next(criterion for criterion in found.criteria if criterion.name == "Taste")
    assert taste.points["hats"] - taste.points["bags"] == pytest.approx(12, abs=5)  # points are wins per 100
    assert found.neither == pytest.approx(2000, abs=200)
    assert found.verdict.better_than_random.word == "yes"
    assert found.verdict.better_than_response.word == "yes"
    assert found.spec.learned["treated"] == "mail = 'sent'"
    assert json.loads(json.dumps(run.as_dict(), allow_nan=False))["publishable"]


def test_the_treatment_is_never_a_feature(moved: tuple[Workspace, UpliftRun]) -> None:
    _, run = moved
    assert "mail" not in run.learned.leaks.features
    assert "mail" not in run.placed.path.read_text().split("learned:")[0].split("groups:")[1]


def test_rank_and_explain_tell_the_uplift(moved: tuple[Workspace, UpliftRun]) -> None:
    workspace, _ = moved
    first = workspace.rank("uplift", limit=1).rows[0].ledger
    low, high = first.uplift_interval
    assert low < first.uplift < high
    assert first.uplift == pytest.approx(0.17, abs=0.05)  # a young friend of hats: 12 + 5
    assert first.expected == pytest.approx(first.uplift * first.worth)
    ledger = workspace.explain(first.id, "uplift")
    assert sum(item.points for item in ledger.contributions) == pytest.approx(ledger.score, abs=1e-9)
    assert "points of win rate if treated" in str(ledger)
    assert ledger.as_dict()["uplift"] == first.uplift


def test_evaluate_tells_what_any_ranking_is_worth_to_the_campaign(moved: tuple[Workspace, UpliftRun]) -> None:
    workspace, _ = moved
    ours, house = (workspace.evaluate(name).campaign for name in ("uplift", "house"))
    assert ours.figures.effect.value == pytest.approx(house.figures.effect.value)
    assert ours.figures.qini.low > 0
    assert ours.figures.qini.value > house.figures.qini.value
    assert sum(item.holds for item in ours.promises) >= 2
    assert "the treatment changes the win rate by" in str(workspace.evaluate("uplift"))


def test_scores_and_statements_carry_the_uplift(moved: tuple[Workspace, UpliftRun], tmp_path: Path) -> None:
    workspace, _ = moved
    assert "uplift_low" in workspace.sql("uplift", dialect="postgres")
    workspace.export(str(tmp_path / "all.csv"), "uplift")
    assert ",uplift,uplift_low,uplift_high," in (tmp_path / "all.csv").read_text().splitlines()[0]


def test_uplift_scorecards_are_used_like_others(moved: tuple[Workspace, UpliftRun], tmp_path: Path) -> None:
    workspace, _ = moved
    run = workspace.score("uplift")[0]
    assert run.scored == 20_000
    with workspace.store() as engine:
        kept = engine.rows("SELECT count(uplift), count(probability) FROM scores WHERE scorecard = 'uplift'")[0]
    assert kept == (20_000, 0)
    assert len(workspace.history("C00003", "uplift").scores) == 1
    tried = workspace.try_lead({"taste": "hats", "age": 30, "orders": 2}, "uplift")
    assert tried.uplift > 0.1
    page = workspace.report(tmp_path / "r.html", "uplift").html
    assert "What it is worth to the campaign" in page
    assert "judged by them it looks better than it is" in page
    with pytest.raises(UsageError, match="who is moved"):
        workspace.adjust("uplift")


def test_an_uplift_scorecard_is_not_the_one_to_beat(moved: tuple[Workspace, UpliftRun]) -> None:
    workspace, _ = moved
    with workspace.store() as engine:
        assert to_beat(workspace._ready(engine)).name == "house"


def test_a_world_where_nobody_is_moved_gets_a_no(tmp_path: Path) -> None:
    run = make_campaign(tmp_path, "nobody", n=8000).uplift()
    assert not run.learned.publishable
    assert run.learned.verdict.better_than_random.word != "yes"
    assert not run.placed.published
    assert "Against publishing" in str(run)


def test_a_response_that_is_opposite_to_the_effect(tmp_path: Path) -> None:
    workspace = make_campaign(tmp_path, "opposite", n=12_000)
    assert workspace.uplift().learned.publishable
    ours, house = (workspace.evaluate(name).campaign.figures for name in ("uplift", "house"))
    assert ours.qini.low > 0 > house.qini.high


def test_arms_that_were_chosen_are_named(tmp_path: Path) -> None:
    workspace = make_campaign(tmp_path, "moved", n=6000, other_arm=False)
    people = (tmp_path / "people.csv").read_text().splitlines()
    loyal = [line for line in people[1:] if "sent" in line or int(float(line.split(",")[0])) < 5]
    (tmp_path / "people.csv").write_text("\n".join([people[0], *loyal]) + "\n")
    (tmp_path / "leadlight.duckdb").unlink()
    workspace.ingest()
    run = workspace.uplift()
    assert [item.feature for item in run.learned.verdict.balance.differing] == ["orders"]
    assert not run.learned.publishable


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    make_campaign(tmp_path, "moved", n=600)
    spec = tmp_path / "leadlight.yaml"
    spec.write_text(SPEC.replace("  treatment: {treated: \"mail = 'sent'\", control: \"mail = 'none'\"}\n", ""))
    with pytest.raises(NotFoundError, match="names no treatment"):
        Workspace(tmp_path).uplift()
    spec.write_text(SPEC.replace("mail = 'sent'", "mail = 'Sent'"))
    with pytest.raises(NotFoundError, match="nobody with a settled outcome"):
        Workspace(tmp_path).uplift()
    spec.write_text(SPEC.replace("mail = 'sent'", "male = 'sent'"))
    with pytest.raises(SpecError, match="mail"):
        Workspace(tmp_path).uplift()
    spec.write_text(SPEC)
    with pytest.raises(UsageError, match="written by hand"):
        Workspace(tmp_path).uplift(name="house")


def test_campaigns_of_several_days_are_judged_by_the_later_ones(tmp_path: Path) -> None:
    workspace = make_campaign(tmp_path, "moved", n=12_000)
    people = (tmp_path / "people.csv").read_text().replace('"', "").splitlines()
    head, rows = people[0].split(","), [line.split(",") for line in people[1:]]
    place, who = head.index("sent_at"), head.index("id")
    for number, row in enumerate(rows):
        row[place] = "2026-04-01" if number < 6_000 else "2026-05-01"
    (tmp_path / "people.csv").write_text("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    early = {row[who] for row in rows[:6_000]}
    visits = [line.split(",") for line in (tmp_path / "visits.csv").read_text().replace('"', "").splitlines()]
    moved = [[row[0], row[1].replace("2026-05", "2026-04") if row[0] in early else row[1], *row[2:]] for row in visits]
    (tmp_path / "visits.csv").write_text("\n".join(",".join(row) for row in moved) + "\n")
    (tmp_path / "leadlight.duckdb").unlink()
    workspace.ingest()
    found = workspace.uplift().learned
    assert found.verdict.timed
    assert sum(arm.n for arm in found.verdict.arms) == pytest.approx(5_400, abs=300)
    assert found.publishable
    assert "later than those learned from" in str(found.verdict)


def test_a_share_that_was_not_meant_is_spoken_of(tmp_path: Path) -> None:
    make_campaign(tmp_path, "moved", n=6_000, other_arm=False)
    (tmp_path / "leadlight.yaml").write_text(SPEC.replace("control: \"mail = 'none'\"}", "share: 0.4}"))
    found = Workspace(tmp_path).uplift(as_of="2026-06-01").learned
    assert not found.verdict.balance.alike
    assert "not the 40.0% that were meant" in str(found.verdict)
    assert not found.publishable


def test_the_uplift_of_a_score_is_read_off_the_effect(moved: tuple[Workspace, UpliftRun]) -> None:
    workspace, run = moved
    effect = run.learned.spec.effect
    for row in workspace.rank("uplift", limit=2000).rows[::400]:
        ledger = row.ledger
        assert ledger.uplift == pytest.approx(np.interp(ledger.score, effect.score, effect.uplift), abs=1e-9)
        assert ledger.uplift_interval[0] == pytest.approx(np.interp(ledger.score, effect.score, effect.low), abs=1e-9)
