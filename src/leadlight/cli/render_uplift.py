"""Uplift, drawn for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leadlight.cli.console import words
from leadlight.spec.entity import many

if TYPE_CHECKING:
    from leadlight.evaluate.bootstrap import Metric
    from leadlight.evaluate.uplift import CampaignFigures, UpliftFigures, UpliftVerdict
    from leadlight.learn.uplift import UpliftRun

ROWS = (
    ("Qini, per 1,000", "qini", 1_000.0), ("uplift in top 10 %", "uplift_10", 100.0),
    ("uplift in top 20 %", "uplift_20", 100.0), ("uplift in top 30 %", "uplift_30", 100.0),
    ("uplift of all", "effect", 100.0),
)  # fmt: skip
"""Title, figure, and what it is multiplied by: uplift is told in percentage points."""


def learned(run: UpliftRun) -> RenderableType:
    """Draw what was learned of who is moved, the verdict, and where the file is."""
    found, placed = run.learned, run.placed
    head = Text.assemble(
        (f"{len(found.criteria)} criteria", "bold"), f" of who is moved, learned from "
        f"{many(found.counts.rows, 'row')} of ", words(many(found.counts.leads, found.entity)),
        f", in {found.seconds:.0f} s; a point is one more {found.words.win} per {found.per:,.0f} treated",
    )  # fmt: skip
    name = placed.name
    after = (
        f"Next: leadlight rank -s {name}; leadlight evaluate -s {name}"
        if placed.published
        else f"To use it all the same: leadlight publish {name} --force"
    )
    parts = [head, *verdict(found.verdict), *(words(note, "dim") for note in found.notes)]
    return Group(*parts, words(placed, "green" if placed.published else "yellow"), words(after, "dim"))


def verdict(found: UpliftVerdict) -> list[RenderableType]:
    """Draw the figures of all orders side by side, and the answers."""
    lines = str(found).splitlines()
    answers = [words(line, "green" if "Yes" in line or line.startswith("It may") else "") for line in lines[1:]]
    return [words(lines[0]), figures(found.systems), *answers, *_promises(found)]


def figures(systems: tuple[tuple[str, UpliftFigures], ...]) -> Table:
    """Draw the figures of several orders side by side."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("")
    for name, _ in systems:
        table.add_column(name, justify="right")
    for title, name, times in ROWS:
        table.add_row(title, *(_cell(getattr(item, name), times) for _, item in systems))
    return table


def campaign(found: CampaignFigures) -> RenderableType:
    """Draw what ranking by a scorecard would have been worth to a campaign."""
    arms = "; ".join(str(arm) for arm in found.arms)
    return Group(words(f"in the campaign: {arms}"), figures((("by this scorecard", found.figures),)))


def _cell(metric: Metric | None, times: float) -> str:
    if metric is None:
        return ""
    return f"{times * metric.value:+.2f} ({times * metric.low:+.2f} to {times * metric.high:+.2f})"


def _promises(found: UpliftVerdict) -> list[RenderableType]:
    names = ("moved most", "between", "moved least")
    if len(found.promises) != len(names):
        return []
    words_ = found.arms[0].words
    said = [
        f"{name}: {100 * item.said:+.1f} said, {100 * item.came.value:+.1f} came"
        for name, item in zip(names, found.promises, strict=True)
    ]
    return [words(f"in thirds of the {words_.entities}, points of {words_.rate}: {'; '.join(said)}", "dim")]
