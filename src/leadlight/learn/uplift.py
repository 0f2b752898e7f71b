"""Learn who is moved by a treatment, not who is won: a scorecard from a randomised campaign.

The campaign's arms stand in the outcome's `treatment`. Each lead is looked at once, on its arrival, since what is known
later may be the treatment's doing. The treatment itself is never a feature. A scorecard's points are wins more per 100
treated (or per 1,000 or 10,000 where effects are small), so its score reads as the uplift itself.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.evaluate.balance import balance
from leadlight.evaluate.bootstrap import leads_of
from leadlight.evaluate.splits import MIN_WINS, Split, random_split
from leadlight.evaluate.uplift import (
    RESPONSE,
    TWO_BOXES,
    Campaign,
    CampaignFigures,
    UpliftVerdict,
    judge_uplift,
    promises,
    uplift_draws,
)
from leadlight.learn.black_box import black_box
from leadlight.learn.candidates import Candidate, candidates
from leadlight.learn.card import effect_card
from leadlight.learn.drafts import Placed, draft, publish
from leadlight.learn.effects import Effects, Trial, expected_outcomes, fit_effects
from leadlight.learn.examples import Bools, Examples, Floats
from leadlight.learn.fit import FitSettings
from leadlight.learn.leakage import LeakageReport, find_leaks
from leadlight.learn.points import tables_to_groups
from leadlight.learn.run import check_name
from leadlight.learn.tables import Tables
from leadlight.learn.training import Counts, Training, training
from leadlight.learn.worth import learn_worth
from leadlight.learn.write import scorecard_text
from leadlight.scorecards.scores_at import scores_at
from leadlight.spec import models
from leadlight.spec.entity import plural
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import USUAL, Words, words_of

TREATED, CONTROL = "arm_treated_", "arm_control_"
UPLIFT = "uplift"
HELD_OUT = 0.5
"""The share judged by: differences of differences need many rows."""
SLOPE_BELIEF = 0.3
"""How far, before looking, what comes may be from what is said, as a share of it (standard deviation)."""
Z = 1.6448536269514722
PER = (100.0, 1_000.0, 10_000.0)
WORTH_A_POINT = 1.0
SAY_WHO = "outcome: {win: …, treatment: {treated: \"segment = 'Mailed'\"}}"
NOT_BY_LATER = "it was not judged by a later campaign, so nothing says that it lasts"

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LearnedUplift:
    """An uplift scorecard, what it was learned from, and whether it is any good."""

    entity: str
    spec: models.ScorecardSpec = field(repr=False)
    counts: Counts
    neither: int
    """Rows of neither arm: left out."""
    leaks: LeakageReport = field(repr=False)
    verdict: UpliftVerdict = field(repr=False)
    effect: float
    """The treatment's effect over everybody."""
    per: float
    """A point is one win more per so many treated."""
    kept: Mapping[str, float]
    """Feature → the share of its effect that held on leads it was not learned from."""
    notes: tuple[str, ...]
    until: datetime
    seconds: float
    words: Words = USUAL

    @property
    def publishable(self) -> bool:
        """Whether nothing speaks against using it."""
        return self.verdict.publishable

    @property
    def criteria(self) -> list[models.Criterion]:
        """All criteria, in the order of the file."""
        return [criterion for group in self.spec.groups.values() for criterion in group.criteria]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values; the scorecard stands in its file."""
        return {
            "entity": self.entity,
            "until": self.until.isoformat() + "Z",
            "counts": {**self.counts.as_dict(), "neither": self.neither},
            "criteria": [criterion.name for criterion in self.criteria],
            "effect": self.effect,
            "points_per": self.per,
            "kept": dict(self.kept),
            "leaks": self.leaks.as_dict(),
            "verdict": self.verdict.as_dict(),
            "publishable": self.publishable,
            "notes": list(self.notes),
            "scorecard": self.spec.model_dump(mode="json", exclude_defaults=True),
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        head = (
            f"Learned {len(self.criteria)} criteria of who is moved, from {self.counts.rows:,} rows of "
            f"{self.counts.leads:,} {plural(self.entity)}, in {self.seconds:.0f} s. A point is one more "
            f"{self.words.win} per {self.per:,.0f} treated."
        )
        return "\n".join([head, str(self.verdict), str(self.leaks), *self.notes])


def learn_uplift(
    engine: Engine,
    workspace: ResolvedWorkspace,
    until: datetime,
    *,
    keep: Sequence[str] = (),
    seed: int = 1,
    step: Step = lambda _: None,
) -> LearnedUplift:
    """Learn who is moved by the treatment, from what was known at a moment.

    Raises NotFoundError where the outcome names no treatment or an arm is empty, TooFewOutcomes where an arm has too
    few wins.
    """
    began = clock.monotonic()
    step("looking at what was known on arrival")
    found = candidates(engine, workspace)
    table = training(engine, _on_arrival(workspace), [*found, *_arms(workspace)], until)
    trial, neither = _trial(workspace, table)
    step("looking for fields that know the outcome")
    leaks = find_leaks(trial.examples, keep=[*workspace.spec.learn.keep, *keep], seed=seed)
    trial = trial.select(list(leaks.kept))
    settings = FitSettings(seed=seed)
    step("learning from one half, to judge by the other")
    judged = _judge(workspace, trial, settings)
    step("learning from everything")
    effects = fit_effects(trial, expected_outcomes(trial, settings)[0], settings)
    per = _per(effects, trial.examples)
    spec = _card(workspace, found, table, trial, effects, judged, leaks, until, per, seed)
    return LearnedUplift(
        workspace.spec.entity, spec, _counts(table.counts, trial), neither, leaks, judged.verdict, effects.mean, per,
        effects.kept, _notes(workspace, neither, judged), until, clock.monotonic() - began, words_of(workspace.spec),
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------- the campaign


def treatment_of(workspace: ResolvedWorkspace) -> models.TreatmentSpec:
    """Return the treatment of the workspace's outcome. Raises NotFoundError where it names none."""
    outcome = workspace.spec.outcome
    if outcome is None or outcome.treatment is None:
        raise NotFoundError("the outcome names no treatment, so nobody can be moved by it", fix=f"Say who: {SAY_WHO}.")
    return outcome.treatment


