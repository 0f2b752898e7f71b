"""The calls of the Segment HTTP API, read into what is kept: pure functions, any JSON in, calls and faults out.

    identify            traits of the person; also those in `context.traits`, where RudderStack's clients put them
    track               an event of the type `event`
    page, screen        events of the types `page` and `screen`, with `name` and `category` among their properties
    group               the person's account, and traits of it
    alias               `previousId` is the user too

What lies in objects is named by its path (`address: {city}` is `address_city`), lists are kept as JSON. Names become
snake case, as those of files do. The page and campaign of the context stand among an event's properties.

A client's clock may be wrong: what happened is dated received_at - (sentAt - timestamp), as Segment does. Times
without a zone are UTC.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson

from leadlight.errors import shorten
from leadlight.service.call import CREATED_AT, Call, Value
from leadlight.sources.names import snake_case
from leadlight.spec.catalog import RESERVED, RESERVED_PROPERTIES

MAX_CALL = 32 * 1024
"""Bytes of a call."""
MAX_BATCH = 500 * 1024
"""Bytes of a batch."""
MAX_ID = 512
"""Characters of an id, or of an event's type."""
MAX_ADDRESS = 45
"""Characters of an internet address."""
MAX_PURPOSES = 50
"""Purposes of which a call may say whether the person has consented."""
MAX_DEPTH = 4
"""Objects deeper than this are kept as JSON."""
MAX_EXACT = 2**53
"""Whole numbers beyond are kept as text: a float would round them."""
EARLIEST, LATEST = datetime(1900, 1, 1), datetime(9999, 1, 1)  # noqa: DTZ001 - naive UTC

OURS_FOR_EVENTS = RESERVED_PROPERTIES | {"anonymous_id", "user_id"}
PAGE = ("path", "referrer", "search", "title", "url")
CAMPAIGN = {"name": "utm_campaign", "source": "utm_source", "medium": "utm_medium", "term": "utm_term",
            "content": "utm_content"}  # fmt: skip


class CallFault(ValueError):
    """A call that cannot be counted; the message says what was found and what is wanted."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A call of a batch that was left out: its place from 0, and why."""

    index: int
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"index": self.index, "message": self.message}


@dataclass(frozen=True, slots=True)
class Batch:
    """The calls of a request, and those left out."""

    calls: list[Call] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    empty: frozenset[int] = frozenset()
    """Places where there is no call: blank lines."""

    def without(self, faults: Mapping[int, str]) -> Batch:
        """Return it without the calls at some places, which are rejected.

        >>> call = Call("m1", datetime(2026, 1, 31), datetime(2026, 1, 31), "u1")
        >>> left = Batch([call, call], [Rejected(1, "no JSON")], frozenset({0})).without({3: "too large"})
        >>> len(left.calls), [fault.index for fault in left.rejected]
        (1, [1, 3])
        """
        told = {fault.index: fault.message for fault in self.rejected} | dict(faults)
        calls = [call for index, call in self.numbered if index not in faults]
        return Batch(calls, [Rejected(index, told[index]) for index in sorted(told)], self.empty)

    @property
    def numbered(self) -> list[tuple[int, Call]]:
        """The calls, each with its place."""
        taken = {fault.index for fault in self.rejected} | self.empty
        places = (index for index in range(len(self.calls) + len(taken)) if index not in taken)
        return list(zip(places, self.calls, strict=True))


def read_batch(body: Any, received_at: datetime) -> Batch:
    """Read the body of /v1/batch: every call by itself, so that a faulty one takes no other with it.

    Raises CallFault where it is no batch at all.

    >>> got = read_batch({"batch": [{"type": "track", "event": "signup", "userId": 7}, {"type": "dance"}]},
    ...                  datetime(2026, 1, 31))
    >>> got.calls[0].user_id, got.rejected[0].message[:20]
    ('7', "type is 'dance': one")
    """
    if not isinstance(body, Mapping) or not isinstance(body.get("batch"), Sequence) or isinstance(body["batch"], str):
        raise CallFault('expected an object with a list of calls: {"batch": […]}')
    sent_at = _time_or_none(body.get("sentAt") or body.get("sent_at"))
    return read_items(body["batch"], received_at, sent_at=sent_at)


