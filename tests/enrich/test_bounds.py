"""What could still change a grade: against brute force, by the naive scorer over all values an attribute can take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise, product
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from tests.features.tables import T, Tables

from leadlight.enrich.bounds import RISE, STEPS, reach, rests_on_colleagues, used_attributes
from leadlight.expr.types import Type
from leadlight.spec.models import ScorecardSpec, WorkspaceSpec
from reference.conditions import Compare, Const, Name, Node, Value
from reference.effort import tries
from reference.engine import DuckDBTables, compiled
from reference.scorer import Attributes, Lead, World
from reference.worlds import ATTRIBUTES, EVENT_KINDS, FOREVER, Example, Theme, examples

NAMES = {"seniority": "text", "employees": "number", "is_customer": "bool", "order": "number", "score": "text"}
POOLS: Mapping[str, Sequence[Value]] = {
    "text": ("a", "won", "it's", "other", "", "nobody's", None),
    "number": (-1.0, 0.0, 1.0, 0.5, 10.0, 50.0, 1e12, None),
    "bool": (True, False, None),
    "time": (datetime(1970, 1, 1), datetime(2025, 1, 1), datetime(2026, 7, 15), None),
}  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> Iterator[DuckDBTables]:
    made = DuckDBTables()
    yield made
    made.close()


def asked(
    example: Example, tables: DuckDBTables, opened: Mapping[int, set[str]], names: Sequence[str] = tuple(NAMES)
) -> dict[int, dict[str, Any]]:
    """Ask which attributes matter, of a world with the grades it had."""
    ready, moment = compiled(example), example.moments[0]
    rows = [{"lead": lead, **{name: name in held for name in names}} for lead, held in opened.items()]
    table = pa.Table.from_pylist(
        rows, schema=pa.schema([("lead", pa.int32()), *((name, pa.bool_()) for name in names)])
    )
    with tables.loaded(example.world), in_use(tables):
        found = reach(tables._engine, ready.workspace, [ready.scorecard], moment, table)
    return {row.pop("lead"): row for row in found.to_pylist()}


class in_use:  # noqa: N801 - reads as a word where it stands
    """Say that the example's scorecard is the version in use, so that hysteresis counts."""

    def __init__(self, tables: DuckDBTables) -> None:
        self.tables = tables

    def __enter__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("leadlight.enrich.bounds.continues", lambda *_: True)

    def __exit__(self, *_: object) -> None:
        self.patch.undo()


# ------------------------------------------------------------------------------------------------------ brute force


def with_value(world: World, lead: int, moment: datetime, values: Mapping[str, Value]) -> World:
    """The world in which these attributes of a lead are other than they are."""

    def changed(row: Attributes) -> Attributes:
        here = row.lead == lead and row.known_at <= moment < row.known_until
        return replace(row, values={**row.values, **values}) if here else row

    return replace(world, attributes=[changed(row) for row in world.attributes])


def verdict(example: Example, world: World) -> dict[Any, Any]:
    """Everybody's grade, and who is excluded."""
    found = example.scorer(world).score("house", example.scorecard, example.moments[0])
    return {**{key: scored.grade for key, scored in found.scored.items()}, **dict.fromkeys(found.excluded, "excluded")}


def _value_of(world: World, lead: int, moment: datetime) -> Mapping[str, Value]:
    return next(row.values for row in world.attributes if row.lead == lead and row.known_at <= moment < row.known_until)


def has_row(world: World, lead: int, moment: datetime) -> bool:
    return any(row.lead == lead and row.known_at <= moment < row.known_until for row in world.attributes)


