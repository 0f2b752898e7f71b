"""Who is moved: how well an order finds the leads whose outcome a treatment changes, in a randomised campaign.

No lead shows both what it does treated and what it does untreated, so uplift is seen in groups only: the win rate of
the treated less that of those held back. Everything here needs a random choice of who was treated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from leadlight.evaluate.arrays import Bools, Floats, Ints, no_gaps, same_length
from leadlight.evaluate.balance import Balance
from leadlight.evaluate.bootstrap import Leads, Metric, leads_of, percentile, resamples
from leadlight.evaluate.rates import Rate, wilson
from leadlight.evaluate.verdict import Answer, Comparison, answer
from leadlight.spec.words import USUAL, Words

SHARES = (0.1, 0.2, 0.3)
"""The shares of leads ranked first at which uplift is told."""
FIGURES = ("effect", "qini", *(f"uplift_{share * 100:.0f}" for share in SHARES))
CURVE = 50
"""Points of a Qini curve."""
MOVED, RESPONSE, TWO_BOXES, RANDOM = "uplift scorecard", "response model", "two black boxes", "random order"
REPEATS = 400


@dataclass(frozen=True, slots=True)
class Campaign:
    """Rows of a randomised campaign: who was won, who was treated, which lead each row is."""

    won: Bools
    treated: Bools
    lead: Ints | None = None
    words: Words = USUAL

    def __post_init__(self) -> None:
        """Raise ValueError where the arrays differ in length."""
        same_length(won=self.won, treated=self.treated, lead=self.lead)

    @property
    def leads(self) -> Leads:
        """Which rows belong together."""
        return leads_of(self.lead, len(self.won))

    @property
    def arms(self) -> tuple[Rate, Rate]:
        """The win rates of the treated and of those held back."""
        found = []
        for name, rows in (("treated", self.treated), ("control", ~self.treated)):
            n, wins = int(rows.sum()), int(self.won[rows].sum())
            found.append(Rate(name, n, wins, *wilson(wins, n), self.words))
        return found[0], found[1]

    @property
    def fewest_wins(self) -> int:
        """The wins of the arm that has fewer."""
        return min(arm.won for arm in self.arms)


@dataclass(frozen=True, slots=True)
class UpliftFigures:
    """What an order is worth to a campaign.

    `effect` is the uplift over everybody, the same for every order. `qini` is the area between the Qini curve and the
    straight line of a random order (Radcliffe 2007), in wins per lead: above 0, those ranked first are moved more.
    `uplift_10` (20, 30) is the uplift among the tenth (fifth, three tenths) ranked first. `curve` holds (share of leads
    treated, wins gained per lead of all).
    """

    effect: Metric | None
    qini: Metric | None
    uplift_10: Metric | None
    uplift_20: Metric | None
    uplift_30: Metric | None
    curve: tuple[tuple[float, float], ...] = field(repr=False, default=())

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        found = {name: getattr(self, name) for name in FIGURES}
        plain = {name: None if item is None else item.as_dict() for name, item in found.items()}
        return {**plain, "curve": [list(point) for point in self.curve]}


@dataclass(frozen=True, slots=True)
class UpliftDraws:
    """One order's figures, as they are and as drawn again and again."""

    value: Floats
    draws: Floats = field(repr=False)
    curve: tuple[tuple[float, float], ...] = field(repr=False)

    def figures(self) -> UpliftFigures:
        """Return the figures with their intervals."""
        found = {name: percentile(float(self.value[i]), self.draws[:, i]) for i, name in enumerate(FIGURES)}
        return UpliftFigures(**found, curve=self.curve)


@dataclass(frozen=True, slots=True)
class _Order:
    """Rows sorted by score, the best first: what each gives to the four sums, and where runs of equal scores end."""

    lead: Ints
    treated: Floats
    won: Floats
    ends: Ints


def uplift_draws(score: Floats, campaign: Campaign, *, seed: int = 0, repeats: int = REPEATS) -> UpliftDraws:
    """Judge an order, the highest score first; rows of equal score count as mixed at random.

    >>> sure = np.array([2.0, 2.0, 1.0, 1.0]).repeat(50)
    >>> treated = np.tile([True, False], 100)
    >>> rows = Campaign(won=(sure > 1) & treated, treated=treated)
    >>> found = uplift_draws(sure, rows).figures()
    >>> round(found.effect.value, 3), round(found.uplift_30.value, 3), round(found.qini.value, 3)
    (0.5, 1.0, 0.125)
    """
    leads = campaign.leads
    order = _sorted(score, campaign, leads)
    blocks = [_figures(order, counts) for counts in resamples(leads, seed=seed, repeats=repeats)]
    draws = np.concatenate(blocks) if blocks else np.zeros((0, len(FIGURES)))
    seen, gained = _gained(order, np.ones((1, leads.count)))[:2]
    at = np.linspace(0, 1, CURVE + 1)
    curve = np.interp(at, np.r_[0.0, seen[0]], np.r_[0.0, gained[0]])
    value = _figures(order, np.ones((1, leads.count)))[0]
    return UpliftDraws(value, draws, tuple(zip(at.round(6).tolist(), curve.tolist(), strict=True)))


