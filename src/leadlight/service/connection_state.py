"""What all processes of a service know of its connections: who is at work on one, how the last sync and push ended.

Whoever works on a connection has claimed it for a while and renews that; the claim of a process that ended is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from leadlight.service.jobs import lives, this_process
from leadlight.service.shelf import Shelf
from leadlight.spec.connections import ConnectionSpec

DOCUMENT = "connections"
LEASE = timedelta(seconds=90)
"""For how long a claim holds that is not renewed."""
DEBOUNCE = timedelta(seconds=5)
"""How long a call of the system waits for others, so that many are one reading."""
GENTLE = timedelta(seconds=20)
"""The least time between the end of a reading and the next one."""
Known = Mapping[str, Any]


class ConnectionStates:
    """The states of connections, on the shelf that all processes share.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from leadlight.service.shelf import FileShelf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     now = lambda: datetime(2026, 1, 31)
    ...     one, other = (ConnectionStates(FileShelf(Path(folder)), now=now, process=f"far:1:{n}") for n in "ab")
    ...     one.claim("crm"), other.claim("crm"), one.release("crm", sync={"ok": True}), other.claim("crm")
    ...     other.all()["crm"]["sync"]
    (True, False, None, True)
    {'ok': True}
    """

    def __init__(self, shelf: Shelf, *, now: Callable[[], datetime], process: str | None = None) -> None:
        self._shelf, self._now, self._process = shelf, now, process or this_process()

    def all(self) -> dict[str, Known]:
        """Return what is known of each connection."""
        return dict(self._shelf.read(DOCUMENT) or {})

    def claim(self, name: str) -> bool:
        """Claim a connection; return whether it is ours now."""
        won = False

        def change(found: Known) -> Known:
            nonlocal won
            won = not self._is_taken(found)
            return {**found, **self._claimed()} if won else found

        self._change([name], change)
        return won

    def renew(self, names: Iterable[str]) -> None:
        """Hold on to what was claimed, as far as it still is ours."""
        if listed := list(names):
            self._change(listed, lambda found: {**found, **self._claimed()} if self.is_ours(found) else found)

    def release(self, name: str, **told: Any) -> None:
        """Let go of a connection, and say what is known of it now."""
        self._change([name], lambda found: {**found, **told, "claimed_by": None, "claimed_until": None})

    def note(self, name: str, **told: Any) -> None:
        """Say what is known of a connection."""
        self._change([name], lambda found: {**found, **told})

    def is_ours(self, found: Known) -> bool:
        """Return whether we have claimed what this is known of."""
        return bool(found.get("claimed_by") == self._process)

    def is_busy(self, found: Known) -> bool:
        """Return whether somebody is at work on a connection of which this is known."""
        until, by = _moment(found.get("claimed_until")), found.get("claimed_by")
        return bool(by) and until is not None and until > self._now() and lives(str(by))

    def _is_taken(self, found: Known) -> bool:
        return self.is_busy(found) and not self.is_ours(found)

    def _claimed(self) -> Known:
        return {"claimed_by": self._process, "claimed_until": (self._now() + LEASE).isoformat()}

    def _change(self, names: Iterable[str], change: Callable[[Known], Known]) -> None:
        def of_all(found: Any) -> Any:
            known = dict(found or {})
            return {**known, **{name: change(known.get(name) or {}) for name in names}}

        self._shelf.change(DOCUMENT, of_all)


def is_to_read(connection: ConnectionSpec, known: Known, now: datetime) -> bool:
    """Return whether a connection is to be read: its system has called, or it is time.

    >>> hourly = ConnectionSpec(system="hubspot", every=timedelta(hours=1))
    >>> read = {"sync": {"began_at": "2026-01-31T09:00:00", "ended_at": "2026-01-31T09:01:00"}}
    >>> called = {**read, "woken_at": "2026-01-31T09:00:59"}
    >>> at = lambda minute, second: datetime(2026, 1, 31, 9 + minute // 60, minute % 60, second)
    >>> [is_to_read(hourly, read, at(minute, 0)) for minute in (2, 59, 60)]
    [False, False, True]
    >>> [is_to_read(hourly, called, at(1, second)) for second in (5, 19, 20)], is_to_read(hourly, {}, at(0, 0))
    ([False, False, True], True)
    """
    last, woken = known.get("sync") or {}, _moment(known.get("woken_at"))
    began, ended = _moment(last.get("began_at")), _moment(last.get("ended_at"))
    if woken is not None and now >= woken + DEBOUNCE and (ended is None or now >= ended + GENTLE):
        return True
    return connection.every is not None and (began is None or now >= began + connection.every)


def rests(known: Known, now: datetime) -> bool:
    """Return whether a system is left alone for a while."""
    until = _moment(known.get("rest_until"))
    return until is not None and now < until


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
