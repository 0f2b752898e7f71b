"""What past leads tell, drawn for a terminal: profiles, neighbours, next steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from leadlight.cli.bars import bar
from leadlight.cli.console import words
from leadlight.cli.render import moment, points

if TYPE_CHECKING:
    from leadlight.insight.next_step import NextStep, Step
    from leadlight.insight.pairs import Pair
    from leadlight.insight.profile import Level, Profile
    from leadlight.insight.ratio import Ratio
    from leadlight.insight.similar import Neighbour, Similar

HALF_BAR = 5
"""How many characters the largest bar of a lift has, on either side."""


def profile(found: Profile) -> RenderableType:
    """Draw the ideal buyer, the opposite, where points and outcomes disagree, and the pairs that matter."""
    said = found.words.won
    title = f"The {said} {found.entity}" if found.words.own else f"The ideal {found.entity}"
    parts: list[RenderableType] = [
        Text.assemble(words(title, "bold"), words(f" by {found.scorecard} as of {moment(found.as_of)} UTC")),
        words(found.rule, "dim"),
    ]
    for name, levels in (
        (f"the {said} more often", found.ideal),
        (f"the {said} less often", found.anti),
        ("points and outcomes disagree", found.contrary),
    ):
        parts += [Padding(_levels(name, levels, said), (1, 0, 0, 0))] if levels else []
    parts += [Padding(_pairs(found.pairs, said), (1, 0, 0, 0))] if found.pairs else []
    if not (found.ideal or found.anti):
        parts.append(words(f"No level of any criterion differs between the {said} and all by more than chance."))
    return Group(*parts)


def similar(found: Similar) -> RenderableType:
    """Draw the nearest past leads and how they ended."""
    head = Group(words(found.summary, "bold"), words(found.rule, "dim"))
    if not found.rows:
        return head
    worth = found.words.worth
    table = _table("id", "end", worth, "away", "score", "differs in", "agrees in", right=(worth, "away", "score"))
    for row in found.rows:
        table.add_row(*_neighbour(row))
    left = found.near - len(found.rows)
    more = [words(f"{left:,} more are as near as the last of these; they are counted in", "dim")] if left > 0 else []
    return Group(head, Padding(table, (1, 0, 0, 0)), *more)


def next_step(found: NextStep) -> RenderableType:
    """Draw what came next for those who were won, and how sure that is."""
    from leadlight.insight.next_step import CAVEAT

    head = Group(words(found.summary, "bold"), words(found.rule, "dim"))
    if not found.steps:
        return head
    won = found.words.won
    numbers = ("had it", won, "had not", won, "times")
    table = _table("next", *numbers, "at 95 %", "", right=numbers)
    largest = max(abs(math.log2(step.lift.value)) for step in found.steps)
    for step in found.steps:
        table.add_row(*_step(step), bar(math.log2(step.lift.value), largest, HALF_BAR))
    return Group(head, Padding(table, (1, 0, 0, 0)), words(CAVEAT.format(won=won), "dim"))


def _levels(name: str, levels: Sequence[Level], won: str) -> Table:
    numbers = ("cases", f"of the {won}", "of all", "times", "points")
    table = _table(name, *numbers[:4], "at 95 %", "", "points", right=numbers)
    largest = max(abs(math.log2(level.lift.value)) for level in levels)
    for level in levels:
        table.add_row(
            words(level.text), f"{level.count:,}", _share(level.share_won), _share(level.share_all),
            *_ratio(level.lift), bar(math.log2(level.lift.value), largest, HALF_BAR), points(level.beyond),
        )  # fmt: skip
    return table


def _pairs(pairs: Sequence[Pair], won: str) -> Table:
    name = "together more, or less, than each alone"
    table = _table(name, "cases", won, "expected", "times", "at 95 %", right=("cases", won, "expected", "times"))
    for pair in pairs:
        table.add_row(
            words(" with ".join(pair.texts)), f"{pair.count:,}", _share(pair.won / pair.count),
            _share(pair.expected / pair.count), *_ratio(pair.ratio),
        )  # fmt: skip
    return table


def _neighbour(row: Neighbour) -> list[RenderableType]:
    end = words(row.ended or "still open", "green" if row.won else "" if row.ended else "dim")
    worth = "" if row.worth is None else f"{row.worth:,.0f}"
    differ = Text("; ").join([Text.assemble(words(item.reason), " ", points(item.points)) for item in row.differ])
    agree = words("; ".join(row.agree), "dim")
    return [words(row.id, "bold"), end, worth, f"{row.distance:.1f}", f"{row.score:.1f}", differ, agree]


def _step(step: Step) -> list[RenderableType]:
    name = Text.assemble(words(step.name, "bold"), ("  ours to do", "magenta") if step.ours else "")
    rates = (step.taken_won / step.taken, step.others_won / step.others)
    return [name, f"{step.taken:,}", _share(rates[0]), f"{step.others:,}", _share(rates[1]), *_ratio(step.lift)]


def _share(share: float) -> str:
    from leadlight.scorecards.sentences import percent

    return percent(share)


def _ratio(ratio: Ratio) -> list[Text]:
    value, _, interval = str(ratio).partition(" × ")
    style = "green" if ratio.low > 1 else "red" if ratio.high < 1 else ""
    return [Text(value, style=style), Text(interval.strip("()"), style="dim")]


def _table(*columns: str, right: Iterable[str]) -> Table:
    """Return an empty table without lines, whose columns of text may be broken."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        justify = "right" if column in right else "left"
        table.add_column(column, justify=justify, no_wrap=column in right, overflow="fold")  # type: ignore[arg-type]
    return table