def _sorted(score: Floats, campaign: Campaign, leads: Leads) -> _Order:
    score = no_gaps("score", score)
    place = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.concatenate([np.diff(score[place]) != 0, [True]])) if len(score) else place
    treated, won = campaign.treated[place].astype(np.float64), campaign.won[place].astype(np.float64)
    return _Order(leads.code[place], treated, won, ends)


def _gained(order: _Order, counts: Floats) -> tuple[Floats, Floats, list[Floats]]:
    """Return, at the end of each run of scores, the share seen, the wins gained per lead, and the four running sums.

    Gained is (wins of the treated − wins of the others × treated / others) / all treated, down to there.
    """
    rows = np.take(counts, order.lead, axis=1)
    parts = (order.treated, 1 - order.treated, order.treated * order.won, (1 - order.treated) * order.won)
    sums = [np.cumsum(rows * part, axis=1)[:, order.ends] for part in parts]
    treated, others, won_treated, won_others = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.divide(treated, others, out=np.zeros_like(treated), where=others > 0)
        gained = (won_treated - won_others * ratio) / treated[:, -1:]
        seen = (treated + others) / (treated + others)[:, -1:]
    return seen, gained, sums


def _figures(order: _Order, counts: Floats) -> Floats:
    """Return, for each row of counts, the figures of `FIGURES`: draws × 5; NaN where an arm is empty."""
    if not len(order.won):
        return np.full((len(counts), len(FIGURES)), np.nan)
    seen, gained, sums = _gained(order, counts)
    zero = np.zeros((len(seen), 1))
    x, y = np.hstack([zero, seen]), np.hstack([zero, gained])
    area = np.sum(np.diff(x, axis=1) * (y[:, 1:] + y[:, :-1]) / 2, axis=1)
    effect = gained[:, -1]
    tops = np.stack([[_uplift_at(share, x[i], [part[i] for part in sums]) for share in SHARES] for i in range(len(x))])
    found = np.column_stack([effect, area - effect / 2, tops])
    found[(sums[0][:, -1] == 0) | (sums[1][:, -1] == 0)] = np.nan
    return found


def _uplift_at(share: float, seen: Floats, sums: Sequence[Floats]) -> float:
    """Return the difference of win rates among the first share, with a straight line within ties."""
    treated, others, won_treated, won_others = (float(np.interp(share, seen, np.r_[0.0, part])) for part in sums)
    return won_treated / treated - won_others / others if treated > 0 and others > 0 else float("nan")


def compare_uplift(first: str, drawn: UpliftDraws, other: str, drawn_other: UpliftDraws) -> list[Comparison]:
    """Return the paired differences by Qini and by uplift at the top; both must be drawn with the same seed."""
    found = []
    for place, figure in enumerate(FIGURES[1:], 1):
        value = float(drawn.value[place] - drawn_other.value[place])
        difference = percentile(value, drawn.draws[:, place] - drawn_other.draws[:, place])
        if difference is not None:
            found.append(Comparison(first, other, figure, difference))
    return found


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """What ranking by a scorecard would have been worth to a campaign: both arms, the figures, and promises kept."""

    arms: tuple[Rate, Rate]
    figures: UpliftFigures
    promises: tuple[Promise, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "arms": [arm.as_dict() for arm in self.arms],
            "figures": self.figures.as_dict(),
            "promises": [item.as_dict() for item in self.promises],
        }

    def __str__(self) -> str:
        treated, control = self.arms
        effect, top = self.figures.effect, self.figures.uplift_30
        if effect is None or top is None:
            return f"campaign: {treated}; {control}"
        return (
            f"campaign: {treated}; {control}; the treatment changes the {treated.words.rate} by {_points(effect)}, "
            f"among the 30 % ranked first by {_points(top)}"
        )


# --------------------------------------------------------------------------------------------------------- verdict


@dataclass(frozen=True, slots=True)
class Promise:
    """What a scorecard said of a part of the rows, and what came: both as uplift."""

    n: int
    said: float
    came: Metric

    @property
    def holds(self) -> bool:
        """Whether what was said lies within the interval of what came."""
        return self.came.low <= self.said <= self.came.high

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {"n": self.n, "said": self.said, "came": self.came.as_dict(), "holds": self.holds}


def promises(said: Floats, campaign: Campaign, *, parts: int = 3) -> tuple[Promise, ...]:
    """Hold the uplift said against the uplift seen, in parts of about equal size, those moved most first."""
    order = np.argsort(-said, kind="stable")
    found = []
    for rows in np.array_split(order, parts):
        treated, won = campaign.treated[rows], campaign.won[rows]
        if treated.any() and not treated.all():
            found.append(Promise(len(rows), float(said[rows].mean()), _difference(won[treated], won[~treated])))
    return tuple(found)


