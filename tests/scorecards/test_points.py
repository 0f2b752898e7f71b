from __future__ import annotations

from datetime import timedelta

import pytest
from tests.features.tables import T, Tables

from leadlight.expr.types import Type
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
TYPES = {"city": Type.TEXT, "size": Type.NUMBER, "member": Type.BOOL, "born": Type.TIME}
CITIES = ["Rome", "Oslo", "rome", "", None]
SIZES = [None, -0.5, 0.0, 0.1, 9.999, 10.0, 199.0, 200.0, 1e12]


def card(*criteria: str) -> str:
    lines = [f"      - {{name: C{number}, {criterion}}}\n" for number, criterion in enumerate(criteria)]
    return "groups:\n  g:\n    criteria:\n" + "".join(lines)


def given(tables: Tables, *criteria: str, features: str = "") -> list[list[float]]:
    """Return the points of each criterion for every lead, in order."""
    found = tables.filled(features, card(*criteria)).scores()
    return [[found[lead][f"g__c{number}"] for lead in sorted(found)] for number in range(len(criteria))]


def leads(**values: list[object]) -> Tables:
    """Make a lead for each place of the lists."""
    tables = Tables(attributes=TYPES)
    for number, row in enumerate(zip(*values.values(), strict=True)):
        tables.lead(number, **dict(zip(values, row, strict=True)))
    return tables


# ---------------------------------------------------------------------------------------------- by value and by band


def test_text_is_compared_as_it_stands() -> None:
    (points,) = given(leads(city=CITIES), "feature: city, points: {Rome: 5, Oslo: -3}, other: 1, missing: -1")
    assert points == [5, -3, 1, 1, -1]


def test_without_other_and_missing_they_are_zero() -> None:
    (points,) = given(leads(city=CITIES), "feature: city, points: {Rome: 5}")
    assert points == [5, 0, 0, 0, 0]


def test_quotes_and_percent_in_a_category_are_only_characters() -> None:
    cities = ["L'Aquila", 'say "hi"', "100%", "a\\b", "x; drop table leads"]
    keys = "{\"L'Aquila\": 1, 'say \"hi\"': 2, '100%': 4, 'a\\b': 8, 'x; drop table leads': 16}"
    assert given(leads(city=cities), f"feature: city, points: {keys}") == [[1, 2, 4, 8, 16]]


def test_a_number_by_value() -> None:
    tables = leads(size=[0.0, -0.0, 1.0, 1.5, 2.0, None])
    (points,) = given(tables, "feature: size, points: {0: 5, 1.5: 7, 2: 0.25}, other: -1, missing: 9")
    assert points == [5, 5, -1, 7, 0.25, 9]


def test_a_truth_by_value() -> None:
    (points,) = given(leads(member=[True, False, None]), "feature: member, points: {true: 5, false: -5}, missing: 1")
    assert points == [5, -5, 1]


def test_bands_hold_their_lower_bound_and_not_the_upper() -> None:
    (points,) = given(
        leads(size=SIZES), "feature: size, bands: [[0, 10, 1], [10, 200, 2], [200, 1000, 4]], missing: -9"
    )
    assert points == [-9, 0, 1, 1, 1, 2, 2, 4, 0]


