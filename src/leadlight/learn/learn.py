"""Learn a scorecard from outcomes, judge it by newer ones, and say what came of it."""

from __future__ import annotations

import hashlib
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, did_you_mean
from leadlight.evaluate.fairness import Fairness
from leadlight.evaluate.splits import Split, random_split, split
from leadlight.evaluate.verdict import HeldOut, System, Verdict, judge
from leadlight.learn.black_box import BlackBox, black_box
from leadlight.learn.calibrate import Calibration
from leadlight.learn.candidates import Candidate, candidates
from leadlight.learn.card import learned_card, uses
from leadlight.learn.chosen import choose_features
from leadlight.learn.crossed import curve_before, curve_of_all, newest_rows, points, split_again
from leadlight.learn.examples import Examples, Floats, Ints
from leadlight.learn.fit import FitSettings, Fitted, fit
from leadlight.learn.groups import compare_groups
from leadlight.learn.leakage import LeakageReport, find_leaks
from leadlight.learn.level import Level, Young, level_since
from leadlight.learn.points import tables_to_groups
from leadlight.learn.training import DAY, EXCLUDED, Counts, Rows, Training, features_at, past_rows, training
from leadlight.learn.uncounted import check_enough, not_counted, unseen_values, without_values
from leadlight.learn.words import choose_words
from leadlight.learn.worth import learn_worth
from leadlight.scorecards.scores_at import scores_at
from leadlight.spec import models
from leadlight.spec.words import USUAL, Words, words_of

if TYPE_CHECKING:
    from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

