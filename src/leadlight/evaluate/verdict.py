"""Is the learned scorecard better than what there is, on rows that nobody learned from?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np

from leadlight.evaluate.arrays import Bools, Floats, Ints, same_length
from leadlight.evaluate.bootstrap import Leads, Metric, leads_of, percentile
from leadlight.evaluate.calibration import Calibration, calibration
from leadlight.evaluate.metrics import Draws, Metrics, draw, metrics_of
from leadlight.evaluate.ranking import in_order, rank_figures
from leadlight.evaluate.splits import MIN_WINS
from leadlight.spec.words import USUAL, Words

LEARNED, TODAY, FIRST_COME = "learned scorecard", "today's scorecard", "first come, first served"
BLACK_BOX, BASE_RATE = "black box", "base rate"
COMPARED = ("auc", "average_precision", "gain_10", "gain_at", "log_loss", "brier")
FIGURES = {"auc": "AUC", "gain_10": "gain at 10 %", "gain_at": "gain at capacity"}
LOWER_IS_BETTER = ("log_loss", "brier")
HOPELESS = 100
"""An answer that would need more than so many times the wins at hand is no, not "not yet"."""

Word = Literal["yes", "no", "not yet"]


@dataclass(frozen=True, slots=True)
class System:
    """A way to rank: scores of the held-out rows, the higher the sooner, and probabilities where it has any."""

    name: str
    score: Floats
    probability: Floats | None = None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The rows to judge by: none of them was learned from.

    `label` names the data; `time` is each row's moment in days since 1970, None where unknown; `arrived` says which
    lead came first (any rising number), None where unknown; `timed` says that all rows are later than those learned
    from; `base_rate` is the share of wins among the rows learned from, the probability to say of everybody.
    """

    won: Bools
    base_rate: float
    lead: Ints | None = None
    time: Floats | None = None
    arrived: Floats | None = None
    timed: bool = True
    label: str = "the data"
    words: Words = USUAL
    capacity: float | None = None
    """The share of leads one can take care of; the gain at it is told."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes, no, or not yet; then about how many more wins the same difference would need to stand out."""

    word: Word
    more_wins: int | None = None
    wins: str = field(default="wins", repr=False, compare=False)
    """What wins are called."""

    def __str__(self) -> str:
        return f"not yet (about {self.more_wins:,} more {self.wins} needed)" if self.more_wins else self.word


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much better the first system is than the other by one figure, paired by lead: above 0 is better."""

    first: str
    other: str
    figure: str
    difference: Metric

    @property
    def stands_out(self) -> Literal["better", "worse", "no difference"]:
        """What the interval says."""
        if self.difference.low > 0:
            return "better"
        return "worse" if self.difference.high < 0 else "no difference"

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON values."""
        return {
            "first": self.first, "other": self.other, "figure": self.figure, **self.difference.as_dict(),
            "stands_out": self.stands_out,
        }  # fmt: skip

    def __str__(self) -> str:
        name = FIGURES.get(self.figure, self.figure.replace("_", " "))
        d = self.difference
        return f"{name}: {self.first} {d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f}) against {self.other}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The learned scorecard against everything else on the same held-out rows, with what follows from it.

    `first_come` names the better of oldest first and newest first, over all rows held out: where wins become more
    frequent with time, newest first gains by that. `better_than_today` and `better_than_first_come` ask about AUC, and
    are None where there is nothing to compare with. `better_than_base_rate` is the weaker of two answers: does it rank
    better than a coin (AUC above a half), and are its probabilities better than always saying the base rate (log loss)?
    """

    label: str
    since: float | None
    until: float | None
    timed: bool
    n: int
    wins: int
    base_rate: float
    systems: tuple[tuple[str, Metrics], ...]
    comparisons: tuple[Comparison, ...]
    first_come: Literal["oldest first", "newest first"] | None
    better_than_today: Answer | None
    better_than_first_come: Answer | None
    better_than_base_rate: Answer
    calibration: Calibration | None
    against: tuple[str, ...]
    """What speaks against publishing, in sentences."""
    beside: tuple[tuple[str, Answer], ...] = ()
    """Whether it ranks better (AUC) than each number that people rank by today."""
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def publishable(self) -> bool:
        """Better out of time and calibrated: nothing speaks against it."""
        return not self.against

    @property
    def metrics(self) -> Metrics:
        """The learned scorecard's figures."""
        return dict(self.systems)[LEARNED]

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""

        def plain(answer: Answer | None) -> dict[str, Any] | None:
            return None if answer is None else {"answer": answer.word, "more_wins": answer.more_wins}

        return {
            "label": self.label, "since": self.since, "until": self.until, "timed": self.timed,
            "n": self.n, "wins": self.wins, "base_rate": self.base_rate,
            "systems": {name: metrics.as_dict() for name, metrics in self.systems},
            "comparisons": [item.as_dict() for item in self.comparisons],
            "first_come": self.first_come,
            "better_than_today": plain(self.better_than_today),
            "better_than_first_come": plain(self.better_than_first_come),
            "better_than_base_rate": plain(self.better_than_base_rate),
            "calibration": self.calibration and self.calibration.as_dict(),
            "beside": {name: plain(answer) for name, answer in self.beside},
            "publishable": self.publishable,
            "against": list(self.against),
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [f"Judged by {_what(self)}."]
        if self.metrics.auc is not None:
            lines.append(f"{LEARNED.capitalize()}: {self.metrics}.")
        if self.better_than_today is not None:
            lines.append(f"Better than the scorecard you have? {self._said(self.better_than_today, TODAY)}")
        if self.better_than_first_come is not None:
            lines.append(f"Better than {self.first_come}? {self._said(self.better_than_first_come, FIRST_COME)}")
        lines += [f"Better than {name}? {self._said(found, name)}" for name, found in self.beside]
        lines.append(f"Better than the base rate of {self.base_rate:.1%}? {_sentence(str(self.better_than_base_rate))}")
        if self.calibration is not None and self.calibration.calibrated:
            lines.append(_sentence(str(self.calibration)))
        against = _sentence("Against publishing: " + "; ".join(self.against))
        lines.append("It may be published." if self.publishable else against)
        return "\n".join(lines)

    def _said(self, answer: Answer, other: str) -> str:
        found = next((item for item in self.comparisons if (item.other, item.figure) == (other, "auc")), None)
        return _sentence(str(answer)) + (f" {_sentence(str(found))}" if found else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _what(verdict: Verdict) -> str:
    when = ""
    if verdict.since is not None and verdict.until is not None:
        when = f" from {_date(verdict.since)} to {_date(verdict.until)}"
    how = "" if verdict.timed else f", drawn at random: no time is known, or too few {verdict.words.wins} came before"
    rows = f"{verdict.n:,} rows of {verdict.label}{when} with {verdict.wins:,} {verdict.words.wins}"
    return f"{rows}, none of them learned from{how}"


def _date(days: float) -> str:
    """Return a day since 1970 as a date; numbers that are no date stay numbers.

    >>> _date(20454.5), _date(1e12)
    ('2026-01-01', '1e+12')
    """
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days):%Y-%m-%d}"
    except OverflowError:
        return f"{days:g}"