def _difference(treated: Bools, others: Bools) -> Metric:
    """Return the difference of two rates with its 95 % interval (Newcombe 1998, method 10: two Wilson intervals)."""
    a, b = float(treated.mean()), float(others.mean())
    low_a, high_a = wilson(float(treated.sum()), len(treated))
    low_b, high_b = wilson(float(others.sum()), len(others))
    down, up = np.hypot(a - low_a, high_b - b), np.hypot(high_a - a, b - low_b)
    return Metric(a - b, a - b - float(down), a - b + float(up))


@dataclass(frozen=True, slots=True)
class UpliftVerdict:
    """An uplift scorecard on rows it was not learned from, beside other ways to choose whom to treat.

    `better_than_random` asks whether those ranked first are moved more than the rest (Qini above 0),
    `better_than_response` whether it beats ranking by the chance of a win. `against` speaks against using it.
    """

    label: str
    timed: bool
    n: int
    arms: tuple[Rate, Rate]
    balance: Balance
    systems: tuple[tuple[str, UpliftFigures], ...]
    comparisons: tuple[Comparison, ...]
    promises: tuple[Promise, ...]
    better_than_random: Answer
    better_than_response: Answer | None
    against: tuple[str, ...]

    @property
    def publishable(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.against

    @property
    def figures(self) -> UpliftFigures:
        """The uplift scorecard's own."""
        return dict(self.systems)[MOVED]

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""

        def plain(answer: Answer | None) -> dict[str, Any] | None:
            return None if answer is None else {"answer": answer.word, "more_wins": answer.more_wins}

        return {
            "label": self.label, "timed": self.timed, "n": self.n, "arms": [arm.as_dict() for arm in self.arms],
            "balance": self.balance.as_dict(),
            "systems": {name: figures.as_dict() for name, figures in self.systems},
            "comparisons": [item.as_dict() for item in self.comparisons],
            "promises": [item.as_dict() for item in self.promises],
            "better_than_random": plain(self.better_than_random),
            "better_than_response": plain(self.better_than_response),
            "publishable": self.publishable, "against": list(self.against),
        }  # fmt: skip

    def __str__(self) -> str:
        how = "later than those learned from" if self.timed else "drawn at random, none of them learned from"
        treated, control = self.arms
        lines = [f"Judged by {self.n:,} rows of {self.label}, {how}: {treated}; {control}.", f"{self.balance}"]
        effect, qini, top = self.figures.effect, self.figures.qini, self.figures.uplift_30
        if effect is not None and qini is not None and top is not None:
            lines.append(
                f"The treatment changes the {treated.words.rate} by {_points(effect)}, among the 30 % ranked first "
                f"by {_points(top)}."
            )
        lines.append(f"Are those ranked first moved more than others? {_sentence(self.better_than_random)}")
        if self.better_than_response is not None:
            lines.append(f"Better than ranking by the chance of it? {_sentence(self.better_than_response)}")
        against = "Against publishing: " + "; ".join(self.against) + "."
        return "\n".join([*lines, "It may be published." if self.publishable else against])


def _points(metric: Metric) -> str:
    return f"{100 * metric.value:+.2f} points ({100 * metric.low:+.2f} to {100 * metric.high:+.2f})"


def _sentence(found: Answer) -> str:
    text = str(found)
    return text[:1].upper() + text[1:] + "."


def judge_uplift(
    campaign: Campaign,
    score: Floats,
    said: Floats,
    *,
    balance: Balance,
    others: Mapping[str, Floats],
    timed: bool,
    label: str = "the data",
    seed: int = 0,
) -> UpliftVerdict:
    """Judge scores and the uplift said, on rows not learned from, beside other orders of the same rows.

    `others` are scores by name: `RESPONSE`, `TWO_BOXES` and any more.
    """
    scores = {MOVED: score, **others}
    drawn = {name: uplift_draws(values, campaign, seed=seed) for name, values in scores.items()}
    comparisons = [item for name in others for item in compare_uplift(MOVED, drawn[MOVED], name, drawn[name])]
    own = drawn[MOVED].figures()
    wins = campaign.fewest_wins
    random = Answer("not yet") if own.qini is None else answer(own.qini, wins=wins)
    by = {(item.other, item.figure): item.difference for item in comparisons}
    response = answer(by[RESPONSE, "qini"], wins=wins) if (RESPONSE, "qini") in by else None
    kept = promises(said, campaign)
    return UpliftVerdict(
        label, timed, len(campaign.won), campaign.arms, balance,
        tuple((name, item.figures()) for name, item in drawn.items()), tuple(comparisons), kept, random, response,
        tuple(_against(random, balance, kept)),
    )  # fmt: skip


def _against(random: Answer, balance: Balance, kept: tuple[Promise, ...]) -> list[str]:
    found = []
    if random.word == "no":
        found.append("nobody is moved more than others, as far as these rows tell")
    elif random.word == "not yet":
        found.append(f"whether those ranked first are moved more cannot be told yet ({random})")
    if not balance.alike:
        found.append("treated and control were not alike before, so what looks like an effect may be a choice")
    if len(kept) > 1 and not any(item.holds for item in kept):
        found.append("the uplift it says is not the uplift that came")
    return found
