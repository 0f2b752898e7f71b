"""Reports drawn for a terminal: tables, colours and bars. In a pipe the same without colours and line breaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from leadlight.cli.bars import bar
from leadlight.cli.console import out, words
from leadlight.spec.entity import many

if TYPE_CHECKING:
    from leadlight.cli.overview import Overview
    from leadlight.scorecards.diff import Difference
    from leadlight.scorecards.history import History, PastScore
    from leadlight.scorecards.ledger import Contribution, Ledger
    from leadlight.scorecards.rank import Ranked, Ranking
    from leadlight.scorecards.score import ScoreRun
    from leadlight.scorecards.why import Movement
    from leadlight.sources.check import CheckReport
    from leadlight.sources.contract import ColumnFound
    from leadlight.sources.ingest_report import IngestReport
    from leadlight.store.erase import Erased

NARROW = 90
"""On a terminal narrower than this, a ranking leaves out the groups' sums."""

BEST, GOOD, FAIR, WORST = "bold green", "green", "yellow", "red"


# --------------------------------------------------------------------------------------------------------- words


def moment(value: datetime) -> str:
    """Write a moment: the day, and the time where it is not the day's beginning.

    >>> moment(datetime(2026, 6, 30)), moment(datetime(2026, 6, 30, 14, 5))
    ('2026-06-30', '2026-06-30 14:05')
    """
    return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"


def points(value: float, digits: int = 1) -> Text:
    """Write points with their sign, green or red."""
    shown = f"{value:+.{digits}f}"
    return Text(shown, style="green" if value > 0 else "red" if value < 0 else "")


def grade(label: str | None, labels: Sequence[str]) -> Text:
    """Write a grade in the colour of its place among all grades, the best first."""
    if label is None:
        return Text("")
    place = labels.index(label) / max(len(labels) - 1, 1) if label in labels else 0.5
    style = BEST if place < 0.2 else GOOD if place < 0.45 else FAIR if place < 0.75 else WORST
    return words(label, style)