def read_items(items: Sequence[Any], received_at: datetime, *, sent_at: datetime | None = None) -> Batch:
    """Read calls that each say their `type`, every one by itself."""
    batch = Batch()
    for index, item in enumerate(items):
        try:
            batch.calls.append(read_call(item, received_at, sent_at=sent_at))
        except CallFault as fault:
            batch.rejected.append(Rejected(index, str(fault)))
    return batch


def read_call(body: Any, received_at: datetime, *, kind: str | None = None, sent_at: datetime | None = None) -> Call:
    """Read one call; `kind` is what the address said, else its own `type`.

    Raises CallFault with what is wrong.

    >>> call = read_call({"userId": "u1", "event": "Order Completed", "properties": {"Order": {"total": 3}},
    ...                   "timestamp": "2026-01-31T10:00:00+01:00", "sentAt": "2026-01-31T09:00:10Z"},
    ...                  datetime(2026, 1, 31, 12, 0, 10), kind="track")
    >>> call.event, dict(call.properties), call.at
    ('Order Completed', {'order_total': 3.0}, datetime.datetime(2026, 1, 31, 12, 0))
    """
    if not isinstance(body, Mapping):
        raise CallFault(f"expected an object, found {shorten(body)}")
    kind = kind or body.get("type")
    if not isinstance(kind, str) or kind not in READERS:
        raise CallFault(f"type is {shorten(kind)}: one of {', '.join(READERS)} is wanted")
    sent = sent_at or _time_or_none(body.get("sentAt"))
    message_id = _id(body, "messageId") or f"server-{uuid4()}"
    at = happened_at(body.get("timestamp") or body.get("originalTimestamp"), sent, received_at)
    user_id, anonymous_id = _id(body, "userId"), _id(body, "anonymousId")
    if user_id is None and anonymous_id is None:
        raise CallFault("neither userId nor anonymousId says whose it is")
    return Call(message_id, at, received_at, user_id, anonymous_id, **READERS[kind](body), **_beside(body))


def happened_at(timestamp: Any, sent_at: datetime | None, received_at: datetime) -> datetime:
    """Return when something happened by our clock, as naive UTC.

    Raises CallFault for a timestamp that is none, or lies outside the years 1900 to 9998.

    >>> happened_at("2030-01-01T00:00:00Z", datetime(2030, 1, 1, 0, 0, 5), datetime(2026, 1, 31))
    datetime.datetime(2026, 1, 30, 23, 59, 55)
    """
    if timestamp is None:
        return received_at
    at = read_time(timestamp)
    if at is None:
        raise CallFault(f"timestamp is {shorten(timestamp)}: an ISO 8601 time is wanted")
    try:
        corrected = at if sent_at is None else received_at - (sent_at - at)
    except OverflowError:
        corrected = LATEST
    if not EARLIEST <= corrected < LATEST:
        raise CallFault(f"timestamp is {shorten(timestamp)}: a time of the years 1900 to 9998 is wanted")
    return corrected


def read_time(value: Any) -> datetime | None:
    """Read ISO 8601, or seconds or milliseconds since 1970, as naive UTC; None for anything else.

    >>> read_time("2026-01-31T10:00:00.123Z"), read_time(1769853600000)
    (datetime.datetime(2026, 1, 31, 10, 0, 0, 123000), datetime.datetime(2026, 1, 31, 10, 0))
    """
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            return read if read.tzinfo is None else read.astimezone(UTC).replace(tzinfo=None)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= 1e11 else value
            return datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - naive UTC
    except (ValueError, OverflowError):
        return None
    return None


def _time_or_none(value: Any) -> datetime | None:
    read = read_time(value)
    return read if read is not None and EARLIEST <= read < LATEST else None


