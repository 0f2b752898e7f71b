"""What is known about a person, drawn."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

from leadlight.cli.console import words
from leadlight.report.access import Access
from leadlight.spec.entity import many


def access(report: Access, written: Path | None) -> RenderableType:
    """Draw how much is held of what, and where all of it was written to."""
    table = Table(box=None, pad_edge=False)
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, rows in report.tables.items():
        table.add_row(words(name), f"{len(rows):,}")
    if report.asked:
        table.add_row("kept answers of providers", f"{len(report.asked):,}")
    lines: list[RenderableType] = [
        words(f"{report.entity} {', '.join(report.ids)}: {many(report.total, 'row')}"),
        table,
    ]
    lines += [words(str(ledger).partition("\n")[0]) for ledger in report.scores]
    return Group(*lines, words(f"All of it is in {written}" if written else "All of it: --into FILE, or --json"))
