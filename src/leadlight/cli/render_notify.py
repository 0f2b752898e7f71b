"""How the outbox is drawn."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from leadlight.cli.console import words
from leadlight.notify.listing import OutboxListing

_STYLES = {"dead": "red", "waiting": "yellow", "sent": "green"}


def listing(found: OutboxListing) -> RenderableType:
    """Draw the rows of the outbox, with what went wrong."""
    if found.what != "listed" or not found.rows:
        return words(found)
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("message", "state", "to", "who", "change", "at", "tries", "error"):
        table.add_column(column, no_wrap=column == "message")
    for row in found.rows:
        table.add_row(
            words(row.message), words(row.state, _STYLES.get(row.state, "")), words(row.destination), words(row.who),
            words(f"{row.grade_from or '-'} → {row.grade_to}"), words(f"{row.at:%Y-%m-%d %H:%M}"), words(row.tries),
            words(row.error or ""),
        )  # fmt: skip
    return Group(words(str(found).partition("\n")[0]), table)
