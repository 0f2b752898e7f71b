"""Messages read into calls: ids that last, times, and faults that stay by themselves."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from leadlight.service.kafka.message import Message, read_line, read_message
from leadlight.service.segment import CallFault
from leadlight.spec.kafka import FieldsSpec, KafkaSpec

WRITTEN, NOW = datetime(2026, 1, 31, 10), datetime(2026, 2, 3)
CALL = {"type": "track", "event": "order", "userId": "u1"}


def spec(format: str = "segment", **more: Any) -> KafkaSpec:  # noqa: A002
    return KafkaSpec.model_validate({"brokers": ["b:9092"], "topics": ["t"], "format": format, **more})


def message(value: Any, **headers: str) -> Message:
    raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    return Message("t", 2, 7, raw, headers, WRITTEN)


def test_calls_without_an_id_have_that_of_their_place() -> None:
    read = read_message(message({"batch": [CALL, {**CALL, "messageId": "m"}, CALL]}), spec(), NOW)
    assert [call.message_id for call in read.calls] == ["kafka:t:2:7:0", "m", "kafka:t:2:7:2"]
    assert read_message(message(CALL), spec(), NOW).calls[0].message_id == "kafka:t:2:7"


def test_what_says_no_time_happened_when_it_was_written() -> None:
    call = read_message(message(CALL), spec(), NOW).calls[0]
    assert (call.at, call.received_at) == (WRITTEN, NOW)


def test_a_clock_is_put_right_by_when_it_was_written_and_not_by_when_it_is_read() -> None:
    said = {**CALL, "timestamp": "2026-01-31T11:00:00Z", "sentAt": "2026-01-31T11:00:05Z"}  # an hour ahead
    assert read_message(message(said), spec(), NOW).calls[0].at == datetime(2026, 1, 31, 9, 59, 55)


@pytest.mark.parametrize("value", [b"", None], ids=["empty", "none"])
def test_a_message_without_a_value_is_nothing(value: bytes | None) -> None:
    read = read_message(message(value), spec(), NOW)
    assert (read.calls, read.rejected) == ([], [])


@pytest.mark.parametrize(
    "value", [b"{", b"\xff", b"[]", b"7", b'{"batch": 7}', b'{"batch": "x"}', b'{"type": "dance"}', b"x" * 2_000_000,
              b"[" * 5000, b'{"a": NaN}'], ids=range(10),
)  # fmt: skip
def test_poison_is_a_fault_and_nothing_is_raised(value: bytes) -> None:
    read = read_message(message(value), spec(), NOW)
    assert read.calls == []
    assert len(read.rejected) == 1


def test_a_faulty_call_takes_no_other_with_it() -> None:
    read = read_message(message({"batch": [CALL, {"type": "track"}, 7]}), spec(), NOW)
    assert len(read.calls) == 1
    assert [fault.index for fault in read.rejected] == [1, 2]


def test_cloud_events_in_both_modes() -> None:
    said = {"specversion": "1.0", "id": "1", "source": "/s", "type": "order", "subject": "u1"}
    whole = read_message(message({**said, "data": {"total": 3}}), spec("cloudevents"), NOW).calls[0]
    headers = {f"ce_{name}": value for name, value in said.items()}
    parts = read_message(message({"total": 3}, **headers), spec("cloudevents"), NOW).calls[0]
    assert whole == parts
    assert (whole.at, whole.event, whole.properties) == (WRITTEN, "order", {"total": 3.0})
    alone = read_message(message(None, **headers), spec("cloudevents"), NOW)
    assert len(alone.calls) == 1


def test_objects_of_one_s_own() -> None:
    fields = FieldsSpec(lead="customer.id", type="kind", at="ts", message_id="uuid")
    body = {"customer": {"id": "u1", "tier": "gold"}, "kind": "order", "ts": 1769853600, "uuid": "m1", "total": 3}
    call = read_line(body, fields, "place", WRITTEN)
    assert (call.user_id, call.event, call.message_id, call.at) == ("u1", "order", "m1", datetime(2026, 1, 31, 10))
    assert call.properties == {"customer_tier": "gold", "total": 3.0}
    assert body["customer"] == {"id": "u1", "tier": "gold"}
    flat = read_line({"a.b": "u2", "x": 1}, FieldsSpec(lead="a.b", event="seen"), "place", WRITTEN)
    assert (flat.user_id, flat.event, flat.message_id, flat.properties) == ("u2", "seen", "place", {"x": 1.0})


@pytest.mark.parametrize("body", [{}, [], {"id": "u1"}, {"id": "u1", "kind": 7}, {"id": ["u"], "kind": "x"},
                                  {"id": "u1", "kind": "x", "ts": "soon"}])  # fmt: skip
def test_objects_that_lack_what_is_named(body: Any) -> None:
    with pytest.raises(CallFault):
        read_line(body, FieldsSpec(lead="id", type="kind", at="ts"), "place", WRITTEN)
