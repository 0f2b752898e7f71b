"""What takes longer than a request may wait: begun by one request, looked at by others until it is done.

Jobs are run one after the other by a thread of each process; those that mostly wait for others' machines beside them.
What is known of them lies on the shelf that all processes of a service share, so any of them can tell, and cancel. A
process that has jobs says there again and again that it lives; a job whose process ended, or is not heard of any more
(its machine is gone), is told as lost. One that is heard of again was not: its jobs are told as they are.
"""

from __future__ import annotations

import os
import queue
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.errors import LeadlightError, NotFoundError, StoreError
from leadlight.service import logs
from leadlight.service.problems import Problem, problem_of
from leadlight.service.shelf import Shelf

DOCUMENT, HEARD = "jobs", "jobs-heard"
"""What is known of jobs; when each process that has some was heard of last."""
KEPT = 50
"""Jobs that are remembered, the last ones."""
WAITING = 20
"""Jobs of a process that may wait; more are refused."""
BESIDE = 5
"""Jobs of a process that may run beside the others."""
LOOK = 0.5
"""Seconds between looks whether another process has cancelled a job of this one."""
BEAT = 20.0
"""Seconds after which a process that has jobs is to be heard of again."""
LEASE = 120.0
"""Seconds for which its jobs are not lost though it is not heard of: clocks of machines differ, stores start again."""

OPEN = ("waiting", "running")
"""States of a job that has not ended."""

Job = Mapping[str, Any]
"""A job as it is told: id, verb, options, state (waiting, running, done, failed, cancelled), times, result, problem."""
Work = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Begun:
    id: str
    work: Work
    stop: threading.Event | None = None
    """Set when it is cancelled; None for one that goes on to its end."""