@st.composite
def colleagues(draw) -> Example:
    """A workspace in which an account's leads share a sum and a greatest value."""
    points = st.sampled_from((0.0, 1.0, -5.0, 10.0, 20.0))
    criteria: list[dict[str, Any]] = [
        {"name": name, "feature": name, "bands": [[None, 1, draw(points)], [1, 50, draw(points)], [50, None, 20.0]],
         "missing": draw(points)}
        for name in ("staff", "most")
    ]  # fmt: skip
    of = draw(st.sampled_from(("lead", "account")))
    if of == "lead":
        criteria.append({"name": "who", "feature": "seniority", "points": {"a": draw(points)}, "other": draw(points)})
    grades = {"score": {"A": draw(st.sampled_from((20.0, 30.0, 40.0))), "B": 5.0, "C": None}}
    card = {"of": of, "groups": {"fit": {"cap": [None, 45], "criteria": criteria}}, "grades": grades}
    features = {"staff": {"account": {"sum": "employees"}}, "most": {"account": {"max": "order"}}}
    leads = range(1, 5)
    accounts = draw(st.lists(st.sampled_from(("acme", "acme", "b", None)), min_size=4, max_size=4))

    rows = [
        Attributes(
            lead, T, FOREVER, account, {name: draw(st.sampled_from(POOLS[of])) for name, of in ATTRIBUTES.items()}
        )
        for lead, account in zip(leads, accounts, strict=True)
    ]
    world = World([Lead(lead, f"L{lead}", T) for lead in leads], rows)
    workspace = WorkspaceSpec.model_validate({"features": features})
    return Example(workspace, ScorecardSpec.model_validate(card), world, (T,), {}, {})


CRITERIA = ("category", "bands", "pair", "when")
FEATURES = ("attribute", "age", "until", "after", "expr", "account", "account", *EVENT_KINDS[:3])


@given(example=examples(Theme(features=FEATURES, criteria=CRITERIA, grades=True, accounts=True)), data=st.data())
@tries(40)
def test_what_does_not_matter_changes_no_grade_whatever_the_others_are(example, data, tables):
    sound(example, data, tables)


@given(example=colleagues(), data=st.data())
@tries(25)
def test_an_answer_may_change_the_grade_of_colleagues_or_of_the_account(example, data, tables):
    sound(example, data, tables, ["employees", "order", "seniority"])


def used_by(example: Example) -> list[str]:
    ready = compiled(example)
    return sorted(used_attributes(ready.workspace, [ready.scorecard], ATTRIBUTES))


def sound(example: Example, data: st.DataObject, tables: DuckDBTables, among: list[str] | None = None) -> None:
    moment, world = example.moments[0], example.world
    known = [lead.lead for lead in world.leads if lead.created_at <= moment and has_row(world, lead.lead, moment)]
    assume(known)
    used = used_by(example) if among is None else among
    assume(used)
    leads = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True))
    names = data.draw(st.lists(st.sampled_from(used), min_size=1, max_size=3, unique=True))
    some = st.sets(st.sampled_from(names), min_size=1)
    opened = {lead: data.draw(some) for lead in leads}
    matters = asked(example, tables, opened, names)
    for lead in known:  # the other open ones may be anything, too, and what others lack may be found at another time
        values = {name: data.draw(st.sampled_from([*POOLS[ATTRIBUTES[name]], ...])) for name in names}
        lacking = _value_of(example.world, lead, moment)
        world = with_value(world, lead, moment, {
            name: value for name, value in values.items()
            if value is not ... and (name in opened[lead] if lead in leads else lacking.get(name) is None)
        })  # fmt: skip
    before = verdict(example, world)
    for lead, name in [(one, name) for one in leads for name in sorted(opened[one])]:
        moved = any(
            verdict(example, with_value(world, lead, moment, {name: value})) != before
            for value in POOLS[ATTRIBUTES[name]]
        )
        event(f"matters: {matters[lead][name]}, moved: {moved}")
        assert matters[lead][name] or not moved, f"{name} of {lead} changes a grade"


# ---------------------------------------------------------------------------------------------------------- exactness

NUMBERS = (-1.0, 0.0, 1.0, 10.0, 50.0)
POINTS = st.sampled_from((0.0, 1.0, -1.0, 5.0, 20.0, -40.0, 12.5))
VALUES: Mapping[str, Sequence[Value]] = {
    "text": ("a", "b", "c", None), "number": (*NUMBERS, None), "bool": (True, False, None)
}  # fmt: skip
KEYS = {"text": ("a", "b"), "number": (0.0, 10.0), "bool": (True, False)}


