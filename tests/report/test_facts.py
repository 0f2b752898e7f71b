from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.features.tables import day
from tests.scorecards.shop import HOUSE, NOW, WORKSPACE, open_shop

from leadlight.evaluate.rates import wilson
from leadlight.report.facts import (
    AttributeFacts,
    Conversion,
    CriterionFacts,
    EventFacts,
    ReportFacts,
    as_json,
    gather,
)
from leadlight.workspace import Workspace

ONE_AXIS = "grades: {score: {A: 15, B: 5, C: null}}\n"
NO_GRADES = HOUSE[: HOUSE.index("gates:")]
ACCOUNTS = """
of: account
groups:
  g: {criteria: [{name: Demos, event: demo, points: 5}, {name: Team, feature: leads, bands: [[2, null, 3]], other: 0}]}
grades: {score: {A: 5, B: null}}
"""


def facts_of(workspace: Workspace, *, as_of: str = "2026-03-01") -> ReportFacts:
    with workspace.session(), workspace.store() as engine:
        resolved = workspace._ready(engine)
        return gather(engine, resolved, resolved.scorecards["house"], day(as_of))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = open_shop(tmp_path_factory.mktemp("shop"))
    workspace.ingest()
    return workspace


@pytest.fixture(scope="module")
def facts(shop: Workspace) -> ReportFacts:
    return facts_of(shop)


@pytest.fixture
def again(shop: Workspace):
    """Return the facts of the same data by another scorecard."""
    kept = {name: (shop.root / name).read_text() for name in ("leadlight.yaml", "scorecards/house.yaml")}

    def facts(house: str = HOUSE, *, workspace: str = WORKSPACE, as_of: str = "2026-03-01") -> ReportFacts:
        return facts_of(open_shop(shop.root, house=house, workspace=workspace), as_of=as_of)

    yield facts
    for name, text in kept.items():
        (shop.root / name).write_text(text)


# ------------------------------------------------------------------------------------------------------ on the shop


def test_what_it_is_about(facts: ReportFacts) -> None:
    assert (facts.entity, facts.scorecard, facts.title, facts.as_of) == ("lead", "house", "House rules", NOW)
    assert (facts.ranking.total, facts.ranking.excluded, len(facts.ranking.rows)) == (4, 1, 4)


PRICING = {"ann": 8 / 2 + 8 / 4, "bob": 8 / 2**4}
SCORES = [1 + 20 + PRICING["ann"] + 10, 1 + 17 + PRICING["bob"] - 6, -5, 31]
"""Of ann, bob, di and cy: base, fit (capped for ann), engagement."""


def test_mean_and_bins(facts: ReportFacts) -> None:
    assert facts.mean == pytest.approx(sum(SCORES) / 4)
    assert facts.bins == ((-6, -4, 1), (12, 14, 1), (30, 32, 1), (36, 38, 1))  # 42 / 40 wide, then rounded up


def test_each_criterion_over_everybody_who_is_scored(facts: ReportFacts) -> None:
    assert facts.criteria == (
        CriterionFacts("Seniority", "fit", 4, (15 + 5 + 15 - 1) / 4, -1, 15),
        CriterionFacts("Company size", "fit", 4, (12 + 12 + 5 - 5) / 4, -5, 12),
        CriterionFacts("Big and busy", "fit", 1, 1, 0, 4),
        CriterionFacts("Looks at pricing", "engagement", 2, pytest.approx(6.5 / 4), 0, pytest.approx(6)),
        CriterionFacts("Asked for a demo", "engagement", 2, 5, 0, 10),
        CriterionFacts("Unsubscribed", "engagement", 1, -1.5, -6, 0),
        CriterionFacts("Came to Mars", "engagement", 0, 0, 0, 0),
    )
    assert facts.silent == ["Came to Mars"]


def test_caps_and_gates_say_whom_they_concern(facts: ReportFacts) -> None:
    assert facts.caps == (("fit", 1),)
    assert facts.gates == (("Competitor", 1),)


def test_how_well_attributes_are_known(facts: ReportFacts) -> None:
    assert facts.attributes == (
        AttributeFacts("email", "text", 5, 5, 5),  # of all who exist, the excluded too; fay is not there yet
        AttributeFacts("employees", "number", 5, 5, 4),
        AttributeFacts("seniority", "text", 4, 5, 2),
    )


def test_events_up_to_the_moment(facts: ReportFacts) -> None:
    assert facts.events == (
        EventFacts("page_view", 4, 2, day("2026-02-27")),
        EventFacts("demo", 3, 2, day("2026-02-21")),
        EventFacts("unsubscribe", 1, 1, day("2026-02-25")),
    )
    assert (facts.future, facts.without_events, facts.rejected) == (1, 2, 0)