def _beside(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the client, its address and the person's consent, as the context says; what is odd there is left out."""
    context = body.get("context")
    if not isinstance(context, Mapping):
        return {}
    agent, address = context.get("userAgent"), context.get("ip")
    found: dict[str, Any] = {}
    if isinstance(agent, str):
        found["agent"] = _clean(agent[:MAX_ID])
    if isinstance(address, str) and len(address) <= MAX_ADDRESS:
        found["address"] = _clean(address)
    consent = context.get("consent")
    said = consent.get("categoryPreferences") if isinstance(consent, Mapping) else None
    if isinstance(said, Mapping):
        found["consent"] = {
            _clean(name): yes for name, yes in islice(said.items(), MAX_PURPOSES) if isinstance(yes, bool)
        }
    return found


# ------------------------------------------------------------------------------------------------------- by kind


def _identify(body: Mapping[str, Any]) -> dict[str, Any]:
    context = _object(body, "context")
    said = {**_object(context, "traits"), **_object(body, "traits")}
    traits = flat(said, RESERVED)
    created = next((said[name] for name in ("createdAt", "created_at") if said.get(name) is not None), None)
    if created is not None and (moment := _time_or_none(created)) is not None:
        traits[CREATED_AT] = moment.isoformat()
    traits.pop("created_at_", None)
    return {"traits": traits}


def _track(body: Mapping[str, Any]) -> dict[str, Any]:
    event = body.get("event")
    if not isinstance(event, str) or not (name := _clean(event).strip()) or len(name) > MAX_ID:
        raise CallFault(f"event is {shorten(event)}: the event's name is wanted, up to {MAX_ID} characters")
    return {"event": name, "properties": _properties(body)}


def _view(kind: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def read(body: Mapping[str, Any]) -> dict[str, Any]:
        named = {name: body[name] for name in ("name", "category") if body.get(name) is not None}
        return {"event": kind, "properties": _properties(body, named)}

    return read


def _group(body: Mapping[str, Any]) -> dict[str, Any]:
    group = _id(body, "groupId")
    if group is None:
        raise CallFault("groupId is missing")
    return {"group": group, "group_traits": flat(_object(body, "traits"), RESERVED)}


def _alias(body: Mapping[str, Any]) -> dict[str, Any]:
    previous = _id(body, "previousId")
    if previous is None or _id(body, "userId") is None:
        raise CallFault("an alias needs previousId and userId")
    return {"previous": previous}


READERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "identify": _identify,
    "track": _track,
    "page": _view("page"),
    "screen": _view("screen"),
    "group": _group,
    "alias": _alias,
}
"""The kinds of calls."""


def _properties(body: Mapping[str, Any], named: Mapping[str, Any] | None = None) -> dict[str, Value | None]:
    context = _object(body, "context")
    page, campaign = _object(context, "page"), _object(context, "campaign")
    beside: dict[str, Any] = {name: page[name] for name in PAGE if page.get(name) is not None}
    beside |= {ours: campaign[name] for name, ours in CAMPAIGN.items() if campaign.get(name) is not None}
    said = flat({**beside, **(named or {}), **_object(body, "properties")}, OURS_FOR_EVENTS)
    return {name: value for name, value in said.items() if value is not None}


# -------------------------------------------------------------------------------------------------------- values


def flat(values: Mapping[str, Any], reserved: frozenset[str]) -> dict[str, Value | None]:
    """Return values by name: objects taken apart, names in snake case, of two with one name the first.

    >>> flat({"firstName": "Ann", "address": {"city": "Ulm"}, "tags": ["a"], "id": 7, "left": None}, frozenset({"id"}))
    {'first_name': 'Ann', 'address_city': 'Ulm', 'tags': '["a"]', 'id_': 7.0, 'left': None}
    """
    found: dict[str, Value | None] = {}
    for path, value in _leaves(values, "", 1):
        name = _name(path)
        if name:
            found.setdefault(f"{name}_" if name in reserved else name, _value(value))
    return found


def _leaves(values: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from _leaves(value, f"{path}_", depth + 1)
        else:
            yield path, value


@lru_cache(maxsize=10_000)
def _name(path: str) -> str:
    return snake_case(path)


def _value(value: Any) -> Value | None:
    if isinstance(value, str):
        return _clean(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if isinstance(value, int) and abs(value) > MAX_EXACT:
            return str(value)
        return float(value) if math.isfinite(value) else None
    try:
        return _clean(orjson.dumps(value).decode())
    except (TypeError, RecursionError):  # orjson's word for: too deep, or bad UTF-8
        raise CallFault("a list or object is nested too deep, or is no valid JSON") from None


def _clean(text: str) -> str:
    """Leave out what no store can hold: NUL, and halves of characters."""
    text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "ignore").decode()


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object of a name, empty where it is absent.

    Raises CallFault for anything else.
    """
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CallFault(f"{name} is {shorten(value)}: an object is wanted")
    return value


def _id(body: Mapping[str, Any], name: str) -> str | None:
    """Return an id as text, None where it is absent or empty; whole numbers are ids too."""
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
        value = str(value)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_ID:
        raise CallFault(f"{name} is {shorten(value)}: a text of up to {MAX_ID} characters is wanted")
    return _clean(value).strip() or None
