"""What finally happened is what the system says now; what happened once stays so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.crm import START, Crm, crm, registered

__all__ = ["crm", "registered"]


@pytest.fixture
def deals(crm: Crm) -> Crm:
    for n in range(3):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle="CEO")
        crm.world.put("deals", f"d{n}", START, contact=str(n), stage="won", closed=START, amount=10.0)
    crm.sync()
    assert outcomes(crm) == [("crm:0", "won", 10.0), ("crm:1", "won", 10.0), ("crm:2", "won", 10.0)]
    return crm


def outcomes(crm: Crm) -> list[tuple]:
    return crm.rows(
        "SELECT i.id, o.outcome, o.value FROM outcomes o JOIN ids i ON i.key = o._said_of ORDER BY i.id, o.outcome"
    )


def test_a_deal_that_is_open_again_is_not_won(deals: Crm) -> None:
    deals.world.put("deals", "d1", deals.later(days=1), stage="talking", amount=12.0)
    report = deals.sync()
    assert report.changed
    assert outcomes(deals) == [("crm:0", "won", 10.0), ("crm:1", "talking", 12.0), ("crm:2", "won", 10.0)]


def test_a_deal_without_a_stage_has_no_outcome(deals: Crm) -> None:
    deals.world.put("deals", "d1", deals.later(days=1), stage=None)
    assert deals.sync().changed
    assert outcomes(deals) == [("crm:0", "won", 10.0), ("crm:2", "won", 10.0)]
    assert not deals.sync().changed


def test_a_deleted_deal_has_no_outcome(deals: Crm) -> None:
    deals.world.delete("deals", "d1", deals.later(days=1))
    deals.world.delete("deals", "d2", deals.now, into="d0")
    assert deals.sync().changed
    assert outcomes(deals) == [("crm:0", "won", 10.0)]


def test_a_deal_that_is_somebody_elses_now_is_his(deals: Crm) -> None:
    deals.world.put("deals", "d1", deals.later(days=1), contact="2")
    deals.sync()
    assert outcomes(deals) == [("crm:0", "won", 10.0), ("crm:2", "won", 10.0), ("crm:2", "won", 10.0)]


def test_a_deal_that_the_source_does_not_mean_any_more_has_no_outcome(deals: Crm) -> None:
    text = (deals.root / "leadlight.yaml").read_text()
    (deals.root / "leadlight.yaml").write_text(
        text.replace("value: amount}", "value: amount, where: \"stage <> 'x'\"}")
    )
    deals.sync()
    assert len(outcomes(deals)) == 3
    deals.world.put("deals", "d1", deals.later(days=1), stage="x")
    deals.sync()
    assert outcomes(deals) == [("crm:0", "won", 10.0), ("crm:2", "won", 10.0)]


def test_a_deal_of_nobody_is_no_fault(crm: Crm) -> None:
    for n in range(5):
        crm.world.put("deals", f"d{n}", START, stage="won", closed=START)
    report = crm.sync()
    assert report.error is None
    assert outcomes(crm) == []


def test_a_deal_that_changed_often_between_two_syncs_is_what_it_is_now(deals: Crm) -> None:
    for stage in ("talking", "lost", "talking", "won"):
        deals.world.put("deals", "d1", deals.later(days=1), stage=stage, amount=99.0)
    deals.sync()
    assert outcomes(deals)[1] == ("crm:1", "won", 99.0)


def test_events_are_told_once(crm: Crm) -> None:
    for n in range(5):
        crm.world.put("emails", f"e{n}", START, contact="1", kind="open", sent=START)
    crm.world.put("emails", "never", START, contact="1", kind="open", sent=START)
    crm.world.delete("emails", "never", START)
    crm.sync()
    crm.world.put("emails", "e1", crm.later(days=1), kind="click")
    crm.world.delete("emails", "e2", crm.now)
    crm.sync()
    assert crm.rows("SELECT type::VARCHAR, count(*) FROM events GROUP BY 1") == [("open", 5)]
