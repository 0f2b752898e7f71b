"""The training table: leads as of several moments, what was known then, and whether a win came within the horizon.

A lead is looked at on arrival (and some days later: `learn: moments`) and at the moments of a calendar grid (`learn:
every`), as long as it is open: so will those who rank, who rank all that is open, old and new. A row is *settled* when
its horizon has passed, and only settled rows are learned from: a lead too young to know is left out, not counted as
lost. Where wins repeat (`outcome: repeats`), those up to the moment are history and close nothing. Outcomes without a
time are known to have come some time after creation, so only the arrival can be learned from then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, did_you_mean
from leadlight.evaluate.arrays import Texts
from leadlight.expr import build
from leadlight.expr.types import Type
from leadlight.features.compile import feature_statement
from leadlight.features.moment import Moment
from leadlight.learn.candidates import Candidate, feature_specs
from leadlight.learn.examples import Bools, Examples, Floats, Ints
from leadlight.learn.grid import drawn_leads, grid_of
from leadlight.scorecards.compile import name_types
from leadlight.scorecards.outcomes import SAY_WHAT_A_WIN_IS, Rules, rules
from leadlight.spec import models
from leadlight.spec.entity import plural
from leadlight.spec.features import TypedFeatures, type_features
from leadlight.spec.findings import Findings
from leadlight.spec.marks import Marks
from leadlight.spec.resolved import ResolvedFeature, ResolvedWorkspace
from leadlight.spec.words import words_of
from leadlight.store.archive import complete_since
from leadlight.store.names import undated
from leadlight.store.speakers import SPEAKERS
from leadlight.store.sql import Sql, fill, joined

NONE = "(none)"
PAIRS = "_moments"
"""The temporary table of (lead, as_of, won, worth) that a training table is made of."""
EXCLUDED = "excluded_"
MOST_ROWS = 200_000
"""How many rows are learned from; of more, whole leads are drawn, the same every time."""
MOST_LOOKS = 5_000_000
"""How many moments of a grid are looked at, before it is known who was open; of more, whole leads are drawn."""
DAY = 86_400_000_000
SHOWN = 8
"""Names that a sentence lists at most."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the leads on the way into the training table; all but `leads` count (lead, moment) rows."""

    leads: int
    rows: int
    wins: int
    too_young: int
    """Rows whose horizon has not passed yet."""
    undated: int
    """Wins that have no time."""
    before_creation: int
    """Outcomes dated before their lead's creation."""
    in_future: int
    """Outcomes dated after the moment of learning."""
    share: float
    """The share of leads that was drawn; 1 is all."""
    born_later: int = 0
    """Leads created after the moment of learning."""
    events_later: int = 0
    """Events dated after the moment of learning; counted for learning only."""
    taken_as_lost: int = 0
    """Leads younger than the horizon that are not won and have no time to be won at, where most leads are so young."""

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Training:
    """Settled rows to learn from, oldest first."""

    examples: Examples
    as_of: pa.Array = field(repr=False)
    """Each row's moment, as a timestamp."""
    created: Floats = field(repr=False)
    """Each row's lead's creation, in days since 1970."""
    features: dict[str, ResolvedFeature] = field(repr=False)
    """The candidate features that a scorecard has to bring along."""
    counts: Counts
    assumptions: tuple[str, ...] = ()
    """What had to be assumed of the data, as sentences."""
    beside: Mapping[str, Floats] = field(repr=False, default_factory=dict)
    """Label → the numbers that people rank by today; those without one come last."""


