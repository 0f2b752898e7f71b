"""What every connector does when it is read: whole, since a cursor, after a kill, through history."""

from __future__ import annotations

import inspect
from datetime import datetime, timedelta

import pytest

from connect.conformance import (
    DAY,
    KINDS,
    agree,
    gone_of,
    kind_of,
    need,
    people,
    presents,
    read_on,
    rows_of,
    typed,
    wanted,
)
from connect.stand_in import LACKS, StandIn
from leadlight.connect.registry import connector
from leadlight.errors import NotFoundError

MANY = 20_000

pytestmark = pytest.mark.timeout(60)  # a reading that goes round in circles would fill the memory


def test_what_is_lacking_is_known_and_said_why(system: StandIn) -> None:
    assert set(system.lacks) <= set(LACKS)
    assert all(len(reason) > 10 for reason in system.lacks.values())


def test_says_what_it_is(system: StandIn) -> None:
    about = connector(system.system).about
    assert about.name == system.system
    assert all(secret.where and secret.variable.isupper() for secret in about.secrets)
    assert about.documentation.startswith("https://")
    assert {secret.name for secret in about.secrets if secret.needed} <= set(system.secrets)


def test_describes_objects_and_fields(system: StandIn) -> None:
    with system.open() as opened:
        described = opened.describe(system.people.object)
        types = {field.name: field.type for field in described.fields}
        assert types[system.people.text] == "text"
        assert system.people.number is None or types[system.people.number] == "number"
        assert described.created_at is None or types[described.created_at] == "time"
        assert described.modified_at is None or types[described.modified_at] == "time"
        assert described.whole == ("incremental" in system.lacks)
        assert all(field.label for field in described.fields if field.custom)
        if system.people.history:
            assert next(one for one in described.fields if one.name == system.people.history).history


def test_describes_all_that_its_mapping_names(system: StandIn) -> None:
    mapping = connector(system.system).mapping
    with system.open() as opened:
        objects = {str(source["object"]) for source in mapping.values()}
        described = {one.name: one for one in opened.session.describe(sorted(objects))}
        everything = {one.name for one in opened.session.describe()}
    assert objects == set(described)
    assert objects <= everything
    for source in mapping.values():
        one = described[str(source["object"])]
        named = set(dict(source.get("columns") or {}).values()) | set(dict(source.get("columns") or {}))
        assert not source.get("columns") or named & {field.name for field in one.fields}
        if "created_at" in source:
            assert one.field(str(source["created_at"])) is not None


def test_an_object_that_does_not_exist_is_told_with_the_nearest(system: StandIn) -> None:
    with system.open() as opened, pytest.raises(NotFoundError) as caught:
        opened.session.describe([system.people.object + "x"])
    assert system.people.object in str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_reads_everything_once(system: StandIn, name: str) -> None:
    kind = kind_of(system, name)
    if name == "people":
        ids = people(system)
    else:
        ids = [system.add(kind.object, **{kind.text: f"Text {number}", **kind.more}) for number in range(3)]
    with system.open() as opened:
        fields = wanted(system, opened, kind)
        rows = opened.read(kind.object, fields)
        described = opened.describe(kind.object, fields)
    found = presents(row for row in rows if not row.gone)
    assert set(found) == set(ids)
    agree(system, kind, found)
    typed(described, rows)
    for row in found.values():
        assert set(row.values) <= set(fields)
        if described.created_at is not None and row.known_at is None:
            created = row.values[described.created_at]
            assert isinstance(created, datetime)
            assert abs(created - system.held(kind.object, row.id).created) < timedelta(seconds=1)


def test_an_object_without_records_is_empty(system: StandIn) -> None:
    with system.open() as opened:
        assert opened.read(system.people.object, wanted(system, opened)) == []


def test_reading_is_lazy_and_a_page_is_a_page(system: StandIn) -> None:
    people(system)
    with system.open() as opened:
        pages = opened.pages(system.people.object, wanted(system, opened))
        assert inspect.isgenerator(pages)
        first = next(pages)
        pages.close()
    assert len({row.id for row in first.rows}) <= connector(system.system).about.limits.page


