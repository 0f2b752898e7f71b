"""CloudEvents 1.0 over HTTP, in its three modes, read into what is kept.

`type` is the event's type, `subject` the user's id, `time` when it happened, `data` its properties; `source` and `id`
together are the message id, as the standard has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leadlight.errors import shorten
from leadlight.service.call import Call
from leadlight.service.segment import MAX_ID, OURS_FOR_EVENTS, Batch, CallFault, Rejected, flat, happened_at

PREFIX = "ce-"


def read_events(body: Any, headers: Mapping[str, str], received_at: datetime) -> Batch:
    """Read one event or a list of them; where the headers hold the event (binary mode), the body is its data.

    >>> event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order", "subject": "u1", "data": {"n": 2}}
    >>> read_events(event, {}, datetime(2026, 1, 31)).calls[0].properties
    {'n': 2.0}
    """
    if f"{PREFIX}specversion" in headers:
        body = {name.removeprefix(PREFIX): value for name, value in headers.items() if name.startswith(PREFIX)} | {
            "data": body
        }
    batch = Batch()
    for index, event in enumerate(body if isinstance(body, list) else [body]):
        try:
            batch.calls.append(read_event(event, received_at))
        except CallFault as fault:
            batch.rejected.append(Rejected(index, str(fault)))
    return batch


def read_event(event: Any, received_at: datetime) -> Call:
    """Read one event in the JSON format.

    Raises CallFault with what is wrong.
    """
    if not isinstance(event, Mapping):
        raise CallFault(f"expected an event, found {shorten(event)}")
    if event.get("specversion") != "1.0":
        raise CallFault(f"specversion is {shorten(event.get('specversion'))}: '1.0' is wanted")
    said = {name: event.get(name) for name in ("id", "source", "type", "subject")}
    for name, value in said.items():
        if not isinstance(value, str) or not value.strip() or len(value) > MAX_ID:
            raise CallFault(f"{name} is {shorten(value)}: a text of up to {MAX_ID} characters is wanted")
    data = event.get("data")
    if data is not None and not isinstance(data, Mapping):
        raise CallFault(f"data is {shorten(data)}: an object is wanted")
    who, what = (str(said[name]).replace("\x00", "").strip() for name in ("subject", "type"))
    if not who or not what:
        raise CallFault("subject and type need letters")
    properties = {name: value for name, value in flat(data or {}, OURS_FOR_EVENTS).items() if value is not None}
    return Call(
        f"{said['source']}\n{said['id']}".replace("\x00", ""), happened_at(event.get("time"), None, received_at),
        received_at, user_id=who, event=what, properties=properties,
    )  # fmt: skip
