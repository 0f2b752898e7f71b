"""Leads that are new, or of whom something new is known, are looked up in the background: `enrich: {on_ingest: true}`.

A thread looks every second whether anybody is due (`enrich_queue`) and takes some of them at a time. Budgets are of a
day (UTC), counted in the store. What cannot be asked waits: for the next day's budget, or until a failure does not hold
any more; where nobody answers at all, everything waits a while, longer each time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from leadlight.engines.faults import reachable
from leadlight.enrich.report import EnrichRun, Reason
from leadlight.enrich.run import Wish
from leadlight.errors import StoreError
from leadlight.service import enrich_queue, logs
from leadlight.service.enrich_lookups import Lookups
from leadlight.service.enrich_queue import Spent, Waiting
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.spec.enrich import EnrichSpec

LOOK = 1.0
"""Seconds between looks at who is due."""
BATCH = 100
"""Leads that are looked up together at most."""
REST = (30.0, 900.0)
"""Seconds for which nobody is asked where nobody answers: at first, and at most."""
MANY = 5
"""So many questions of a batch that all fail are not the fault of those who were asked."""


class EnrichLive:
    """The thread that looks up who is due; of several processes each has one, and they take turns."""

    def __init__(self, lookups: Lookups) -> None:
        self.lookups = lookups
        self.trouble: str | None = None
        """Why nobody could be looked up at the last try."""
        self._rest, self._size = 0.0, BATCH
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._work, name="lookups", daemon=True)
        self._own: LiveWorkspace | None = None
        self._seen = -1

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, *, seconds: float = 20.0) -> None:
        """End; who is being looked up waits for the next start, which asks nothing again that was answered."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        if self._own is not None and not self._thread.is_alive():
            self._own.engine.close()

    # ------------------------------------------------------------------------------------------------------ inside

    def _work(self) -> None:
        pause = LOOK
        while not self._stop.wait(pause):
            try:
                pause = self.look()
            except Exception as error:  # the thread must live: it says what is wrong, and tries again
                if not self.lookups.worker.alive:
                    return  # the service ends: who was being looked up waits for the next start
                self.trouble = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
                logs.fault("look-ups", error, {})
                pause = self._longer()

    def look(self) -> float:
        """Look up some of those who are due, if any are; return the seconds until the next look."""
        spec = self.lookups.spec
        if spec is None or not spec.on_ingest:
            return LOOK
        workspace, now = self._workspace(), self.lookups.now()
        self.lookups.watcher.to_look_up(enrich_queue.waiting(workspace.engine))
        if not enrich_queue.due(workspace.engine, now, 1) or not self.lookups.turn.is_free:
            return LOOK
        with self.lookups.turn.taken(self._stop) as give_up:
            taken = enrich_queue.due(workspace.engine, now, self._size)
            if not taken or give_up.is_set():
                return LOOK
            run = self._look_up(workspace, spec, taken, give_up)
        return self._pause(spec, run)

    def _workspace(self) -> LiveWorkspace:
        """Return a workspace of our own that knows the store's names and the files as they are now."""
        if self._own is None:
            self._own = LiveWorkspace(self.lookups.root, self.lookups.connect(), now=self.lookups.now)
        self._own.engine.revive()
        if self._seen != (changes := self.lookups.worker.changes):
            with reachable(self._own.engine):
                self._own.renew()
            self._seen = changes
        return self._own

    def _look_up(
        self, workspace: LiveWorkspace, spec: EnrichSpec, taken: Sequence[Waiting], give_up: threading.Event
    ) -> EnrichRun:
        """Look some up, and take them out of the queue; a batch that fails is tried again as smaller ones."""
        leads, now = [one.lead for one in taken], self.lookups.now()
        gone, budget = enrich_queue.spent(workspace.engine, now), spec.budget
        money = None if budget.money is None else max(budget.money - gone.money, 0.0)
        requests = None if budget.requests is None else max(budget.requests - gone.requests, 0)
        wish = Wish(tuple(leads), money=money, requests=requests)
        try:
            run = self.lookups.look_up_now(workspace, wish, give_up, leads)
        except StoreError:
            raise
        except Exception:
            if len(taken) == 1:
                self._settle(taken, None, put_off=now + timedelta(seconds=REST[1]))
            self._size = max(self._size // 4, 1)
            raise
        off = enrich_queue.next_day(now) if run.skipped.get(str(Reason.BUDGET)) else None
        self._settle(() if run.stopped else taken, run, put_off=off)
        self._size = min(self._size * 2, BATCH)
        return run

    def _settle(self, taken: Sequence[Waiting], run: EnrichRun | None, *, put_off: datetime | None) -> None:
        now = self.lookups.now()
        cost = Spent() if run is None else Spent(run.cost, run.traffic.requests)
        self.lookups.worker.do(partial(_settle, taken, cost, now, put_off)).result()

    def _pause(self, spec: EnrichSpec, run: EnrichRun) -> float:
        """Return the seconds until the next look: hosts are not asked sooner again than within a run."""
        outside = [one for one in run.providers if one.network]
        came, failed = sum(one.found + one.nothing for one in outside), sum(one.failed for one in outside)
        if failed >= MANY and not came:
            self.trouble = "nobody answers: " + ", ".join(sorted({why for one in outside for why in one.why}))
            return self._longer()
        self.trouble, self._rest = None, 0.0
        if not run.traffic.requests:
            return LOOK
        told = [one.per_second for one in spec.providers.values() if one.per_second is not None]
        return max(LOOK, 1 / min(spec.network.per_second, *told, 1.0))

    def _longer(self) -> float:
        self._rest = min(max(self._rest * 2, REST[0]), REST[1])
        return self._rest


def _settle(
    taken: Sequence[Waiting], cost: Spent, now: datetime, put_off: datetime | None, workspace: LiveWorkspace
) -> None:
    """Take out of the queue who was looked up, and count what that cost; all or nothing."""
    with workspace.engine.transaction():
        if taken:
            enrich_queue.settle(workspace.engine, taken, now, put_off=put_off)
        if cost != Spent():
            enrich_queue.spend(workspace.engine, cost, now)
