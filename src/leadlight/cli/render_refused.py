"""How calls that could not be stored are drawn."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from leadlight.cli.console import words
from leadlight.store.refused import RefusedListing, without_values


def listing(found: RefusedListing) -> RenderableType:
    """Draw how many there are for each reason, and the newest."""
    if found.what != "listed" or not found.rows:
        return words(found)
    reasons = Table(box=None, pad_edge=False, show_edge=False)
    reasons.add_column("calls", justify="right")
    reasons.add_column("reason")
    for reason, count in found.counts.items():
        reasons.add_row(words(f"{count:,}"), words(reason))
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("id", "at", "what", "call" if found.full else "reason"):
        table.add_column(column, no_wrap=column in ("id", "at"))
    for row in found.rows:
        last = f"{row.call}\n{row.reason}" if found.full else without_values(row.reason)
        table.add_row(words(row.id), words(f"{row.at:%Y-%m-%d %H:%M}"), words(row.what), words(last))
    return Group(words(found.counted), reasons, words(""), table)
