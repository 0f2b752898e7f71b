"""When to break off what takes minutes of others' time: the service ends, or whoever asked for it has cancelled it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from leadlight.errors import StoreError


class Cancelled(StoreError):
    """Raised where somebody has cancelled what is being done."""


@dataclass(frozen=True, slots=True)
class Check:
    """Breaks off what is read or written, between two pages, where the service ends or it is cancelled.

    >>> cancelled = threading.Event()
    >>> check = Check(threading.Event(), cancelled)
    >>> check()
    >>> cancelled.set()
    >>> check()
    Traceback (most recent call last):
    leadlight.service.break_off.Cancelled: cancelled
    What was done so far is kept; the next time it goes on there.
    """

    ending: threading.Event
    stop: threading.Event | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether it is to be stopped, and the service goes on."""
        return self.stop is not None and self.stop.is_set()

    def unless_ending(self) -> None:
        """Raises StoreError where the service ends."""
        if self.ending.is_set():
            raise StoreError("the service is stopping", fix="What was done so far is kept.")

    def __call__(self, *_: object) -> None:
        """Look, between two pages. Raises StoreError where the service ends, Cancelled."""
        self.unless_ending()
        if self.is_cancelled:
            raise Cancelled("cancelled", fix="What was done so far is kept; the next time it goes on there.")