def _table(*columns: str, right: Iterable[str] = (), fold: Iterable[str] = ()) -> Table:
    """Return an empty table without lines; `right` names columns of numbers, `fold` those that may be broken."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        justify = "right" if column in right else "left"
        table.add_column(column, justify=justify, no_wrap=column not in fold, overflow="fold")  # type: ignore[arg-type]
    return table


# ---------------------------------------------------------------------------------------------------- from files in


def checked(report: CheckReport) -> RenderableType:
    """Draw what `check` found."""
    cards = ", ".join(f"{name} ({version})" for name, version in report.scorecards.items()) or "none yet"
    features = many(report.features, "feature")
    parts: list[RenderableType] = [
        words("The workspace is in order.", "green"),
        words(f"{features}; scorecards: {cards}"),
    ]
    parts += [words(fault, "yellow") for fault in report.warnings]
    parts += [words(note, "dim") for note in report.notes]
    return Group(*parts, *([_contract(report.contract)] if report.contract else []))


def _contract(columns: Sequence[ColumnFound]) -> Table:
    """Draw what the contract asks for beside what the files have."""
    table = _table("source", "column", "your header", "missing", "what it costs where it is absent", fold=(
        "your header", "what it costs where it is absent",
    ))  # fmt: skip
    for column in columns:
        near = f"{column.constant!r} in every row" if column.constant else "none"
        near = f"none (or is it {column.nearest!r}?)" if column.nearest else near
        header = words(near, "" if column.constant else "yellow") if column.header is None else words(column.header)
        share = "" if column.missing is None else f"{column.missing:.0%}"
        costs = column.without or ("its points" if not column.required else "it is needed")
        table.add_row(
            words(column.source),
            words(column.column),
            header,
            share,
            words(costs, "" if column.header is None else "dim"),
        )
    return table


def ingested(report: IngestReport) -> RenderableType:
    """Draw what became of each source, and which duplicates were merged."""
    table = _table(
        "source", "records", "rows", "new", "changed", "as before", "rejected", "files", "seconds",
        right=("rows", "new", "changed", "as before", "rejected", "files", "seconds"), fold=("source",),
    )  # fmt: skip
    notes: list[str] = []
    for source in report.sources:
        files = f"{source.files:,}" + (f" ({source.skipped_files:,} unchanged)" if source.skipped_files else "")
        rejected = words(f"{source.rejected:,}", "yellow" if source.rejected else "")
        counts = (source.rows, source.new, source.changed, source.unchanged)
        table.add_row(
            words(source.source), source.kind, *(f"{n:,}" for n in counts), rejected, files, f"{source.seconds:.1f}"
        )
        notes += [f"{source.source}: {note}" for note in _source_notes(source)]
    if report.same_id.count:
        notes.append(f"{many(report.same_id.count, 'row')} folded into another of the same id")
    if report.same_value.count:
        examples = f" ({', '.join(report.same_value.examples[:3])} …)" if report.same_value.examples else ""
        notes.append(f"{many(report.same_value.count, 'duplicate')} merged by e-mail{examples}")
    end = f"{many(report.rows, 'row')} read in {report.seconds:.1f} s"
    end += "" if report.changed else "; nothing is new, the store is as before"
    return Group(table, *(words(note, "dim") for note in notes), words(end, "green"))


def _source_notes(source: Any) -> list[str]:
    notes = list(source.notes)
    if source.left_out:
        notes.append(f"{many(source.left_out, 'row')} left out by `where`")
    if source.rejects_file:
        rejected = many(source.rejected, "row")
        notes.append(f"{rejected} could not be read; each stands with its reason in {source.rejects_file}")
    if source.repeated and source.kind not in ("leads",):
        notes.append(f"{many(source.repeated, 'row')} repeated another")
    if source.without_lead:
        notes.append(f"{many(source.without_lead, 'row')} wait for their lead: it is in no source yet")
    if source.erased:
        notes.append(f"{many(source.erased, 'row')} left out: about people who were erased")
    if source.outcomes:
        new, changed, unchanged = source.outcomes
        notes.append(f"outcomes: {new:,} new, {changed:,} changed, {unchanged:,} as before")
    return notes


def erased(report: Erased) -> RenderableType:
    """Draw what was removed."""
    facts = report.as_dict()
    table = _table("table", "rows", right=("rows",))
    for name, count in facts["rows"].items():
        if count:
            table.add_row(name, f"{count:,}")
    ids = ", ".join(facts["ids"])
    return Group(words(f"Erased {ids}: {many(facts['total'], 'row')}.", "green"), table)


# ------------------------------------------------------------------------------------------------------- scores


def runs(found: Sequence[ScoreRun]) -> RenderableType:
    """Draw what each run of `score` did."""
    parts: list[RenderableType] = []
    for run in found:
        head = Text.assemble(
            (run.scorecard, "bold"), f" {run.version}{' (new version)' if run.published else ''}: ",
            f"{many(run.scored, run.entity)} scored as of {moment(run.as_of)} UTC in {run.seconds:.1f} s",
        )  # fmt: skip
        parts.append(head)
        if run.grades:
            parts.append(Padding(_counts(run.grades), (0, 0, 0, 2)))
        if not run.silent:
            parts.append(words(f"  {run.up:,} went up, {run.down:,} went down"))
    parts += _warnings(dict.fromkeys(note for run in found for note in run.notes))
    return Group(*parts) if parts else words("The workspace has no scorecard.", "yellow")


def _counts(grades: Mapping[str, int]) -> Text:
    labels = list(grades)
    shown = [Text.assemble(grade(label, labels), f" {count:,}") for label, count in grades.items() if count]
    return Text.assemble("grades: ", Text(", ").join(shown))


def ranking(found: Ranking) -> RenderableType:
    """Draw a ranking: a row for each lead with the groups' sums and the top reasons; a table for each of its groups."""
    counts = [_counts(found.grades)] if found.grades else []
    end = (words(_summary(found), "dim"), *counts, *_warnings(found.notes))
    if found.way.per is None:
        return Group(_ranked(found, found.rows), *end)
    parts: list[RenderableType] = []
    for group in found.groups:
        rows = [row for row in found.rows if row.group == group.name]
        title = Text.assemble(f"{found.way.per} ", words(group.name, "bold"), f": {many(group.count, found.entity)}")
        parts += [title, Padding(_ranked(found, rows), (0, 0, 1, 2))] if rows else [title]
    return Group(*parts, *end)


