"""What a push needs of the workspace, and how it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leadlight.engines.base import Engine
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace


class Opening(Protocol):
    """How the store is opened for a while."""

    def __call__(self, *, write: bool = False) -> AbstractContextManager[Engine]:
        """Open it."""


@dataclass(frozen=True, slots=True)
class House:
    """The workspace, as far as it is needed here."""

    store: Opening
    ready: Callable[[Engine], tuple[ResolvedWorkspace, ResolvedScorecard]]
    now: Callable[[], datetime]
    next_step: Callable[[Engine, int], str | None] | None = None
    """Says what a lead's next step could be; raises LeadlightError where there is nothing to learn that from."""
    rest: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is asked for."""

    dry_run: bool = False
    limit: int | None = None
    """How many records to write at most."""
    take_over: Collection[str] = ()
    """Fields to write whatever stands there."""
    again: bool = False
    """Whether to try once more what was refused, or whose time to be tried again has not come."""
    leads: Sequence[int] | None = None
    """Only these leads, where it is known that nobody else's score has changed."""
