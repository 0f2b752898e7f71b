"""Progress bars, on standard error and only on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from leadlight.cli.console import clean, err

if TYPE_CHECKING:
    from leadlight.connect.sync_report import SyncUpdate
    from leadlight.enrich.run import Progress as Looked
    from leadlight.sources.read import ProgressUpdate

REDRAWS = 10
"""How often a second a bar is drawn anew."""


def _bars() -> Progress:
    console = err()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[rows]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        refresh_per_second=REDRAWS,
    )


def speed(rows: int, seconds: float) -> str:
    """Say how many rows have come, and how many a second.

    >>> speed(120_000, 2.0)
    '120,000 rows, 60,000 rows/s'
    """
    rate = f", {rows / seconds:,.0f} rows/s" if seconds > 0 else ""
    return f"{rows:,} rows{rate}"


@contextmanager
def reading() -> Iterator[Callable[[ProgressUpdate], None]]:
    """Show a bar for each source while it is read."""
    with _bars() as bars:
        yield _reading(bars)


@contextmanager
def ingesting() -> Iterator[tuple[Callable[[ProgressUpdate], None], Callable[[Looked], None]]]:
    """Show the same, and a bar for the leads that are looked up afterwards."""
    with _bars() as bars:
        yield _reading(bars), _looking_up(bars)


@contextmanager
def syncing() -> Iterator[
    tuple[Callable[[SyncUpdate], None], Callable[[ProgressUpdate], None], Callable[[Looked], None]]
]:
    """Show a bar for each object of a system while it is read, then for each source, then for those looked up."""
    with _bars() as bars:
        yield _syncing(bars), _reading(bars), _looking_up(bars)


@contextmanager
def looking_up() -> Iterator[Callable[[Looked], None]]:
    """Show how many leads are done, and how many questions were put."""
    with _bars() as bars:
        yield _looking_up(bars)


def _reading(bars: Progress) -> Callable[[ProgressUpdate], None]:
    tasks: dict[str, TaskID] = {}

    def update(news: ProgressUpdate) -> None:
        if news.source not in tasks:
            tasks[news.source] = bars.add_task(clean(news.source), total=None, rows="")
        bars.update(
            tasks[news.source],
            completed=news.done,
            total=news.total or None,
            rows=speed(news.rows, news.seconds),
        )

    return update


def _syncing(bars: Progress) -> Callable[[SyncUpdate], None]:
    tasks: dict[tuple[str, str], TaskID] = {}

    def update(news: SyncUpdate) -> None:
        key = (news.connection, news.object)
        if key not in tasks:
            tasks[key] = bars.add_task(clean(f"{news.connection}: {news.object}"), total=None, rows="")
        bars.update(tasks[key], completed=news.rows, rows=speed(news.rows, news.seconds))

    return update


def _looking_up(bars: Progress) -> Callable[[Looked], None]:
    tasks: list[TaskID] = []

    def update(news: Looked) -> None:
        if not tasks:
            tasks.append(bars.add_task("looking up", total=None, rows=""))
        rows = f"{news.done:,} of {news.total:,}; {news.answered:,} of {news.questions:,} questions answered"
        bars.update(tasks[0], completed=news.done, total=news.total or None, rows=rows)

    return update


@contextmanager
def making(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show one bar while things are made."""
    import time

    began = time.monotonic()
    with _bars() as bars:
        task = bars.add_task(what, total=None, rows="")

        def update(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total, rows=speed(done, time.monotonic() - began))

        yield update


@contextmanager
def pushing() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each connection while records are written."""
    tasks: dict[str, TaskID] = {}
    with _bars() as bars:

        def update(connection: str, done: int, total: int) -> None:
            if connection not in tasks:
                tasks[connection] = bars.add_task(clean(f"writing to {connection}"), total=None, rows="")
            bars.update(tasks[connection], completed=done, total=total or None, rows=f"{done:,} of {total:,} records")

        yield update