def _ranked(found: Ranking, rows: Sequence[Ranked]) -> Table:
    groups = _shown_groups(found)
    labels = list(found.grades)
    graded = ("grade",) if labels else ()
    chance = any(row.ledger.probability is not None for row in found.rows)
    valued = any(row.ledger.expected is not None for row in found.rows)
    moved = any(row.ledger.uplift is not None for row in found.rows)
    probable = (*(("expected",) if valued else ()), *(("chance",) if chance else ()), *(("uplift",) if moved else ()))
    numbers = ("#", "score", *probable, *groups)
    timed = ("due",) if found.has_deadline else ()
    table = _table(
        "#", "id", *timed, "score", *graded, *probable, *groups, "reasons", right=numbers, fold=("id", "reasons")
    )
    for row in rows:
        ledger, place = row.ledger, row.rank if row.rank_in_group is None else row.rank_in_group
        cells: list[RenderableType] = [f"{place:,}", words(ledger.id, "bold")]
        cells += [_due(row)] if timed else []
        cells.append(f"{ledger.score:.1f}")
        cells += [grade(ledger.grade, labels)] if labels else []
        cells += [_worth(ledger.expected)] if valued else []
        cells += [_chance(ledger)] if chance else []
        cells += [_uplift(ledger)] if moved else []
        cells += [f"{ledger.totals[group]:.1f}" for group in groups]
        table.add_row(*cells, _reasons(row))
    return table


def _due(row: Ranked) -> Text:
    """Write the time left: red when it has passed, yellow on the last day, green where it can still be in time."""
    if row.days_left is None:
        return Text("")
    style = "red" if row.days_left < 0 else "green" if row.in_time else "yellow" if row.days_left < 1 else ""
    return Text(row.due.removeprefix("due "), style=style)


def _warnings(notes: Iterable[str]) -> list[Text]:
    return [words(note, "yellow") for note in notes]


def _shown_groups(found: Ranking) -> list[str]:
    groups = list(found.rows[0].ledger.totals) if found.rows else []
    return groups if len(groups) > 1 and out().width >= NARROW else []


def _chance(ledger: Ledger) -> str:
    from leadlight.scorecards.sentences import percent

    return "" if ledger.probability is None else percent(ledger.probability)


def _uplift(ledger: Ledger) -> str:
    from leadlight.scorecards.sentences import in_points

    return "" if ledger.uplift is None else in_points(ledger.uplift)


def _reasons(row: Ranked) -> Text:
    from leadlight.scorecards.ledger import top
    from leadlight.scorecards.rank import REASONS

    gate = row.ledger.gate
    parts = [words(f"{gate.name}: grade {gate.grade}", "magenta")] if gate else []
    best = top(row.ledger.contributions, REASONS)
    parts += [Text.assemble(words(item.reason), " ", points(item.points)) for item in best]
    return Text("; ").join(parts)


def _summary(found: Ranking) -> str:
    shown = f"{len(found.rows):,} of " if len(found.rows) < found.total else ""
    text = f"{shown}{many(found.total, found.entity)} by {found.scorecard} as of {moment(found.as_of)} UTC"
    return text + (f"; {found.excluded:,} excluded" if found.excluded else "")


# -------------------------------------------------------------------------------------------------- explanations


def ledger(found: Ledger, *, labels: Sequence[str] = ()) -> RenderableType:
    """Draw where a score's points come from, group by group, with a bar for each contribution."""
    from leadlight.scorecards.ledger import SHOWN

    given = [item for item in found.contributions if abs(item.points) > SHOWN]
    none = [item.name for item in found.contributions if abs(item.points) <= SHOWN]
    largest = max((abs(item.points) for item in given), default=1.0)
    table = _table("points", "", "reason", right=("points",), fold=("reason",))
    for group, items in groupby(_by_group(found, given), key=lambda item: item.group):
        if group is not None:
            table.add_row(Text(f"{found.totals[group]:.1f}", style="bold"), "", words(group, "bold"))
        for item in items:
            style = "yellow" if item.kind == "cap" else ""
            table.add_row(points(item.points), bar(item.points, largest), words(item.reason, style))
    parts: list[RenderableType] = [_ledger_head(found, labels), table]
    if none:
        parts.append(words(f"no points from: {', '.join(none)}", "dim"))
    return Group(*parts)


