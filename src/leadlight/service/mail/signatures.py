"""What is common to signatures: how they fail, how old they may be, and tokens that count once."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from leadlight.errors import StoreError

AHEAD = timedelta(minutes=15)
"""How far a provider's clock may be ahead of ours."""


class Forged(Exception):
    """It is not signed by who it says it is from; the message says what is missing or wrong."""


class Stale(Exception):
    """It is signed, but too long ago, or the signature was used before."""


@dataclass(frozen=True, slots=True)
class Window:
    """Between which moments a signature's time may lie; `now` is naive UTC.

    >>> window = Window(datetime(2026, 1, 31), timedelta(hours=1))
    >>> window.holds("1769815800"), window.holds("1769800000"), window.holds("soon"), window.holds("1e300")
    (True, False, False, False)
    """

    now: datetime
    max_age: timedelta

    def holds(self, seconds: str) -> bool:
        """Return whether a time in seconds since 1970 lies within."""
        if not seconds.isdecimal() or len(seconds) > 12:
            return False
        return self.holds_time(datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None))

    def holds_time(self, at: datetime) -> bool:
        """Return whether a moment in naive UTC lies within."""
        return -AHEAD <= self.now - at <= self.max_age


class Tokens:
    """Tokens of signatures that were used, kept in a file as long as their signatures hold.

    A token counts as used only when what it came with was kept: where that fails, the sender may use it again.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tokens = Tokens(Path(folder) / "tokens.sqlite")
    ...     with tokens.used("t1", datetime(2026, 1, 31), timedelta(days=1)):
    ...         pass
    ...     try:
    ...         with Tokens(Path(folder) / "tokens.sqlite").used("t1", datetime(2026, 1, 31), timedelta(days=1)):
    ...             pass
    ...     except Stale as stale:
    ...         print(stale)
    the token was used before
    """

    def __init__(self, path: Path) -> None:
        self.path, self._lock, self._busy = path, Lock(), set[bytes]()

    @contextmanager
    def used(self, token: str, now: datetime, max_age: timedelta) -> Iterator[None]:
        """Use a token for what is done inside; it is not used up where that raises.

        Raises Stale where it was used before, or is being used; StoreError where that cannot be known or kept.
        """
        mark = hashlib.sha256(token.encode("utf-8", "ignore")).digest()
        with self._lock:
            if mark in self._busy or self._known(mark):
                raise Stale("the token was used before")
            self._busy.add(mark)
        try:
            yield
            with self._lock:
                self._note(mark, now, max_age)
        finally:
            with self._lock:
                self._busy.discard(mark)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, isolation_level=None, timeout=10)) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS used (mark BLOB PRIMARY KEY, until REAL) WITHOUT ROWID")
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the tokens that were used cannot be kept: {error}") from None

    def _known(self, mark: bytes) -> bool:
        with self._open() as connection:
            return connection.execute("SELECT 1 FROM used WHERE mark = ?", [mark]).fetchone() is not None

    def _note(self, mark: bytes, now: datetime, max_age: timedelta) -> None:
        until = (now + max_age + AHEAD).replace(tzinfo=UTC).timestamp()
        with self._open() as connection:
            connection.execute("DELETE FROM used WHERE until < ?", [now.replace(tzinfo=UTC).timestamp()])
            connection.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", [mark, until])