@st.composite
def criteria(draw, name: str, meanings: dict[str, Node]) -> dict[str, Any]:
    """One criterion on one attribute, that any of its values may fall into."""
    kind = NAMES[name]
    spec: dict[str, Any] = {"name": f"about {name}"}
    if kind == "number" and draw(st.booleans()):
        cuts = sorted(draw(st.sets(st.sampled_from(NUMBERS[1:]), min_size=1)))
        edges = [None, *cuts, None]
        bands = [[low, high, draw(POINTS)] for low, high in pairwise(edges)]
        return spec | {"feature": name, "bands": bands, "missing": draw(POINTS)}
    if draw(st.booleans()):
        key = draw(st.sampled_from(KEYS[kind]))
        node = Name(name) if kind == "bool" else Compare("=", Name(name), Const(key))
        text = name if kind == "bool" else f"{name} = {key!r}"
        meanings[text] = node
        return spec | {"when": text, "points": draw(POINTS)}
    keys = draw(st.sets(st.sampled_from(KEYS[kind]), min_size=1))
    points = {key: draw(POINTS) for key in sorted(keys, key=str)}
    return spec | {"feature": name, "points": points, "other": draw(POINTS), "missing": draw(POINTS)}


@st.composite
def pairs(draw) -> dict[str, Any]:
    """A criterion on two attributes at once."""
    table = {key: {True: draw(POINTS), "other": draw(POINTS)} for key in ("a", "b")}
    return {"name": "both", "features": ["seniority", "is_customer"], "table": table, "other": draw(POINTS),
            "missing": draw(POINTS)}  # fmt: skip


@st.composite
def independent(draw, *, graded: bool) -> tuple[Example, dict[int, set[str]]]:
    """A workspace in which each open attribute has one criterion of its own."""
    meanings: dict[str, Node] = {}
    paired = draw(st.booleans())
    names = draw(st.permutations([name for name in NAMES if not paired or name not in ("seniority", "is_customer")]))
    found = [draw(criteria(name, meanings)) for name in names[:3]] + ([draw(pairs())] if paired else [])
    cut = draw(st.integers(0, len(found)))
    caps = st.sampled_from(((None, None), (0.0, 15.0), (-5.0, 5.0), (None, 0.0)))
    card: dict[str, Any] = {"groups": {
        "fit": {"cap": draw(caps), "criteria": found[:cut]}, "more": {"cap": draw(caps), "criteria": found[cut:]},
    }}  # fmt: skip
    if graded:
        bounds = st.lists(st.sampled_from((-20.0, 0.0, 5.0, 12.5, 20.0)), min_size=1, max_size=2, unique=True)
        axes = draw(st.lists(st.sampled_from(("fit", "more", "score")), min_size=1, max_size=2, unique=True))
        labels = ("CBA", "321")
        card["grades"] = {
            axis: dict(zip(labels[place], [None, *sorted(draw(bounds))], strict=False))
            for place, axis in enumerate(axes)
        }
    rows = [
        Attributes(lead, T, FOREVER, None, {name: draw(st.sampled_from(VALUES[kind])) for name, kind in NAMES.items()})
        for lead in (1, 2)
    ]
    world = World([Lead(lead, f"L{lead}", T) for lead in (1, 2)], rows)
    opened = {lead: draw(st.sets(st.sampled_from(sorted(NAMES)), max_size=3)) for lead in (1, 2)}
    example = Example(
        WorkspaceSpec.model_validate({}), ScorecardSpec.model_validate(card), world, (T,), meanings, {}
    )  # fmt: skip
    return example, opened


def every_value(opened: set[str]) -> Iterator[dict[str, Value]]:
    names = sorted(opened)
    for values in product(*(VALUES[NAMES[name]] for name in names)):
        yield dict(zip(names, values, strict=True))


@given(made=independent(graded=True))
@tries(40)
def test_bounds_are_exact_where_criteria_are_independent(made, tables):
    example, opened = made
    matters, before = asked(example, tables, opened), verdict(example, example.world)
    for lead, names in opened.items():
        changes = any(
            verdict(example, with_value(example.world, lead, T, values)) != before for values in every_value(names)
        )
        event(f"changes: {changes}")
        assert any(matters[lead].get(name) for name in names) == changes


@given(made=independent(graded=False))
@tries(25)
def test_without_grades_what_matters_is_whether_the_score_could_rise(made, tables):
    example, opened = made
    matters = asked(example, tables, opened)

    def scores(world: World) -> dict[Any, float]:
        found = example.scorer(world).score("house", example.scorecard, T)
        return {key: scored.score for key, scored in found.scored.items()}

    before = scores(example.world)
    for lead, names in opened.items():
        best = max(scores(with_value(example.world, lead, T, values))[lead] for values in every_value(names))
        assert any(matters[lead].get(name) for name in names) == (best > before[lead])
        assert matters[lead][RISE] == pytest.approx(best - before[lead])


