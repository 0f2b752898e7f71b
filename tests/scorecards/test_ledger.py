from __future__ import annotations

import pytest

from leadlight.errors import NotFoundError
from leadlight.workspace import Workspace


def test_every_point_of_ann_is_the_one_worked_out_by_hand(shop: Workspace) -> None:
    ledger = shop.explain("ann")
    points = {item.name: item.points for item in ledger.contributions}
    pricing = 8 * (2 ** (-10 / 10) + 2 ** (-20 / 10))  # 10 and 20 days old, half-life 10 days
    assert points == {
        "Base": 1.0,
        "Seniority": 15.0,
        "Company size": 12.0,
        "Big and busy": 4.0,
        "fit cap": 20.0 - 31.0,
        "Looks at pricing": pytest.approx(pricing, abs=1e-12),
        "Asked for a demo": 10.0,
        "Unsubscribed": 0.0,
        "Came to Mars": 0.0,
    }
    assert ledger.score == pytest.approx(1 + 20 + pricing + 10, abs=1e-12)
    assert ledger.grade == "A1"


def test_contributions_add_up_for_everybody(shop: Workspace) -> None:
    for lead in ("ann", "bob", "cy", "di", "eve"):
        ledger = shop.explain(lead)
        assert sum(item.points for item in ledger.contributions) == pytest.approx(ledger.score, abs=1e-9)


def test_the_gate_is_the_first_reason_and_leaves_the_points(shop: Workspace) -> None:
    ledger = shop.explain("cy")
    assert ledger.score == 1 + 15 + 5 + 10
    assert ledger.grade == "C3"
    assert ledger.reasons(2) == ["Competitor: grade C3", "Seniority: vp: +15"]


def test_an_excluded_lead_can_still_be_explained(shop: Workspace) -> None:
    assert shop.explain("eve").excluded
    assert not shop.explain("ann").excluded


def test_as_text(shop: Workspace) -> None:
    assert str(shop.explain("di")) == (
        "lead di: -5.0 points, grade C3 as of 2026-03-01 00:00 UTC\n"
        "        -5  Company size: 5\n"
        "        +1  Base points\n"
        "        -1  Seniority: not known"
    )


def test_a_lead_that_does_not_exist_yet(shop: Workspace) -> None:
    with pytest.raises(NotFoundError, match="^fay did not exist yet as of 2026-03-01 00:00 UTC"):
        shop.explain("fay")


def test_an_unknown_lead_names_the_nearest(shop: Workspace) -> None:
    with pytest.raises(NotFoundError, match="there is no lead 'anne'; the nearest are 'ann'"):
        shop.explain("anne")


def test_a_session_gives_the_same_answers(shop: Workspace) -> None:
    alone = shop.explain("ann", as_of="2026-02-20")
    with shop.session() as session:
        assert session.explain("ann", as_of="2026-02-20") == alone
        assert session.explain("bob").id == "bob"