def _on_arrival(workspace: ResolvedWorkspace) -> ResolvedWorkspace:
    """Return the workspace with leads looked at on their arrival only."""
    learn = workspace.spec.learn.model_copy(update={"moments": [], "every": None})
    return replace(workspace, spec=workspace.spec.model_copy(update={"learn": learn}))


def _arms(workspace: ResolvedWorkspace) -> list[Candidate]:
    """Return the two arms as yes or no features; without `control`, who is not treated is held back."""
    treatment = treatment_of(workspace)
    control = treatment.control if treatment.control is not None else f"NOT ({treatment.treated})"
    return [
        Candidate(TREATED, "treated", models.ExprFeature(expr=treatment.treated)),
        Candidate(CONTROL, "control", models.ExprFeature(expr=control)),
    ]


def _trial(workspace: ResolvedWorkspace, table: Training) -> tuple[Trial, int]:
    """Return the rows of the two arms, and how many are of neither (or of both)."""
    features = table.examples.features
    treated, control = (_true(features, name) for name in (TREATED, CONTROL))
    one = treated ^ control
    if not (treated & one).any() or not (control & one).any():
        names = treatment_of(workspace)
        empty = names.treated if not (treated & one).any() else names.control or "not treated"
        raise NotFoundError(
            f"nobody with a settled outcome satisfies {empty!r}: there is nothing to compare",
            fix=f"Look at the values, then say who was treated and who was held back: {SAY_WHO}.",
        )
    examples = table.examples.select([name for name in features.column_names if name not in (TREATED, CONTROL)])
    arm = treated[one]
    share = treatment_of(workspace).share or float(arm.mean())
    return Trial(examples.take(one), arm, share), int((~one).sum())


def _true(features: pa.Table, name: str) -> Bools:
    return np.asarray(pc.fill_null(features.column(name), False).to_numpy(zero_copy_only=False), np.bool_)


