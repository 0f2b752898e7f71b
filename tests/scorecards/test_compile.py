from __future__ import annotations

from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from tests.features.tables import Filled, T, Tables, day

from leadlight.expr import build
from leadlight.expr.types import Type
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, name_types, score_statement
from leadlight.workspace import DIALECTS

CARD = """
base: 1
groups:
  fit:
    cap: [-4, 10]
    criteria:
      - {name: Size, feature: size, bands: [[null, 10, -5], [10, 100, 5], [100, null, 12]]}
      - {name: Rome, feature: city, points: {Rome: 3}}
  doing:
    cap: [null, 8]
    criteria:
      - {name: Views, event: view, points: 2}
      - {name: Sales, event: sale, points: 5, within: 10d}
  extra: {criteria: [{name: Big Roman, when: "size >= 100 and city = 'Rome'", points: 1}]}
gates:
  - {name: Rival, when: "city = 'Rival'", grade: D}
  - {name: Friend, when: "size = 7 or city = 'Rival'", grade: A}
grades: {score: {A: 15, B: 5, C: 0, D: null}}
calibration: {score: [0, 10, 20], probability: [0.1, 0.2, 0.6]}
"""
LEADS = {  # lead → (size, city, views), then what the groups and the score come to
    0: (100.0, "Rome", 2),
    1: (50.0, "Oslo", 0),
    2: (5.0, None, 9),
    3: (7.0, "Rival", 0),
    4: (7.0, None, 0),
    5: (None, "Gone", 1),
    6: (None, None, 0),
}


def small() -> Tables:
    tables = Tables(attributes={"size": Type.NUMBER, "city": Type.TEXT}, properties={"path": Type.TEXT})
    for lead, (size, city, views) in LEADS.items():
        tables.lead(lead, size=size, city=city)
        for _ in range(views):
            tables.event(lead, "view", T)
    return tables.event(0, "sale", "2026-02-20")


@pytest.fixture(scope="module")
def store() -> Filled:
    return small().filled(scorecard=CARD, exclude="city = 'Gone'")


@pytest.fixture(scope="module")
def scores(store: Filled) -> dict[int, dict[str, Any]]:
    return store.scores()


def test_columns_come_in_a_stated_order(scores: dict[int, dict[str, Any]]) -> None:
    assert list(scores[0]) == [
        "lead", "id", "as_of", "score", "probability", "grade", "gate", "level_1", "since_1",
        "fit__total", "fit__cap", "doing__total", "doing__cap", "extra__total", "extra__cap",
        "fit__size", "fit__rome", "doing__views", "doing__sales", "extra__big_roman",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lead", "fit", "doing", "extra", "score"),
    [
        (0, (12, 3, -5, 10), (4, 5, -1, 8), 1, 20),
        (1, (5, 0, 0, 5), (0, 0, 0, 0), 0, 6),
        (2, (-5, 0, 1, -4), (18, 0, -10, 8), 0, 5),
        (3, (-5, 0, 1, -4), (0, 0, 0, 0), 0, -3),
        (6, (0, 0, 0, 0), (0, 0, 0, 0), 0, 1),
    ],
)
def test_groups_are_sums_within_their_caps_and_the_cap_is_an_item(
    scores: dict[int, dict[str, Any]], lead: int, fit: tuple[int, ...], doing: tuple[int, ...], extra: int, score: int
) -> None:
    row = scores[lead]
    assert (row["fit__size"], row["fit__rome"], row["fit__cap"], row["fit__total"]) == fit
    assert (row["doing__views"], row["doing__sales"], row["doing__cap"], row["doing__total"]) == doing
    assert (row["extra__big_roman"], row["extra__cap"], row["extra__total"]) == (extra, 0, extra)
    assert row["score"] == score


def test_an_excluded_lead_has_no_score(scores: dict[int, dict[str, Any]]) -> None:
    assert scores.keys() == {0, 1, 2, 3, 4, 6}  # and one of whom it is not known stays


def test_excluded_leads_can_be_kept_and_told_apart(store: Filled) -> None:
    found = store.scores(options=Options(excluded=True))
    assert {lead: row["excluded"] for lead, row in found.items()} == {lead: lead == 5 for lead in LEADS}
    assert found[5]["score"] == 1 + 2


@pytest.mark.parametrize(
    ("lead", "grade", "level", "gate"),
    [
        (0, "A", "A", None),
        (1, "B", "B", None),
        (2, "B", "B", None),  # 5 reaches the bound 5
        (3, "D", "D", "Rival"),  # the first gate that is true
        (4, "A", "D", "Friend"),  # the level goes on underneath
        (6, "C", "C", None),  # gates over what is not known are not true
    ],
)
def test_grades_and_gates(
    scores: dict[int, dict[str, Any]], lead: int, grade: str, level: str, gate: str | None
) -> None:
    row = scores[lead]
    assert (row["grade"], row["level_1"], row["gate"], row["since_1"]) == (grade, level, gate, T)