def training(
    engine: Engine,
    workspace: ResolvedWorkspace,
    found: Sequence[Candidate],
    until: datetime,
    *,
    most_rows: int = MOST_ROWS,
) -> Training:
    """Build the training table as of a moment: nothing later is looked at.

    Raises NotFoundError where the workspace has no outcomes or does not say which are wins.
    """
    features = resolve_candidates(workspace, found)
    beside = {feature.name: feature for feature in workspace.beside.values()}
    names = [*(c.name for c in found if _known(c, features)), *beside]
    with moments(engine, workspace, until, most_rows=most_rows) as counts:
        table = read_features(engine, workspace.with_features({**features, **beside}), names)
        labels = _labels(engine)
    later = engine.rows('SELECT count(*) FROM events WHERE "at" > ?', [until])[0][0]
    counts = replace(counts, events_later=int(later))
    kept = pc.invert(table.column(EXCLUDED).fill_null(False))
    table, labels = table.drop_columns([EXCLUDED]).filter(kept), labels.filter(kept)
    numbers = orders({label: table.column(one.name) for label, one in workspace.beside.items()})
    return _assembled(engine, workspace, table.drop_columns(list(beside)), labels, features, counts, numbers)


def orders(columns: Mapping[str, pa.ChunkedArray]) -> dict[str, Floats]:
    """Return numbers to rank by, without those that have one value only (or none): they put nobody before another.

    >>> list(orders({"CVSS": pa.chunked_array([[9.8, 5.0]]), "votes": pa.chunked_array([[0.0, 0.0]])}))
    ['CVSS']
    """
    found = {label: missing_last(column) for label, column in columns.items()}
    return {label: values for label, values in found.items() if len(values) and np.ptp(values) > 0}


def missing_last(column: pa.ChunkedArray) -> Floats:
    """Return numbers to rank by, the highest first; those that are missing lie below all others.

    >>> missing_last(pa.chunked_array([[3.0, None, -1.0]])).tolist()
    [3.0, -2.0, -1.0]
    """
    values = column.cast(pa.float64()).to_numpy()
    known = values[~np.isnan(values)]
    found: Floats = np.where(np.isnan(values), known.min() - 1 if len(known) else 0.0, values)
    return found


def _known(candidate: Candidate, features: dict[str, ResolvedFeature]) -> bool:
    return candidate.spec is None or candidate.name in features


def resolve_candidates(workspace: ResolvedWorkspace, found: Sequence[Candidate]) -> dict[str, ResolvedFeature]:
    """Type the candidates' features; one whose making has a fault (a value that no condition can hold) is left out."""
    findings = Findings(Marks("candidates"))
    known = TypedFeatures(workspace.features, frozenset())
    specs = feature_specs(found)
    typed = type_features(specs, workspace.catalog, findings, known=known)
    return {name: feature for name, feature in typed.features.items() if name in specs}


# ------------------------------------------------------------------------------------------------------ the moments


@contextmanager
def moments(
    engine: Engine,
    workspace: ResolvedWorkspace,
    until: datetime,
    *,
    most_rows: int = MOST_ROWS,
    unsettled: bool = False,
) -> Iterator[Counts]:
    """Make the table of settled (lead, as_of) rows with their labels, and drop it afterwards.

    With `unsettled` the rows that are too young to know stay in, marked by the column `settled`.
    """
    outcome = rules(engine, workspace)
    if not engine.rows("SELECT 1 FROM outcomes LIMIT 1"):
        raise NotFoundError("there are no outcomes to learn from", fix=SAY_WHAT_A_WIN_IS)
    try:
        drawn = _make_pairs(engine, workspace, outcome, until)
        taken = 0 if outcome.dated else _take_as_lost(engine)
        if (floor := complete_since(engine)) is not None:  # before it features would lack events
            engine.execute(fill("DELETE FROM {pairs} WHERE as_of < ?", pairs=PAIRS), [floor])
        counts = replace(_counted(engine, outcome, until), share=drawn, taken_as_lost=taken)
        if not unsettled:
            engine.execute(fill("DELETE FROM {pairs} WHERE NOT settled", pairs=PAIRS))
        yield _thinned(engine, counts, most_rows)
    finally:
        engine.execute(fill("DROP TABLE IF EXISTS {pairs}", pairs=PAIRS))