# ------------------------------------------------------------------------------------------------------- by hand

CARD = """
groups:
  fit:
    cap: [null, 20]
    criteria:
      - {name: Industry, feature: industry, points: {software: 15, farming: -15}}
      - {name: Size, feature: size, bands: [[null, 100, 0], [100, null, 15]]}
  interest: {criteria: [{name: Pays, when: "customer and size >= 100", points: 10}]}
gates: [{name: Rival, when: "domain = 'rival.com'", grade: C2}]
grades: {fit: {A: 20, B: 10, C: null}, interest: {1: 10, 2: null}}
"""
KINDS = {"industry": Type.TEXT, "size": Type.NUMBER, "customer": Type.BOOL, "domain": Type.TEXT}


def matters(monkeypatch, *opened: str, card: str = CARD, exclude: str | None = None, **values: Any) -> dict[str, Any]:
    """Ask what matters of one lead with these values."""
    monkeypatch.setattr("leadlight.enrich.bounds.continues", lambda *_: False)
    filled = Tables(attributes=KINDS).lead(1, **values).filled(scorecard=card, exclude=exclude)
    columns = {"lead": pa.array([1], pa.int32()), **{name: pa.array([name in opened]) for name in KINDS}}
    cards = filled.workspace.scorecards.values()
    (row,) = reach(filled.engine, filled.workspace, cards, T, pa.table(columns)).to_pylist()
    return {**row, "names": {name for name in KINDS if row[name]}}


@pytest.mark.parametrize(
    ("opened", "values", "names"),
    [
        (("industry",), {"size": 50.0}, {"industry"}),  # C2 could be B2
        (("industry",), {"size": 500.0}, {"industry"}),  # B2 could be A2, or C2
        (("customer",), {"size": 50.0}, set()),  # too small to be one that pays, whatever it is
        (("customer",), {"size": 500.0}, {"customer"}),
        (("customer", "size"), {}, {"customer", "size"}),
        (("industry",), {"size": 500.0, "domain": "rival.com"}, set()),  # the gate has spoken
        (("domain",), {"size": 500.0}, {"domain"}),  # the gate could speak
        (("domain", "industry"), {"size": 50.0}, {"domain", "industry"}),
        (("domain",), {"size": 50.0}, set()),  # C2 is what the gate would give, too
        ((), {"size": 50.0}, set()),
    ],
)
def test_what_matters_follows_from_the_scorecard(monkeypatch, opened, values, names):
    assert matters(monkeypatch, *opened, **values)["names"] == names


def test_a_cap_may_leave_nothing_to_gain(monkeypatch):
    card = CARD.replace("cap: [null, 20]", "cap: [null, 9]").replace("farming: -15", "farming: 0")
    assert matters(monkeypatch, "industry", card=card, size=500.0)["names"] == set()


def test_an_attribute_that_decides_who_is_scored_matters(monkeypatch):
    criteria = "criteria: [{name: Size, feature: size, bands: [[0, null, 1]], other: 0}]"
    flat = f"groups: {{fit: {{{criteria}}}}}\ngrades: {{score: {{A: null}}}}"
    found = matters(monkeypatch, "industry", card=flat, exclude="industry = 'farming'")
    assert found["names"] == {"industry"}
    assert (
        matters(monkeypatch, "industry", card=flat, exclude="industry = 'farming' and size > 9", size=5.0)["names"]
        == set()
    )


def test_how_far_a_lead_could_rise(monkeypatch):
    assert matters(monkeypatch, "industry", size=50.0)[STEPS] == 2  # C2 to B2, of A1 A2 B1 B2 C1 C2
    found = matters(monkeypatch, "industry", "size", "customer")
    assert (found[STEPS], found[RISE]) == (5, 30.0)


def test_whose_colleagues_count(monkeypatch):
    wide = """
features: {staff: {account: {sum: size}}}
groups: {fit: {criteria: [{name: Staff, feature: staff, bands: [[null, 10, 0], [10, null, 5]]}]}}
"""
    for card, expected in ((CARD, False), (wide, True)):
        workspace = Tables(attributes=KINDS).resolved(scorecard=card)
        assert rests_on_colleagues(workspace, workspace.scorecards["house"]) is expected
