"""Reports of learning and judging, drawn for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leadlight.cli.console import words
from leadlight.cli.render import many, moment

if TYPE_CHECKING:
    from leadlight.evaluate.bootstrap import Metric
    from leadlight.evaluate.metrics import Metrics
    from leadlight.evaluate.rates import Rate
    from leadlight.evaluate.verdict import Verdict
    from leadlight.learn.evaluation import Evaluation
    from leadlight.learn.learn import Learned
    from leadlight.learn.run import LearnRun

MOST_LEAKS = 15
FIGURES = (
    ("AUC", "auc", "{:.3f}"), ("average precision", "average_precision", "{:.3f}"), ("log loss", "log_loss", "{:.4f}"),
    ("calibration error", "ece", "{:.3f}"), ("wins in top 5 %", "gain_5", "{:.0%}"),
    ("wins in top 10 %", "gain_10", "{:.0%}"), ("wins in top 20 %", "gain_20", "{:.0%}"),
)  # fmt: skip


def learned(run: LearnRun) -> RenderableType:
    """Draw what was learned, what was left out, the verdict, and where the file is."""
    found = run.learned
    counts = found.counts
    head = Text.assemble(
        (f"{len(found.criteria)} criteria", "bold"), f" learned from {many(counts.rows, 'row')} of ",
        words(many(counts.leads, found.entity)), f", {counts.wins:,} of them won within the horizon, "
        f"in {found.seconds:.0f} s",
    )  # fmt: skip
    parts: list[RenderableType] = [head, _leaks(found), *verdict(found.verdict)]
    parts += [words(note, "dim") for note in (*found.assumptions, *found.notes)]
    style = "green" if run.placed.published else "yellow"
    parts.append(words(run.placed, style))
    if not run.placed.published:
        parts.append(words(f"To use it all the same: leadlight publish {run.placed.name} --force", "dim"))
    else:
        parts.append(words(f"Next: leadlight rank -s {run.placed.name}; leadlight report -s {run.placed.name}", "dim"))
    return Group(*parts)


def _leaks(found: Learned) -> RenderableType:
    out = [item for item in found.leaks.findings if item.left_out]
    if not out:
        return words("No feature was left out.", "dim")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("left out", "as", "because"):
        table.add_column(column, overflow="fold")
    for item in out[:MOST_LEAKS]:
        table.add_row(words(item.feature), words(item.level, "yellow"), words(item.evidence))
    more = len(out) - MOST_LEAKS
    return Group(table, words(f"and {more} more (--json has all)", "dim")) if more > 0 else table


def verdict(found: Verdict) -> list[RenderableType]:
    """Draw a verdict: the figures of all systems side by side, and the answers."""
    table = _figures([(name, metrics) for name, metrics in found.systems])
    return [words(line) for line in str(found).splitlines()[:1]] + [table] + _answers(found)


def _answers(found: Verdict) -> list[RenderableType]:
    lines = [line for line in str(found).splitlines()[1:] if not line.startswith("Learned scorecard:")]
    return [words(line, "green" if "Yes" in line or line.startswith("It may") else "") for line in lines]


def _figures(systems: list[tuple[str, Metrics]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("")
    for name, _ in systems:
        table.add_column(name, justify="right")
    for title, name, form in FIGURES:
        values: list[Metric | None] = [getattr(metrics, name) for _, metrics in systems]
        if any(value is not None for value in values):
            table.add_row(title, *("" if value is None else form.format(value.value) for value in values))
    return table


def evaluation(found: Evaluation) -> RenderableType:
    """Draw how a scorecard did: its figures with intervals, against the queue, and by grade."""
    since = f" from {moment(found.since)}" if found.since is not None else ""
    head = Text.assemble(
        words(found.scorecard, "bold"), words(f" {found.version}{since} until {moment(found.until)} UTC: "),
        f"{found.metrics.wins:,} wins among {found.metrics.n:,} rows of ",
        words(many(found.metrics.leads, found.entity)),
    )  # fmt: skip
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for title, name, form in FIGURES:
        value: Metric | None = getattr(found.metrics, name)
        if value is not None:
            table.add_row(
                title, Text(form.format(value.value), style="bold"),
                Text(f"{form.format(value.low)} to {form.format(value.high)}", style="dim"),
            )  # fmt: skip
    parts: list[RenderableType] = [head, table]
    parts += [words(item) for item in found.against if item.figure == "auc"]
    parts += [_by_grade(found.grades)] if found.grades else []
    parts += [words(found.calibration)] if found.calibration is not None else []
    return Group(*parts, *(words(note, "yellow") for note in found.notes))


def _by_grade(rates: tuple[Rate, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for rate in rates:
        table.add_row(words(f"grade {rate}"))
    return table
