"""The inbox: calls that were accepted and are not yet in the store, durable before their sender hears so.

There are two makes of it: a file beside the embedded store (`journal`), and tables in PostgreSQL, next to what the
calls become. Whoever takes calls out does so inside the transaction that stores them, so that a crash at any moment
repeats nothing and loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from leadlight.engines.base import Engine
from leadlight.errors import StoreError

LIMIT = 200_000
"""Calls that may wait for the store; more are refused."""
REMEMBERED = 30
"""Days for which message ids are remembered; the store knows those of events for ever."""
GROUP = 5_000
"""Calls that share a commit at most."""

Entry = tuple[bytes, bytes]
"""A message id's digest (16 bytes), and the call."""

Calls = Sequence[tuple[int, bytes]]
"""Calls with their places, which rise in the order in which they are to be stored."""


class InboxFull(StoreError):
    """So many calls wait for the store that no more are taken; try again in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many calls wait to be stored", fix=f"Send it again in {retry_after} s.")
        self.retry_after = retry_after


class InboxError(StoreError):
    """Calls cannot be kept: the disk is full, say. What was not acknowledged is not kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an append: how many calls are new, and how many were seen before."""

    new: int
    repeated: int


class Inbox(Protocol):
    """Where accepted calls wait."""

    limit: int
    written: threading.Event
    """Set when there may be something new to take; who waits clears it."""
    unscored: int
    """How many leads other workers have stored and not yet scored."""
    trouble: str | None
    """Why no other worker stores what this process takes in, or why it takes in nothing; None where all is well."""

    @property
    def depth(self) -> int:
        """How many calls wait for the store, those included that are being written."""

    def append(self, entries: Sequence[Entry]) -> Future[Kept]:
        """Write calls; the future is done when they are on disk.

        Raises InboxFull at once where the limit is reached. The future raises InboxError.
        """

    def begin(self, engine: Engine) -> None:
        """Take over from the store how far a former process came."""

    def has_more(self, engine: Engine) -> bool:
        """Return whether there is something to take; outside of a transaction."""

    def waiting(self, engine: Engine) -> Callable[[], bool]:
        """Return what says whether any of the calls that wait now still does; outside of a transaction."""

    def take(self, engine: Engine, limit: int) -> Calls:
        """Return the first calls that wait; call it in the transaction that stores them."""

    def settle(self, engine: Engine, calls: Calls) -> None:
        """Note in the same transaction that they are stored; all that were taken, or the first of them."""

    def settled(self, calls: Calls) -> None:
        """Let go of them: the transaction is committed."""

    def close(self) -> None:
        """Write what was appended, and let go."""


def retry_after(depth: int) -> int:
    """Return the seconds after which there is likely room again.

    >>> retry_after(200_000)
    40
    """
    return max(1, min(60, depth // 5_000))
