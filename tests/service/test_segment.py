from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadlight.service.call import CREATED_AT, Call, decode
from leadlight.service.segment import (
    EARLIEST,
    LATEST,
    READERS,
    CallFault,
    flat,
    happened_at,
    read_batch,
    read_call,
    read_time,
)
from leadlight.spec.catalog import RESERVED

NOW = datetime(2026, 3, 1, 12)


def read(**body: Any) -> Call:
    return read_call({"userId": "u", **body}, NOW)


# ------------------------------------------------------------------------------------------------------- examples


def test_identify_takes_traits_from_where_either_client_puts_them() -> None:
    segment = read(type="identify", traits={"Email": "a@b.co", "address": {"city": "Ulm"}, "left": None})
    assert segment.traits == {"email": "a@b.co", "address_city": "Ulm", "left": None}
    rudder = read(type="identify", traits={}, context={"traits": {"email": "a@b.co", "plan": "pro"}})
    assert rudder.traits == {"email": "a@b.co", "plan": "pro"}
    both = read(type="identify", traits={"plan": "free"}, context={"traits": {"plan": "pro"}})
    assert both.traits == {"plan": "free"}


def test_created_at_says_since_when_a_person_exists() -> None:
    assert read(type="identify", traits={"createdAt": "2025-01-01T02:00:00+02:00"}).traits == {
        CREATED_AT: "2025-01-01T00:00:00"
    }
    assert read(type="identify", traits={"created_at": 1735689600}).traits == {CREATED_AT: "2025-01-01T00:00:00"}
    assert read(type="identify", traits={"createdAt": "soon"}).traits == {}


def test_pages_and_screens_are_events_with_a_name() -> None:
    context = {"page": {"path": "/y", "title": "T"}, "campaign": {"source": "mail", "name": "May"}}
    page = read(type="page", name="Home", category="Docs", properties={"path": "/x"}, context=context)
    assert page.event == "page"
    assert page.properties == {
        "path": "/x", "title": "T", "utm_source": "mail", "utm_campaign": "May", "name": "Home", "category": "Docs",
    }  # fmt: skip
    assert read(type="screen").event == "screen"


def test_names_that_have_a_meaning_are_set_apart() -> None:
    call = read(type="track", event="e", properties={"type": 1, "at": "x", "lead": 2, "user_id": 3, "Order ID": 4})
    assert dict(call.properties) == {"type_": 1, "at_": "x", "lead_": 2, "user_id_": 3, "order_id": 4}
    assert set(flat({"id": 1, "asOf": 2}, RESERVED)) == {"id_", "as_of_"}


def test_group_and_alias() -> None:
    group = read(type="group", groupId=7, traits={"size": "large"})
    assert (group.group, group.group_traits) == ("7", {"size": "large"})
    assert read(type="alias", previousId="old").previous == "old"


def test_a_call_without_a_message_id_gets_one() -> None:
    assert read(type="page").message_id != read(type="page").message_id
    assert read(type="page", messageId="m").message_id == "m"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "expected an object"),
        ({"type": "dance", "userId": "u"}, "one of identify, track"),
        ({"type": "track", "event": "e"}, "neither userId nor anonymousId"),
        ({"type": "track", "userId": "u"}, "the event's name is wanted"),
        ({"type": "track", "userId": "u", "event": " \x00 "}, "the event's name is wanted"),
        ({"type": "track", "userId": "u", "event": {"a": 1}}, "the event's name is wanted"),
        ({"type": "page", "userId": ["u"]}, "userId is ['u']"),
        ({"type": "page", "userId": True}, "userId is True"),
        ({"type": "page", "userId": "x" * 513}, "up to 512 characters"),
        ({"type": "page", "userId": "u", "properties": [1]}, "properties is [1]: an object is wanted"),
        ({"type": "page", "userId": "u", "context": "x"}, "context is 'x'"),
        ({"type": "page", "userId": "u", "timestamp": "yesterday"}, "an ISO 8601 time is wanted"),
        ({"type": "page", "userId": "u", "timestamp": "0001-01-01T00:00:00Z"}, "of the years 1900 to 9998"),
        ({"type": "group", "userId": "u"}, "groupId is missing"),
        ({"type": "alias", "previousId": "p", "anonymousId": "a"}, "needs previousId and userId"),
    ],
)
def test_faults_say_what_is_wanted(body: Any, said: str) -> None:
    with pytest.raises(CallFault) as caught:
        read_call(body, NOW)
    assert said in str(caught.value)


def test_a_faulty_call_takes_no_other_with_it() -> None:
    calls = [{"type": "page", "userId": "a"}, 7, {"type": "page"}, {"type": "page", "userId": "b"}]
    batch = read_batch({"batch": calls}, NOW)
    assert [call.user_id for call in batch.calls] == ["a", "b"]
    assert [fault.index for fault in batch.rejected] == [1, 2]


@pytest.mark.parametrize("body", [None, [], {}, {"batch": None}, {"batch": "x"}, {"batch": {"a": 1}}])
def test_what_is_no_batch_is_a_fault(body: Any) -> None:
    with pytest.raises(CallFault):
        read_batch(body, NOW)


# ---------------------------------------------------------------------------------------------------------- times