def test_conversion_of_those_open_a_horizon_ago(again) -> None:
    """On 16 January ann and bob were open, both A3 then; bob was lost on 28 February, cy not there yet."""
    facts = again(
        workspace=WORKSPACE.replace("stage = 'won'", "stage = 'lost'").replace("horizon: 30d", "horizon: 44d")
    )
    found = facts.conversion
    assert found is not None
    assert (found.timed, found.as_of, found.until) == (True, day("2026-01-16"), NOW)
    assert [(row.name, row.n, row.won) for row in found.rows] == [("A3", 2, 1)]
    assert (found.rows[0].low, found.rows[0].high) == wilson(1, 2)
    assert found.base_rate == 0.5


def test_as_json_is_plain_and_whole(facts: ReportFacts) -> None:
    document = as_json(facts)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["never_fire"] == ["Came to Mars"]
    assert document["caps"] == {"fit": 1}
    assert document["events"][0] == {"type": "page_view", "count": 4, "leads": 2, "last": "2026-02-27T00:00:00Z"}
    assert document["hindsight"] == {
        "as_of": "2026-01-30T00:00:00Z", "until": "2026-03-01T00:00:00Z", "open": 2, "won": 0, "auc": None,
        "top_tenth": None,
        "top_tenth_of_a_coin": None,
        "top_tenth_at_best": None,
        "learned_from": False,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------- in other shapes


def test_nobody_is_there_yet(again) -> None:
    facts = again(as_of="2025-01-01")
    assert (facts.ranking.total, facts.mean, facts.bins, facts.conversion) == (0, None, (), None)
    assert {(c.fires, c.mean, c.lowest, c.highest) for c in facts.criteria} == {(0, 0.0, 0.0, 0.0)}
    assert {(a.known, a.total, a.distinct) for a in facts.attributes} == {(0, 0, 0)}
    assert (facts.events, facts.future) == ((), 9)


def test_one_lead(again) -> None:
    facts = again(as_of="2026-01-03")
    assert (facts.ranking.total, facts.mean, facts.bins) == (1, 1 + 20 + 0 * 8, ((21.0, 22.0, 1),))


def test_without_grades(again) -> None:
    facts = again(NO_GRADES)
    assert (facts.gates, facts.conversion, facts.ranking.grades) == ((), None, {})
    assert facts.hindsight is not None


def test_gates_without_grades_do_not_matter(again) -> None:
    facts = again(HOUSE[: HOUSE.index("grades:")])
    assert facts.gates == ()


def test_one_axis(again) -> None:
    facts = again(NO_GRADES + ONE_AXIS)
    assert facts.ranking.grades == {"A": 2, "B": 1, "C": 1}


def test_a_scorecard_of_accounts(again) -> None:
    facts = again(ACCOUNTS)
    assert facts.entity == "account"
    assert [(row.ledger.id, row.ledger.score) for row in facts.ranking.rows] == [
        ("Acme", 13),
        ("Rival", 5),
        ("Shop", 0),
    ]
    assert (facts.ranking.excluded, facts.attributes, facts.conversion, facts.hindsight) == (0, (), None, None)


def test_another_entity(again) -> None:
    assert again(workspace=WORKSPACE.replace("entity: lead", "entity: ticket")).entity == "ticket"


def test_no_outcomes_are_named(again) -> None:
    facts = again(workspace="\n".join(line for line in WORKSPACE.splitlines() if not line.startswith("outcome")))
    assert (facts.conversion, facts.hindsight) == (None, None)


def test_outcomes_without_a_time_are_held_against_the_grades_of_now(tmp_path: Path) -> None:
    shop = open_shop(tmp_path, workspace=WORKSPACE.replace("at: closed, ", ""))
    shop.ingest()
    facts = facts_of(shop)
    assert facts.conversion == Conversion(False, NOW, NOW, facts.conversion.rows)
    assert {row.name: (row.n, row.won) for row in facts.conversion.rows} == {"A1": (1, 0), "A3": (1, 0), "C3": (2, 1)}
    assert facts.hindsight is None


def test_rows_that_could_not_be_read_are_counted(tmp_path: Path) -> None:
    shop = open_shop(tmp_path, workspace=WORKSPACE.replace("at: at}", "at: at, reject_limit: 0.5}"))
    with (tmp_path / "events.csv").open("a") as file:
        file.write("ann,page_view,not a time,/x\nann,,2026-01-01,/x\n")
    shop.ingest()
    assert facts_of(shop).rejected == 2
