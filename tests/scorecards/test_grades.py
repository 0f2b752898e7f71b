from __future__ import annotations

import pytest
from tests.features.tables import day
from tests.scorecards import stories

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr import build
from leadlight.scorecards.grades import held_level, raw_level
from leadlight.spec.durations import parse_duration
from leadlight.spec.models import Hysteresis
from leadlight.workspace import Workspace

LEVELS = [("low", None), ("mid", 5.0), ("high", 10.0)]


@pytest.fixture(scope="module")
def engine():
    with_nothing = DuckDBEngine(None)
    yield with_nothing
    with_nothing.close()


@pytest.mark.parametrize(
    ("value", "level"), [(-99, "low"), (4.999, "low"), (5, "mid"), (9.999, "mid"), (10, "high"), (1e9, "high")]
)
def test_a_level_begins_at_its_bound(engine: DuckDBEngine, value: float, level: str) -> None:
    query = build.exp.select(raw_level(build.number(value), LEVELS))
    assert engine.rows(query.sql("duckdb")) == [(level,)]


@pytest.mark.parametrize(
    ("before", "since", "value", "level"),
    [
        (None, None, 7, "mid"),  # never graded
        ("mid", "2026-02-01", 10, "high"),  # up at once
        ("low", "2026-03-01", 10, "high"),  # even within the dwell, and over two levels
        ("high", "2026-02-01", 8, "high"),  # down to the margin
        ("high", "2026-02-01", 7.99, "mid"),
        ("high", "2026-02-01", 4, "low"),  # below it the bounds count as they are: 4 keeps nobody in mid who was above
        ("mid", "2026-02-01", 3, "mid"),
        ("mid", "2026-02-01", 2.99, "low"),
        ("high", "2026-02-28 00:00:00.000001", -5, "high"),  # less than a day held: whatever the value
        ("high", "2026-02-28", -5, "low"),  # exactly a day
        ("gone", "2026-02-28 12:00", 4, "low"),  # a level that no longer exists holds nobody
        ("low", "2026-02-01", -5, "low"),
    ],
)
def test_with_the_past_counted_in(
    engine: DuckDBEngine, before: str | None, since: str | None, value: float, level: str
) -> None:
    held = held_level(
        build.number(value), LEVELS, Hysteresis(margin=2, dwell=parse_duration("1d")),
        before=build.col("before"), since=build.col("since"), as_of=build.moment(day("2026-03-01")),
    )  # fmt: skip
    query = f"SELECT {held.sql('duckdb')} FROM (SELECT ?::VARCHAR AS before, ?::TIMESTAMP AS since)"
    assert engine.rows(query, [before, since]) == [(level,)]


# --------------------------------------------------------------------------------------------- through several runs


@pytest.fixture(scope="module")
def told(graded: Workspace) -> dict[tuple[str, str], str]:
    """The grades of each story, day by day."""
    with graded.session() as session:
        return {
            (card, lead): " ".join(score.grade or "" for score in session.history(lead, card).scores)
            for card in stories.CARDS
            for lead in stories.VALUES
        }


@pytest.mark.parametrize(
    ("card", "lead", "grades"),
    [
        ("plain", "slow", "A B B B A C C"),
        ("plain", "jump", "C A C C C C C"),
        ("plain", "step", "A B C C C C B"),
        ("margin", "slow", "A A A B A C C"),
        ("margin", "jump", "C A C C C C C"),
        ("margin", "step", "A B B B B C B"),
        ("dwell", "slow", "A A A B A A A"),  # held three days each time, then what the value says
        ("dwell", "jump", "C A A A C C C"),
        ("dwell", "step", "A A A C C C B"),
        ("gated", "slow", "A C A B A C C"),  # the level A goes on under the gate of day 2, and holds 8 on day 3
        ("gated", "step", "A C B B B C B"),
        ("axes", "slow", "A2 A2 A1 B1 A2 C2 C2"),
        ("axes", "step", "A1 B1 B1 B1 B1 C1 B1"),
    ],
)
def test_stories(told: dict[tuple[str, str], str], card: str, lead: str, grades: str) -> None:
    assert told[card, lead] == grades


def test_what_is_kept_are_the_changes_only_and_since_when(graded: Workspace) -> None:
    with graded.store() as engine:
        rows = engine.rows(
            'SELECT day(h."at"), h.grade, h.level_1, day(h.since_1), h.level_2, day(h.since_2), h.gate, h.silent '
            "FROM grade_history h JOIN leads l USING (lead) WHERE l.id = 'slow' AND scorecard IN ('axes', 'gated') "
            'ORDER BY scorecard, "at"'
        )
    assert rows == [
        (1, "A2", "A", 1, "2", 1, None, True),
        (3, "A1", "A", 1, "1", 3, None, False),
        (4, "B1", "B", 4, "1", 3, None, False),
        (5, "A2", "A", 5, "2", 5, None, False),
        (6, "C2", "C", 6, "2", 5, None, False),
        (1, "A", "A", 1, None, None, None, True),
        (2, "C", "A", 1, None, None, "Odd", False),
        (3, "A", "A", 1, None, None, None, False),
        (4, "B", "B", 4, None, None, None, False),
        (5, "A", "A", 5, None, None, None, False),
        (6, "C", "C", 6, None, None, None, False),
    ]


def test_a_question_between_two_runs_counts_the_past_in_up_to_then(graded: Workspace) -> None:
    asked = graded.explain("slow", "margin", as_of="2026-01-03T00:00")
    assert (asked.totals["fit"], asked.grade) == (8, "A")
    assert graded.explain("slow", "margin", as_of="2026-01-01").grade == "A"  # before any run: the bounds alone
    assert graded.explain("step", "margin", as_of=stories.day(5)).grade == "B"
    assert {row.ledger.id: row.ledger.grade for row in graded.rank("margin", as_of=stories.day(5)).rows} == {
        "slow": "A", "jump": "C", "step": "B",
    }  # fmt: skip