def _by_group(found: Ledger, given: Sequence[Contribution]) -> list[Contribution]:
    """Return contributions in the order of the groups, the largest first, the cap last; the base before all."""
    order: dict[str | None, int] = {group: place for place, group in enumerate([None, *found.totals])}
    return sorted(given, key=lambda item: (order[item.group], item.kind == "cap", -abs(item.points)))


def _ledger_head(found: Ledger, labels: Sequence[str]) -> RenderableType:
    head = Text.assemble(words(found.entity), " ", words(found.id, "bold"), ": ", (f"{found.score:.1f} points", "bold"))
    if found.grade:
        head.append_text(Text.assemble(", grade ", grade(found.grade, labels)))
    if found.probability is not None:
        from leadlight.scorecards.sentences import chance

        head.append(f", {chance(found.probability, found.interval)}")
    if found.uplift is not None:
        from leadlight.scorecards.sentences import moved

        head.append(f", {moved(found.uplift, found.uplift_interval)}")
    if found.expected is not None:
        worth = f"{found.words.worth} {_worth(found.worth)}"
        head.append(f", {worth} if {found.words.won}: {_worth(found.expected)} expected")
    lines = [head, words(f"by {found.scorecard} {found.version} as of {moment(found.as_of)} UTC", "dim")]
    if found.excluded:
        lines.append(words("excluded from scoring by the workspace", "yellow"))
    if found.gate:
        gate = found.gate
        lines.append(words(f"grade {gate.grade} whatever the points: {gate.name} ({gate.reason})", "magenta"))
    return Group(*lines)


def _worth(value: float | None) -> str:
    from leadlight.scorecards.sentences import worth

    return "" if value is None else worth(value)


def movement(found: Movement, *, labels: Sequence[str] = ()) -> RenderableType:
    """Draw what moved a score."""
    before, after = found.before, found.after
    head = Text.assemble(
        words(after.entity), " ", words(after.id, "bold"), f": {before.score:.1f} → ", (f"{after.score:.1f}", "bold"),
        " (", points(found.points), ")",
    )  # fmt: skip
    if after.grade:
        head.append_text(Text.assemble(", grade ", grade(before.grade, labels), " → ", grade(after.grade, labels)))
    span = words(f"by {after.scorecard} from {moment(before.as_of)} to {moment(after.as_of)} UTC", "dim")
    if not found.moves:
        return Group(head, span, words("Nothing moved it."))
    largest = max(abs(move.points) for move in found.moves)
    table = _table("points", "", "cause", "what", right=("points",), fold=("what",))
    for move in found.moves:
        table.add_row(points(move.points), bar(move.points, largest), words(move.cause, "dim"), words(move.reason))
    return Group(head, span, table)


def history(found: History, *, labels: Sequence[str] = ()) -> RenderableType:
    """Draw the scores that were kept, oldest first."""
    head = words(f"{found.id} by {found.scorecard}: {many(len(found.scores), 'score')} kept")
    taken = _rolled_up(found)
    if not found.scores:
        return Group(head, words("`leadlight score` keeps scores.", "dim"), *taken)
    table = _table("as of", "score", "grade", "gate", "version", right=("score",), fold=("gate",))
    for past in found.scores:
        gate = words(past.gate or "")
        table.add_row(moment(past.as_of), f"{past.score:.1f}", _change(past, labels), gate, past.version)
    return Group(head, table, *taken)


def _rolled_up(found: History) -> list[RenderableType]:
    """Draw what was taken out of the events, by month."""
    if not found.rolled_up:
        return []
    table = _table("month", "event", "times", "first", "last", right=("times",), fold=("event",))
    for each in found.rolled_up:
        table.add_row(each.month, words(each.type), f"{each.events:,}", moment(each.first_at), moment(each.last_at))
    total = many(sum(each.events for each in found.rolled_up), "event")
    return [words(f"{total} taken out of the store, as no score needs them (`leadlight retain`)"), table]