def judge(
    held_out: HeldOut,
    learned: System,
    *,
    today: System | None = None,
    black_box: System | None = None,
    others: Sequence[System] = (),
    seed: int = 0,
) -> Verdict:
    """Compare a learned scorecard with everything else on the same rows.

    The names of `learned`, `today` and `black_box` are replaced by ours; `others` keep theirs. First come, first served
    is made from `held_out.arrived`, the base rate from `held_out.base_rate`.
    """
    won = held_out.won
    leads = leads_of(held_out.lead, len(won))
    same_length(won=won, lead=held_out.lead, time=held_out.time, arrived=held_out.arrived)
    queue, first_come = _first_come(held_out, leads)
    systems = [
        System(LEARNED, learned.score, learned.probability),
        *([System(TODAY, today.score, today.probability)] if today else []),
        *([queue] if queue else []),
        *([System(BLACK_BOX, black_box.score, black_box.probability)] if black_box else []),
        *others,
        System(BASE_RATE, np.zeros(len(won)), np.full(len(won), held_out.base_rate)),
    ]
    drawn = {
        item.name: draw(item.score, won, leads, probability=item.probability, seed=seed, capacity=held_out.capacity)
        for item in systems
    }
    comparisons = tuple(
        item for name in drawn if name != LEARNED for item in compare(LEARNED, drawn[LEARNED], name, drawn[name])
    )
    names = [item.name for item in others]
    return _verdict(held_out, learned, leads, drawn, comparisons, first_come, names, seed=seed)


def _first_come(
    held_out: HeldOut, leads: Leads
) -> tuple[System | None, Literal["oldest first", "newest first"] | None]:
    """Return the better of the two orders of arrival."""
    if held_out.arrived is None:
        return None, None
    newest = np.asarray(held_out.arrived, np.float64)
    auc = rank_figures(in_order(newest, held_out.won, leads), np.ones((1, leads.count)))[0, 0]
    return (System(FIRST_COME, newest), "newest first") if auc > 0.5 else (System(FIRST_COME, -newest), "oldest first")


def compare(first: str, drawn: Draws, other: str, drawn_other: Draws) -> list[Comparison]:
    """Return the paired differences of two systems by each figure both have, turned so that above 0 is better.

    Both must come from `draw` on the same rows with the same seed, so that each draw took the same leads.
    """
    found = []
    for figure in COMPARED:
        if figure in drawn.names and figure in drawn_other.names:
            (value, draws), (value_other, draws_other) = drawn.of(figure), drawn_other.of(figure)
            sign = -1.0 if figure in LOWER_IS_BETTER else 1.0
            difference = percentile(sign * (value - value_other), sign * (draws - draws_other))
            if difference is not None:
                found.append(Comparison(first, other, figure, difference))
    return found