def _make_pairs(engine: Engine, workspace: ResolvedWorkspace, outcome: Rules, until: datetime) -> float:
    """Make the table of moments with their labels; return the share of leads that was drawn for it."""
    spec = workspace.spec.outcome
    assert spec is not None  # rules() raises without one
    if not outcome.dated:
        may_be_yet = workspace.lose is None and any(source.created_at for source in workspace.spec.sources.values())
        engine.execute(_undated_sql(outcome), [not may_be_yet, spec.horizon, until, until])
        return 1.0
    every, labels = workspace.spec.learn.grid, [until, spec.horizon, until, spec.horizon]
    if every is None:
        engine.execute(_pairs_sql(outcome, _at_ages(workspace)), labels)
        return 1.0
    grid = grid_of(engine, every, until=until, horizon=spec.horizon)
    drawn = min(1.0, MOST_LOOKS / max(grid.looks, 1))
    looked_at = grid.moments(drawn=drawn)
    if workspace.spec.learn.ages:
        ages = fill("SELECT * FROM ({ages}) l", ages=_at_ages(workspace))
        looked_at = fill(
            "{grid} UNION {ages} WHERE {drawn}", grid=looked_at, ages=ages, drawn=drawn_leads("lead", drawn)
        )
    engine.execute(_pairs_sql(outcome, looked_at), [*grid.parameters, *labels])
    return drawn


def _take_as_lost(engine: Engine) -> int:
    """Where most rows are too young to know, take them as they stand; return how many of these were not won.

    A file of a few weeks would have nothing else to learn from.
    """
    young, lost, rows = engine.rows(
        fill(
            "SELECT count(*) FILTER (WHERE NOT settled), count(*) FILTER (WHERE NOT settled AND NOT won), count(*) "
            "FROM {pairs}",
            pairs=PAIRS,
        )
    )[0]
    if 2 * young <= rows:
        return 0
    engine.execute(fill("UPDATE {pairs} SET settled = true", pairs=PAIRS))
    return int(lost)


def _undated_sql(outcome: Rules) -> Sql:
    """Return the statement that makes the table of creations, where outcomes came some time after.

    Its parameters say whether all outcomes are known for good, the horizon, and twice the moment of learning.
    """
    return fill(
        "CREATE OR REPLACE TEMP TABLE {pairs} AS SELECT l.lead, l.created_at AS as_of, l.created_at, "
        "bool_or({won}) AS won, {brought}(o.value) FILTER (WHERE {won}) AS worth, NULL::TIMESTAMP AS won_at, "
        "(? OR l.created_at + ? <= ?) AS settled "
        "FROM leads l JOIN outcomes o ON o.lead = l.lead WHERE l.created_at <= ? GROUP BY ALL",
        pairs=PAIRS,
        won=outcome.won,
        brought=outcome.brought,
    )


def _at_ages(workspace: ResolvedWorkspace) -> Sql:
    """Return the query of (lead, created_at, as_of) at creation and some time after."""
    steps = joined(Sql(f"({age // timedelta(microseconds=1)})") for age in sorted(set(workspace.spec.learn.ages)))
    return fill(
        "SELECT l.lead, l.created_at, l.created_at + to_microseconds(s.step) AS as_of FROM leads l "
        "CROSS JOIN (VALUES {steps}) AS s(step)",
        steps=steps,
    )