def _change(past: PastScore, labels: Sequence[str]) -> Text:
    arrow = {"up": Text(" ↑", "green"), "down": Text(" ↓", "red")}.get(past.change or "", Text(""))
    return Text.assemble(grade(past.grade, labels), arrow)


# ------------------------------------------------------------------------------------------------ what an edit does


def difference(found: Difference) -> RenderableType:
    """Draw what publishing an edit would do: who changes grade, how the scores move, who moves most."""
    version = "the same version" if found.old == found.new else f"{found.old} → {found.new}"
    total = many(found.total, found.entity)
    parts: list[RenderableType] = [
        Text.assemble((found.scorecard, "bold"), f": {version} as of {moment(found.as_of)} UTC"),
        words(f"{found.moved:,} of {total} get another score, {found.changes_grade:,} another grade"),
    ]
    parts += [Padding(_matrix(found), (1, 0, 0, 0))] if found.transitions else []
    parts += [Padding(_quantiles(found), (1, 0, 0, 0))] if found.moved else []
    parts += [words(f"{name}: {past}") for name, past in zip(("before", "after"), found.hindsight, strict=True) if past]
    parts += [Padding(_movers(found), (1, 0, 0, 0))] if found.most_moved else []
    return Group(*parts)


def _matrix(found: Difference) -> Table:
    """Return a table of how many go from which grade (rows) to which (columns); only grades somebody has."""
    labels = [label for label, counts in found.grades.items() if any(counts)]
    table = _table("grade", *labels, right=labels)
    table.title, table.title_justify, table.title_style = "from (row) to (column)", "left", "dim"
    for row in labels:
        leaving = sum(n for (a, _), n in found.transitions.items() if a == row)
        cells = [_cell(found, labels, row, column, leaving) for column in labels]
        table.add_row(grade(row, labels), *cells)
    return table


def _cell(found: Difference, labels: Sequence[str], row: str, column: str, leaving: int) -> Text:
    if row == column:
        return Text(f"{found.grades[row][0] - leaving:,}", style="dim")
    count = found.transitions.get((row, column), 0)
    if not count:
        return Text("·", style="dim")
    return Text(f"{count:,}", style="green" if labels.index(column) < labels.index(row) else "red")


def _quantiles(found: Difference) -> Table:
    names = {"0": "lowest", "0.5": "median", "1": "highest"}
    shown = [names.get(cut, f"{float(cut):.0%}") for cut in found.quantiles]
    table = _table("scores", *shown, "mean", right=(*shown, "mean"))
    for side, mean in ((0, found.mean_before), (1, found.mean_after)):
        values = [f"{pair[side]:.1f}" for pair in found.quantiles.values()]
        table.add_row(("before", "after")[side], *values, "" if mean is None else f"{mean:.1f}")
    return table


def _movers(found: Difference) -> Table:
    labels = list(found.grades)
    graded = ("grade",) if labels else ()
    table = _table("most moved", "before", "after", *graded, "by", right=("before", "after"), fold=("most moved", "by"))
    for item in found.most_moved:
        items = sorted(item.items.items(), key=lambda pair: -abs(pair[1]))
        why = Text(", ").join([Text.assemble(words(name), " ", points(value)) for name, value in items])
        moved = Text.assemble(grade(item.grade_before, labels), " → ", grade(item.grade_after, labels))
        cells = [words(item.id, "bold"), Text(f"{item.before:.1f}"), Text(f"{item.after:.1f}")]
        table.add_row(*cells, *([moved] if labels else []), why)
    return table


# ------------------------------------------------------------------------------------------------------- overview


def overview(found: Overview) -> RenderableType:
    """Draw where things stand and what to do next."""
    table = _table("command", "what", fold=("what",))
    table.show_header = False
    for command, what in found.next:
        table.add_row(words(command, "bold"), words(what))
    return Group(words(found.state), Padding(table, (1, 0, 0, 2)))
