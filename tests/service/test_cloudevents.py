from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from leadlight.service.cloudevents import read_events

NOW = datetime(2026, 3, 1, 12)
EVENT: dict[str, Any] = {
    "specversion": "1.0", "id": "1", "source": "/shop", "type": "order", "subject": "u1",
    "time": "2026-02-28T10:00:00Z", "data": {"Amount": 20, "type": "x"},
}  # fmt: skip


def test_one_and_many_in_json() -> None:
    (call,) = read_events(EVENT, {}, NOW).calls
    assert (call.user_id, call.event, call.at) == ("u1", "order", datetime(2026, 2, 28, 10))
    assert call.message_id == "/shop\n1"
    assert dict(call.properties) == {"amount": 20.0, "type_": "x"}
    assert len(read_events([EVENT, {**EVENT, "id": "2"}], {}, NOW).calls) == 2


def test_the_headers_hold_the_event_in_binary_mode() -> None:
    headers = {f"ce-{name}": value for name, value in EVENT.items() if name != "data"}
    assert read_events(EVENT["data"], headers, NOW) == read_events(EVENT, {}, NOW)


def test_the_same_id_of_another_source_is_another_event() -> None:
    a, b = read_events([EVENT, {**EVENT, "source": "/other"}], {}, NOW).calls
    assert a.digest != b.digest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"specversion": "0.3"}, "specversion"), ({"subject": None}, "subject"), ({"type": 7}, "type"),
        ({"id": " "}, "id"), ({"data": [1]}, "data"), ({"time": "x"}, "timestamp"), ({"subject": "\x00"}, "letters"),
    ],
)  # fmt: skip
def test_faults_name_what_is_wrong(change: dict[str, Any], said: str) -> None:
    batch = read_events([EVENT, {**EVENT, **change}], {}, NOW)
    assert len(batch.calls) == 1
    assert (batch.rejected[0].index, said in batch.rejected[0].message) == (1, True)
