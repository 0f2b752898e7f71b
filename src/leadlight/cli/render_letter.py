"""A letter's reasons, drawn for a terminal: what goes into the letter, then how it comes about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leadlight.cli.console import words

if TYPE_CHECKING:
    from leadlight.scorecards.letter import Letter


def letter(found: Letter) -> RenderableType:
    """Draw the principal reasons, and below them the points they lack."""
    from leadlight.scorecards.letter import REFERENCES

    head = words("Principal reasons:" if found.wordings else str(found), "bold")
    said = [words(f"  {number}. {wording}") for number, wording in enumerate(found.wordings, 1)]
    grade = f", grade {found.grade}" if found.grade else ""
    how = words(
        f"not for the letter: {found.entity} {found.id} has {found.score:.1f} points{grade} by {found.scorecard} "
        f"{found.version}; {REFERENCES[found.against]} has {found.reference:.1f}",
        "dim",
    )
    notes = [words(note, "yellow") for note in found.notes]
    return Group(head, *said, Text(), how, _distances(found), *notes)


def _distances(found: Letter) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("points less", justify="right")
    table.add_column("reason", overflow="fold")
    table.add_column("seen", overflow="fold")
    for item in found.reasons:
        table.add_row(f"{item.distance:.1f}", words(item.wording), words("; ".join(item.seen), "dim"))
    table.add_row(f"{found.rest:.1f}", words("all else", "dim"), "")
    table.add_row(Text(f"{found.reference - found.score:.1f}", style="bold"), words("together", "bold"), "")
    return table
