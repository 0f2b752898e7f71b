"""What sources name exists or is told where it stands; what changes in the system is told and stops nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.crm import START, Crm, crm, registered
from leadlight.errors import SpecError
from leadlight.workspace import check_folder

__all__ = ["crm", "registered"]


@pytest.fixture
def one(crm: Crm) -> Crm:
    crm.world.put("contacts", "1", START - timedelta(days=9), jobtitle="CEO", employees=5)
    crm.sync()
    return crm


def edit(crm: Crm, before: str, after: str) -> None:
    text = (crm.root / "leadlight.yaml").read_text()
    assert before in text
    (crm.root / "leadlight.yaml").write_text(text.replace(before, after))


def titles(crm: Crm) -> list[object]:
    return [title for _, title, _ in crm.versions("1")]


def test_a_field_that_never_was_is_a_fault_with_its_line(one: Crm) -> None:
    edit(one, "title: jobtitle", "title: jobtitel")
    report = one.sync()
    assert isinstance(report.error, SpecError)
    fault = report.error.faults[0]
    assert (fault.line, fault.path) == (9, "sources.contacts.columns.title")
    assert "contacts has no field 'jobtitel'; did you mean 'jobtitle'?" in fault.message
    assert [done.object for done in report.connections[0].objects] == ["deals", "emails"]


def test_a_field_that_is_gone_is_told_and_missing_from_then_on(one: Crm) -> None:
    del one.world.objects["contacts"]["fields"]["jobtitle"]
    one.world.objects["contacts"]["fields"]["job"] = "text"
    one.world.put("contacts", "1", one.later(days=1), employees=7)
    report = one.sync()
    assert report.error is None
    assert "there is no field 'jobtitle' any more" in str(report)
    assert "new in the system: job" in str(report)
    assert titles(one) == ["CEO", None]


def test_another_type_stays_what_it_was_here(one: Crm) -> None:
    one.world.objects["contacts"]["fields"]["employees"] = "text"
    one.world.put("contacts", "1", one.later(days=1), employees="about 8")
    one.world.put("contacts", "2", one.now, employees="9")
    report = one.sync()
    assert "employees was number and is text now: it stays number here" in str(report)
    assert report.connections[0].objects[0].misfits == {"employees": 1}
    assert one.rows("SELECT size FROM observations ORDER BY known_at NULLS FIRST, _key") == [(5.0,), (None,), (9.0,)]


def test_without_columns_all_fields_are_read_but_when_it_changed(one: Crm) -> None:
    edit(one, "columns: {email: email, title: jobtitle, size: employees}", "rename: {title: jobtitle}")
    one.sync()
    names = {name for (name,) in one.rows("SELECT name FROM names WHERE kind = 'attribute' AND source = 'contacts'")}
    assert names == {"email", "title", "employees", "deleted"}


def test_odd_values_are_no_values(one: Crm) -> None:
    one.world.put("contacts", "1", one.later(days=1), jobtitle="x\x00y\ud800z", employees=float("nan"), email=True)
    assert one.sync().error is None
    assert titles(one)[-1] == "xy?z"
    assert one.rows("SELECT size, email FROM observations ORDER BY known_at DESC LIMIT 1") == [(None, "true")]


def test_check_needs_no_network_and_no_sync(crm: Crm) -> None:
    notes = check_folder(crm.root).notes
    assert "contacts: nothing was read of contacts yet: run `leadlight sync crm`" in notes
    assert len(notes) == 3


def test_check_knows_what_the_last_sync_saw(one: Crm) -> None:
    assert not [note for note in check_folder(one.root).notes if "yet" in note]
    edit(one, 'exclude: "deleted"', "exclude: \"titel = 'x'\"")
    with pytest.raises(SpecError, match="there is no name 'titel': did you mean 'title'"):
        check_folder(one.root)


def test_check_knows_fields_that_only_the_next_sync_reads(one: Crm) -> None:
    edit(one, "{email: email,", "{since: modified, email: email,")
    check_folder(one.root)
    edit(one, "since: modified", "since: modifyd")
    with pytest.raises(Exception, match="did you mean 'modified'"):
        check_folder(one.root)


def test_check_looks_at_the_connections(crm: Crm) -> None:
    edit(crm, "system: memory,", 'system: memory, pages: 5, secrets: {tokn: "${X}"},')
    with pytest.raises(SpecError) as error:
        check_folder(crm.root)
    faults = [(fault.line, fault.path, fault.message[:50]) for fault in error.value.faults]
    assert faults == [(2, "connections.crm.pages", "unknown key 'pages': did you mean 'page'? Known: p")]
    edit(crm, "pages: 5, ", "")
    with pytest.raises(SpecError, match="Memory has no secret 'tokn'"):
        check_folder(crm.root)
    edit(crm, "system: memory", "system: memry")
    with pytest.raises(SpecError, match="no connector 'memry': did you mean 'memory'"):
        check_folder(crm.root)


def test_a_field_that_is_named_later_counts_as_read_from_the_first(one: Crm) -> None:
    one.world.objects["contacts"]["fields"]["city"] = "text"
    for n in ("1", "2", "3"):
        one.world.put("contacts", n, one.later(minutes=1), city=f"Town {n}", jobtitle="CEO")
    one.sync()
    changed = one.later(days=1)
    one.world.put("contacts", "1", changed, jobtitle="CTO")
    one.sync()
    edit(one, "{email: email,", "{town: city, email: email,")
    one.world.put("contacts", "3", one.later(days=1), jobtitle="COO")
    report = one.sync()
    assert "contacts: city: new here, so all records are read again" in str(report)
    assert (report.connections[0].objects[0].new, report.connections[0].objects[0].changed) == (0, 1)
    towns = one.rows(
        "SELECT i.id, o.known_at, o.title, o.town FROM observations o JOIN ids i ON i.key = o._key "
        "WHERE i.id <> 'crm:2' ORDER BY 1, 2 NULLS FIRST"
    )
    assert [(title, town) for _, _, title, town in towns] == [
        ("CEO", "Town 1"),
        ("CTO", "Town 1"),
        ("CEO", "Town 3"),
        ("COO", "Town 3"),
    ]
    assert towns[0][1] is None
    assert towns[1][1] == changed
    again = one.sync()
    assert (again.changed, again.connections[0].objects[0].read) == (False, 0)


def test_a_value_that_is_still_to_be_written_is_told(crm: Crm) -> None:
    edit(crm, "system: memory,", "system: memory, url: …,")
    with pytest.raises(SpecError, match=r"2:\d+: connections.crm.url: write what belongs here: the API's address"):
        check_folder(crm.root)


def test_our_own_scores_are_no_attributes_and_no_news(one: Crm) -> None:
    edit(one, "columns: {email: email, title: jobtitle, size: employees}", "rename: {title: jobtitle}")
    edit(one, "system: memory,", "system: memory, push: {object: contacts, fields: {score: rank_x}},")
    one.world.objects["contacts"]["fields"] |= {"Leadlight_Grade__c": "text", "rank_x": "number", "city": "text"}
    one.world.put("contacts", "2", one.later(days=1), city="Oslo", rank_x=5.0, Leadlight_Grade__c="A")
    report = one.sync()
    assert "new in the system: city" in str(report)
    assert "are read again" not in str(report)
    names = {name for (name,) in one.rows("SELECT name FROM names WHERE kind = 'attribute'")}
    assert names == {"email", "title", "employees", "city", "deleted"}