def test_reads_what_has_changed_since(system: StandIn) -> None:
    need(system, "incremental")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        opened.read(kind.object, fields)
        cursor = opened.cursor
    system.clock.advance(2 * DAY)
    for id in ids[3:5]:  # noqa: A001
        system.edit(kind.object, id, **{kind.text: "Changed"})
    new = system.add(kind.object, **{kind.text: "New", **kind.more})
    pages, cursor = read_on(system, kind, fields, cursor)
    found = presents(rows_of(pages))
    assert {ids[3], ids[4], new} <= set(found)
    assert len(found) < len(ids) / 2  # an overlap is free; all once more is not
    agree(system, kind, found)
    system.clock.advance(2 * DAY)
    pages, _ = read_on(system, kind, fields, cursor)
    assert set(presents(rows_of(pages))) <= {ids[3], ids[4], new}


def test_nothing_is_missed_that_changed_at_the_same_moment(system: StandIn) -> None:
    need(system, "incremental")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        opened.read(kind.object, fields)
        cursor = opened.cursor
    system.clock.advance(DAY)
    for id in ids:  # noqa: A001
        system.edit(kind.object, id, **{kind.text: "At once"})
    found = {}
    for _ in range(len(ids)):  # killed after every page
        with system.open() as opened:
            page = next(opened.pages(kind.object, fields, cursor=cursor), None)
            before, cursor = cursor, opened.cursor or cursor
        found |= presents(page.rows if page is not None else [])
        if page is None or cursor == before:
            break
    pages, _ = read_on(system, kind, fields, cursor)
    found |= presents(rows_of(pages))
    assert {row.id for row in found.values() if row.values[kind.text] == "At once"} == set(ids)


@pytest.mark.parametrize("kept", [1, 2, 4])
def test_goes_on_after_a_kill(system: StandIn, kept: int) -> None:
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        reading = opened.pages(kind.object, fields)
        rows = [row for _, page in zip(range(kept), reading, strict=False) for row in page.rows]
        cursor = opened.cursor
        reading.close()
    system.clock.advance(60)
    edited = [rows[0].id, ids[-1]]
    for id in edited:  # noqa: A001
        system.edit(kind.object, id, **{kind.text: "Meanwhile"})
    pages, cursor = read_on(system, kind, fields, cursor)
    system.clock.advance(60)
    more, _ = read_on(system, kind, fields, cursor)
    found = presents([*rows, *rows_of(pages), *rows_of(more)])
    assert set(found) == set(ids)
    agree(system, kind, found)


def test_what_changes_during_a_reading_is_read_by_the_next(system: StandIn) -> None:
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        reading = opened.pages(kind.object, fields)
        rows = list(next(reading).rows)
        system.clock.advance(1)
        first, last = rows[0].id, ids[-1] if ids[-1] != rows[0].id else ids[0]
        system.edit(kind.object, first, **{kind.text: "Behind"})
        system.edit(kind.object, last, **{kind.text: "Ahead"})
        new = system.add(kind.object, **{kind.text: "New", **kind.more})
        rows += [row for page in reading for row in page.rows]
        cursor = opened.cursor
    system.clock.advance(60)
    pages, _ = read_on(system, kind, fields, cursor)
    found = presents([*rows, *rows_of(pages)])
    assert set(found) == {*ids, new}
    agree(system, kind, found)


def test_a_deletion_during_a_reading_hides_nobody_else(system: StandIn) -> None:
    need(system, "delete")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        reading = opened.pages(kind.object, fields)
        rows = list(next(reading).rows)
        gone = {row.id for row in rows[:2]}
        for id in gone:  # noqa: A001
            system.delete(kind.object, id)
        rows += [row for page in reading for row in page.rows]
    assert {row.id for row in rows} == set(ids)


def test_deletions_are_told(system: StandIn) -> None:
    need(system, "delete")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        opened.read(kind.object, fields)
        assert opened.describe(kind.object).deletions
        cursor = opened.cursor
    system.clock.advance(2 * DAY)
    for id in ids[1:3]:  # noqa: A001
        system.delete(kind.object, id)
    system.clock.advance(60)
    pages, _ = read_on(system, kind, fields, cursor)
    if "incremental" in system.lacks:
        assert set(presents(rows_of(pages))) == set(ids) - set(ids[1:3])
    else:
        assert gone_of(pages, ids) == set(ids[1:3])