def _verdict(
    held_out: HeldOut,
    learned: System,
    leads: Leads,
    drawn: dict[str, Draws],
    comparisons: tuple[Comparison, ...],
    first_come: Literal["oldest first", "newest first"] | None,
    others: Sequence[str],
    *,
    seed: int,
) -> Verdict:
    won, time = held_out.won, held_out.time
    fewest = min(len(np.unique(leads.code[won])), len(np.unique(leads.code[~won])))
    by = {(item.other, item.figure): item.difference for item in comparisons}

    def asked(*pairs: tuple[str, str]) -> Answer | None:
        present = [answer(by[pair], wins=fewest, word=held_out.words.wins) for pair in pairs if pair in by]
        return min(present, key=_rank) if present else None

    # Without a win, or nothing but wins, there is no figure to ask.
    base = asked((BASE_RATE, "auc"), (BASE_RATE, "log_loss")) if fewest else None
    truth = None
    if learned.probability is not None:
        truth = calibration(learned.probability, won, lead=held_out.lead, seed=seed, words=held_out.words)
    better_than_today, better_than_first_come = asked((TODAY, "auc")), asked((FIRST_COME, "auc"))
    better_than_base_rate = base or Answer("not yet", MIN_WINS, held_out.words.wins)
    return Verdict(
        label=held_out.label,
        since=None if time is None or not len(time) else float(time.min()),
        until=None if time is None or not len(time) else float(time.max()),
        timed=held_out.timed,
        n=len(won),
        wins=int(won.sum()),
        base_rate=held_out.base_rate,
        systems=tuple((name, metrics_of(item, won, leads, words=held_out.words)) for name, item in drawn.items()),
        comparisons=comparisons,
        first_come=first_come,
        better_than_today=better_than_today,
        better_than_first_come=better_than_first_come,
        better_than_base_rate=better_than_base_rate,
        calibration=truth,
        against=(
            *_against(held_out, better_than_base_rate, truth, by.get((TODAY, "auc")), better_than_today),
            *_against_queue(first_come, better_than_first_come),
        ),
        beside=tuple((name, found) for name in others if (found := asked((name, "auc"))) is not None),
        words=held_out.words,
    )


def _against(
    held_out: HeldOut, base: Answer, truth: Calibration | None, today: Metric | None, better: Answer | None
) -> list[str]:
    found = [] if held_out.timed else ["it was not judged by later rows, so nothing says that it lasts"]
    if base.word == "no":
        found.append("it is not better than your base rate")
    elif base.word == "not yet":
        more = f"about {base.more_wins:,} more {base.wins} needed"
        found.append(f"whether it is better than your base rate cannot be told yet ({more})")
    if today is not None and today.high < 0:
        found.append("it ranks worse than the scorecard you have")
    elif better is not None and better.word == "no":
        found.append("it does not rank better than the scorecard you have, as far as these rows tell")
    if truth is None:
        found.append("it has no probabilities")
    elif not truth.calibrated:
        found.append(str(truth))
    return found


def _against_queue(first_come: str | None, better: Answer | None) -> list[str]:
    """Say where the order of arrival, which costs nothing, ranks as well: where leads never close, age tells much."""
    if first_come is None or better is None or better.word != "no":
        return []
    return [f"it does not rank better than {first_come} does, as far as these rows tell"]


def _rank(found: Answer) -> tuple[int, int]:
    return ("no", "not yet", "yes").index(found.word), -(found.more_wins or 0)


def answer(difference: Metric, *, wins: int, word: str = "wins") -> Answer:
    """Say whether a difference (above 0 is better) stands out from chance, on so many wins.

    Yes when its whole interval is above 0, no when the difference is not above 0. Else the interval's lower half, which
    shrinks with the square root of the number of wins, has to shrink below the difference: with w wins and half-width
    h, that takes w (h / d)² wins for a difference d, so w ((h / d)² − 1) more. More than `HOPELESS` times the wins at
    hand are a no. On fewer than `MIN_WINS` nothing but not yet is said. Wins are those to judge by, which all that come
    from now on are.

    >>> print(answer(Metric(0.02, -0.01, 0.05), wins=80))
    not yet (about 100 more wins needed)
    >>> print(answer(Metric(0.02, 0.01, 0.03), wins=80), answer(Metric(-0.01, -0.05, 0.03), wins=80))
    yes no
    """
    if difference.low > 0:
        more = 0.0
    elif difference.value > 0:
        more = wins * ((difference.value - difference.low) ** 2 / difference.value**2 - 1)
    else:
        more = math.inf
    if wins < MIN_WINS:
        least = MIN_WINS - wins
        return Answer("not yet", _rounded(max(more, least)) if math.isfinite(more) else least, word)
    if not more:
        return Answer("yes")
    return Answer("no") if more > HOPELESS * wins else Answer("not yet", _rounded(more), word)


def _rounded(number: float) -> int:
    """Round up to two figures.

    >>> [_rounded(x) for x in (0.2, 12.3, 101.0, 98765.0)]
    [1, 13, 110, 99000]
    """
    step: int = 10 ** max(math.floor(math.log10(max(number, 1.0))) - 1, 0)
    return max(math.ceil(number / step) * step, 1)
