"""A message of Kafka, read into calls: pure functions.

    segment       a call of the Segment API with its `type`, or `{"batch": [...]}`
    cloudevents   a CloudEvent, in JSON or in headers (`ce_…`)
    lines         an object of the user's own, whose fields `kafka.fields` names

What says no id of its own is known by topic, partition and offset, so that reading a message again does no harm. What
says no time happened when the message was written. A sender's clock is put right by that time too, not by the time of
reading: a message may have lain for days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from leadlight.errors import shorten
from leadlight.service.call import Call
from leadlight.service.cloudevents import read_events
from leadlight.service.segment import (
    OURS_FOR_EVENTS,
    Batch,
    CallFault,
    Rejected,
    flat,
    happened_at,
    read_batch,
    read_call,
)
from leadlight.spec.kafka import FieldsSpec, KafkaSpec

HEADER = "ce_"
"""Stands before the attributes of a CloudEvent among a message's headers."""
MAX_MESSAGE = 1024 * 1024
"""Bytes of a message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Kafka has it; `written` is naive UTC, None where Kafka does not know."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Mapping[str, str]
    written: datetime | None

    @property
    def place(self) -> str:
        """Where it lies: no other message lies there."""
        return f"kafka:{self.topic}:{self.partition}:{self.offset}"


def read_message(message: Message, spec: KafkaSpec, now: datetime) -> Batch:
    """Read a message; what is faulty in it stands under `rejected`, and nothing is raised.

    A message without a value is no call and no fault: it says that another is void.

    >>> spec = KafkaSpec(brokers=["localhost:9092"], topics=["t"])
    >>> at = datetime(2026, 1, 31)
    >>> said = b'{"type": "track", "event": "signup", "userId": "u1"}'
    >>> read = read_message(Message("t", 0, 7, said, {}, at), spec, at)
    >>> read.calls[0].message_id, read.calls[0].at
    ('kafka:t:0:7', datetime.datetime(2026, 1, 31, 0, 0))
    """
    if not message.value and not message.headers:
        return Batch()
    try:
        batch = _read(message, spec, message.written or now)
    except CallFault as fault:
        return Batch(rejected=[Rejected(0, str(fault))])
    except orjson.JSONDecodeError as error:
        return Batch(rejected=[Rejected(0, f"no JSON: {error}")])
    return Batch([replace(call, received_at=now) for call in batch.calls], batch.rejected)


def _read(message: Message, spec: KafkaSpec, written: datetime) -> Batch:
    value = message.value or b""
    if len(value) > MAX_MESSAGE:
        raise CallFault(f"the message is larger than {MAX_MESSAGE // 1024} KB")
    if spec.format == "cloudevents":
        headers = {name.replace(HEADER, "ce-", 1): told for name, told in message.headers.items()}
        return read_events(orjson.loads(value) if value else None, headers, written)
    body = orjson.loads(value)
    if spec.fields is not None:
        return Batch([read_line(body, spec.fields, message.place, written)])
    if isinstance(body, Mapping) and "batch" in body:
        return _batch(body, message.place, written)
    return Batch([read_call(_named(body, message.place), written)])


def _batch(body: Mapping[str, Any], place: str, written: datetime) -> Batch:
    calls = body["batch"]
    if isinstance(calls, Sequence) and not isinstance(calls, str):
        calls = [_named(call, f"{place}:{index}") for index, call in enumerate(calls)]
    return read_batch({**body, "batch": calls}, written)


def _named(call: Any, place: str) -> Any:
    """Give a call the place of its message as its id, where it has none."""
    return {**call, "messageId": call.get("messageId") or place} if isinstance(call, Mapping) else call


def read_line(body: Any, fields: FieldsSpec, place: str, written: datetime) -> Call:
    """Read an object of the user's own: named fields are what they are named for, the others are properties.

    Raises CallFault.

    >>> fields = FieldsSpec(lead="customer.id", event="order", at="ts")
    >>> call = read_line({"customer": {"id": 7}, "ts": "2026-01-31T10:00:00Z", "total": 3}, fields, "here",
    ...                  datetime(2026, 1, 31))
    >>> call.user_id, call.event, dict(call.properties)
    ('7', 'order', {'total': 3.0})
    """
    if not isinstance(body, Mapping):
        raise CallFault(f"expected an object, found {shorten(body)}")
    named = {name: _at(body, path) for name, path in fields if path is not None and name != "event"}
    said = {
        "type": "track", "event": fields.event or named.get("type"), "userId": named.get("lead"),
        "anonymousId": named.get("anonymous"), "messageId": named.get("message_id") or place,
    }  # fmt: skip
    call = read_call(said, written)
    others = {name: value for name, value in _without(body, fields).items() if value is not None}
    properties = {name: value for name, value in flat(others, OURS_FOR_EVENTS).items() if value is not None}
    return replace(call, at=happened_at(named.get("at"), None, written), properties=properties)


def _at(body: Mapping[str, Any], path: str) -> Any:
    """Return what lies at a path with dots; a name with dots in it comes first."""
    if path in body:
        return body[path]
    name, _, rest = path.partition(".")
    inside = body.get(name)
    return _at(inside, rest) if rest and isinstance(inside, Mapping) else None


def _without(body: Mapping[str, Any], fields: FieldsSpec) -> dict[str, Any]:
    """Return the object without the fields that are named."""
    left = dict(body)
    for name, path in fields:
        if path is not None and name != "event":
            _drop(left, path)
    return left


def _drop(body: dict[str, Any], path: str) -> None:
    if path in body:
        del body[path]
        return
    name, _, rest = path.partition(".")
    if rest and isinstance(body.get(name), Mapping):
        body[name] = dict(body[name])
        _drop(body[name], rest)


def written_at(milliseconds: int) -> datetime:
    """Return when a message was written, as naive UTC.

    >>> written_at(1769853600250)
    datetime.datetime(2026, 1, 31, 10, 0, 0, 250000)
    """
    return datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)  # noqa: DTZ001 - naive UTC