def _pairs_sql(outcome: Rules, looked_at: Sql) -> Sql:
    """Return the statement that makes the table of moments with their labels, of a query (lead, created_at, as_of)."""
    return fill(
        'CREATE OR REPLACE TEMP TABLE {pairs} AS WITH closed AS (SELECT lead, min("at") AS closed_at FROM outcomes o '
        'WHERE "at" IS NOT NULL AND {closing} GROUP BY lead), '
        'undated AS (SELECT DISTINCT lead FROM outcomes o WHERE "at" IS NULL AND ({won} OR {closing})), '
        "p AS (SELECT * FROM ({looked_at}) l ANTI JOIN undated u ON u.lead = l.lead), "
        "q AS (SELECT p.* FROM p LEFT JOIN closed c ON c.lead = p.lead "
        "WHERE p.as_of <= ? AND (c.closed_at IS NULL OR c.closed_at > p.as_of)) "
        "SELECT q.lead, q.as_of, q.created_at, coalesce(bool_or({won}), false) AS won, "
        '{brought}(o.value) FILTER (WHERE {won}) AS worth, min(o."at") FILTER (WHERE {won}) AS won_at, '
        "q.as_of + ? <= ? AS settled "
        'FROM q LEFT JOIN outcomes o ON o.lead = q.lead AND o."at" > q.as_of AND o."at" <= q.as_of + ? GROUP BY ALL',
        pairs=PAIRS,
        closing=outcome.closing,
        looked_at=looked_at,
        won=outcome.won,
        brought=outcome.brought,
    )


def _counted(engine: Engine, outcome: Rules, until: datetime) -> Counts:
    settled = "SELECT count(DISTINCT lead), count(*), count(*) FILTER (WHERE won) FROM {pairs} WHERE settled"
    leads, rows, wins = engine.rows(fill(settled, pairs=PAIRS))[0]
    young = engine.rows(fill("SELECT count(*) FROM {pairs} WHERE NOT settled", pairs=PAIRS))[0][0]
    undated, early, late = engine.rows(
        fill(
            'SELECT count(*) FILTER (WHERE o."at" IS NULL AND {won}), count(*) FILTER (WHERE o."at" < l.created_at), '
            'count(*) FILTER (WHERE o."at" > ?) FROM outcomes o JOIN leads l ON l.lead = o.lead',
            won=outcome.won,
        ),
        [until],
    )[0]
    return Counts(
        leads=int(leads),
        rows=int(rows),
        wins=int(wins),
        too_young=int(young),
        undated=int(undated) if outcome.dated else 0,
        before_creation=int(early),
        in_future=int(late),
        share=1.0,
        born_later=int(engine.rows("SELECT count(*) FROM leads WHERE created_at > ?", [until])[0][0]),
    )


def _thinned(engine: Engine, counts: Counts, most_rows: int) -> Counts:
    """Draw whole leads where there are more rows than can be learned from in reasonable time."""
    if counts.rows <= most_rows:
        return counts
    share = counts.share * most_rows / counts.rows
    engine.execute(fill("DELETE FROM {pairs} WHERE NOT {drawn}", pairs=PAIRS, drawn=drawn_leads("lead", share)))
    leads, rows, wins = engine.rows(
        fill("SELECT count(DISTINCT lead), count(*), count(*) FILTER (WHERE won) FROM {pairs}", pairs=PAIRS)
    )[0]
    return replace(counts, leads=int(leads), rows=int(rows), wins=int(wins), share=share)


# ----------------------------------------------------------------------------------------------------- the columns