def campaign_figures(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    until: datetime,
    *,
    since: float = -np.inf,
    seed: int = 0,
) -> CampaignFigures | None:
    """Say what ranking by any scorecard would have been worth to the campaign, by leads that came from `since` on.

    None where the outcome names no treatment, or nobody of an arm is settled.
    """
    if workspace.spec.outcome is None or workspace.spec.outcome.treatment is None or scorecard.spec.of != "lead":
        return None
    table = training(engine, _on_arrival(workspace), _arms(workspace), until)
    treated, control = (_true(table.examples.features, name) for name in (TREATED, CONTROL))
    found = scores_at(engine, workspace, scorecard, table.examples.lead, table.as_of)
    rows = (treated ^ control) & found.scored & (table.created >= since)
    if not (rows & treated).any() or not (rows & control).any():
        return None
    words = words_of(workspace.spec)
    campaign = Campaign(table.examples.won[rows], treated[rows], table.examples.lead[rows], words)
    figures = uplift_draws(found.score[rows], campaign, seed=seed).figures()
    said = None if found.uplift is None else promises(found.uplift[rows], campaign)
    return CampaignFigures(campaign.arms, figures, said or ())


# ---------------------------------------------------------------------------------------------------------- judging


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the held-out half said."""

    verdict: UpliftVerdict
    effect: models.EffectSpec
    said: Floats
    split: Split
    slope: float


def _judge(workspace: ResolvedWorkspace, trial: Trial, settings: FitSettings) -> _Judged:
    """Learn from one half, hold it against the other, and read the effect at each score from there."""
    parts = _split(trial.examples, settings.seed)
    train, test = trial.take(parts.train), trial.take(parts.test)
    expected, response = expected_outcomes(train, settings)
    effects = fit_effects(train, expected, settings)
    said = effects.values(test.examples.features)
    chance = _together(response, test.examples.features)
    others = {RESPONSE: chance, **_boxes(train, test, settings.seed)}
    verdict = judge_uplift(
        Campaign(test.examples.won, test.treated, test.examples.lead, words_of(workspace.spec)),
        said,
        said,
        balance=balance(trial.examples.features, trial.treated, meant=treatment_of(workspace).share),
        others=others,
        timed=parts.timed,
        label="the campaign",
        seed=settings.seed,
    )
    effect, slope = read_effect(said, test, 1 / (1 + np.exp(-chance)))
    return _Judged(verdict, effect, said, parts, slope)


def _split(examples: Examples, seed: int) -> Split:
    """Hold out the newest half where leads came at different times, else a half at random."""
    if examples.time is not None and np.ptp(examples.time) > 0:
        found = _later(examples, examples.time)
        if found.enough:
            return found
    return random_split(examples.won, lead=examples.lead, share=HELD_OUT, seed=seed)


def _later(examples: Examples, time: Floats) -> Split:
    """Hold out the mailings from a moment on, about half of the rows; learn from what was settled when it came.

    The moments are few, mailings say, so the cut lies right before one of them.
    """
    moments = np.unique(time)[1:]
    after = 1 - np.searchsorted(np.sort(time), moments) / len(time)
    begin = float(moments[np.argmin(np.abs(after - HELD_OUT))])
    train, test = np.flatnonzero(time + examples.horizon <= begin), np.flatnonzero(time >= begin)
    before, since = int(examples.won[train].sum()), int(examples.won[test].sum())
    fewest = min(before, since, len(train) - before, len(test) - since)
    return Split(
        train,
        test,
        timed=True,
        cut=begin,
        until=float(time.max()),
        train_wins=before,
        test_wins=since,
        unsettled=len(time) - len(train) - len(test),
        enough=fewest >= MIN_WINS,
    )


def _together(response: Sequence[Tables], features: pa.Table) -> Floats:
    found: Floats = np.mean([tables.log_odds(features) for tables in response], axis=0)
    return found


def _boxes(train: Trial, test: Trial, seed: int) -> dict[str, Floats]:
    """Return the difference of two black boxes, one of each arm; nothing where wins are too few for them."""
    boxes = [black_box(train.examples.take(rows), seed=seed) for rows in (train.treated, ~train.treated)]
    if boxes[0] is None or boxes[1] is None:
        return {}
    features = test.examples.features
    return {TWO_BOXES: boxes[0].probability(features) - boxes[1].probability(features)}


def read_effect(said: Floats, test: Trial, expected: Floats) -> tuple[models.EffectSpec, float]:
    """Return the uplift at each score as it came on rows not learned from: a straight line, with its 90 % interval.

    The line's slope is drawn towards 1 (what is said is what comes) and never below 0; scores are still in wins. The
    interval holds the mean uplift of leads with such a score; rows of one lead count together.
    """
    picture, lever = (test.examples.won - expected) / test.lever, test.lever
    w = lever**2
    middle = float(np.average(said, weights=w))
    x = np.stack([np.ones(len(said)), said - middle], axis=1)
    level = float(np.average(picture, weights=w))
    noise = float(np.average((picture - level) ** 2, weights=w))
    bread = (x * w[:, None]).T @ x / noise
    bread[1, 1] += 1 / SLOPE_BELIEF**2
    pull = (x * w[:, None]).T @ picture / noise + np.array([0.0, 1 / SLOPE_BELIEF**2])
    line = np.linalg.solve(bread, pull)
    line[1] = max(float(line[1]), 0.0)
    cover = _cover(x, w * (picture - x @ line) / noise, bread, test)
    at = np.unique(np.round(np.quantile(said, [0.0, 0.1, 0.5, 0.9, 1.0]), 6))
    rows = np.stack([np.ones(len(at)), at - middle], axis=1)
    found = np.clip(rows @ line, -1, 1)
    half = Z * np.sqrt(np.einsum("ij,jk,ik->i", rows, cover, rows))
    return _effect(at, found, np.maximum(found - half, -1), np.minimum(found + half, 1)), float(line[1])


def _cover(x: Floats, pull: Floats, bread: Floats, test: Trial) -> Floats:
    """Return the covariance of the line, rows of one lead together (the sandwich), with the belief's own part."""
    leads = leads_of(test.examples.lead, len(pull))
    by_lead = np.stack([np.bincount(leads.code, x[:, k] * pull, leads.count) for k in range(2)], axis=1)
    inverse = np.linalg.inv(bread)
    meat = by_lead.T @ by_lead + np.diag([0.0, 1 / SLOPE_BELIEF**2])
    found: Floats = inverse @ meat @ inverse
    return found


