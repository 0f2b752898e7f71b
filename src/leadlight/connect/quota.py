"""A system's daily quota: counted in a small file, and a share of it left for others.

What is about to be used is written down before it is (in blocks), so that a process that is killed has counted too
much, never too little. Days are UTC's, unless the system tells when its own ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.connect.pace import Clock
from leadlight.errors import RemoteError, StoreError

if TYPE_CHECKING:
    from leadlight.connect.way import Used

BLOCK = 20
"""Requests that are written down at once, at most."""
SHARE = 0.8


class Quota:
    """What one connection may use of a day's requests."""

    def __init__(
        self, system: str, per_day: int | None, file: Path, *, share: float = SHARE, clock: Clock | None = None
    ) -> None:
        """Without `per_day` only what the system itself tells of its quota counts."""
        self._system, self._per_day, self._share, self._file = system, per_day, share, file
        self._now: Callable[[], datetime] = (clock or Clock()).now
        self._lock = threading.Lock()
        self._reserved = 0
        self._state = self._read()

    @property
    def used(self) -> int:
        """Requests that were used today, as far as we or the system know."""
        with self._lock:
            return self._used()

    @property
    def most(self) -> int | None:
        """Requests that may be used today; None: any number."""
        of = self._state["of"] or self._per_day
        return None if of is None else int(of * self._share)

    def take(self) -> None:
        """Count a request that is about to be made.

        Raises RemoteError (quota) that says when it goes on, StoreError where the count cannot be kept.
        """
        with self._lock:
            if self._now() >= self._until():
                self._state, self._reserved = self._fresh(), 0
            if self.most is None:
                return
            if self._state["told"] >= self.most:
                raise self._used_up()
            if not self._reserved:
                self._reserve(self.most)
            self._reserved -= 1
            self._state["told"] += 1 if self._state["told"] else 0

    def told(self, used: Used) -> None:
        """Take the system's own count, which holds what others use too."""
        with self._lock:
            until = used.until or self._until()
            self._state.update(told=max(used.used, 0), of=max(used.of, 0), until=until.isoformat())

    def close(self) -> None:
        """Write down what was really used."""
        with self._lock:
            if self._reserved or self._state["told"]:
                with self._shared():
                    self._state["used"] = max(self._state["used"] - self._reserved, 0)
                    self._reserved = 0
                    self._write()

    def _reserve(self, most: int) -> None:
        """Write down the next requests before they are made."""
        with self._shared():
            left = most - max(self._state["used"], self._state["told"])
            if left <= 0:
                raise self._used_up()
            self._reserved = min(BLOCK, left)
            self._state["used"] += self._reserved
            self._write()

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """Take in what others of this connection (a push beside a sync) have written down, and keep them waiting."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            fix = "See that it can be written to: without it nobody knows how much of the quota is left."
            raise StoreError(f"{self._file.parent} cannot be written to: {error.strerror}", fix=fix) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            theirs = self._read()
            ours, same = self._state, theirs["until"] == self._state["until"]
            if same or not ours["told"]:
                told = max(ours["told"], theirs["told"]) if same else theirs["told"]
                self._state = {**theirs, "told": told, "of": ours["of"] or theirs["of"]}
            else:
                self._state = {**ours, "used": theirs["used"]}
            yield
        finally:
            os.close(handle)

    def _used(self) -> int:
        return max(int(self._state["used"]) - self._reserved, int(self._state["told"]))

    def _until(self) -> datetime:
        return datetime.fromisoformat(self._state["until"])

    def _fresh(self) -> dict[str, Any]:
        midnight = self._now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return {"used": 0, "told": 0, "of": 0, "until": midnight.isoformat()}

    def _read(self) -> dict[str, Any]:
        """Return what the file says of the time that is not over yet; one that is broken counts as none."""
        try:
            held = json.loads(self._file.read_text(encoding="utf-8"))
            until = datetime.fromisoformat(held["until"])
            state = {name: int(held[name]) for name in ("used", "told", "of")}
        except (OSError, ValueError, KeyError, TypeError):
            return self._fresh()
        return self._fresh() if until <= self._now() else {**state, "until": until.isoformat()}

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        other = self._file.with_suffix(".new")
        other.write_text(json.dumps(self._state), encoding="utf-8")
        other.replace(self._file)

    def _used_up(self) -> RemoteError:
        of = self._state["of"] or self._per_day
        message = (
            f"{self._share:.0%} of its {of:,} requests a day are used up; the rest is left for others. "
            f"It goes on after {self._until():%Y-%m-%d %H:%M} UTC"
        )
        fix = "What was read so far is kept. Set `share` or `per_day` of the connection higher if others need less."
        return RemoteError(self._system, "quota", message, fix=fix)
