"""Who sends the messages about changes of grade while the service runs: a thread with a connection of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from leadlight.errors import SpecError
from leadlight.notify.deliver import deliver_on
from leadlight.notify.destination import Answer
from leadlight.notify.message import Message
from leadlight.notify.office import Office, wording_of
from leadlight.service import traces
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.metrics import Metrics
from leadlight.store import outbox

LOOK = 2.0
"""Seconds after which the files and the figures are looked at again."""
PATIENCE = 30.0
"""Seconds between tries at most, where the store cannot be asked."""
MEANT = timedelta(seconds=1)
"""What was put off by more than this, before it was tried, was meant to wait."""


class Deliverer:
    """Sends what is due, as leadlight.yaml says when it is sent."""

    def __init__(
        self, workspace: LiveWorkspace, metrics: Metrics, *, say: Callable[[str], None] = lambda _: None
    ) -> None:
        """Take over a workspace with an engine of its own, which is closed at the end.

        `say` hears of destinations that cannot be used.
        """
        self.workspace, self.metrics, self.say = workspace, metrics, say
        self.trouble: str | None = None
        """Why nothing can be sent at present."""
        self._stop = threading.Event()
        self._looked = -LOOK
        self._thread = threading.Thread(target=self._work, name="deliverer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, *, seconds: float = 20.0) -> None:
        """Finish what is on its way; what still waits is sent after the next start."""
        self._stop.set()
        self._thread.join(seconds)
        if not self._thread.is_alive():
            self.workspace.engine.close()

    def _work(self) -> None:
        pause = LOOK
        while not self._stop.is_set():
            try:
                self._round()
                self.trouble, pause = None, LOOK
            except Exception as error:  # the thread must live: it says what is wrong, and tries again
                self.trouble = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
                self._stop.wait(pause)
                pause = min(pause * 2, PATIENCE)

    def _round(self) -> None:
        """Send until the files change, or the service stops."""
        engine, notify = self.workspace.engine, self.workspace.loaded.workspace.spec.notify
        engine.revive()
        if outbox.exists(engine) and engine.capabilities.one_file:  # nobody else can be at work
            outbox.release(engine)
        if notify is None:
            while not self._is_over():
                self._stop.wait(LOOK)
            return
        office = Office(notify, wording_of(self.workspace.loaded), now=self.workspace.now, watcher=self)
        for name, why in office.unusable.items():
            self.say(f"{name} hears of nothing: {why}")
        if outbox.exists(engine):
            office.tidy(engine)
        deliver_on(engine, office, self._is_over)

    def _is_over(self) -> bool:
        """Return whether to stop or begin anew; look at the files and the figures every now and then."""
        if self._stop.is_set():
            return True
        if time.monotonic() - self._looked < LOOK:
            return False
        self._looked = time.monotonic()
        self.metrics.outbox(outbox.counts(self.workspace.engine))
        with suppress(SpecError):  # the worker says so
            return self.workspace.reload()
        return False

    # ------------------------------------------------------------------------------------------- what becomes of it

    def delivered(self, message: Message, at: datetime) -> None:
        """Count a message that has arrived, and how long that took."""
        first = message.changes[0]
        meant = message.is_digest or (first.tries == 1 and first.due_at - first.noted_at > MEANT)
        since_score = None if meant else (at - first.noted_at).total_seconds()
        since_call = None if meant or first.received_at is None else (at - first.received_at).total_seconds()
        self.metrics.delivered(first.destination, since_score, since_call)
        took = (at - first.noted_at).total_seconds()
        traces.delivered(first.destination, first.received_at, len(message.changes), took)

    def not_delivered(self, message: Message, answer: Answer, *, dead: bool) -> None:
        """Count a try that failed."""
        del answer
        self.metrics.not_delivered(message.changes[0].destination, dead=dead)
