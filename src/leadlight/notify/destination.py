"""A destination that can be used: its addresses and secrets filled in from the environment."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from leadlight.spec.notify import DestinationSpec
from leadlight.spec.variables import expand


@dataclass(frozen=True, slots=True)
class Destination:
    """Where messages go; what is secret is never shown."""

    name: str
    spec: DestinationSpec
    address: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def digest(self) -> str:
        """What tells one address from another without showing it."""
        return hashlib.sha256(self.address.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a try ended: with nothing wrong, or with what was, in words that hold no secret."""

    error: str | None = None
    is_final: bool = False
    """It will not end otherwise: the message is put aside at once."""
    is_gone: bool = False
    """The destination wants no more."""
    is_busy: bool = False
    """It was too much at a time: the try does not count."""
    is_down: bool = False
    """The destination itself is in trouble, whatever the message."""
    retry_after: timedelta | None = None


def destination(name: str, spec: DestinationSpec, environ: Mapping[str, str] | None = None) -> Destination:
    """Fill in a destination.

    Raises UsageError that names the variables that are not set.
    """
    values = os.environ if environ is None else environ
    address = spec.webhook or spec.slack or spec.smtp
    assert address is not None
    secrets = tuple(expand(secret, values) for secret in spec.secret or ())
    return Destination(name, spec, expand(address, values), secrets)