def test_open_bands_reach_everybody() -> None:
    (points,) = given(leads(size=SIZES), "feature: size, bands: [[10, null, 2], [null, 10, 1]]")
    assert points == [0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_other_is_for_gaps_and_for_both_ends() -> None:
    (points,) = given(leads(size=SIZES), "feature: size, bands: [[0, 1, 1], [10, 200, 2]], other: -3, missing: 5")
    assert points == [5, -3, 1, 1, -3, 2, 2, -3, -3]


def test_a_condition_that_is_not_known_to_be_true_gives_nothing() -> None:
    tables = leads(size=[20.0, 5.0, None, None], city=["Rome", "Rome", "Rome", "Oslo"])
    points = given(
        tables, "when: 'size > 10', points: 3", "when: \"size > 10 or city = 'Rome'\", points: -2",
        "when: 'not (size > 10)', points: 1",
    )  # fmt: skip
    assert points == [[3, 0, 0, 0], [-2, -2, -2, 0], [0, 1, 0, 0]]


def test_a_criterion_may_look_at_a_feature() -> None:
    tables = leads(size=[4.0, 6.0, None])
    features = "  half: {expr: 'size / 2'}\n  big: {expr: 'half >= 3'}"
    points = given(
        tables, "feature: half, bands: [[null, 3, 1], [3, null, 2]]", "feature: big, points: {true: 4}, missing: -4",
        "when: big, points: 8", features=features,
    )  # fmt: skip
    assert points == [[1, 2, 0], [0, 4, -4], [0, 8, 0]]


# ---------------------------------------------------------------------------------------------------------- by pairs


PAIRED = leads(
    city=["Rome", "Rome", "Rome", "Oslo", "Oslo", "Bonn", "Rome", None, "Rome"],
    size=[4.0, 5.0, 50.0, 5.0, 4.0, 50.0, None, 5.0, 4.0],
    member=[True, False, True, True, False, True, True, True, None],
)


def test_a_value_and_a_band() -> None:
    table = "{Rome: [1, 2, 3], Oslo: [4, 5, 6], other: [7, 8, 9]}"
    (points,) = given(PAIRED, f"features: [city, size], bands: {{size: [5, 50]}}, table: {table}, missing: -1")
    assert points == [1, 2, 3, 5, 4, 9, -1, -1, 1]


def test_a_band_and_a_value() -> None:
    table = "[{Rome: 1, Oslo: 2}, {Rome: 4, other: 8}]"
    (points,) = given(PAIRED, f"features: [size, city], bands: {{size: [5]}}, table: {table}, missing: -1, other: 16")
    assert points == [1, 4, 4, 8, 2, 8, -1, -1, 1]


def test_a_value_outside_every_row_gets_other() -> None:
    (points,) = given(PAIRED, "features: [city, size], bands: {size: [5]}, table: {Rome: [1, 2]}, other: 16")
    assert points == [1, 2, 2, 16, 16, 16, 0, 0, 1]


def test_two_values() -> None:
    table = "{Rome: {true: 1, false: 2}, other: {true: 4, other: 8}}"
    (points,) = given(PAIRED, f"features: [city, member], table: {table}, missing: -1, other: 16")
    assert points == [1, 2, 1, 4, 8, 4, 1, -1, -1]


def test_two_bands() -> None:
    tables = leads(size=[0.0, 4.0, 5.0, 9.0, None])
    table = "[[1, 2], [4, 8]]"
    (points,) = given(
        tables, f"features: [size, twice], bands: {{size: [5], twice: [8]}}, table: {table}, missing: -1",
        features="  twice: {expr: 'size * 2'}",
    )  # fmt: skip
    assert points == [1, 2, 8, 8, -1]


# --------------------------------------------------------------------------------------------------------- by events


@pytest.fixture(scope="module")
def visits() -> Tables:
    """Lead 0 has events 0, 1, 2 (twice), 4 and 8 days ago, and one to come; 1 has one exactly a window ago; 2 none."""
    tables = Tables(properties={"path": Type.TEXT}).lead(0).lead(1).lead(2)
    for days, path in ((0, "a"), (1, "b"), (2, "a"), (2, None), (4, "a"), (8, "b"), (-1, "a")):
        tables.event(0, "view", T - days * DAY, path=path)
    return tables.event(1, "view", T - 4 * DAY, path="a").event(1, "mail", T - DAY)


EVENT = [
    ("points: 3", [18, 3, 0]),
    ("points: 3, within: 4d", [12, 0, 0]),  # the window leaves out its far end
    ("points: 3, where: \"path = 'a'\"", [9, 3, 0]),
    ("points: 3, where: \"path <> 'a'\"", [6, 0, 0]),  # no path is not known to be another
    ("points: 3, first: 4", [12, 3, 0]),
    ("points: 3, max: 10", [10, 3, 0]),
    ("points: 3, first: 4, max: 10", [10, 3, 0]),
    ("points: -3", [-18, -3, 0]),
    ("points: -3, max: 10", [-10, -3, 0]),
    ("points: -3, first: 1", [-3, -3, 0]),
    ("points: 0", [0, 0, 0]),
    ("points: 8, half_life: 2d", [8 * (1 + 2**-0.5 + 2 / 2 + 1 / 4 + 1 / 16), 2, 0]),
    ("points: 8, half_life: 2d, within: 4d", [8 * (1 + 2**-0.5 + 2 / 2), 0, 0]),
    ("points: 8, half_life: 2d, max: 9", [9, 2, 0]),
    ("points: 8, half_life: 2d, first: 1", [8 / 16, 2, 0]),
    ("points: 8, half_life: 2d, first: 2", [8 * (1 / 16 + 1 / 4), 2, 0]),
    ("points: 8, half_life: 2d, first: 3", [8 * (1 / 16 + 1 / 4 + 1 / 2), 2, 0]),  # a tie: either of the two
    ("points: 8, half_life: 2d, first: 2, within: 3d", [8 * (1 / 2 + 1 / 2), 0, 0]),
    ("points: 8, half_life: 2d, first: 1, where: \"path = 'b'\"", [8 / 16, 0, 0]),
    ("points: 8, half_life: 2d, first: 99", [8 * (1 + 2**-0.5 + 2 / 2 + 1 / 4 + 1 / 16), 2, 0]),
    ("points: -8, half_life: 2d, first: 2, max: 2", [-2, -2, 0]),
    ("points: 1, half_life: 1s", [1, 0, 0]),  # 8 days are some 690,000 half-lives: nothing is left, and no error
]


@pytest.fixture(scope="module")
def by_events(visits: Tables) -> dict[str, list[float]]:
    written = [text for text, _ in EVENT]
    return dict(zip(written, given(visits, *(f"event: view, {text}" for text in written)), strict=True))


@pytest.mark.parametrize(("written", "points"), EVENT)
def test_events(by_events: dict[str, list[float]], written: str, points: list[float]) -> None:
    assert by_events[written] == pytest.approx(points, rel=1e-12, abs=1e-300)


def test_any_type_of_event(visits: Tables) -> None:
    assert given(visits, "event: '*', points: 1", "event: mail, points: 1", "event: rocket, points: 1") == [
        [6, 2, 0], [0, 1, 0], [0, 0, 0],
    ]  # fmt: skip


def test_nothing_lost_is_plainly_zero(visits: Tables) -> None:
    (points,) = given(visits, "event: rocket, points: -5")
    assert [str(value) for value in points] == ["0.0", "0.0", "0.0"]


def test_every_contribution_is_a_double(visits: Tables) -> None:
    store = visits.filled(scorecard=card("event: view, points: 1, first: 1", "when: 'account is null', points: 1"))
    row = store.scores(Moment(as_of=T), Options(evidence=True))[0]
    assert {name: type(value) for name, value in row.items() if name.startswith("g__")} == {
        "g__total": float, "g__cap": float, "g__c0": float, "g__c1": float, "g__c0__events": float,
        "g__c0__last": type(T),
    }  # fmt: skip