def test_a_merge_is_followed(system: StandIn) -> None:
    need(system, "merge")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        opened.read(kind.object, fields)
        cursor = opened.cursor
    system.clock.advance(2 * DAY)
    lives = system.merge(kind.object, ids[1], ids[2])
    system.clock.advance(60)
    pages, _ = read_on(system, kind, fields, cursor)
    into = {row.id: row.into for row in rows_of(pages) if row.into is not None}
    assert into[ids[1]] == lives


def test_a_conversion_is_followed(system: StandIn) -> None:
    need(system, "convert")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        opened.read(kind.object, fields)
        cursor = opened.cursor
    system.clock.advance(2 * DAY)
    lives = system.convert(kind.object, ids[1])
    system.clock.advance(60)
    pages, _ = read_on(system, kind, fields, cursor)
    assert {row.id: row.into for row in rows_of(pages)}[ids[1]] == lives


def test_history_is_told_in_order_and_ends_in_the_present(system: StandIn) -> None:
    need(system, "history")
    kind = system.people
    name = kind.history
    assert name is not None, "`people.history` names a field, or `lacks` says why there is none"
    ids = people(system)
    edited = ids[4]
    begun = system.held(kind.object, edited).values[name]
    changes = []
    for number in range(3):
        system.clock.advance(DAY)
        system.edit(kind.object, edited, **{name: f"Later {number}"})
        changes.append((system.clock.now(), f"Later {number}"))
    system.clock.advance(DAY)
    with system.open() as opened:
        pages = list(opened.pages(kind.object, [*wanted(system, opened)]))
        flat = opened.read(kind.object, wanted(system, opened), history=False)
    own = [[row for row in page.rows if row.id == edited] for page in pages]
    (rows,) = [rows for rows in own if rows]  # all of one record stand in one page
    values = [row.values[name] for row in rows]
    steps = [value for number, value in enumerate(values) if number == 0 or value != values[number - 1]]
    assert steps == [begun, *(value for _, value in changes)]
    dated = [(row.known_at, row.values[name]) for row in rows if row.known_at is not None]
    assert dated == sorted(dated, key=lambda pair: pair[0])
    for at, value in changes[:-1]:
        assert any(known == value and abs(when - at) < timedelta(seconds=1) for when, known in dated), (at, dated)
    assert rows[-1].values[name] == changes[-1][1]
    assert all(set(row.values) == set(rows[-1].values) for row in rows if not row.gone)
    assert [row.known_at for row in flat if row.id == edited] == [None]


def test_only_what_is_wanted_is_read(system: StandIn) -> None:
    kind = system.people
    people(system, 2)
    with system.open() as opened:
        rows = opened.read(kind.object, [kind.text])
    assert all(set(row.values) <= {kind.text} for row in rows)


def test_a_new_field_is_described_and_disturbs_nothing(system: StandIn) -> None:
    need(system, "new_field")
    kind, ids = system.people, people(system, 2)
    with system.open() as opened:
        fields = wanted(system, opened)
        opened.read(kind.object, fields)
        cursor = opened.cursor
    name = system.custom_name("of_theirs")
    system.new_field(kind.object, name)
    system.clock.advance(2 * DAY)
    system.edit(kind.object, ids[0], **{name: "Theirs", kind.text: "Changed"})
    pages, _ = read_on(system, kind, fields, cursor)
    assert presents(rows_of(pages))[ids[0]].values[kind.text] == "Changed"
    with system.open() as opened:
        described = opened.describe(kind.object)
        assert next(field for field in described.fields if field.name == name).custom
        rows = opened.read(kind.object, [name])
    assert presents(rows)[ids[0]].values[name] == "Theirs"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_reads_twenty_thousand(system: StandIn) -> None:
    kind = system.people
    page = connector(system.system).about.limits.page
    ids = people(system, MANY)
    with system.open(per_second=1e9) as opened:
        counted = {row.id: None for row in opened.read(kind.object, wanted(system, opened), history=False)}
    assert set(counted) == set(ids)
    assert len(system.calls) <= MANY / min(page, 100) * 4
    system.calls.clear()  # they came as fast as they could
