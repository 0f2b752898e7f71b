"""What every connector does when its system refuses, breaks off, lies or is slow, against its stand-in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from connect.conformance import DAY, agree, need, people, presents, silent, tells, tried, typed, wanted
from connect.stand_in import RETRY_AFTER, Opened, StandIn
from leadlight.connect.protocol import Cursor, Note, Object, Page, Want, Write
from leadlight.connect.registry import connector
from leadlight.errors import LeadlightError, RemoteError

HOSTILE = ("html", "empty", "nulls", "numbers")
REQUESTS = range(4)
"""How many requests may go well before the bad answer comes."""

pytestmark = pytest.mark.timeout(60)  # a reading that goes round in circles would fill the memory


@pytest.mark.parametrize("fault", ["too_many", "unavailable", "broken", "cut"])
def test_what_passes_by_is_not_noticed(system: StandIn, fault: str) -> None:
    need(system, "http")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        system.fail(fault, "none", fault)
        found = presents(opened.read(kind.object, fields))
    assert set(found) == set(ids)
    agree(system, kind, found)
    if fault == "too_many":
        assert system.clock.slept.count(RETRY_AFTER) == 2


def test_a_token_is_renewed_in_flight(system: StandIn) -> None:
    need(system, "expire")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        reading = opened.pages(kind.object, wanted(system, opened))
        rows = list(next(reading).rows)
        system.expire()
        rows += [row for page in reading for row in page.rows]
    assert {row.id for row in rows} == set(ids)


def test_a_wrong_secret_is_told_and_where_the_right_one_is(system: StandIn) -> None:
    need(system, "revoke")
    people(system, 1)
    with system.open(secrets=system.wrong_secrets()) as opened, pytest.raises(RemoteError) as caught:
        opened.read(system.people.object)
    tells(system, caught.value, "sign_in")


def test_a_revoked_secret_is_told_in_the_middle(system: StandIn) -> None:
    need(system, "revoke")
    people(system)
    with system.open() as opened:
        reading = opened.pages(system.people.object, wanted(system, opened))
        next(reading)
        system.revoked = True
        system.expire()
        with pytest.raises(RemoteError) as caught:
            list(reading)
    tells(system, caught.value, "sign_in")


@pytest.mark.parametrize(
    ("lack", "flag", "trouble"), [("scope", "scope_missing", "scope"), ("disable", "disabled", "disabled")]
)
def test_what_is_not_allowed_is_told(system: StandIn, lack: str, flag: str, trouble: str) -> None:
    need(system, lack)
    people(system, 1)
    setattr(system, flag, True)
    with system.open() as opened, pytest.raises(RemoteError) as caught:
        opened.read(system.people.object, [system.people.text])
    tells(system, caught.value, trouble)


def test_a_field_that_was_renamed_is_not_described(system: StandIn) -> None:
    need(system, "drop_field")
    kind = system.people
    people(system, 2)
    name = kind.number or kind.text
    with system.open() as opened:
        stale = opened.describe(kind.object, [name, kind.text])
        system.drop_field(kind.object, name)
        rows, error = tried(lambda: [row for page in opened.session.read(_want(stale)) for row in page.rows])
    assert error is None or name in str(error)
    assert all(row.values.get(name) is None for row in rows or ())
    with system.open() as opened:
        assert opened.describe(kind.object).field(name) is None


@pytest.mark.parametrize("fault", HOSTILE)
@pytest.mark.parametrize("after", REQUESTS)
def test_an_answer_that_lies_is_an_error_or_harmless(system: StandIn, fault: str, after: int) -> None:
    need(system, "http")
    kind = system.people
    ids = people(system, 3)
    with system.open() as opened:
        described = opened.describe(kind.object, wanted(system, opened))
        system.faults.clear()
        system.fail(*["none"] * after, fault)
        rows, error = tried(lambda: [row for page in opened.session.read(_want(described)) for row in page.rows])
    silent(system, str(error))
    typed(described, rows or ())
    assert {row.id for row in rows or ()} <= {*ids, "17"}


@pytest.mark.parametrize("fault", HOSTILE)
@pytest.mark.parametrize("verb", ["describe", "ready", "look", "write", "note"])
def test_a_lie_in_answer_to_a_verb_is_an_error_or_harmless(system: StandIn, fault: str, verb: str) -> None:
    need(system, "http")
    need(system, *(("write",) if verb != "describe" else ()), *((verb,) if verb in ("ready", "look", "note") else ()))
    kind = system.people
    ids = people(system, 2)
    with system.open() as opened:
        opened.describe(kind.object)
        session = opened.session
        name, writes = kind.object, [Write(one, {kind.text: "x"}) for one in ids]
        verbs: dict[str, Callable[[], object]] = {
            "describe": session.describe,
            "ready": lambda: session.ready(name, (), dry=True),
            "look": lambda: [one in ids for one in session.look(name, ids, [kind.text])],
            "write": lambda: [one.id in ids for one in session.write(name, writes)],
            "note": lambda: [one.id in ids for one in session.note(name, [Note(one, "a", "b") for one in ids])],
        }
        system.fail(fault)
        result, error = tried(verbs[verb])
    silent(system, str(error))
    if verb in ("write", "note") and result is not None:
        assert result == [True] * len(ids)


def test_no_page_is_asked_of_another_host(system: StandIn) -> None:
    need(system, "http", "elsewhere")
    people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
        reading = opened.pages(system.people.object, fields)
        system.fail(*["elsewhere"] * 6)
        with pytest.raises(RemoteError, match="another host"):
            list(reading)


def test_a_quota_is_never_exceeded_and_reading_goes_on_the_next_day(system: StandIn, tmp_path: Path) -> None:
    need(system, "http", "quota")
    kind, ids = system.people, people(system)
    with system.open() as opened:
        fields = wanted(system, opened)
    found, cursor, per_day = {}, None, 16
    system.clock.advance(DAY)
    for _ in range(len(ids) + 5):
        with system.open(quota=system.quota(tmp_path, per_day, share=0.75)) as opened:
            pages, error = _kept(opened, kind.object, fields, cursor)
            found |= presents(row for page in pages for row in page.rows)
            cursor = opened.cursor or cursor
        assert system.today[1] <= per_day * 0.75
        if error is None:
            break
        assert isinstance(error, RemoteError)
        assert error.trouble == "quota", str(error)
        assert "UTC" in str(error)
        system.clock.advance(DAY)
    assert set(found) == set(ids)


def test_a_quota_is_kept_by_writes_too(system: StandIn, tmp_path: Path) -> None:
    need(system, "http", "quota", "write")
    kind = system.people
    ids = people(system, 2)
    system.clock.advance(DAY)
    with system.open(quota=system.quota(tmp_path, 20, share=0.5)) as opened:
        write = [Write(ids[0], {kind.text: "x"})]
        _, error = tried(lambda: [opened.session.write(kind.object, write) for _ in range(50)])
    assert isinstance(error, RemoteError)
    assert error.trouble == "quota"
    assert system.today[1] <= 10


def test_the_pace_is_kept(system: StandIn) -> None:
    need(system, "http", "pace")
    people(system)
    with system.open(per_second=2) as opened:
        for _ in range(3):
            opened.read(system.people.object, wanted(system, opened))
    assert system.fastest() <= 2


def test_webhooks_are_verified(system: StandIn) -> None:
    need(system, "webhook")
    one, name = connector(system.system), system.people.object
    assert one.about.listens
    url = "https://leadlight.example/v1/connections/crm/changed"
    headers, body = system.webhook(name, url)
    now = system.clock.now()
    assert name in one.changed(headers, body, url=url, secrets=system.secrets, now=now)
    for tampered in (body + b" ", b"", b"{}", b"[]", b"null", b"[1]", b"\xff\xfe"):
        with pytest.raises(PermissionError):
            one.changed(headers, tampered, url=url, secrets=system.secrets, now=now)
    with pytest.raises(PermissionError):
        one.changed({}, body, url=url, secrets=system.secrets, now=now)
    with pytest.raises(PermissionError):
        one.changed(headers, body, url=url, secrets=system.wrong_secrets(), now=now)


def test_who_sends_no_webhooks_says_so(system: StandIn) -> None:
    one = connector(system.system)
    if one.about.listens:
        pytest.skip(f"{system.system} sends webhooks")
    with pytest.raises(NotImplementedError):
        one.changed({}, b"{}", url="https://x.example", secrets=system.secrets, now=system.clock.now())


def _kept(
    opened: Opened, name: str, fields: Sequence[str], cursor: Cursor | None
) -> tuple[list[Page], LeadlightError | None]:
    """Read until the end or an error; return the pages that came, and the error."""
    pages: list[Page] = []
    return pages, tried(lambda: pages.extend(opened.pages(name, fields, cursor=cursor)))[1]


def _want(described: Object) -> Want:
    return Want(described, history=False)
