"""Whom a system has merged or converted is one lead, unless people say otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.crm import START, Crm, crm, registered

__all__ = ["crm", "registered"]


@pytest.fixture
def twins(crm: Crm) -> Crm:
    for n in range(4):
        crm.world.put("contacts", str(n), START - timedelta(days=9 - n), jobtitle=f"T{n}", email=f"{n}@a.com")
    crm.sync()
    crm.world.delete("contacts", "2", crm.later(days=1), into="1")
    return crm


def leads(crm: Crm) -> list[tuple]:
    return crm.rows("SELECT list(id ORDER BY id) FROM ids GROUP BY lead ORDER BY 1")


def test_who_was_merged_is_one(twins: Crm) -> None:
    report = twins.sync()
    assert (report.joined, report.connections[0].objects[0].merged) == (1, 1)
    assert leads(twins) == [(["crm:0"],), (["crm:1", "crm:2"],), (["crm:3"],)]
    assert twins.rows("SELECT DISTINCT deleted FROM attributes") == [(False,)]
    assert "crm:1" in str(twins.workspace().merges())
    again = twins.sync()
    assert (again.joined, again.changed) == (0, False)


def test_one_merge_after_another_is_followed(twins: Crm) -> None:
    twins.sync()
    twins.world.delete("contacts", "1", twins.later(days=1), into="0")
    twins.sync()
    assert leads(twins) == [(["crm:0", "crm:1", "crm:2"],), (["crm:3"],)]


def test_a_merge_that_people_undid_stays_undone(twins: Crm) -> None:
    twins.sync()
    number = twins.workspace().merges().merges[0].merge
    twins.workspace().undo_merge(number)
    assert len(leads(twins)) == 4
    assert twins.sync().joined == 0
    assert twins.sync(full=True).joined == 0
    assert len(leads(twins)) == 4


def test_who_is_kept_apart_by_hand_is_not_joined(twins: Crm) -> None:
    twins.workspace().part_leads("crm:1", "crm:2")
    assert twins.sync().joined == 0
    assert len(leads(twins)) == 4


def test_the_survivor_may_be_unknown(twins: Crm) -> None:
    twins.world.delete("contacts", "3", twins.now, into="99")
    assert twins.sync().joined == 1
    twins.world.put("contacts", "99", twins.later(days=1), jobtitle="CEO")
    assert twins.sync().joined == 1
    assert leads(twins) == [(["crm:0"],), (["crm:1", "crm:2"],), (["crm:3", "crm:99"],)]


def shown(crm: Crm) -> list[object]:
    return [found for (found,) in crm.rows("SELECT id FROM leads ORDER BY 1")]


def test_who_was_merged_is_shown_under_the_record_that_lives_on(twins: Crm) -> None:
    twins.world.delete("contacts", "0", twins.now, into="3")
    twins.sync()
    assert shown(twins) == ["crm:1", "crm:3"]
    twins.world.delete("contacts", "3", twins.later(days=1), into="1")
    twins.sync()
    assert shown(twins) == ["crm:1"]
    assert twins.workspace().merges("crm:0").merges[0].into == "crm:1"


def test_who_was_one_before_by_his_address_is_shown_so_too(twins: Crm) -> None:
    twins.world.put("contacts", "3", twins.now, email="0@a.com")
    twins.sync()
    assert shown(twins) == ["crm:0", "crm:1"]
    twins.world.delete("contacts", "0", twins.later(days=1), into="3")
    report = twins.sync()
    assert (report.joined, shown(twins)) == (0, ["crm:1", "crm:3"])
    assert not twins.sync().changed
    assert shown(twins) == ["crm:1", "crm:3"]
