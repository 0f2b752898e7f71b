"""Whatever happens in whatever order, the system ends with our values, but where a person wrote; nothing is twice."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connect.push_crm import GRADE, NOW, SCORE, Crm, Killed, Office, make_office

PEOPLE = ("1", "2", "3")
STAFF = {5.0: (1.0, "C"), 15.0: (5.0, "C"), 25.0: (10.25, "B"), 40.0: (30.0, "A")}
"""What a lead's attribute may be → its score and grade (1.005 may be written as 1.0 or as 1.01)."""
NAMES = {"score": None, "grade": None}
FIELDS = {SCORE: 0, GRADE: 1}

steps = st.lists(
    st.one_of(
        st.tuples(st.just("score"), st.sampled_from(PEOPLE), st.sampled_from(sorted(STAFF))),
        st.tuples(st.just("edit"), st.sampled_from(PEOPLE), st.sampled_from(sorted(FIELDS))),
        st.tuples(st.just("empty"), st.sampled_from(PEOPLE), st.sampled_from(sorted(FIELDS))),
        st.tuples(st.just("push"), st.sampled_from(["", "before", "after", "quota", "locked", "refused"]),
                  st.sampled_from(PEOPLE)),
    ),
    max_size=14,
)  # fmt: skip


class Book:
    """What should come of it, by its own reckoning."""

    def __init__(self) -> None:
        self.staff = dict.fromkeys(PEOPLE, 5.0)
        self.persons: dict[tuple[str, str], str | float] = {}
        self.emptied: set[tuple[str, str]] = set()
        self.edits = 0

    def value(self, record: str, field: str) -> str | float:
        """Return what is to stand in a field."""
        own = self.persons.get((record, field))
        return STAFF[self.staff[record]][FIELDS[field]] if own is None else own


@pytest.fixture(scope="module")
def shared() -> Iterator[Office]:
    with tempfile.TemporaryDirectory() as folder:
        rows = [f"{one},2026-01-01,p{one}@a.example,5,," for one in PEOPLE]
        office = make_office(Path(folder) / "office", rows)
        yield office
        office.engine.close()


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_the_system_ends_with_our_values_but_where_a_person_wrote(shared: Office, todo: list[Any]) -> None:
    office, book = begin(shared), Book()
    for what, *told in todo:
        {"score": score, "edit": edit, "empty": empty, "push": push}[what](office, book, *told)
        assert_persons_are_kept(office, book)
    office.crm.refused, office.crm.locked = {}, {}
    office.now[0] += timedelta(days=1)
    office.push(names=NAMES, again=True)

    for record in PEOPLE:
        for field in FIELDS:
            found = office.crm.records[record].get(field)
            emptied = (record, field) in book.emptied and found is None
            assert emptied or matches(found, book.value(record, field)), (record, field)
    office.crm.written.clear()
    assert office.push(names=NAMES).written == 0
    assert office.crm.written == []


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(sorted(STAFF))), max_size=10))
def test_each_change_is_one_write(shared: Office, changes: list[tuple[str, float]]) -> None:
    office, book = begin(shared), Book()
    office.push(names=NAMES)
    for record, staff in changes:
        before = {field: book.value(record, field) for field in FIELDS}
        score(office, book, record, staff)
        changed = {field for field in FIELDS if book.value(record, field) != before[field]}
        office.crm.written.clear()

        office.push(names=NAMES)

        assert [(one, set(values)) for one, values in office.crm.written] == ([(record, changed)] if changed else [])


def begin(office: Office) -> Office:
    """Let all be as at the start."""
    office.engine.execute("DELETE FROM pushed")
    office.crm, office.now[0] = Crm({one: {} for one in PEOPLE}, [SCORE, GRADE]), NOW
    for one in PEOPLE:
        office.set(one, staff=5)
    return office


def score(office: Office, book: Book, record: str, staff: float) -> None:
    book.staff[record] = staff
    office.set(record, staff=staff)


def edit(office: Office, book: Book, record: str, field: str) -> None:
    """A person writes what we never would."""
    book.edits += 1
    value = 1000.0 + book.edits if field == SCORE else f"my own {book.edits}"
    office.crm.records[record][field] = book.persons[record, field] = value
    book.emptied.discard((record, field))


def empty(office: Office, book: Book, record: str, field: str) -> None:
    """A person gives a field back: it is written when there is another value to write, or where it was reported."""
    office.crm.records[record][field] = None
    book.persons.pop((record, field), None)
    book.emptied.add((record, field))


def push(office: Office, book: Book, how: str, record: str) -> None:
    del book
    office.now[0] += timedelta(hours=7)
    crm = office.crm
    crm.requests_left = 2 if how == "quota" else None
    crm.refused = {record: "no"} if how == "refused" else {}
    crm.locked = {record: 9} if how == "locked" else {}
    crm.kill_before_write, crm.kill_after_write = how == "before", how == "after"
    with suppress(Killed):
        office.push(names=NAMES, batch=2)
    crm.requests_left, crm.kill_before_write, crm.kill_after_write = None, False, False


def assert_persons_are_kept(office: Office, book: Book) -> None:
    for (record, field), value in book.persons.items():
        assert office.crm.records[record][field] == value


def matches(found: object, wanted: str | float) -> bool:
    return found == wanted or (isinstance(found, float) and found == pytest.approx(wanted, abs=0.0101))