def _effect(at: Floats, uplift: Floats, low: Floats, high: Floats) -> models.EffectSpec:
    columns = {"score": at, "uplift": uplift, "low": low, "high": high}
    return models.EffectSpec.model_validate({name: [round(float(v), 6) for v in c] for name, c in columns.items()})


# --------------------------------------------------------------------------------------------------------- the card


def _per(effects: Effects, examples: Examples) -> float:
    """Return per how many treated a point counts, so that points are not all below one."""
    values = effects.values(examples.features)
    size = max(abs(effects.mean), float(values.std()), 1e-9)
    return next((per for per in PER if size * per >= WORTH_A_POINT), PER[-1])


def _card(
    workspace: ResolvedWorkspace,
    found: Sequence[Candidate],
    table: Training,
    trial: Trial,
    effects: Effects,
    judged: _Judged,
    leaks: LeakageReport,
    until: datetime,
    per: float,
    seed: int,
) -> models.ScorecardSpec:
    base, criteria = tables_to_groups(effects.tables, double_odds=per * float(np.log(2)))
    own = {name: feature.spec for name, feature in table.features.items() if name not in (TREATED, CONTROL)}
    scaled = judged.effect.model_copy(update={"score": [round(at * per, 4) for at in judged.effect.score]})
    return effect_card(
        base,
        criteria,
        features=own,
        known=workspace.spec.features,
        titles={item.name: item.title for item in found},
        effect=scaled,
        scores=np.floor(effects.values(trial.examples.features) * per * 10) / 10,
        worth=learn_worth(trial.examples),
        outcome=workspace.outcome_name,
        learned=_provenance(workspace, table, trial, judged, leaks, until, per, seed),
    )


