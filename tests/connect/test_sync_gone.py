"""What does not come any more is gone: told by a pass over everything, or by the ids that there are."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from connect.crm import START, Crm, crm, registered
from leadlight.connect.landing import WORK
from leadlight.errors import RemoteError
from leadlight.sources.lake import connection_folder

__all__ = ["crm", "registered"]


@pytest.fixture
def listed(crm: Crm) -> Crm:
    """A system that gives its contacts as a whole only."""
    crm.world.objects["contacts"]["whole"] = True
    for n in range(6):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    return crm


def deleted(crm: Crm) -> list[str]:
    query = "SELECT l.id FROM attributes a JOIN leads l USING (lead) WHERE a.deleted ORDER BY 1"
    return [str(found) for (found,) in crm.rows(query)]


def test_what_is_read_as_a_whole_and_does_not_come_is_gone(listed: Crm) -> None:
    listed.world.delete("contacts", "3", START)
    gone = listed.later(days=1)
    report = listed.sync()
    assert report.connections[0].objects[0].gone == 1
    assert deleted(listed) == ["crm:3"]
    assert listed.versions("3") == [(None, "CEO", False), (gone, "CEO", True)]
    assert not listed.sync().changed


def test_a_whole_that_breaks_off_deletes_nobody(listed: Crm) -> None:
    listed.world.delete("contacts", "0", START)
    listed.world.trouble["contacts"] = [4, "unreachable"]
    report = listed.sync()
    assert isinstance(report.error, RemoteError)
    assert deleted(listed) == []
    listed.world.trouble.clear()
    listed.sync()
    assert deleted(listed) == ["crm:0"]


def test_so_many_are_not_taken_for_deleted_in_one_go(crm: Crm) -> None:
    crm.world.objects["contacts"]["whole"] = True
    for n in range(50):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    for n in range(40):
        crm.world.delete("contacts", str(n), START)
    crm.later(days=1)
    report = crm.sync()
    assert "40 of 50 records did not come any more" in str(report)
    assert deleted(crm) == []
    assert crm.sync(full=True).connections[0].objects[0].gone == 40
    assert len(deleted(crm)) == 40


def test_with_full_whatever_does_not_come_is_gone(crm: Crm) -> None:
    for n in range(6):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    crm.world.log["contacts"] = [one for one in crm.world.log["contacts"] if one["id"] != "2"]  # nobody tells of it
    crm.later(days=1)
    assert not crm.sync().changed
    report = crm.sync(full=True)
    assert (report.connections[0].objects[0].read, report.connections[0].objects[0].gone) == (5, 1)
    assert deleted(crm) == ["crm:2"]


def test_ids_that_are_not_there_any_more_are_gone(crm: Crm) -> None:
    crm.world.there["contacts"] = True
    for n in range(6):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    crm.world.log["contacts"] = [one for one in crm.world.log["contacts"] if one["id"] != "2"]
    crm.world.put("contacts", "4", crm.later(days=1), jobtitle="CTO")
    crm.sync()
    assert deleted(crm) == ["crm:2"]
    assert not crm.sync().changed


def test_who_is_gone_when_he_is_first_seen_was_there_before(crm: Crm) -> None:
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    crm.world.put("contacts", "2", START - timedelta(days=5), jobtitle="CFO")
    crm.world.log["contacts"][-1]["gone"] = True
    crm.world.log["contacts"][-1]["at"] = crm.later(days=1).isoformat()
    crm.sync()
    assert [(title, gone) for _, title, gone in crm.versions("2")] == [("CFO", False), ("CFO", True)]


def test_when_nobody_comes_at_all_nobody_is_taken_for_deleted(listed: Crm) -> None:
    listed.world.log["contacts"].clear()
    listed.later(days=1)
    report = listed.sync()
    assert "6 of 6 records did not come any more" in str(report)
    assert deleted(listed) == []


def test_a_system_that_tells_no_deletions_says_so_once(crm: Crm) -> None:
    crm.world.objects["contacts"]["deletions"] = False
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    assert "contacts: the system does not tell what is deleted: `leadlight sync crm --full` finds it" in str(crm.sync())
    assert "does not tell" not in str(crm.sync())


@pytest.mark.parametrize("breaks_off", [False, True])
def test_where_notes_are_lost_what_was_deleted_meanwhile_is_found(crm: Crm, breaks_off: bool) -> None:
    for n in range(6):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    shutil.rmtree(connection_folder(crm.root, "crm") / WORK)
    crm.world.delete("contacts", "3", START)  # a reading from the beginning does not tell of it
    crm.later(days=1)
    if breaks_off:
        crm.world.trouble["contacts"] = [4, "unreachable"]
        assert crm.sync().error is not None
        crm.world.trouble.clear()
    report = crm.sync()
    assert report.connections[0].objects[0].gone == 1
    assert deleted(crm) == ["crm:3"]
    assert not crm.sync().changed
