"""The groups of protected attributes, drawn for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leadlight.cli.console import words

if TYPE_CHECKING:
    from leadlight.evaluate.fairness import Fairness
    from leadlight.evaluate.fairness import Group as Compared

MOST_GROUPS = 12


def compared(found: Fairness) -> RenderableType:
    """Draw one attribute: a row for each group, and what to look at."""
    said = found.groups[0].won.words if found.groups else None
    won = said.won if said is not None else "won"
    verb = found.groups[0].verb if found.groups else "chosen"
    head = words(f"{found.attribute} ({verb}: {found.line})", "bold")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    columns = ("", "of", verb, "ratio", won, f"{verb} of {won}", f"{verb} of not {won}", "score gap (SD)")
    for column in columns:
        table.add_column(column, justify="right" if column else "left")
    for group in found.groups[:MOST_GROUPS]:
        table.add_row(*_cells(group))
    more = len(found.groups) - MOST_GROUPS
    rest = [words(f"and {more} more groups (--json has all)", "dim")] if more > 0 else []
    findings = [words(f"  {item}", "yellow") for item in found.findings] or [words("  nothing stands out", "dim")]
    return Group(Text(), head, table, *rest, *findings)


def _cells(group: Compared) -> list[RenderableType]:
    style = "yellow" if group.falls_short else ""
    ratio = "" if group.ratio is None else f"{group.ratio.value:.2f} ({group.ratio.low:.2f} to {group.ratio.high:.2f})"
    rates = [group.won.rate, group.chosen_of_won.rate, group.chosen_of_lost.rate]
    return [
        words(group.name), f"{group.chosen.n:,}", f"{group.chosen.rate or 0:.1%}", words(ratio, style),
        *("" if rate is None else f"{rate:.1%}" for rate in rates), "" if group.gap is None else f"{group.gap:+.2f}",
    ]  # fmt: skip