@pytest.mark.parametrize(("score", "probability"), [(20, 0.6), (6, 0.16), (5, 0.15), (-3, 0.1), (1, 0.11)])
def test_probability_lies_on_straight_lines_between_the_points(
    scores: dict[int, dict[str, Any]], score: float, probability: float
) -> None:
    found = {row["score"]: row["probability"] for row in scores.values()}
    assert found[score] == pytest.approx(probability, abs=1e-12)


def test_contributions_can_be_left_out(store: Filled, scores: dict[int, dict[str, Any]]) -> None:
    slim = store.scores(options=Options(contributions=False))
    assert list(slim[0]) == list(scores[0])[:15]
    assert {lead: row["score"] for lead, row in slim.items()} == {lead: row["score"] for lead, row in scores.items()}


def test_evidence_tells_what_each_criterion_saw(store: Filled) -> None:
    row = store.scores(Moment(as_of=T, only=[0]), Options(evidence=True))[0]
    assert {name: value for name, value in row.items() if "__" in name.partition("__")[2]} == {
        "fit__size__value": 100.0, "fit__rome__value": "Rome", "doing__views__events": 2.0, "doing__views__last": T,
        "doing__sales__events": 1.0, "doing__sales__last": day("2026-02-20"),
    }  # fmt: skip


def test_some_prepared_or_not_get_what_they_get_among_all(store: Filled, scores: dict[int, dict[str, Any]]) -> None:
    for prepared in (False, True):
        assert store.scores(Moment(as_of=T, only=[3, 0], prepared=prepared)) == {0: scores[0], 3: scores[3]}


def test_a_moment_for_each_lead() -> None:
    tables = small().pair(0, "2026-02-25").pair(0, T).pair(2, T).pair(5, T)
    store = tables.filled(scorecard=CARD, exclude="city = 'Gone'")
    found = store.scores(Moment(table="pairs"))
    assert {key: (row["score"], row["grade"]) for key, row in found.items()} == {
        (0, day("2026-02-25")): (1 + 10 + 5 + 1, "A"), (0, T): (20, "A"), (2, T): (5, "B"),
    }  # fmt: skip
    assert found[0, T]["since_1"] == T
    assert found[0, day("2026-02-25")]["since_1"] == day("2026-02-25")


def test_accounts_have_scores_of_their_own() -> None:
    tables = Tables(attributes={"size": Type.NUMBER}, account_attributes={"industry": Type.TEXT})
    tables.account("Acme", industry="tech").lead(0, account="Acme", size=1).lead(1, account="Acme", size=2)
    tables.lead(2, account="Solo").lead(3).event(0, "view", T).event(1, "view", T).event(3, "view", T)
    store = tables.filled(
        "  heads: {account: {sum: size}}",
        """
of: account
groups:
  g:
    criteria:
      - {name: Views, event: view, points: 5}
      - {name: Team, feature: leads, bands: [[null, 2, 0], [2, null, 10]]}
      - {name: Tech, feature: industry, points: {tech: 20}, missing: -1}
      - {name: Heads, when: "heads >= 3", points: 40}
      - {name: By name, when: "account = 'Solo'", points: 80}
""",
        exclude="size > 0",  # of leads only
    )
    rows = store.scores()
    assert {account: row["score"] for account, row in rows.items()} == {"Acme": 10 + 10 + 20 + 40, "Solo": -1 + 80}
    assert list(rows["Acme"])[:3] == ["account", "as_of", "score"]


def test_a_scorecard_of_nothing_gives_its_base() -> None:
    store = Tables().lead(0).filled(scorecard="base: -2.5\ngroups: {g: {cap: [1, 2]}}")
    row = store.scores()[0]
    assert (row["g__total"], row["g__cap"], row["score"]) == (1, 1, -1.5)


def test_nobody_is_there() -> None:
    assert Tables().filled(scorecard="groups: {g: {criteria: [{name: A, event: view, points: 1}]}}").scores() == {}


def test_hostile_names_are_only_names() -> None:
    tables = Tables(attributes={"size": Type.NUMBER}).lead(0, size=1).event(0, "x'; drop table leads; --", T)
    store = tables.filled(
        scorecard="""
groups:
  select:
    criteria:
      - {name: "x'; drop table leads; --", event: "x'; drop table leads; --", points: 1}
      - {name: 'a "quoted" name', feature: size, points: {1: 2}}
      - {name: "\\u202eworra", when: "size = 1", points: 4}
grades: {select: {"A'": 5, "B\\"; --": null}}
gates: [{name: "G'; --", when: "size = 2", grade: "A'"}]
"""
    )
    row = store.scores()[0]
    assert (row["score"], row["grade"], row["gate"]) == (7, "A'", None)


# -------------------------------------------------------------------------------------------------------- many criteria


def many(criteria: int, *, groups: int = 1) -> str:
    """Write a scorecard of all kinds of criteria; each gives lead 0 one point."""
    kinds = (
        "feature: size, bands: [[{n}, null, 1]], other: 0",
        "event: view, points: 1, half_life: {n}d",
        'when: "size > {n}", points: 1',
        "feature: city, points: {{Rome: 1, Oslo: {n}}}",
        "event: view, where: \"path = 'p' or path = 'p{n}'\", points: 1",
    )
    lines = ["groups:"]
    numbers = [*range(1, criteria + 1)]
    for group in range(groups):
        lines += [f"  g{group}:", "    criteria:"]
        lines += [f"      - {{name: C{n}, {kinds[n % 5].format(n=n)}}}" for n in numbers[group::groups]]
    return "\n".join(lines)


