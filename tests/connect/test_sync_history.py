"""What a system keeps of the past is known since then; learning says what could not be known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.crm import START, Crm, crm, registered
from leadlight.learn.training import known_since_ever

__all__ = ["crm", "registered"]

BORN = START - timedelta(days=30)


def assumed(crm: Crm) -> tuple[str, ...]:
    with crm.workspace().store() as engine:
        return known_since_ever(engine, "lead")


@pytest.fixture
def kept(crm: Crm) -> Crm:
    """A system that keeps the history of job titles, and of nothing else."""
    crm.world.objects["contacts"]["history"] = ["jobtitle"]
    crm.world.put("contacts", "1", BORN, jobtitle="clerk", employees=5)
    crm.world.put("contacts", "1", BORN + timedelta(days=10), jobtitle="CEO", employees=50)
    crm.world.put("contacts", "2", BORN, jobtitle="CTO", employees=7)
    crm.sync()
    return crm


def test_the_past_that_a_system_keeps_is_known_since_then(kept: Crm) -> None:
    assert kept.versions("1") == [(BORN, "clerk", False), (BORN + timedelta(days=10), "CEO", False)]
    assert kept.versions("2") == [(BORN, "CTO", False)]
    assert not kept.sync().changed


def test_it_goes_on_from_there(kept: Crm) -> None:
    changed = kept.later(days=1)
    kept.world.put("contacts", "1", changed, jobtitle="retired")
    kept.world.put("contacts", "2", kept.later(hours=1), employees=8)
    kept.later(days=1)
    kept.sync()
    assert kept.versions("1")[-1] == (changed, "retired", False)
    assert [at for at, _, _ in kept.versions("2")] == [BORN, changed + timedelta(hours=1)]
    kept.sync(full=True)
    assert (len(kept.versions("1")), len(kept.versions("2"))) == (3, 2)


def test_learning_says_what_has_no_history(kept: Crm) -> None:
    assert assumed(kept) == (
        "contacts keeps no history of email, size: before they were first read, they are taken to be the same",
    )


def test_learning_says_since_when_changes_are_known(crm: Crm) -> None:
    for n in range(3):
        crm.world.put("contacts", str(n), BORN, jobtitle="clerk")
    crm.sync()
    assert assumed(crm) == ("contacts gives current values only: they are taken as known since each lead's creation",)
    crm.world.put("contacts", "1", crm.later(days=1), jobtitle="CEO")
    crm.world.put("contacts", "9", crm.now, jobtitle="CTO")
    crm.sync()
    assert assumed(crm) == (
        "contacts tells what 3 of 4 leads were only since 2026-03-01, when it was first read: what they were then is "
        "taken as known since their creation",
    )