DOUBLE_ODDS = 20.0
POINTS = DOUBLE_ODDS / np.log(2.0)
FARTHEST = 200.0
"""Points from even odds up to which a chance without calibration is told; beyond lies less than one in a thousand."""

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned, what it was learned from, what was left out, and whether it is any good."""

    entity: str
    spec: models.ScorecardSpec = field(repr=False)
    counts: Counts
    leaks: LeakageReport = field(repr=False)
    verdict: Verdict = field(repr=False)
    assumptions: tuple[str, ...]
    notes: tuple[str, ...]
    since: datetime | None
    until: datetime
    seconds: float
    title: Mapping[str, str] = field(repr=False, default_factory=dict)
    words: Words = field(default=USUAL, repr=False, compare=False)
    fairness: tuple[Fairness, ...] = ()
    """For each protected attribute, how its groups are chosen and won, on the rows it was judged by."""

    @property
    def publishable(self) -> bool:
        """Whether it passed the gate: better out of time, and calibrated."""
        return self.verdict.publishable

    @property
    def criteria(self) -> list[models.Criterion]:
        """All criteria, in the order of the file."""
        return [criterion for group in self.spec.groups.values() for criterion in group.criteria]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values; the scorecard stands in its file."""
        return {
            "entity": self.entity,
            "since": None if self.since is None else self.since.isoformat() + "Z",
            "until": self.until.isoformat() + "Z",
            "counts": self.counts.as_dict(),
            "criteria": [criterion.name for criterion in self.criteria],
            "leaks": self.leaks.as_dict(),
            "verdict": self.verdict.as_dict(),
            "fairness": [item.as_dict() for item in self.fairness],
            "publishable": self.publishable,
            "assumptions": list(self.assumptions),
            "notes": list(self.notes),
            "scorecard": self.spec.model_dump(mode="json", exclude_defaults=True),
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        counts = self.counts
        lines = [
            f"Learned {len(self.criteria)} criteria from {counts.rows:,} rows of {counts.leads:,} "
            f"{self.words.entities}, {counts.wins:,} of them {self.words.won} within the horizon, in "
            f"{self.seconds:.0f} s."
        ]
        lines += [str(self.verdict), *map(str, self.fairness), str(self.leaks), *self.assumptions, *self.notes]
        return "\n".join(lines)


def learn(
    engine: Engine,
    workspace: ResolvedWorkspace,
    until: datetime,
    *,
    today: ResolvedScorecard | None = None,
    label: str = "the workspace",
    keep: Sequence[str] = (),
    seed: int = 1,
    step: Step = lambda _: None,
) -> Learned:
    """Learn a scorecard of leads from what was known at a moment.

    `today` is the scorecard in use, to be held against; `keep` puts back features that look like leaks; `step` hears
    what is going on. Raises NotFoundError where there is nothing to learn from, TooFewOutcomes where wins are too few.
    """
    began = clock.monotonic()
    step("looking at what was known then")
    found = candidates(engine, workspace)
    table = training(engine, workspace, found, until)
    outcome = workspace.spec.outcome
    check_enough(table, *_older_parts(table.examples), repeats=outcome is not None and outcome.repeats)
    step("looking for fields that know the outcome")
    leaks = _leaks(workspace, found, table, keep=_kept(workspace, keep, table), seed=seed)
    kept = _valued(table.examples, leaks.kept)
    empty = [name for name in leaks.kept if name not in kept]
    settings = _settings(workspace, found, kept, seed)
    step("learning from the older part, to judge by the newer")
    judged = _judge(engine, workspace, table, kept, settings, today=today, label=label)
    step("learning from everything")
    examples, settings = table.examples.select(judged.features), _among(settings, judged.features)
    fitted = fit(examples, settings)
    calibration, scores = curve_of_all(
        examples, judged.older, judged.newest, judged.scores, fitted.tables, settings, seed=seed
    )
    judged = replace(judged, calibration=calibration, scores=scores)
    level = _level(engine, workspace, table, fitted, judged, until)
    if level is not None:
        judged = replace(judged, calibration=level.applied(judged.calibration))
    spec = _card(workspace, found, table, fitted, judged, level, leaks, until, seed)
    return Learned(
        entity=workspace.spec.entity,
        spec=spec,
        counts=table.counts,
        leaks=leaks,
        verdict=judged.verdict,
        assumptions=table.assumptions,
        notes=(*judged.notes, *without_values(empty), *_notes(table.counts, fitted, level, words_of(workspace.spec))),
        since=_moment(examples.time.min()) if examples.time is not None and examples.horizon else None,
        until=until,
        seconds=clock.monotonic() - began,
        title={item.name: item.title for item in found},
        words=words_of(workspace.spec),
        fairness=judged.fairness,
    )


def bare_card(
    engine: Engine, workspace: ResolvedWorkspace, found: Sequence[Candidate], until: datetime, *, seed: int = 1
) -> models.ScorecardSpec:
    """Learn points, and what a win brings, from what was known at a moment: no judgement, no calibration.

    Where worth is known, the chance is what the points themselves say, so that it ranks by expected value as the
    scorecards that `learn` publishes do. Raises NotFoundError where there is nothing to learn from, TooFewOutcomes
    where wins are too few.
    """
    table = training(engine, workspace, found, until)
    kept = _valued(table.examples, _leaks(workspace, found, table, seed=seed).kept)
    settings, examples = _settings(workspace, found, kept, seed), table.examples.select(kept)
    chosen = examples.select(_chosen(examples, settings))
    base, criteria = tables_to_groups(fit(chosen, _among(settings, chosen.names)).tables, double_odds=DOUBLE_ODDS)
    worth = learn_worth(chosen)
    used = {name for criterion in criteria for name in uses(criterion)}
    used |= {factor.feature for factor in (worth.criteria if worth is not None else [])}
    own = {name: feature.spec for name, feature in table.features.items() if name in used}
    groups = {"learned": models.GroupSpec(criteria=list(criteria))}
    chance = None if worth is None else _as_the_points_say()
    return models.ScorecardSpec(features=own, base=base, groups=groups, worth=worth, calibration=chance)


def _as_the_points_say() -> models.CalibrationSpec:
    """Return the chance that points say without any calibration: so many double the odds."""
    score = np.arange(-FARTHEST, FARTHEST + 1, 5.0)
    return models.CalibrationSpec(score=score.tolist(), probability=(1 / (1 + 2 ** (-score / DOUBLE_ODDS))).tolist())


def _valued(examples: Examples, names: Sequence[str]) -> list[str]:
    """Return the features that have a value at all: a playbook knows more columns than a file has."""
    return [name for name in names if examples.features.column(name).null_count < len(examples)]


def _kept(workspace: ResolvedWorkspace, keep: Sequence[str], table: Training) -> list[str]:
    """Return the features to put back. Raises NotFoundError for one that is none."""
    named = [*workspace.spec.learn.keep, *keep]
    known = table.examples.names
    for name in named:
        if name not in known:
            raise NotFoundError(f"there is no feature {name!r} to keep: {did_you_mean(name, known)}")
    return named


def _leaks(
    workspace: ResolvedWorkspace, found: Sequence[Candidate], table: Training, *, keep: Sequence[str] = (), seed: int
) -> LeakageReport:
    return find_leaks(
        table.examples, keep=keep, current=_current(found, table), honest=_ages(workspace, found), seed=seed
    )


def _ages(workspace: ResolvedWorkspace, found: Sequence[Candidate]) -> set[str]:
    """Return the features that say how long a lead has been known: where leads never close, that tells most of all."""
    specs = {name: feature.spec for name, feature in workspace.features.items()}
    specs |= {item.name: item.spec for item in found if item.spec is not None}
    return {name for name, spec in specs.items() if isinstance(spec, models.AgeFeature) and spec.age == "created_at"}


def _current(found: Sequence[Candidate], table: Training) -> set[str] | None:
    """Return the features that show today's values whatever the moment: those of flat files."""
    if not table.assumptions:
        return set()
    flat = (models.AttributeFeature, models.ExprFeature, models.AgeFeature, models.UntilFeature, models.AfterFeature)
    return {item.name for item in found if item.spec is None or isinstance(item.spec, flat)} & set(table.examples.names)


def _settings(workspace: ResolvedWorkspace, found: Sequence[Candidate], names: Sequence[str], seed: int) -> FitSettings:
    words = frozenset(item.name for item in found if item.word)
    return _among(FitSettings(seed=seed, monotone=workspace.spec.learn.monotone, faint=words), names)


def _among(settings: FitSettings, names: Sequence[str]) -> FitSettings:
    """Return the settings without what they say of other features."""
    return replace(settings, monotone={name: way for name, way in settings.monotone.items() if name in names})


# ---------------------------------------------------------------------------------------------------------- judging


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the newer part said of what was learned from the older.

    `older` are the rows learned from, `newest` those judged by, `scores` theirs, and `calibration` what these were said
    to mean.
    """

    verdict: Verdict
    features: list[str]
    older: Ints
    newest: Ints
    calibration: Calibration
    scores: Floats
    fairness: tuple[Fairness, ...]
    notes: tuple[str, ...]
    """What is to be said of the rows judged by, as sentences: who has learned from them, which values are new."""


def _judge(
    engine: Engine,
    workspace: ResolvedWorkspace,
    table: Training,
    names: list[str],
    settings: FitSettings,
    *,
    today: ResolvedScorecard | None,
    label: str,
) -> _Judged:
    """Learn from the older part, say probabilities by a calibration older than what is judged, and judge."""
    examples = table.examples.select(names)
    outer = _split(examples)
    train, test = examples.take(outer.train), examples.take(outer.test)
    box = black_box(train, seed=settings.seed)
    features = _chosen(train, settings)
    train, test = train.select(features), test.select(features)
    settings = _among(settings, features)
    fitted = fit(train, settings)
    scores = points(fitted.tables, test)
    inner = split_again(train)
    known = curve_before(train, inner.train, inner.test, fitted.tables, settings)
    taught = today is not None and _has_learned_from(today, test)
    held = HeldOut(
        won=test.won,
        base_rate=float(train.won[newest_rows(train)].mean()),
        lead=test.lead,
        time=test.time if examples.horizon else None,
        arrived=_arrival(table, examples)[outer.test] if outer.timed else None,
        timed=outer.timed,
        label=label,
        words=words_of(workspace.spec),
        capacity=workspace.spec.learn.capacity,
    )
    verdict = judge(
        held,
        System("learned", scores, known.probabilities(scores)),
        today=_today(engine, workspace, None if taught else today, test.lead, table.as_of.take(pa.array(outer.test))),
        black_box=None if box is None else _as_system(box, examples.take(outer.test).features),
        others=[System(label, values[outer.test]) for label, values in table.beside.items()],
        seed=settings.seed,
    )
    groups = compare_groups(
        engine, workspace.with_features(table.features), _rows(table, outer.test), scores, features=features,
        probability=known.probabilities(scores),
    )  # fmt: skip
    notes = unseen_values(train, test)
    if taught and today is not None:
        notes += (f"{today.name} has learned from the rows judged by, so it is not held against them",)
    return _Judged(verdict, features, outer.train, outer.test, known, scores, groups, notes)


def _has_learned_from(card: ResolvedScorecard, test: Examples) -> bool:
    """Whether a card has learned from rows to judge by: they were settled when it was learned."""
    until = (card.spec.learned or {}).get("to")
    if until is None:
        return False
    dated = test.time is not None and test.horizon > 0
    return not dated or test.time is None or _date(test.time.min() + test.horizon) <= str(until)


def _rows(table: Training, place: Ints) -> Rows:
    """Return some rows of the training table without their features."""
    examples, as_of = table.examples.take(place), table.as_of.take(pa.array(place))
    time: Floats = as_of.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(zero_copy_only=False) / DAY
    settled = np.ones(len(examples), np.bool_)
    return Rows(
        examples.lead, as_of, examples.won, examples.worth, time, table.created[place], settled, bool(np.ptp(time) > 0)
    )


def _arrival(table: Training, examples: Examples) -> Floats:
    """Return what tells which lead came first: its creation, or what stands for it where there are no dates."""
    return table.created if np.ptp(table.created) > 0 or examples.time is None else examples.time


def _as_system(box: BlackBox, features: pa.Table) -> System:
    found = box.probability(features)
    return System("black box", found, found)


def _split(examples: Examples) -> Split:
    """Split in time; at random by lead, which the verdict then says, where the older part has too few wins."""
    found = split(examples.won, time=examples.time, horizon=examples.horizon, lead=examples.lead)
    return found if found.enough else random_split(examples.won, lead=examples.lead)


def _older_parts(examples: Examples) -> tuple[Ints, Ints]:
    """Return the rows that the card to be judged is learned from, and those that the one calibrated on them is."""
    older = _split(examples).train
    return older, older[split_again(examples.take(older)).train]


def _chosen(examples: Examples, settings: FitSettings) -> list[str]:
    """Return the features that help most; words of texts are chosen beside them, in another way."""
    others = [name for name in examples.names if name not in settings.faint]
    best = {*choose_features(examples, others, settings), *choose_words(examples, settings.faint)}
    return [name for name in examples.names if name in best]


def _today(
    engine: Engine,
    workspace: ResolvedWorkspace,
    card: ResolvedScorecard | None,
    lead: Ints,
    as_of: pa.Array,
) -> System | None:
    if card is None or card.spec.of != "lead":
        return None
    found = scores_at(engine, workspace, card, lead, as_of)
    return System("today", np.nan_to_num(found.score), found.probability)


# -------------------------------------------------------------------------------------------------------- the level


def _level(
    engine: Engine,
    workspace: ResolvedWorkspace,
    table: Training,
    fitted: Fitted,
    judged: _Judged,
    until: datetime,
) -> Level | None:
    """Compare what has come of the rows too young to learn from with what is said of them; None where nothing has."""
    rows = past_rows(engine, workspace, until, unsettled=True)
    known_until = engine.rows('SELECT epoch_us(max("at")) FROM outcomes WHERE "at" <= ?', [until])[0][0]
    if known_until is None or not rows.dated:
        return None
    young = rows.take(~rows.settled & (rows.time < known_until / DAY))
    if not len(young.lead):
        return None
    known = workspace.with_features(table.features)
    features = features_at(engine, known, judged.features, young)
    asked = ~np.array(features.column(EXCLUDED).fill_null(False).to_pylist(), np.bool_)
    probability = judged.calibration.probabilities(fitted.tables.log_odds(features) * POINTS)
    settled = rows.take(rows.settled & rows.won)
    return level_since(
        Young(young.lead[asked], (known_until / DAY - young.time)[asked], probability[asked], young.won[asked]),
        settled.won_at - settled.time,
        spread=judged.calibration.period_spread,
    )


# --------------------------------------------------------------------------------------------------------- the card


def _card(
    workspace: ResolvedWorkspace,
    found: Sequence[Candidate],
    table: Training,
    fitted: Fitted,
    judged: _Judged,
    level: Level | None,
    leaks: LeakageReport,
    until: datetime,
    seed: int,
) -> models.ScorecardSpec:
    base, criteria = tables_to_groups(fitted.tables, double_odds=DOUBLE_ODDS)
    own = {name: feature.spec for name, feature in table.features.items()}
    card = learned_card(
        base,
        criteria,
        features=own,
        known=workspace.spec.features,
        titles={item.name: item.title for item in found},
        calibration=judged.calibration,
        scores=judged.scores,
        worth=learn_worth(table.examples.select(judged.features)),
        learned=_provenance(table, judged, level, leaks, until, seed),
        double_odds=DOUBLE_ODDS,
    )
    return card.model_copy(update={"outcome": workspace.outcome_name})


def _provenance(
    table: Training, judged: _Judged, level: Level | None, leaks: LeakageReport, until: datetime, seed: int
) -> dict[str, Any]:
    """Say where the numbers come from, in the few lines that stand in the file."""
    verdict, examples = judged.verdict, table.examples
    auc, loss = verdict.metrics.auc, verdict.metrics.log_loss
    dated = examples.time is not None and examples.horizon > 0
    return {
        "from": _date(examples.time.min()) if dated and examples.time is not None else None,
        "to": f"{until:%Y-%m-%d}",
        "leads": table.counts.leads,
        "rows": table.counts.rows,
        "wins": table.counts.wins,
        "data": _fingerprint(table),
        "seed": seed,
        "evaluation": {
            "rows": verdict.n,
            "wins": verdict.wins,
            "in_time": verdict.timed,
            "from": _date(verdict.since) if dated and verdict.since is not None else None,
            "to": _date(verdict.until) if dated and verdict.until is not None else None,
            "auc": None if auc is None else [round(auc.value, 4), round(auc.low, 4), round(auc.high, 4)],
            "log_loss": None if loss is None else round(loss.value, 4),
            "publishable": verdict.publishable,
            "against": list(verdict.against),
        },
        "since_then": None if level is None else level.as_dict(),
        "left_out": {item.feature: f"{item.level}: {item.evidence}" for item in leaks.findings if item.left_out},
        "assumed": list(table.assumptions),
    }


def _fingerprint(table: Training) -> str:
    """Return 12 hex digits of a hash over everything that was learned from."""
    digest = hashlib.sha256()
    examples = table.examples
    for array in (examples.won, examples.lead, np.nan_to_num(examples.worth)):
        digest.update(np.ascontiguousarray(array).tobytes())
    for name in examples.names:
        digest.update(name.encode())
        for chunk in examples.features.column(name).combine_chunks().buffers():
            digest.update(memoryview(chunk) if chunk is not None else b"-")
    return digest.hexdigest()[:12]


def _notes(counts: Counts, fitted: Fitted, level: Level | None, said: Words) -> tuple[str, ...]:
    notes = [*fitted.warnings]
    if level is not None:
        notes.append(
            f"of the rows too young to know, {level.came:,} {said.entities} are {said.won} by now where "
            f"{level.expected:,.0f} were to be expected: the odds said are multiplied by {np.exp(level.shift):.2f}"
        )
    notes += not_counted(counts, said)
    if counts.share < 1:
        notes.append(f"{counts.share:.0%} of the {said.entities} were drawn to learn from, the same every time")
    return tuple(notes)


def _moment(days: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=float(days))


def _date(days: float) -> str:
    return f"{_moment(days):%Y-%m-%d}"