@pytest.mark.parametrize(("criteria", "groups"), [(150, 1), (300, 1), (300, 20)])
def test_a_large_scorecard_compiles_and_runs(criteria: int, groups: int) -> None:
    tables = Tables(attributes={"size": Type.NUMBER, "city": Type.TEXT}, properties={"path": Type.TEXT})
    tables.lead(0, size=9999, city="Rome").event(0, "view", T, path="p")
    store = tables.filled(scorecard=many(criteria, groups=groups))
    assert store.scores(options=Options(evidence=True))[0]["score"] == pytest.approx(criteria)


def test_a_sum_of_thousands_is_not_too_deep(store: Filled) -> None:
    query = exp.select(build.total(build.number(n) for n in range(5000)))
    assert store.engine.rows(query.sql("duckdb")) == [(5000 * 4999 // 2,)]


def test_a_long_calibration_and_many_gates_compile_and_run() -> None:
    points = list(range(0, 600, 2))
    gates = "".join(f"  - {{name: G{n}, when: 'size = {n}', grade: B}}\n" for n in range(300))
    store = (
        Tables(attributes={"size": Type.NUMBER})
        .lead(0, size=299)
        .filled(
            scorecard=f"""
groups: {{g: {{criteria: [{{name: A, feature: size, points: {{299: 299}}}}]}}}}
gates:
{gates}
grades: {{score: {{A: 0, B: null}}}}
calibration: {{score: {points}, probability: {[n / 600 for n in points]}}}
"""
        )
    )
    row = store.scores()[0]
    assert (row["gate"], row["grade"]) == ("G299", "B")
    assert row["probability"] == pytest.approx(299 / 600)


# ----------------------------------------------------------------------------------------------------- the text of it


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_statement_parses_back_with_every_name_quoted(store: Filled, dialect: str) -> None:
    card, options = store.workspace.scorecards["house"], Options(grade_history=True, evidence=True, excluded=True)
    for moment in (Moment(as_of=T), Moment(table="pairs")):
        text = build.to_text(score_statement(store.workspace, card, moment, options), dialect, pretty=True)
        tree = sqlglot.parse_one(text.removesuffix("\nSETTINGS join_use_nulls = 1"), dialect=dialect)
        assert isinstance(tree, exp.Select)
        assert [node.name for node in tree.find_all(exp.Identifier) if not node.args["quoted"]] == []


def test_no_part_of_the_statement_is_shared(store: Filled) -> None:
    """A node that stands at two places would be changed at both when an engine's dialect is fitted."""
    tree = score_statement(store.workspace, store.workspace.scorecards["house"], Moment(as_of=T))
    for node in tree.walk():
        assert all(child.parent is node for child in node.iter_expressions())


def test_names_and_types_a_criterion_may_use(store: Filled) -> None:
    assert name_types(store.workspace) == {
        "created_at": Type.TIME, "as_of": Type.TIME, "account": Type.TEXT, "id": Type.TEXT, "leads": Type.NUMBER,
        "size": Type.NUMBER, "city": Type.TEXT,
    }  # fmt: skip


def test_tables_are_named_before_they_are_used(store: Filled) -> None:
    tree = score_statement(store.workspace, store.workspace.scorecards["house"], Moment(as_of=T))
    chain = [cte.alias for cte in tree.ctes]
    assert chain == ["units", "events_seen", "known", "f0", "points", "totals", "scored", "leveled", "graded"]
    for place, cte in enumerate(tree.ctes[:-1]):
        assert cte.alias in {table.name for after in tree.ctes[place + 1 :] for table in after.find_all(exp.Table)}


def test_points_of_attributes_are_worked_out_before_events_are_joined(store: Filled) -> None:
    card = store.workspace.scorecards["house"]
    chain = {cte.alias: cte.this for cte in score_statement(store.workspace, card, Moment(as_of=T)).ctes}
    assert chain["known"].named_selects == ["*", "_k1", "_k2", "_k3", "_k4"]  # Size, Rome, Big Roman and the gates
    explained = score_statement(store.workspace, card, Moment(as_of=T), Options(evidence=True))
    assert "known" not in {cte.alias for cte in explained.ctes}  # whose values are asked for as well


def test_a_condition_of_several_aggregates_is_worked_out_once(store: Filled) -> None:
    card = store.workspace.scorecards["house"]
    explained = score_statement(store.workspace, card, Moment(as_of=T), Options(evidence=True))
    seen = next(cte.this for cte in explained.ctes if cte.alias == "events_seen").sql()
    assert [seen.count(f"\"type\" = '{kind}'") for kind in ("view", "sale")] == [1, 1]  # for points, count and last
    assert '"_m1"' not in score_statement(store.workspace, card, Moment(as_of=T)).sql()