def _provenance(
    workspace: ResolvedWorkspace,
    table: Training,
    trial: Trial,
    judged: _Judged,
    leaks: LeakageReport,
    until: datetime,
    per: float,
    seed: int,
) -> dict[str, Any]:
    """Say where the numbers come from, in the few lines that stand in the file."""
    verdict, treatment = judged.verdict, treatment_of(workspace)
    treated, control = Campaign(trial.examples.won, trial.treated).arms
    qini, top = verdict.figures.qini, verdict.figures.uplift_30
    counts = _counts(table.counts, trial)
    return {
        "what": "uplift",
        "treated": treatment.treated,
        "control": treatment.control or "everybody else",
        "points_per": per,
        "to": f"{until:%Y-%m-%d}",
        "leads": counts.leads,
        "rows": counts.rows,
        "wins": counts.wins,
        "arms": {arm.name: [arm.n, arm.won] for arm in (treated, control)},
        "seed": seed,
        "evaluation": {
            "rows": verdict.n,
            "wins": sum(arm.won for arm in verdict.arms),
            "in_time": verdict.timed,
            "from": None,
            "to": None,
            "auc": None,
            "qini": None if qini is None else [round(x, 6) for x in (qini.value, qini.low, qini.high)],
            "uplift_30": None if top is None else [round(x, 5) for x in (top.value, top.low, top.high)],
            "alike": verdict.balance.alike,
            "publishable": verdict.publishable,
            "against": list(verdict.against),
        },
        "left_out": {item.feature: f"{item.level}: {item.evidence}" for item in leaks.findings if item.left_out},
        "assumed": list(table.assumptions),
    }


def _counts(counts: Counts, trial: Trial) -> Counts:
    examples = trial.examples
    return replace(counts, leads=len(np.unique(examples.lead)), rows=len(examples), wins=examples.wins)


def _notes(workspace: ResolvedWorkspace, neither: int, judged: _Judged) -> tuple[str, ...]:
    notes = []
    if neither:
        notes.append(f"{neither:,} {plural(workspace.spec.entity)} are of neither arm: left out")
    if not judged.split.timed:
        notes.append(NOT_BY_LATER)
    if judged.slope < 0.5:
        notes.append(f"only {judged.slope:.0%} of the differences it says came: the effect at each score is drawn in")
    return tuple(notes)


# ---------------------------------------------------------------------------------------------------------- the verb


@dataclass(frozen=True, slots=True)
class UpliftRun:
    """What was learned, and where its file is."""

    learned: LearnedUplift
    placed: Placed

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {**self.learned.as_dict(), "file": self.placed.as_dict()}

    def __str__(self) -> str:
        return f"{self.learned}\n{self.placed}"


def uplift_run(
    engine: Engine,
    workspace: ResolvedWorkspace,
    until: datetime,
    root: Path,
    *,
    name: str | None = None,
    keep: Sequence[str] = (),
    force: bool = False,
    seed: int = 1,
    step: Step = lambda _: None,
) -> UpliftRun:
    """Learn an uplift scorecard and write its file under `root`: published if it passes the gate, else a draft.

    Raises UsageError for a name that cannot be a file's, or that of a hand-written scorecard.
    """
    if name is None:
        name = UPLIFT if workspace.outcome_name is None else f"{UPLIFT}_{workspace.outcome_name}"
    check_name(root, workspace, name)
    found = learn_uplift(engine, workspace, until, keep=keep, seed=seed, step=step)
    text = scorecard_text(found.spec, heading=_heading(found, treatment_of(workspace)))
    place = publish if found.publishable or force else draft
    return UpliftRun(found, place(root, name, text))


def _heading(found: LearnedUplift, treatment: models.TreatmentSpec) -> str:
    """Say above the file what it is, how good it is, and how to read it."""
    lines = [
        f"Who is moved, learned from {found.counts.rows:,} {plural(found.entity)} of a randomised campaign.",
        f"Treated: {treatment.treated}",
        f"A point is one more {found.words.win} per {found.per:,.0f} treated: the score is the uplift.",
        "",
        *str(found.verdict).splitlines(),
    ]
    return "\n".join(lines)