def read_features(
    engine: Engine, workspace: ResolvedWorkspace, names: Sequence[str], *, pairs: str = PAIRS
) -> pa.Table:
    """Return the features of each (lead, as_of) row of a table, in the order of moment and lead.

    Columns are double, string or bool; the column `excluded_` says whom the workspace does not score.
    """
    features = dict(workspace.features)
    wanted = [*names]
    if workspace.exclude is not None:
        spec = models.ExprFeature(expr="true")
        features[EXCLUDED] = ResolvedFeature(EXCLUDED, spec, Type.BOOL, workspace.exclude)
        wanted.append(EXCLUDED)
    with_exclusion = workspace.with_features({EXCLUDED: features[EXCLUDED]} if EXCLUDED in features else {})
    statement = feature_statement(with_exclusion, Moment(table=pairs), features=wanted)
    text = Sql(build.to_text(statement, engine.capabilities.dialect))
    table = engine.arrow(fill("SELECT * FROM ({text}) ORDER BY as_of, lead", text=text))
    values = [name for name in wanted if not pa.types.is_timestamp(table.column(name).type)]
    columns = {name: _plain(table.column(name)) for name in values}
    columns.setdefault(EXCLUDED, pa.chunked_array([pa.array(np.zeros(table.num_rows, np.bool_))]))
    return pa.table(columns)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as double, string or bool; a number that is not one (NaN) is missing."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return column
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        numbers = column.cast(pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    return column.cast(pa.string())


def _labels(engine: Engine) -> pa.Table:
    return engine.arrow(
        fill(
            "SELECT lead, as_of, created_at, won, worth, won_at, settled FROM {pairs} ORDER BY as_of, lead", pairs=PAIRS
        )
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows without features: who, when, and what came of it. `time` and `created` are days since 1970."""

    lead: Ints
    as_of: pa.Array = field(repr=False)
    won: Bools
    worth: Floats
    time: Floats
    created: Floats
    settled: Bools
    """Whether the horizon has passed, so that `won` is known."""
    dated: bool
    """Whether the moments differ: else nothing tells the order of leads."""
    won_at: Floats = field(default_factory=lambda: np.empty(0), repr=False)
    """The moment of the first win within the horizon, in days since 1970; NaN where there was none."""

    def take(self, rows: Bools) -> Rows:
        """Return the rows where a mask is true."""
        names = ("lead", "won", "worth", "time", "created", "settled", *(["won_at"] if len(self.won_at) else []))
        arrays = {name: getattr(self, name)[rows] for name in names}
        return replace(self, as_of=self.as_of.filter(pa.array(rows)), **arrays)

    def one_each(self, score: Floats) -> Ints:
        """Return the number of each lead's row with the highest score, the earliest of several."""
        order = np.lexsort((self.time, -score, self.lead))
        first = np.concatenate([[True], self.lead[order][1:] != self.lead[order][:-1]]) if len(order) else order
        return np.sort(order[first])


def past_rows(engine: Engine, workspace: ResolvedWorkspace, until: datetime, *, unsettled: bool = False) -> Rows:
    """Return all rows as of a moment, oldest first. Raises NotFoundError where there are no outcomes."""
    with moments(engine, workspace, until, unsettled=unsettled):
        labels = _labels(engine)
    return Rows(
        labels.column("lead").to_numpy().astype(np.int64),
        labels.column("as_of").combine_chunks(),
        labels.column("won").to_numpy().astype(np.bool_),
        labels.column("worth").cast(pa.float64()).to_numpy(),
        _days(labels.column("as_of")),
        _days(labels.column("created_at")),
        np.array(labels.column("settled").to_pylist(), np.bool_),
        _has_dates(labels),
        _days(labels.column("won_at")),
    )


def texts_at(engine: Engine, workspace: ResolvedWorkspace, name: str, rows: Rows) -> Texts:
    """Return an attribute or feature of rows as text, `(none)` where it is missing.

    Raises NotFoundError for a name that is none.
    """
    known = name_types(workspace)
    if name not in known:
        raise NotFoundError(f"there is no attribute {name!r}: {did_you_mean(name, known)}")
    column = features_at(engine, workspace, [name], rows).column(name)
    return np.array(column.cast(pa.string()).fill_null(NONE).to_pylist(), dtype=np.object_)


def features_at(engine: Engine, workspace: ResolvedWorkspace, names: Sequence[str], rows: Rows) -> pa.Table:
    """Return features of rows, in their order."""
    asked = pa.table({"row": np.arange(len(rows.lead)), "lead": pa.array(rows.lead, pa.int32()), "as_of": rows.as_of})
    engine.register("_rows_asked", asked)
    try:
        engine.execute(fill("CREATE OR REPLACE TEMP TABLE {pairs} AS SELECT lead, as_of FROM _rows_asked", pairs=PAIRS))
        table = read_features(engine, workspace, names)
    finally:
        engine.execute(fill("DROP TABLE IF EXISTS {pairs}", pairs=PAIRS))
        engine.unregister("_rows_asked")
    order = np.lexsort((rows.lead, rows.time))
    return table.take(pa.array(np.argsort(order, kind="stable")))


def _assembled(
    engine: Engine,
    workspace: ResolvedWorkspace,
    table: pa.Table,
    labels: pa.Table,
    features: dict[str, ResolvedFeature],
    counts: Counts,
    beside: Mapping[str, Floats],
) -> Training:
    time, assumptions = _time(workspace, labels, table)
    order = np.argsort(time, kind="stable") if time is not None else np.arange(labels.num_rows)
    outcome = workspace.spec.outcome
    assert outcome is not None  # moments() raises without one
    dated = counts.undated < counts.wins or not counts.wins
    examples = Examples(
        features=table,
        won=labels.column("won").to_numpy().astype(np.bool_),
        time=time,
        lead=labels.column("lead").to_numpy().astype(np.int64),
        worth=labels.column("worth").cast(pa.float64()).to_numpy().copy(),
        horizon=outcome.horizon / timedelta(days=1) if time is not None and _has_dates(labels) and dated else 0.0,
        words=words_of(workspace.spec),
    ).take(order)
    as_of = labels.column("as_of").combine_chunks().take(pa.array(order))
    created = _days(labels.column("created_at"))[order]
    numbers = {label: values[order] for label, values in beside.items()}
    assumed = (*assumptions, *known_since_ever(engine, workspace.spec.entity))
    return Training(examples, as_of, created, features, counts, assumed, numbers)


def _time(workspace: ResolvedWorkspace, labels: pa.Table, table: pa.Table) -> tuple[Floats | None, list[str]]:
    """Return what tells the rows' order: their moments, or the attribute named for it, or nothing."""
    if _has_dates(labels):
        return _days(labels.column("as_of")), []
    order, many = workspace.spec.learn.order, plural(workspace.spec.entity)
    if order is not None and order in table.column_names:
        values = table.column(order).to_numpy()
        return np.where(np.isnan(values), np.nanmin(values), values), [
            f"{many} have no dates: {order} is taken to rise with time"
        ]
    return None, [f"{many} have no dates: quality is judged on a random part, not on the newest"]


def _has_dates(labels: pa.Table) -> bool:
    return labels.num_rows > 0 and len(pc.unique(labels.column("created_at"))) > 1


def _days(column: pa.ChunkedArray) -> Floats:
    micros = column.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    found: Floats = micros / DAY
    return found


def known_since_ever(engine: Engine, entity: str) -> tuple[str, ...]:
    """Say of whom, and of what, only values without a past are known."""
    found = engine.rows(
        "SELECT _source, count(*) FILTER (WHERE since_ever), count(*), bool_and(only_present), "
        "min(read_at) FILTER (WHERE since_ever) FROM (SELECT _source, _key, bool_or(known_at IS NULL) AS since_ever, "
        "bool_and(known_at IS NULL) AS only_present, min(_read_at) FILTER (WHERE known_at IS NULL) AS read_at "
        "FROM observations WHERE NOT list_contains(?::VARCHAR[], _source) GROUP BY 1, 2) GROUP BY 1 ORDER BY 1",
        [list(SPEAKERS)],
    )
    said = [
        f"{source} gives current values only: they are taken as known since each {entity}'s creation"
        if only
        else f"{source} tells what {some:,} of {of:,} {plural(entity)} were only since {read:%Y-%m-%d}, when it was "
        f"first read: what they were then is taken as known since their creation"
        for source, some, of, only, read in found
        if some
    ]
    said += [
        f"{source} keeps no history of {listed(names)}: before they were first read, they are taken to be the same"
        for source, names in undated(engine).items()
    ]
    return tuple(said)


def listed(names: Sequence[str]) -> str:
    """Name some of many.

    >>> listed(list("abcdefghij"))
    'a, b, c, d, e, f, g, h and 2 more'
    """
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
