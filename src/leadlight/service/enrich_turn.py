"""Whose turn it is to look leads up: one at a time does, of all processes, and makes way for whoever must be alone.

Erasing a person must: an answer about it that is still on its way would be kept after all. Whoever looks up stops then,
what came is kept, and goes on when the other one is done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from leadlight.errors import StoreError
from leadlight.service.connection_state import ConnectionStates

NAME = "(lookups)"
"""What the one process has claimed: no connection is called so."""
LOOK, SHORT = 0.5, 0.05
"""Seconds between looks of who has the turn, and of who waits for it."""
RENEW = 20.0
"""Seconds after which the claim is renewed."""
PATIENCE = 30.0
"""Seconds for which is waited at most to be alone."""


class Turn:
    """The turn of one process; `states` is shared with the others, None where there are none."""

    def __init__(self, states: ConnectionStates | None, *, now: Callable[[], datetime]) -> None:
        self._states, self._now = states, now
        self._held = threading.Lock()
        self._wanted = 0
        """How many in this process wait to be alone."""
        self._count = threading.Lock()

    @property
    def is_free(self) -> bool:
        """Whether nobody looks up at this moment, nor must be alone."""
        if self._held.locked() or self._wanted:
            return False
        return self._states is None or not self._states.is_busy(self._states.all().get(NAME, {}))

    @contextmanager
    def taken(self, stop: threading.Event) -> Iterator[threading.Event]:
        """Wait for the turn, and have it; yields an event that is set when it is to be given up, or `stop` is.

        Where `stop` is set while it waits, the event is set from the beginning, and nothing may be done.
        """
        give_up, done = threading.Event(), threading.Event()
        while not (won := not self._is_wanted() and self._take()) and not stop.wait(2 * SHORT):
            pass
        if not won:
            give_up.set()
            yield give_up
            return
        watching = threading.Thread(target=self._watch, args=(stop, give_up, done), name="lookups turn", daemon=True)
        watching.start()
        try:
            yield give_up
        finally:
            done.set()
            watching.join()
            self._let_go()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until whoever looks up has made way, and let nobody begin. Raises StoreError after a while."""
        with self._wanting():
            until = time.monotonic() + PATIENCE
            while not self._take():
                if time.monotonic() > until:
                    raise StoreError("leads are being looked up at this moment", fix="Send it again in a moment.")
                time.sleep(SHORT)
            try:
                yield
            finally:
                self._let_go()

    # ------------------------------------------------------------------------------------------------------ inside

    def _take(self) -> bool:
        if not self._held.acquire(blocking=False):
            return False
        try:
            won = self._states is None or self._states.claim(NAME)
        except BaseException:
            self._held.release()
            raise
        if not won:
            self._held.release()
        return won

    def _let_go(self) -> None:
        try:
            if self._states is not None:
                with suppress(StoreError):  # a claim that is not renewed ends by itself
                    self._states.release(NAME)
        finally:
            self._held.release()

    @contextmanager
    def _wanting(self) -> Iterator[None]:
        """Let all who look up know that somebody must be alone; those of other processes look at the shelf."""
        with self._count:
            self._wanted += 1
        if self._states is not None:
            until = self._now() + timedelta(seconds=PATIENCE)
            self._states.note(NAME, alone_until=until.isoformat())
        try:
            yield
        finally:
            with self._count:
                self._wanted -= 1
                last = not self._wanted
            if self._states is not None and last:
                with suppress(StoreError):
                    self._states.note(NAME, alone_until=None)

    def _is_wanted(self) -> bool:
        """Return whether somebody waits to be alone, in whatever process."""
        if self._wanted:
            return True
        until = None if self._states is None else self._states.all().get(NAME, {}).get("alone_until")
        return until is not None and self._now() < datetime.fromisoformat(until)

    def _watch(self, stop: threading.Event, give_up: threading.Event, done: threading.Event) -> None:
        """Set `give_up` when it is time, and hold on to the claim until then."""
        renewed = looked = time.monotonic()
        while not done.wait(SHORT):
            if stop.is_set() or self._wanted:
                give_up.set()
            if self._states is None or time.monotonic() < looked + LOOK:
                continue
            looked = time.monotonic()
            with suppress(StoreError):  # the store is away for a moment: look again
                if self._is_wanted():
                    give_up.set()
                if looked > renewed + RENEW:
                    self._states.renew([NAME])
                    renewed = looked