class Jobs:
    """The jobs of a service.

    >>> import tempfile, time
    >>> from pathlib import Path
    >>> from leadlight.service.shelf import FileShelf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     jobs = Jobs(FileShelf(Path(folder)), now=lambda: datetime(2026, 1, 31))
    ...     begun = jobs.begin("count", {}, lambda: {"sum": 3})
    ...     jobs.close()
    ...     begun["state"], jobs.find(begun["id"])["state"], jobs.find(begun["id"])["result"]
    ('waiting', 'done', {'sum': 3})
    """

    def __init__(self, shelf: Shelf, *, now: Callable[[], datetime]) -> None:
        self._shelf, self._now = shelf, now
        self._process = this_process()
        self._queue = queue.SimpleQueue[_Begun | None]()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()
        self._ending, self._ended = threading.Event(), threading.Event()
        self._open: set[str] = set()
        """The jobs of this process that wait or run."""
        self._beating = threading.Thread(target=self._beat_on, name="jobs beat", daemon=True)
        self._beating.start()
        self._beside: dict[str, threading.Thread] = {}
        self._stops: dict[str, threading.Event] = {}

    def begin(self, verb: str, options: Mapping[str, Any], work: Work, *, stop: threading.Event | None = None) -> Job:
        """Put a job behind those that wait. Raises StoreError where too many do.

        One that ends when `stop` is set is run beside the others: it waits for other machines, and can be cancelled.
        """
        if (self._queue.qsize() >= WAITING) if stop is None else (len(self._beside) >= BESIDE):
            raise StoreError("too many jobs wait", fix="Send it again when some are done.")
        job = {
            "id": secrets.token_hex(8), "verb": verb, "options": dict(options), "state": "waiting",
            "begun_at": self._stamp(), "ended_at": None, "result": None, "problem": None, "process": self._process,
            "cancel": False, "stops": stop is not None,
        }  # fmt: skip
        self._beat()  # before others know of the job
        self._keep(job)
        begun = _Begun(str(job["id"]), work, stop)
        self._open.add(begun.id)
        if stop is None:
            self._queue.put(begun)
        else:
            thread = threading.Thread(target=self._run_beside, args=(begun,), name=f"job {verb}", daemon=True)
            self._beside[begun.id], self._stops[begun.id] = thread, stop
            thread.start()
        return _told(job)

    def cancel(self, id: str) -> Job:  # noqa: A002 - the user's word
        """Cancel a job: one that waits does not begin, one that can be stopped ends soon; what came of it is kept.

        Raises NotFoundError; Problem 409 for one that has ended, or that runs and goes on to its end.
        """
        job = self.find(id)
        if job["state"] not in OPEN:
            raise Problem(409, f"the job has ended: it is {job['state']}")
        ended = {"cancel": True, "state": "cancelled", "ended_at": self._stamp()}

        def cancelled(job: Mapping[str, Any]) -> Mapping[str, Any]:
            if job["state"] == "waiting":
                return ended
            return {"cancel": True} if job["state"] == "running" and job.get("stops") else {}

        if not (self._change(id, cancelled) or {}).get("cancel"):
            raise Problem(409, f"{job['verb']} goes on to its end once it runs")
        if (stop := self._stops.get(id)) is not None:  # of this process: at once, before others make way for it
            stop.set()
        return self.find(id)

    def find(self, id: str) -> Job:  # noqa: A002 - the user's word
        """Return a job. Raises NotFoundError."""
        job = self._all().get(id)
        if job is None:
            raise NotFoundError(f"there is no job {id!r}; the last {KEPT} are remembered")
        return self._judged([job])[0]

    def all(self) -> list[Job]:
        """Return the jobs that are remembered, without their results, the last first."""
        return [
            {name: value for name, value in job.items() if name != "result"}
            for job in self._judged([*reversed(self._all().values())])
        ]

    def close(self, *, seconds: float = 10.0) -> None:
        """Do what waits, as far as there is time for it."""
        self._ending.set()
        self._queue.put(None)
        for thread in (self._thread, *self._beside.values()):
            thread.join(seconds)
        self._ended.set()
        self._beating.join(seconds)

    # ------------------------------------------------------------------------------------------------------ inside

    def _run(self) -> None:
        while (begun := self._queue.get()) is not None:
            self._do(begun)

    def _run_beside(self, begun: _Begun) -> None:
        ended = threading.Event()
        watching = threading.Thread(target=self._watch, args=(begun, ended), name="job watch", daemon=True)
        watching.start()
        try:
            self._do(begun)
        finally:
            ended.set()
            watching.join()
            self._beside.pop(begun.id, None)
            self._stops.pop(begun.id, None)

    def _watch(self, begun: _Begun, ended: threading.Event) -> None:
        """Let a job hear that it is cancelled, by whatever process."""
        while not ended.wait(LOOK):
            with suppress(LeadlightError):  # the shelf cannot be read just now: look again
                if begun.stop is not None and self._is_cancelled(begun.id):
                    begun.stop.set()

    def _is_cancelled(self, id: str) -> bool:  # noqa: A002 - the user's word
        return bool(self._all().get(id, {}).get("cancel"))

    def _do(self, begun: _Begun) -> None:
        """Do a job, unless it was cancelled before, and note how it ended."""
        try:
            self._do_and_note(begun)
        finally:
            self._open.discard(begun.id)

    def _do_and_note(self, begun: _Begun) -> None:
        if not self._patiently(lambda: self._is_to_begin(begun.id)):
            return
        found = self._done(begun)
        ended = self._stamp()

        def told(job: Mapping[str, Any]) -> Mapping[str, Any]:
            cancelled = {"state": "cancelled"} if job.get("cancel") and found["state"] == "done" else {}
            return {**found, **cancelled, "ended_at": ended}

        self._patiently(lambda: self._change(begun.id, told))

    def _is_to_begin(self, id: str) -> bool:  # noqa: A002 - the user's word
        """Note that a job runs now, and say whether it does: not where it was cancelled."""
        job = self._change(id, lambda job: {} if job.get("cancel") else {"state": "running"})
        return job is None or not job.get("cancel")

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        """Ask the shelf; where it cannot be asked, again until it can. None where the service ends before."""
        while True:
            try:
                return ask()
            except LeadlightError as error:
                logs.fault("jobs", error, {})
                if self._ending.wait(LOOK):
                    return None

    def _done(self, begun: _Begun) -> dict[str, Any]:
        """Do a job, and tell how it ended."""
        try:
            return {"state": "done", "result": dict(begun.work())}
        except LeadlightError as error:
            problem = problem_of(error)
            return {"state": "failed", "problem": {"status": problem.status, "detail": problem.detail,
                                                   **problem.more}}  # fmt: skip
        except Exception as error:  # the thread must live
            return {"state": "failed", "problem": {"status": 500, "detail": f"a bug: {type(error).__name__}"}}

    def _beat_on(self) -> None:
        """Let this process be heard of for as long as it has jobs; soon again where the shelf could not be written."""
        pause = BEAT
        while not self._ended.wait(pause):
            try:
                if self._open:
                    self._beat()
                pause = BEAT
            except LeadlightError:
                pause = min(LOOK, BEAT)

    def _beat(self) -> None:
        now = self._now()

        def change(found: Any) -> Any:
            """Leave out those that were not heard of for long: they are lost either way."""
            recent = {process: at for process, at in (found or {}).items() if _is_within(at, now)}
            return {**recent, self._process: now.isoformat()}

        self._shelf.change(HEARD, change)

    def _judged(self, jobs: Sequence[Mapping[str, Any]]) -> list[Job]:
        """Return jobs as they are told; one whose process ended before it did is lost."""
        others = any(job["state"] in OPEN and job["process"] != self._process for job in jobs)
        heard = dict(self._shelf.read(HEARD) or {}) if others else {}
        return [_told(job if job["state"] not in OPEN else self._as_it_stands(job, heard)) for job in jobs]

    def _as_it_stands(self, job: Mapping[str, Any], heard: Mapping[str, str]) -> Mapping[str, Any]:
        """Return a job that has not ended as far as is known, or that it is lost."""
        process, last = job["process"], heard.get(job["process"])
        if process == self._process:
            return job
        if process.startswith(_here()) or not lives(process):
            detail = "the service ended before the job did: begin it again"
        elif last is None or not _is_within(last, self._now()):
            since = "for long" if last is None else f"since {last}Z"
            detail = f"the process that had the job was not heard of {since}, its machine may be gone: begin it again"
        else:
            return job
        ended = None if last is None else f"{last}Z"
        return {**job, "state": "failed", "ended_at": ended, "problem": {"status": 503, "detail": detail}}

    def _all(self) -> dict[str, dict[str, Any]]:
        return dict(self._shelf.read(DOCUMENT) or {})

    def _keep(self, job: dict[str, Any]) -> None:
        def change(found: Any) -> Any:
            return dict([*(found or {}).items(), (job["id"], job)][-KEPT:])

        self._shelf.change(DOCUMENT, change)

    def _change(
        self,
        id: str,  # noqa: A002 - the user's word
        told: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    ) -> Mapping[str, Any] | None:
        """Note of a job what `told` makes of how it stands, and return it; None for one that is not remembered."""

        def change(found: Any) -> Any:
            jobs = dict(found or {})
            return {**jobs, id: {**jobs[id], **told(jobs[id])}} if id in jobs else jobs

        found: Mapping[str, Any] | None = self._shelf.change(DOCUMENT, change).get(id)
        return found

    def _stamp(self) -> str:
        return self._now().isoformat() + "Z"


def _is_within(at: str, now: datetime) -> bool:
    """Return whether a process that was heard of then is taken to live; a clock may have been set back since."""
    return abs((now - datetime.fromisoformat(at)).total_seconds()) < LEASE


def _told(job: Mapping[str, Any]) -> Job:
    return {name: value for name, value in job.items() if name not in ("process", "cancel", "stops")}


def this_process() -> str:
    """Return a name for who works here: the machine, the process, and what no other has."""
    return f"{_here()}{secrets.token_hex(4)}"


def _here() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:"


def lives(process: str) -> bool:
    """Return whether a process of this machine still runs; of another machine nothing is known."""
    host, number, _ = process.rsplit(":", 2)
    return host != socket.gethostname() or _is_running(int(number))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
