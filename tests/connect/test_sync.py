"""What a system says comes into the lake and the store, with its past; doing it again changes nothing."""

from __future__ import annotations

from datetime import timedelta

from connect.crm import START, Crm, crm, registered

__all__ = ["crm", "registered"]


def test_what_is_read_first_is_known_since_it_exists(crm: Crm) -> None:
    for n in range(9):
        crm.world.put(
            "contacts", str(n), START - timedelta(days=9 - n), email=f"{n}@a.com", jobtitle="CEO", employees=5
        )
    report = crm.sync()
    assert report.error is None
    assert (report.connections[0].objects[0].read, report.connections[0].objects[0].new) == (9, 9)
    assert crm.versions("3") == [(None, "CEO", False)]
    assert crm.rows("SELECT count(*) FROM leads WHERE created_at < TIMESTAMP '2026-03-01'") == [(9,)]
    again = crm.sync()
    assert [one.read for one in again.connections[0].objects] == [0, 0, 0]
    assert not again.changed


def test_what_changes_later_is_known_since_the_system_says_so(crm: Crm) -> None:
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    changed = crm.later(days=2)
    crm.world.put("contacts", "1", changed, jobtitle="CTO")
    crm.later(hours=5)
    report = crm.sync()
    assert report.connections[0].objects[0].changed == 1
    assert crm.versions("1") == [(None, "CEO", False), (changed, "CTO", False)]


def test_what_is_touched_and_not_changed_says_nothing(crm: Crm) -> None:
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    crm.world.put("contacts", "1", crm.later(days=1), jobtitle="CEO")
    report = crm.sync()
    assert (report.connections[0].objects[0].read, report.connections[0].objects[0].changed) == (1, 0)
    assert crm.versions("1") == [(None, "CEO", False)]


def test_a_change_is_never_known_before_the_former_one_nor_after_now(crm: Crm) -> None:
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    first = crm.later(days=1)
    crm.world.put("contacts", "1", first, jobtitle="CTO")
    crm.sync()
    crm.world.put("contacts", "1", START - timedelta(days=30), jobtitle="CFO")  # a system whose clock went back
    crm.later(days=1)
    crm.sync()
    crm.world.put("contacts", "1", crm.now + timedelta(days=5), jobtitle="COO")
    crm.sync()
    tick = timedelta(microseconds=1)
    assert [at for at, _, _ in crm.versions("1")] == [None, first, first + tick, crm.now]


def test_a_system_that_does_not_date_changes_is_dated_by_the_sync(crm: Crm) -> None:
    crm.world.objects["contacts"]["dated"] = False
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    crm.world.put("contacts", "1", crm.later(days=1), jobtitle="CTO")
    read = crm.later(days=1)
    crm.sync()
    assert crm.versions("1") == [(None, "CEO", False), (read, "CTO", False)]


def test_a_new_record_counts_as_created_as_it_was_soon_after(crm: Crm) -> None:
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    born = crm.later(days=1)
    crm.world.put("contacts", "2", born, jobtitle="")
    crm.world.put("contacts", "2", born + timedelta(minutes=10), jobtitle="CTO")
    crm.world.put("contacts", "3", born, jobtitle="")
    crm.world.put("contacts", "3", born + timedelta(days=3), jobtitle="CFO")
    crm.later(days=5)
    crm.sync()
    assert crm.versions("2") == [(born, "CTO", False)]
    assert crm.versions("3") == [(born + timedelta(days=3), "CFO", False)]


def test_who_is_deleted_keeps_what_he_was_and_may_come_back(crm: Crm) -> None:
    for n in range(3):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    gone = crm.later(days=1)
    crm.world.delete("contacts", "1", gone)
    report = crm.sync()
    assert report.connections[0].objects[0].gone == 1
    assert crm.versions("1") == [(None, "CEO", False), (gone, "CEO", True)]
    back = crm.later(days=1)
    crm.world.put("contacts", "1", back, jobtitle="CEO", created=START.isoformat())
    crm.sync()
    assert crm.versions("1")[-1] == (back, "CEO", False)


def test_ids_of_two_systems_never_meet(crm: Crm) -> None:
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    crm.world.put("deals", "1", START, contact="1", stage="won", closed=START, amount=10.0)
    (crm.root / "leads.csv").write_text("id,email\n1,x@y.com\n")
    text = (crm.root / "leadlight.yaml").read_text()
    (crm.root / "leadlight.yaml").write_text(text.replace("sources:\n", "sources:\n  old: {csv: leads.csv, id: id}\n"))
    crm.world.save()
    crm.workspace().ingest(only=["old"])
    crm.sync()
    assert crm.rows("SELECT id FROM leads ORDER BY id") == [("1",), ("crm:1",)]
    assert crm.rows("SELECT l.id FROM outcomes o JOIN leads l ON l.lead = o.lead") == [("crm:1",)]


def test_without_a_prefix_ids_are_the_systems_own(crm: Crm) -> None:
    text = (crm.root / "leadlight.yaml").read_text()
    (crm.root / "leadlight.yaml").write_text(text.replace("kind: leads", "kind: leads\n    prefix: null"))
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO")
    crm.sync()
    assert crm.rows("SELECT id FROM leads") == [("1",)]
