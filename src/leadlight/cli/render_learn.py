"""Reports of learning and judging, drawn for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leadlight.cli.console import words
from leadlight.cli.render import moment
from leadlight.spec.entity import many, plural
from leadlight.spec.words import USUAL

if TYPE_CHECKING:
    from leadlight.evaluate.bootstrap import Metric
    from leadlight.evaluate.metrics import Metrics
    from leadlight.evaluate.rates import Rate
    from leadlight.evaluate.threshold import Choice
    from leadlight.evaluate.verdict import Verdict
    from leadlight.file_ranking import FileRanking
    from leadlight.learn.adjust import AdjustRun
    from leadlight.learn.evaluation import Evaluation
    from leadlight.learn.learn import Learned
    from leadlight.learn.line import Line
    from leadlight.learn.replay import Replay
    from leadlight.learn.run import LearnRun
    from leadlight.learn.watch import Watched

MOST_LEAKS = 15
MOST_SHIFTS = 12
FIGURES = (
    ("AUC", "auc", "{:.3f}"), ("average precision", "average_precision", "{:.3f}"), ("log loss", "log_loss", "{:.4f}"),
    ("calibration error", "ece", "{:.3f}"), ("{wins} in top 5 %", "gain_5", "{:.0%}"),
    ("{wins} in top 10 %", "gain_10", "{:.0%}"), ("{wins} in top 20 %", "gain_20", "{:.0%}"),
    ("{wins} in top {capacity:.1%}", "gain_at", "{:.0%}"),
)  # fmt: skip


def learned(run: LearnRun | Watched) -> RenderableType:
    """Draw what was learned, what was left out, the verdict, and where the file is; or why nothing was."""
    from leadlight.learn.watch import Watched

    if isinstance(run, Watched):
        return watched(run)
    name, placed = run.placed.name, run.placed
    after = (
        f"Next: leadlight rank -s {name}; leadlight report -s {name}"
        if placed.published
        else f"To use it all the same: leadlight publish {name} --force"
    )
    style = "green" if placed.published else "yellow"
    return Group(*_what_was_learned(run), words(placed, style), words(after, "dim"))


def _what_was_learned(run: LearnRun) -> list[RenderableType]:
    found = run.learned
    counts = found.counts
    head = Text.assemble(
        (f"{len(found.criteria)} criteria", "bold"), f" learned from {many(counts.rows, 'row')} of ",
        words(many(counts.leads, found.entity)), f", {counts.wins:,} of them {found.words.won} within the horizon, "
        f"in {found.seconds:.0f} s",
    )  # fmt: skip
    parts: list[RenderableType] = [head, _leaks(found), *verdict(found.verdict)]
    if found.fairness:
        from leadlight.cli.render_fairness import compared

        parts += [compared(item) for item in found.fairness]
    parts += [words(note, "dim") for note in (*found.assumptions, *found.notes)]
    return parts


def adjusted(run: AdjustRun) -> RenderableType:
    """Draw which points outcomes would move, why, and what that is worth."""
    found = run.proposal
    head = Text.assemble(
        words(run.scorecard, "bold"), f": {found.wins:,} {found.words.wins} among {found.rows:,} rows of ",
        words(plural(run.entity)), f" move {many(len(found.changes), 'number')}",
    )  # fmt: skip
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("criterion", "level", "from", "to", found.words.won, "of", "expected"):
        table.add_column(column, justify="left" if column in ("criterion", "level") else "right", overflow="fold")
    for change in found.changes:
        style = "green" if change.after > change.before else "red"
        table.add_row(
            words(change.criterion), words(change.level), f"{change.before:g}", Text(f"{change.after:g}", style=style),
            f"{change.wins:,}", f"{change.rows:,}", f"{change.expected:,.1f}",
        )  # fmt: skip
    parts: list[RenderableType] = [head, *([table] if found.changes else [])]
    if found.withdrawn:
        parts.append(
            words(f"{many(found.withdrawn, 'change')} left out: rows not learned from speak against it", "dim")
        )
    parts += [words(item) for item in found.effect if item.figure in ("auc", "log_loss")]
    if run.placed is None:
        return Group(*parts, words("Nothing should change.", "green"))
    name = run.placed.name
    after = (
        f"Look at it with `leadlight diff --against {run.placed.path.as_posix()}`; `leadlight publish {name}` uses it."
    )
    return Group(*parts, words(run.placed, "yellow"), words(after, "dim"))


def ranked_file(found: FileRanking) -> RenderableType:
    """Draw what was found in a file, what was learned from it, who comes first, and where it all is."""
    from leadlight.cli.render import ranking

    folder = found.folder.as_posix()
    files = (found.csv, found.report, found.learned.placed.path)
    return Group(
        *(words(line, "" if not place else "dim") for place, line in enumerate(str(found.found).splitlines())),
        Text(),
        *_what_was_learned(found.learned),
        Text(),
        ranking(found.ranking),
        words("written: " + ", ".join(path.as_posix() for path in files), "green"),
        words(f"{folder} is a workspace: leadlight explain ID -s learned -w {folder}", "dim"),
    )


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
            title = _title(title, systems[0][1])
            table.add_row(title, *("" if value is None else form.format(value.value) for value in values))
    return table


def _title(title: str, metrics: Metrics) -> str:
    return title.format(wins=metrics.words.wins, capacity=metrics.capacity or 0)


def evaluation(found: Evaluation) -> RenderableType:
    """Draw how a scorecard did: its figures with intervals, against the queue, and by grade."""
    since = f" from {moment(found.since)}" if found.since is not None else ""
    head = Text.assemble(
        words(found.scorecard, "bold"), words(f" {found.version}{since} until {moment(found.until)} UTC: "),
        f"{found.metrics.wins:,} {found.metrics.words.wins} among {found.metrics.n:,} rows of ",
        words(many(found.metrics.leads, found.entity)),
    )  # fmt: skip
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for title, name, form in FIGURES:
        value: Metric | None = getattr(found.metrics, name)
        if value is not None:
            table.add_row(
                _title(title, found.metrics), Text(form.format(value.value), style="bold"),
                Text(f"{form.format(value.low)} to {form.format(value.high)}", style="dim"),
            )  # fmt: skip
    parts: list[RenderableType] = [head, table]
    parts += [words(item) for item in found.against if item.figure == "auc"]
    parts += [words(f"{label}: {metrics}") for label, metrics in found.beside]
    parts += [_by_grade(found.grades)] if found.grades else []
    parts += [words(found.calibration)] if found.calibration is not None else []
    if found.fairness:
        from leadlight.cli.render_fairness import compared

        parts += [compared(item) for item in found.fairness]
    if found.campaign is not None:
        from leadlight.cli.render_uplift import campaign

        parts.append(campaign(found.campaign))
    return Group(*parts, *(words(note, "yellow") for note in found.notes))


def _by_grade(rates: tuple[Rate, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for rate in rates:
        table.add_row(words(f"grade {rate}"))
    return table


def line(found: Line) -> RenderableType:
    """Draw the line that was asked for, and what other lines would have brought."""
    since = f" from {moment(found.since)}" if found.since is not None else ""
    head = words(
        f"{found.scorecard}: for {found.threshold.asked}, by {found.leads:,} past "
        f"{plural(found.entity)} ({found.wins:,} {found.past.words.won}){since} until {moment(found.until)} UTC"
    )
    parts: list[RenderableType] = [head, *(words(choice, "bold green") for choice in found.threshold.choices)]
    said = [*([found.threshold.note] if found.threshold.note else []), *found.notes]
    parts += [words(note, "yellow") for note in said]
    return Group(*parts, words("what other lines would have brought:", "dim"), _choices(found.threshold.alternatives))


def _choices(choices: tuple[Choice, ...]) -> Table:
    valued, costed = any(c.worth is not None for c in choices), any(c.net is not None for c in choices)
    daily = any(c.per_day is not None for c in choices)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    said = choices[0].words if choices else USUAL
    heads = ["from", said.action, *(["a day"] if daily else []), said.wins]
    heads += [f"of all {said.wins}", f"{said.won} of {said.action}"]
    for head in [*heads, *([said.worth] if valued else []), *(["after costs"] if costed else [])]:
        table.add_column(head, justify="right")
    for c in choices:
        cells = ["" if c.cut is None else f"{c.cut:.4g}", f"{c.called:,}"]
        cells += [f"{c.per_day or 0:,.1f}"] if daily else []
        cells += [f"{c.wins:,}", f"{c.recall or 0:.0%}", f"{c.precision or 0:.1%}"]
        cells += [f"{c.worth or 0:,.0f}"] if valued else []
        cells += [f"{c.net or 0:,.0f}"] if costed else []
        table.add_row(*cells)
    return table


def replay(found: Replay) -> RenderableType:
    """Draw what each way of choosing would have won."""
    test = found.backtest
    head = words(
        f"{len(test.moments):,} steps from {moment(found.since)} on, the top {test.top:,} {test.words.action} at each, "
        f"{test.words.deals} within {test.horizon:g} days counted"
    )
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    said = test.words
    valued = test.worth_known
    gains = ["against it", *([f"in {said.worth}"] if valued else [])]
    for column in ("", said.action, said.deals, *((said.worth,) if valued else ()), *gains):
        table.add_column(column, justify="left" if not column else "right")
    against = {
        item.other: [str(item.deals), *([item.worth.said(digits=0)] if item.worth else [])] for item in test.gained
    }
    for item in test.strategies:
        name = words(item.name, "bold" if item is test.strategies[0] else "")
        cells: list[RenderableType] = [name, f"{item.called.sum():,.0f}"]
        cells += [f"{item.deals.sum():,.1f}", *([f"{item.worth.sum():,.0f}"] if valued else [])]
        table.add_row(*cells, *against.get(item.name, []))
    dates = ", ".join(f"{at:%Y-%m-%d}" for at in found.learned_at) or "never: outcomes were too few"
    notes = [words(note, "yellow") for note in found.notes]
    return Group(head, table, words(f"learned anew on {dates}", "dim"), *notes)


def watched(found: Watched) -> RenderableType:
    """Draw what has shifted."""
    from leadlight.evaluate.drift import NO_CHANCES

    seen = found.watch
    head = words(
        f"{found.scorecard} {found.version}: {many(found.after, found.entity)} since {moment(found.since)} against "
        f"{found.before:,} before"
    )
    if found.note:
        return Group(head, words(found.note, "yellow"))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("", "PSI", "", "what moved most"):
        table.add_column(column, justify="right" if column == "PSI" else "left", overflow="fold")
    styles = {"large shift": "red", "some shift": "yellow"}
    for item in ([seen.score] if seen.score is not None else []) + list(seen.features[:MOST_SHIFTS]):
        moved = item.moved_most
        said = "" if moved is None else f"{moved[0]}: {moved[1]:.0%} → {moved[2]:.0%}"
        psi = "" if item.psi is None else f"{item.psi:.2f}"
        table.add_row(words(item.name), psi, words(item.band, styles.get(item.band, "dim")), words(said))
    parts: list[RenderableType] = [head, table, *(words(item, "yellow" if item.off else "") for item in seen.since)]
    parts += [] if seen.since else [words(NO_CHANCES, "dim")]
    verdict = "Learn again." if seen.needs_learning else "No need to learn again."
    parts.append(words(verdict, "bold yellow" if seen.needs_learning else "bold green"))
    return Group(*parts, *(words(f"  {reason}") for reason in seen.reasons))