def test_times_of_many_kinds() -> None:
    at = datetime(2026, 1, 31, 10)
    assert read_time("2026-01-31T10:00:00Z") == at
    assert read_time("2026-01-31 11:00:00+01:00") == at
    assert read_time("2026-01-31T10:00:00") == at  # naive: UTC
    assert read_time(1769853600) == read_time(1769853600000) == at
    assert read_time("2026-01-31T10:00:00.123456") == at + timedelta(microseconds=123456)
    assert [read_time(bad) for bad in ("", "now", [], {}, True, math.inf, math.nan, 1e300, None)] == [None] * 9


@given(
    skew=st.timedeltas(timedelta(days=-3000), timedelta(days=3000)),
    age=st.timedeltas(timedelta(0), timedelta(days=300)),
    travel=st.timedeltas(timedelta(0), timedelta(minutes=5)),
)
def test_a_wrong_clock_is_put_right_up_to_what_travelling_takes(
    skew: timedelta, age: timedelta, travel: timedelta
) -> None:
    sent = NOW - travel
    found = happened_at((sent - age + skew).isoformat(), sent + skew, NOW)
    assert found == NOW - age


@given(st.one_of(st.text(), st.integers(), st.floats(), st.datetimes().map(datetime.isoformat)),
       st.none() | st.datetimes(EARLIEST, LATEST - timedelta(days=1)))  # fmt: skip
def test_a_time_lies_within_what_a_store_can_hold_or_is_a_fault(said: Any, sent: datetime | None) -> None:
    with suppress(CallFault):
        assert EARLIEST <= happened_at(said, sent, NOW) < LATEST


# --------------------------------------------------------------------------------------------------------- hostile

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\x00", "\ud800", "'; --"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = ["type", "userId", "anonymousId", "messageId", "event", "properties", "traits", "context", "timestamp",
          "sentAt", "groupId", "previousId", "name", "category"]  # fmt: skip
CALLS = st.fixed_dictionaries(
    {"type": st.sampled_from([*READERS, "x"])}, optional={name: JSON for name in FIELDS if name != "type"}
)


def kept_or_fault(body: Any) -> Call | CallFault:
    try:
        return read_call(body, NOW)
    except CallFault as fault:
        return fault


def check(call: Call) -> None:
    """What is kept can be written, is plain, and says whose it is."""
    (again,) = decode([call.encode()])
    assert call.user_id or call.anonymous_id
    assert EARLIEST <= call.at < LATEST
    kept = [*call.properties.items(), *(call.traits or {}).items(), *call.group_traits.items()]
    for name, value in kept:
        assert name
        assert name == CREATED_AT or all(letter.isascii() and (letter.isalnum() or letter == "_") for letter in name)
        assert value is None or isinstance(value, str | bool | float)
        assert not isinstance(value, float) or math.isfinite(value)
    assert b"\\u0000" not in call.encode()
    assert "\x00" not in json.dumps(again)


@settings(max_examples=150, deadline=None)
@given(CALLS | JSON)
@example({"type": "track", "userId": "u", "event": "e", "properties": {"a": math.nan, "b": math.inf, "c": 10**400}})
@example({"type": "track", "userId": 10**400, "event": "e"})
@example({"type": "identify", "userId": "\ud800x", "traits": {"\ud800": "\udfff", "a\x00b": "c\x00"}})
def test_any_call_is_kept_whole_or_is_a_fault(body: Any) -> None:
    call = kept_or_fault(body)
    if isinstance(call, CallFault):
        assert 0 < len(str(call)) < 400
    else:
        check(call)


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries({"batch": st.lists(CALLS | JSON, max_size=5)}, optional={"sentAt": JSON}))
def test_every_call_of_a_batch_is_kept_or_named(body: Any) -> None:
    batch = read_batch(body, NOW)
    assert len(batch.calls) + len(batch.rejected) == len(body["batch"])
    for call in batch.calls:
        check(call)


@pytest.mark.parametrize("depth", [3, 5, 200, 900])
def test_what_is_deep_is_kept_as_json_or_is_a_fault(depth: int) -> None:
    deep: Any = orjson.loads(b'{"a":' * depth + b"1" + b"}" * depth)
    call = kept_or_fault({"type": "track", "userId": "u", "event": "e", "properties": deep})
    if isinstance(call, CallFault):
        assert "too deep" in str(call)
        assert depth > 200
    else:
        check(call)


def test_whole_numbers_beyond_what_a_float_holds_are_kept_as_text() -> None:
    call = read(type="track", event="e", properties={"id": 2**63, "n": 2**53})
    assert dict(call.properties) == {"id": str(2**63), "n": float(2**53)}


def test_the_client_its_address_and_consent_stand_beside() -> None:
    context = {
        "userAgent": "Firefox", "ip": "203.0.113.9",
        "consent": {"categoryPreferences": {"ads": False, "mail": True, "odd": "yes"}},
    }  # fmt: skip
    call = read_call({"userId": "u", "event": "x", "context": context}, datetime(2026, 1, 31), kind="track")
    assert (call.agent, call.address, call.consent) == ("Firefox", "203.0.113.9", {"ads": False, "mail": True})
    odd = {"userAgent": 7, "ip": "9" * 50, "consent": {"categoryPreferences": []}}
    call = read_call({"userId": "u", "event": "x", "context": odd}, datetime(2026, 1, 31), kind="track")
    assert (call.agent, call.address, call.consent) == (None, None, None)
