"""What the conformance suite says of any system, in neutral words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from connect.stand_in import START, Kind, Opened, Record, StandIn
from leadlight.connect.protocol import Cursor, Object, Page, Row, Value
from leadlight.connect.registry import connector
from leadlight.errors import LeadlightError, RemoteError

T = TypeVar("T")
DAY = 86_400
SHORT_PAGE, RECORDS = 5, 23
KINDS = ("people", "accounts", "deals", "events")
TYPES: Mapping[str, type | tuple[type, ...]] = {"text": str, "number": float, "bool": bool, "time": datetime}


def need(system: StandIn, *what: str) -> None:
    """Skip what a system lacks, with its reason."""
    for one in what:
        if one in system.lacks:
            pytest.skip(f"{system.system}: {system.lacks[one]}")


def kind_of(system: StandIn, name: str) -> Kind:
    """Return a kind of records, or skip where the system has none."""
    found: Kind | None = getattr(system, name)
    if found is None:
        pytest.skip(f"{system.system} has no {name}")
    return found


def people(system: StandIn, count: int | None = None) -> list[str]:
    """Add people over the last 100 days, three at a time, in several pages; return their ids."""
    kind = system.people
    if count is None:
        system.page_most = SHORT_PAGE
        page = connector(system.system).about.limits.page
        count = RECORDS if system.short_pages else page * 2 + 3
    made = []
    for number in range(count):
        at = START - timedelta(days=100) + timedelta(days=(number // 3) % 90)
        values: dict[str, Value] = {kind.text: f"Title {number}", **kind.more}
        if kind.number is not None:
            values[kind.number] = float(number)
        made.append(system.add(kind.object, at=at, **values))
    return made


def wanted(system: StandIn, opened: Opened, kind: Kind | None = None) -> list[str]:
    """Return the fields that the suite looks at: a text, a number, and when a record came and changed."""
    kind = kind or system.people
    described = opened.describe(kind.object)
    names = [kind.text, kind.number, kind.history, described.created_at, described.modified_at]
    return list(dict.fromkeys(name for name in names if name))


def presents(rows: Iterable[Row]) -> dict[str, Row]:
    """Return the last row of each record, which says what it is now."""
    return {row.id: row for row in rows}


def agree(system: StandIn, kind: Kind, rows: Mapping[str, Row]) -> None:
    """Assert that rows say what the system holds of these records."""
    for id, row in rows.items():  # noqa: A001
        record = system.held(kind.object, id)
        assert not row.gone
        for name in (kind.text, kind.number):
            if name is not None:
                assert row.values[name] == record.values[name], (id, name)


def typed(described: Object, rows: Iterable[Row]) -> None:
    """Assert that values are of their fields' types, and times naive."""
    types = {field.name: str(getattr(field.type, "value", field.type)) for field in described.fields}
    for row in rows:
        assert isinstance(row.id, str)
        assert row.id
        for name, value in row.values.items():
            if value is None:
                continue
            kind = types[name]
            assert isinstance(value, TYPES.get(kind, (str, float, bool, datetime))), (name, kind, value)
            assert not (kind == "number" and isinstance(value, bool)), (name, value)
            assert not isinstance(value, datetime) or value.tzinfo is None
        assert row.known_at is None or row.known_at.tzinfo is None


def gone_of(pages: Sequence[Page], known: Iterable[str]) -> set[str]:
    """Return the records that a whole reading says are gone, in either of the ways there are."""
    gone = {row.id for page in pages for row in page.rows if row.gone or row.into is not None}
    theres = [page.there for page in pages if page.there is not None]
    if theres:
        gone |= set(known) - {id for there in theres for id in there}  # noqa: A001
    return gone


def read_on(system: StandIn, kind: Kind, fields: Sequence[str], cursor: Cursor | None) -> tuple[list[Page], Cursor]:
    """Read with a new connection from a cursor to the end; return its pages and the last cursor."""
    with system.open() as opened:
        pages = list(opened.pages(kind.object, fields, cursor=cursor))
        assert opened.cursor is not None
        return pages, opened.cursor


def rows_of(pages: Iterable[Page]) -> list[Row]:
    """Return the rows of pages."""
    return [row for page in pages for row in page.rows]


def changed_by(record: Record, moment: datetime) -> bool:
    """Whether a record has changed since."""
    return record.modified >= moment


def tells(system: StandIn, error: RemoteError, trouble: str) -> None:
    """Assert that an error is of that kind, says what to do in the vendor's words, and no secret."""
    assert error.trouble == trouble, str(error)
    assert error.fix
    assert system.words.get(trouble, "") in str(error), str(error)
    silent(system, str(error))


def silent(system: StandIn, text: str) -> None:
    """Assert that a text has no secret in it."""
    for secret in (*system.secrets.values(), *system.wrong_secrets().values(), *system.tokens):
        assert secret not in text, text


def tried(do: Callable[[], T]) -> tuple[T | None, LeadlightError | None]:
    """Return what came of it: a result, or one of our own errors; any other goes through."""
    try:
        return do(), None
    except LeadlightError as error:
        return None, error
