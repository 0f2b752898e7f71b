"""How far the reading of a source has come, asked of DuckDB now and then from a second thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.part import Part

EVERY = 0.3
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """How far the reading of a source has come; `total` bytes is 0 where it is not known (SQL)."""

    source: str
    path: str
    rows: int
    """Rows read so far, all files together; within a file an estimate."""
    done: int
    """Bytes of files read so far, all files together."""
    total: int
    seconds: float


@dataclass(slots=True)
class Clock:
    """Tells the caller how far the reading of a source's parts has come; between parts, from another thread."""

    engine: DuckDBEngine
    source: str
    parts: Sequence[Part]
    progress: Callable[[ProgressUpdate], None] | None
    done: int = 0
    began: float = field(default_factory=time.monotonic)

    @contextmanager
    def watch(self, part: Part, rows: int) -> Iterator[None]:
        """Tell of the part that the body reads, with an estimate of its rows; `rows` were read before."""
        if part is self.parts[0]:  # reading anew, with other forms
            self.done = 0
        if self.progress is None:
            yield
            return
        lines = part.text.survey.lines if part.text else 0
        with watched(self.engine, lambda share: self._tell(part, rows + int(lines * share), int(part.size * share))):
            yield

    def tick(self, part: Part, rows: int) -> None:
        """Tell that a part has been read, and the rows so far."""
        self._tell(part, rows, part.size)
        self.done += part.size

    def _tell(self, part: Part, rows: int, bytes_of_part: int) -> None:
        if self.progress is not None:
            total = sum(part.size for part in self.parts)
            seconds = time.monotonic() - self.began
            self.progress(ProgressUpdate(self.source, part.shown, rows, self.done + bytes_of_part, total, seconds))


@contextmanager
def watched(engine: DuckDBEngine, tell: Callable[[float], None]) -> Iterator[None]:
    """While the body runs a long statement, tell its share done (0 to 1) every .3 seconds, from another thread."""
    settings = {"enable_progress_bar": "true", "enable_progress_bar_print": "false", "progress_bar_time": "0"}
    before = {name: engine.rows(f"SELECT current_setting('{name}')")[0][0] for name in settings}
    for name, value in settings.items():
        engine.execute(f"SET {name} = {value}")
    finished = threading.Event()
    thread = threading.Thread(target=_look, args=(engine, tell, finished), daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
        for name, value in reversed(before.items()):  # setting the time switches the bar on
            engine.execute(f"SET {name} = {str(value).lower()}")


def _look(engine: DuckDBEngine, tell: Callable[[float], None], finished: threading.Event) -> None:
    last = 0.0
    while not finished.wait(EVERY):
        share = engine.connection.query_progress() / 100
        if last < share <= 1:
            last = share
            tell(share)
