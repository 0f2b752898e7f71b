from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.features.tables import Tables as Store

from leadlight.expr.types import Type
from leadlight.learn.points import LearnedCriterion, label, points_per_unit, tables_to_groups
from leadlight.learn.tables import CategoryAxis, NumberAxis, Tables, Term
from leadlight.spec.models import WhenCriterion

TYPES = {"size": Type.NUMBER, "city": Type.TEXT, "member": Type.BOOL, "visits": Type.NUMBER}
ROWS: dict[str, list[Any]] = {
    "size": [None, -1.0, 9.99, 10.0, 50.0, 1e9, 12.0, 49.99],
    "city": ["Rome", "Oslo", None, "never seen", "Rome", "Bonn", "Oslo", "other"],
    "member": [True, False, None, True, False, None, True, False],
    "visits": [0.0, 1.0, 2.0, None, 3.0, 0.5, 1e6, -3.0],
}
SIZE, VISITS = NumberAxis("size", (10.0, 50.0)), NumberAxis("visits", (1.0,))
CITY = CategoryAxis("city", (("Rome", "Bonn"), ("Oslo",)))
MEMBER = CategoryAxis("member", ((False,), (True,)))
AXES = {"numbers": (SIZE, VISITS), "number first": (SIZE, CITY), "text first": (CITY, SIZE), "texts": (CITY, MEMBER)}


def table(*axes: NumberAxis | CategoryAxis, seed: int = 0) -> Term:
    values = np.random.default_rng(seed).normal(size=[axis.size for axis in axes])
    if len(axes) == 2:
        values[0, :] = values[:, 0] = values[0, 0]
    return Term(axes, values)


def written(criterion: LearnedCriterion) -> str:
    """Write a criterion as YAML on one line."""
    text = json.dumps({name: value for name, value in criterion.model_dump().items() if value is not None})
    return re.sub(r'"(true|false)":', r"\1:", text)


def scored(tables: Tables) -> tuple[float, list[float]]:
    """Return the base and what the compiled criteria give to each row, in DuckDB."""
    base, criteria = tables_to_groups(tables)
    card = "groups:\n  g:\n    criteria:\n" + "".join(f"      - {written(criterion)}\n" for criterion in criteria)
    store = Store(attributes=TYPES)
    for number, row in enumerate(zip(*ROWS.values(), strict=True)):
        store.lead(number, **dict(zip(ROWS, row, strict=True)))
    found = store.filled("", card).scores()
    return base, [base + found[lead]["score"] for lead in sorted(found, key=lambda name: int(str(name).lstrip("L")))]


def rows() -> pa.Table:
    return pa.table({name: pa.array(values) for name, values in ROWS.items()})


@pytest.mark.parametrize("axis", [SIZE, VISITS, CITY, MEMBER], ids=lambda axis: axis.feature)
def test_one_feature_gives_the_points_of_its_table(axis: NumberAxis | CategoryAxis) -> None:
    tables = Tables(-1.5, (table(axis),))
    _, score = scored(tables)
    assert np.abs(np.array(score) - tables.log_odds(rows()) * points_per_unit()).max() <= 0.01 + 1e-9


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_two_features_give_the_points_of_their_table(axes: tuple[Any, Any]) -> None:
    tables = Tables(0.25, (table(*axes),))
    _, score = scored(tables)
    assert np.abs(np.array(score) - tables.log_odds(rows()) * points_per_unit()).max() <= 0.01 + 1e-9


def test_many_tables_add_up_within_half_a_hundredth_each() -> None:
    terms = [table(axis, seed=k) for k, axis in enumerate((SIZE, VISITS, CITY, MEMBER))]
    terms += [table(*axes, seed=9 + k) for k, axes in enumerate(AXES.values())]
    tables = Tables(-3.0, tuple(terms))
    _, score = scored(tables)
    allowed = 0.005 * (len(terms) + 1) + 1e-9
    assert np.abs(np.array(score) - tables.log_odds(rows()) * points_per_unit()).max() <= allowed


def test_doubling_the_odds_is_as_many_points_as_asked() -> None:
    tables = Tables(0.0, (Term((VISITS,), np.array([0.0, 0.0, np.log(2)])),))
    for double_odds in (10.0, 20.0):
        _, (criterion,) = tables_to_groups(tables, double_odds=double_odds)
        assert criterion.bands[-1] == (1.0, None, double_odds)  # type: ignore[union-attr]


def test_names_are_for_people_and_differ() -> None:
    axes = [NumberAxis(name, (0.0,)) for name in ("lead_source", "Lead_source", "size")]
    terms = tuple(Term((axis,), np.zeros(3)) for axis in axes)
    names = [c.name for c in tables_to_groups(Tables(0.0, (*terms, table(axes[0], axes[2]))))[1]]
    assert names == ["lead_source", "Lead_source", "Size", "Lead source × Size"]
    assert label("_") == "_"


def test_a_text_of_which_no_value_has_a_name_gives_points_for_being_known() -> None:
    note = Term((CategoryAxis("note", ()),), np.array([-1.0, 0.5]))
    base, (criterion,) = tables_to_groups(Tables(-2.0, (note,)))
    assert isinstance(criterion, WhenCriterion)
    assert criterion.when == "note is not null"
    assert base == pytest.approx((-2.0 - 1.0) * 20 / np.log(2), abs=0.011)
    assert base + criterion.points == pytest.approx((-2.0 + 0.5) * 20 / np.log(2), abs=0.011)
