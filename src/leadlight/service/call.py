"""A call as it is kept: who did what and when, cleaned and flat, whatever client or format it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

Value = str | float | bool
"""What a property or trait may be when it is kept."""

Values = Mapping[str, Value | None]

CREATED_AT = "$created_at"
"""The trait that says since when a person exists; no name of a trait can be this one."""

ANONYMOUS = "anonymous:"
"""Stands before an anonymous id to make an id of a lead, so that it is never taken for a user's."""


@dataclass(frozen=True, slots=True)
class Call:
    """One accepted call; times are naive UTC.

    `event` is its type where something happened; `traits` say something of the person (None takes a value back);
    `group` is the account, with what is said of it; `previous` is the id that is the user's too. `agent` and `address`
    are the client's, `consent` is to what the person has said yes or no.
    """

    message_id: str
    at: datetime
    received_at: datetime
    user_id: str | None = None
    anonymous_id: str | None = None
    event: str | None = None
    properties: Values = field(default_factory=dict)
    traits: Values | None = None
    group: str | None = None
    group_traits: Values = field(default_factory=dict)
    previous: str | None = None
    agent: str | None = None
    address: str | None = None
    consent: Mapping[str, bool] | None = None

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for the message id."""
        return hashlib.blake2b(self.message_id.encode(), digest_size=16).digest()

    def encode(self) -> bytes:
        """Write it as JSON, what is absent left out; `decode` reads it.

        >>> at = datetime(2026, 1, 31, 12)
        >>> Call("m1", at, at, user_id="u1", event="signup").encode()
        b'{"m":"m1","t":"2026-01-31T12:00:00","r":"2026-01-31T12:00:00","u":"u1","e":"signup"}'
        """
        parts = {
            "m": self.message_id, "t": self.at, "r": self.received_at, "u": self.user_id, "a": self.anonymous_id,
            "e": self.event, "p": self.properties or None, "i": self.traits, "g": self.group,
            "gt": self.group_traits or None, "v": self.previous, "ua": self.agent, "ip": self.address,
            "c": self.consent or None,
        }  # fmt: skip
        return orjson.dumps({key: value for key, value in parts.items() if value is not None})


def entries(calls: Sequence[Call]) -> list[tuple[bytes, bytes]]:
    """Return calls as an inbox keeps them."""
    return [(call.digest, call.encode()) for call in calls]


def decode(bodies: Sequence[bytes]) -> list[dict[str, Any]]:
    """Read what `encode` wrote, as mappings with its short keys.

    >>> at = datetime(2026, 1, 31, 12)
    >>> decode([Call("m1", at, at, user_id="u1").encode()])[0]["u"]
    'u1'
    """
    found: list[dict[str, Any]] = orjson.loads(b"[" + b",".join(bodies) + b"]")
    return found
