from __future__ import annotations

import pytest

from leadlight.errors import NotFoundError
from leadlight.workspace import Workspace


def test_order_counts_and_reasons(shop: Workspace) -> None:
    ranking = shop.rank()
    assert [(row.rank, row.ledger.id, row.ledger.grade) for row in ranking.rows] == [
        (1, "ann", "A1"),
        (2, "bob", "A3"),
        (3, "di", "C3"),
        (4, "cy", "C3"),  # more points, but a gate that does not give the best grade puts it behind
    ]
    assert (ranking.total, ranking.excluded) == (4, 1)
    assert {grade: n for grade, n in ranking.grades.items() if n} == {"A1": 1, "A3": 1, "C3": 2}
    assert ranking.rows[0].reasons == [
        "Seniority: vp: +15",
        "Company size: 500: +12",
        "fit is limited to 20 (cap): -11",
    ]


def test_limit_and_grade(shop: Workspace) -> None:
    assert [row.ledger.id for row in shop.rank(limit=1).rows] == ["ann"]
    assert [(row.rank, row.ledger.id) for row in shop.rank(grade="C3").rows] == [(3, "di"), (4, "cy")]


def test_as_of_the_past_knows_nothing_of_the_future(shop: Workspace) -> None:
    assert [row.ledger.id for row in shop.rank(as_of="2026-01-02").rows] == ["ann"]
    assert shop.rank(as_of="2025-12-31").rows == ()


def test_nothing_is_stored(shop: Workspace) -> None:
    shop.rank()
    assert shop.history("ann").scores == ()


def test_a_grade_that_is_none(shop: Workspace) -> None:
    with pytest.raises(NotFoundError, match="house has no grade .A9.: known: A1"):
        shop.rank(grade="A9")
