"""Progress bars, on standard error and only on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from leadlight.cli.console import clean, err

if TYPE_CHECKING:
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
    tasks: dict[str, TaskID] = {}
    with _bars() as bars:

        def update(news: ProgressUpdate) -> None:
            if news.source not in tasks:
                tasks[news.source] = bars.add_task(clean(news.source), total=None, rows="")
            bars.update(
                tasks[news.source],
                completed=news.done,
                total=news.total or None,
                rows=speed(news.rows, news.seconds),
            )

        yield update


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
