"""Features that would fool a learner: they know the outcome, tell the time, or name the row. Found, named, left out.

Each finding has a level. *leak*: the outcome is in it. *suspect*: it may well be; somebody should ask when the field
is filled in. *calendar*: it says when, not who. *identifier*: it names the row. *duplicate*: another says the same.
All these are left out unless they are put back by name. *note*: kept, and worth knowing.

The rules, first match wins; rates are counted per lead and judged on rows other than those they were found on:

    filled later        its value came after the row's moment (where the times of values are known)
    winners (losers)    filled for nearly all of one outcome and few of the other, or only ever where it was won
    gives away          values that (nearly) only winners have: odds 90 times those of all rows, or a third of all wins
                        at over 90 %; values such as "contract signed"
    identifier          all values differ; whole numbers that count rows
    calendar            its variation lies between days, not between the leads of a day; long runs along time
    hindsight           its name is that of a field written later, and it goes with the outcome
    duplicate           another column with the same content
    too good            alone it ranks leads better than all the other features together (but for up to three as good)

"Too good" is meant beside the others: where what is left tells the outcome as well, the outcome is easy to tell, and
nothing gives it away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.errors import UsageError, did_you_mean, shorten
from leadlight.learn.alone import (
    PURE_PRIOR_ROWS,
    Alone,
    auc_error,
    each_alone,
    fold_of,
    out_of_fold,
    per_lead,
    together,
)
from leadlight.learn.calendar import InTime, in_time
from leadlight.learn.examples import Bools, Examples, Floats, Ints
from leadlight.learn.hindsight import tells_ending, written_later
from leadlight.learn.identifiers import FEWEST, UNIQUE, Uniqueness, same_content, uniqueness

Level = Literal["leak", "suspect", "calendar", "identifier", "duplicate", "note"]
Kind = Literal[
    "filled_later", "winners_only", "losers_only", "gives_away", "too_good", "hindsight", "calendar", "clock",
    "identifier", "duplicate", "missingness", "unique", "constant", "easy",
]  # fmt: skip
LEVELS: tuple[Level, ...] = ("leak", "suspect", "calendar", "identifier", "duplicate", "note")

MOST_ROWS = 200_000
"""Of more rows, a sample of leads is looked at."""
FEWEST_WINS = 10
"""With fewer wins (or other rows), nothing is said of the outcome."""
DECIDED = 0.8
"""Filled rates of won and other rows that lie so far apart almost decide the outcome."""
TELLING = 0.2
PURE = 0.95
"""A value whose win rate is expected to reach this is looked at."""
PURE_ODDS = float(np.log(90))
BROAD_PURE, BROAD_SHARE, BROAD_ODDS = 0.9, 0.3, 2.5
FEWEST_PURE = 20.0
FEWEST_WORDS = 8.0
"""So many rows are enough where the value's very words tell the ending."""
LOSERS_SHARE = 0.3
GOOD, GOOD_MARGIN, GOOD_OTHERS, GOOD_GROUP = 0.8, 0.02, 3, 4
VERY_GOOD = 0.95
"""Where there are fewer others than GOOD_OTHERS, a feature is too good from this AUC on."""
GOES_WITH = 0.52
EASY = 0.98
LATER_SHARE = 0.02
PRESENCE = (0.02, 0.98)
SHOWN_VALUES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One feature, what is wrong with it, and the numbers that say so."""

    feature: str
    kind: Kind
    level: Level
    evidence: str
    """A clause whose subject is the feature."""
    facts: Mapping[str, float] = field(default_factory=dict)
    put_back: bool = False
    """Kept all the same, because it was named in `keep`."""

    @property
    def left_out(self) -> bool:
        """Whether learning goes without it."""
        return self.level != "note" and not self.put_back

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return {
            "feature": self.feature,
            "kind": self.kind,
            "level": self.level,
            "evidence": self.evidence,
            "facts": {name: float(value) for name, value in self.facts.items()},
            "left_out": self.left_out,
            "put_back": self.put_back,
        }

    def __str__(self) -> str:
        what = "put back" if self.put_back else self.level
        return f"{self.feature} ({what}): {self.evidence}"


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """What was found in the features, the worst first."""

    findings: tuple[Finding, ...]
    features: tuple[str, ...]
    """All features that were looked at."""
    rows: int
    wins: int

    @property
    def left_out(self) -> tuple[str, ...]:
        """The features to go without, in their order."""
        out = {finding.feature for finding in self.findings if finding.left_out}
        return tuple(name for name in self.features if name in out)

    @property
    def kept(self) -> tuple[str, ...]:
        """The features to learn from, in their order."""
        out = set(self.left_out)
        return tuple(name for name in self.features if name not in out)

    def of(self, feature: str) -> Finding | None:
        """Return the finding on a feature, if there is one."""
        return next((finding for finding in self.findings if finding.feature == feature), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "rows": self.rows,
            "wins": self.wins,
            "left_out": list(self.left_out),
            "findings": [finding.as_dict() for finding in self.findings],
        }

    def __str__(self) -> str:
        out = [f"  {finding}" for finding in self.findings if finding.left_out]
        kept = [f"  {finding}" for finding in self.findings if not finding.left_out]
        lines = (
            [f"Left out, {len(out)} of {len(self.features)} features:", *out] if out else ["No feature is left out."]
        )
        return "\n".join([*lines, *(["Kept, and good to know:", *kept] if kept else [])])


def find_leaks(
    examples: Examples,
    *,
    keep: Collection[str] = (),
    current: Collection[str] | None = None,
    filled_at: Mapping[str, Floats] | None = None,
    honest: Collection[str] = (),
    seed: int = 0,
) -> LeakageReport:
    """Find the features that know the outcome, tell the time or name the row, in rows to train on.

    `keep` puts features back by name. `current` names those that hold the values of today and not those of the row's
    moment (a flat file without history): only their names are judged; all, unless told. `filled_at` has, for some
    features, when each row's value came to be known, in days as in `examples.time`, NaN where nobody knows. `honest`
    names those that cannot know the outcome, however well they tell it: for how long a lead has been known.
    Raises UsageError where `keep` names no feature.

    >>> stage = ["closed won", "lost"] * 50
    >>> size = [float(n % 7) for n in range(100)]
    >>> rows = Examples(features=pa.table({"stage": stage, "size": size}), won=np.arange(100) % 2 == 0)
    >>> report = find_leaks(rows)
    >>> report.left_out
    ('stage',)
    >>> print(report.findings[0])
    stage (leak): where it is 'closed won', 50 of 50 rows were won; of all, 50 %
    """
    unknown = [name for name in keep if name not in examples.names]
    if unknown:
        raise UsageError(
            f"there is no feature {shorten(unknown[0])} to keep: {did_you_mean(unknown[0], examples.names)}"
        )
    place = _sample(examples, seed)
    rows = examples.take(place) if place is not None else examples
    times = {name: at if place is None else at[place] for name, at in (filled_at or {}).items()}
    found = _Search(rows, set(rows.names if current is None else current), times, frozenset(honest), seed).run()
    marked = [replace(finding, put_back=finding.feature in keep and finding.level != "note") for finding in found]
    order = sorted(marked, key=lambda finding: LEVELS.index(finding.level))
    return LeakageReport(tuple(order), tuple(examples.names), len(examples), examples.wins)


def _sample(examples: Examples, seed: int) -> Ints | None:
    if len(examples) <= MOST_ROWS:
        return None
    leads, place = np.unique(examples.lead, return_inverse=True)
    chosen = np.random.default_rng(seed).random(len(leads)) < MOST_ROWS / len(examples)
    found: Ints = np.flatnonzero(chosen[place])
    return found


@dataclass
class _Search:
    """One look at the rows: the findings so far, and what was computed once for all rules."""

    rows: Examples
    current: set[str]
    filled_at: Mapping[str, Floats]
    honest: Collection[str]
    seed: int
    found: dict[str, Finding] = field(default_factory=dict)

    def run(self) -> list[Finding]:
        """Apply the rules in their order."""
        for name in self.rows.names:
            finding = next((one for one in self._one_by_one(name) if one is not None), None)
            if finding is not None:
                self.found[name] = finding
        self._take_back_easy()
        for name, original in self._copies().items():
            self.found.setdefault(
                name, Finding(name, "duplicate", "duplicate", f"says the same as {original!r} in every row")
            )
        self._find_too_good()
        self._note_missingness()
        return list(self.found.values())

    def _one_by_one(self, name: str) -> Iterator[Finding | None]:
        yield self._filled_later(name)
        unique = uniqueness(self.first.features.column(name), self._order)
        if name not in self.alone:
            yield self._identifier(name, unique) or _constant(name, self.rows.features.column(name))
            return
        judged = self.judges_outcomes and name not in self.honest
        if judged:
            yield self._one_outcome_only(name)
            if not unique.is_identifier:
                yield self._gives_away(name)
                yield self._told_in_words(name)
        yield self._identifier(name, unique)
        if self.rows.time is not None:
            yield self._calendar(name)
        if judged and name in self.current:
            yield self._hindsight(name)

    # ------------------------------------------------------------------------------------- computed once for all rules

    @cached_property
    def folds(self) -> Ints:
        return fold_of(self.rows.lead, seed=self.seed)

    @cached_property
    def alone(self) -> dict[str, Alone]:
        return each_alone(self.rows, self.folds)

    @cached_property
    def first(self) -> Examples:
        """Each lead's first row."""
        time = np.zeros(len(self.rows)) if self.rows.time is None else self.rows.time
        order = np.lexsort((np.arange(len(self.rows)), time))
        return self.rows.take(np.sort(order[np.unique(self.rows.lead[order], return_index=True)[1]]))

    @property
    def _order(self) -> Floats:
        return np.arange(len(self.first), dtype=np.float64) if self.first.time is None else self.first.time

    @cached_property
    def base(self) -> float:
        return float(self.rows.won.mean()) if len(self.rows) else 0.0

    @cached_property
    def share(self) -> float:
        """Leads per row."""
        return per_lead(self.rows)

    @property
    def judges_outcomes(self) -> bool:
        wins = self.rows.wins
        return min(wins, len(self.rows) - wins) >= FEWEST_WINS

    # ------------------------------------------------------------------------------------------------------- the rules

    def _filled_later(self, name: str) -> Finding | None:
        if name not in self.filled_at or self.rows.time is None:
            return None
        at = self.filled_at[name]
        known = np.isfinite(at)
        later = float((at[known] > self.rows.time[known]).mean()) if known.any() else 0.0
        if later < LATER_SHARE:
            return None
        evidence = f"in {_percent(later)} of {known.sum():,} rows its value came after the row's moment"
        return Finding(name, "filled_later", "leak", evidence, {"later": later})

    def _identifier(self, name: str, unique: Uniqueness) -> Finding | None:
        facts = {"values": unique.values, "distinct": unique.distinct}
        if unique.is_identifier:
            missing = unique.missing / len(self.first)
            if unique.is_text and PRESENCE[0] <= missing <= PRESENCE[1]:
                many = f"{unique.distinct:,} of {unique.values:,} values differ"
                evidence = f"hardly repeats ({many}): only whether it is there can count"
                return Finding(name, "unique", "note", evidence, facts)
            evidence = f"names the row: {unique.distinct:,} of {unique.values:,} values differ"
            return Finding(name, "identifier", "identifier", evidence, facts)
        if unique.is_prose and unique.share >= UNIQUE and unique.values >= FEWEST:
            return Finding(
                name, "unique", "note", f"is prose: {unique.distinct:,} of {unique.values:,} texts differ", facts
            )
        return None

    def _one_outcome_only(self, name: str) -> Finding | None:
        """Fields filled for winners only, or for the others only."""
        filled = self.alone[name].codes > 0
        won, wins = self.rows.won, self.rows.wins
        with_win, without = float(filled[won].mean()), float(filled[~won].mean())
        facts = {"filled_won": with_win, "filled_others": without}
        evidence = self._filled(with_win, without)
        smallest = min(wins, len(won) - wins) * self.share
        gap = abs(with_win - without) - 1.645 * 0.5 / np.sqrt(smallest)
        if gap >= DECIDED:
            return Finding(name, "winners_only" if with_win > without else "losers_only", "leak", evidence, facts)
        if self.base <= 0.5 and self._pure(
            out_of_fold(filled.astype(np.uint8), won, self.folds, prior=PURE_PRIOR_ROWS), won
        ):
            return Finding(name, "winners_only", "leak", evidence, facts)
        expected = filled.sum() * self.share * self.base
        if filled.any() and not (filled & won).any() and expected >= FEWEST_PURE and without >= LOSERS_SHARE:
            return Finding(name, "losers_only", "suspect", evidence, facts)
        return None

    def _gives_away(self, name: str) -> Finding | None:
        """Values that nearly only those of the rarer outcome have."""
        alone, flip = self.alone[name], self.base > 0.5
        mode = np.uint8(np.bincount(alone.codes).argmax())
        other = out_of_fold((alone.codes != mode).astype(np.uint8), self.rows.won, self.folds, prior=PURE_PRIOR_ROWS)
        hit = self.rows.won ^ flip
        for chance in (alone.plain, other):
            chance = 1 - chance if flip else chance
            if self._pure(chance, hit):
                mask = chance >= PURE
                return self._given_away(name, mask, hit, "not won" if flip else "won")
        return None

    def _pure(self, chance: Floats, hit: Bools) -> bool:
        """Whether rows that other rows call pure are so, by far more than chance and than a strong honest trait."""
        mask = chance >= PURE
        n, k = float(mask.sum()) * self.share, float((mask & hit).sum()) * self.share
        if n < FEWEST_PURE or k == 0:
            return False
        from scipy.stats import beta

        low = float(beta.ppf(0.05, k, n - k + 1))
        odds = _logit(low) - _logit(float(hit.mean()))
        if low >= PURE and odds >= PURE_ODDS:
            return True
        return low >= BROAD_PURE and odds >= BROAD_ODDS and k >= BROAD_SHARE * hit.sum() * self.share

    def _filled(self, with_win: float, without: float) -> str:
        won = self.rows.words.won
        return f"is filled for {_percent(with_win)} of the {won} rows and {_percent(without)} of the others"

    def _given_away(self, name: str, mask: Bools, hit: Bools, ending: str) -> Finding:
        n, k = int(mask.sum()), int((mask & hit).sum())
        values = _values(self.rows.features.column(name).filter(pa.array(mask)))
        ending = ending.replace("won", self.rows.words.won)
        evidence = f"where it {values}, {k:,} of {n:,} rows were {ending}; of all, {_percent(float(hit.mean()))}"
        return Finding(name, "gives_away", "leak", evidence, {"rows": n, "hits": k, "base": float(hit.mean())})

    def _told_in_words(self, name: str) -> Finding | None:
        """Values whose words name an ending and which that ending nearly always follows."""
        column = self.rows.features.column(name)
        if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
            return None
        words = [value for value in pc.unique(column.drop_null()).to_pylist()[:1000] if tells_ending(value)]
        for value in words:
            mask = pc.equal(column, value).fill_null(False).to_numpy()
            for hit, ending in ((self.rows.won, "won"), (~self.rows.won, "not won")):
                share = float(hit[mask].mean())
                if mask.sum() * self.share >= FEWEST_WORDS and share >= PURE and share > float(hit.mean()):
                    return self._given_away(name, mask, hit, ending)
        return None

    def _calendar(self, name: str) -> Finding | None:
        assert self.first.time is not None
        assert self.rows.time is not None
        looks = [in_time(self.first.features.column(name), self.first.time, seed=self.seed)]
        if len(self.first) < len(self.rows):
            looks.append(in_time(self.rows.features.column(name), self.rows.time, seed=self.seed))
        for look in looks:
            if look.is_calendar:
                return Finding(name, "calendar", "calendar", _when(look), _calendar_facts(look))
        if looks[0].is_clock:
            evidence = f"tells the time: its rank correlation with time is {looks[0].rank:.3f}"
            return Finding(name, "clock", "calendar", evidence, {"rank": looks[0].rank})
        return None

    def _hindsight(self, name: str) -> Finding | None:
        what, alone = written_later(name), self.alone[name]
        if what is None or alone.auc < max(GOES_WITH, 0.5 + 4 * alone.error):
            return None
        evidence = f"sounds like {what}, and goes with the outcome (AUC {alone.auc:.3f} alone)"
        return Finding(name, "hindsight", "suspect", evidence, {"auc": alone.auc})

    def _copies(self) -> dict[str, str]:
        """Return copies among features that nothing has been found on."""
        names = [name for name in self.alone if name not in self.found or self.found[name].level == "note"]
        return same_content(self.rows.features.select(names))

    # ------------------------------------------------------------------------------------------- beside the other ones

    def _rest(self) -> list[Alone]:
        out = {name for name, finding in self.found.items() if finding.level != "note"}
        return [alone for name, alone in self.alone.items() if name not in out]

    def _take_back_easy(self) -> None:
        """Where the rest tells the outcome as well, values that do so give nothing away."""
        given = [name for name, finding in self.found.items() if finding.kind == "gives_away"]
        if not given:
            return
        rest = together(self._rest(), self.rows, self.folds, seed=self.seed)
        if rest < EASY:
            return
        for name in given:
            evidence = f"{self.found[name].evidence}; but the other features tell it too (AUC {rest:.3f})"
            self.found[name] = Finding(name, "easy", "note", evidence, {**self.found[name].facts, "others": rest})

    def _find_too_good(self) -> None:
        """Take the best features, while each of them is better alone than all the others together.

        Two leaks hide each other, as each is among the other's others; so the best are judged as a group, too.
        """
        size = 1
        while self.judges_outcomes and size <= GOOD_GROUP:
            ranked = sorted(self._rest(), key=lambda one: -one.auc)
            best = [one for one in ranked if one.feature not in self.honest][:size]
            names = {one.feature for one in best}
            others = [one for one in ranked if one.feature not in names]
            if len(best) < size or best[-1].auc < (GOOD if len(others) >= GOOD_OTHERS else VERY_GOOD):
                return
            rest = together(others, self.rows, self.folds, seed=self.seed)
            if best[-1].auc >= rest + self._margin(best[-1], rest):
                self.found |= {one.feature: _too_good(one, best, others, rest) for one in best}
                size = 1
            else:
                size += 1

    def _margin(self, alone: Alone, rest: float) -> float:
        """Return by how much a feature must surpass the others, so that it is not by chance."""
        wins, n = self.rows.wins * self.share, len(self.rows) * self.share
        error = np.hypot(alone.error, auc_error(max(rest, 0.5), wins, n - wins))
        return max(GOOD_MARGIN, 1.645 * float(error))

    def _note_missingness(self) -> None:
        if not self.judges_outcomes:
            return
        for name, alone in self.alone.items():
            filled = alone.codes > 0
            with_win, without = float(filled[self.rows.won].mean()), float(filled[~self.rows.won].mean())
            if name not in self.found and abs(with_win - without) >= TELLING:
                evidence = self._filled(with_win, without)
                facts = {"filled_won": with_win, "filled_others": without}
                self.found[name] = Finding(name, "missingness", "note", evidence, facts)


def _too_good(alone: Alone, best: Sequence[Alone], others: Sequence[Alone], rest: float) -> Finding:
    beside = [repr(one.feature) for one in best if one is not alone]
    other = f"features other than {' and '.join(beside)}" if beside else "other features"
    evidence = f"ranks better alone (AUC {alone.auc:.3f}) than the {len(others)} {other} together (AUC {rest:.3f})"
    return Finding(alone.feature, "too_good", "suspect", evidence, {"auc": alone.auc, "others": rest})


def _constant(name: str, column: pa.ChunkedArray) -> Finding:
    evidence = "has no value in any row" if column.null_count == len(column) else "has one value only"
    return Finding(name, "constant", "note", evidence)


def _when(look: InTime) -> str:
    if look.is_of_a_bin:
        share, unit = _percent(min(look.between or 0.0, 1.0)), look.bin
        return f"says when, not who: {share} of its variation is between {unit}s ({look.bins:,} {unit}s), not within"
    times = f"{look.runs - 1:,} times along time; in a random order it would {look.expected - 1:,.0f} times"
    return f"says when, not who: it changes {times}"


def _calendar_facts(look: InTime) -> dict[str, float]:
    facts = {"runs": float(look.runs), "expected_runs": look.expected}
    return facts if look.between is None else {**facts, "between": look.between}


def _values(column: pa.ChunkedArray) -> str:
    """Say which values a column has, bounded."""
    known = column.drop_null()
    if not len(known):
        return "is missing"
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        low, high = pc.min(known).as_py(), pc.max(known).as_py()
        return f"is {low:g}" if low == high else f"lies in {low:g} to {high:g}"
    counts = sorted(
        ((row["counts"], row["values"]) for row in known.value_counts().to_pylist()),
        key=lambda pair: (-pair[0], str(pair[1])),
    )
    shown = [shorten(value, 40) if isinstance(value, str) else str(value).lower() for _, value in counts[:SHOWN_VALUES]]
    more = f" or one of {len(counts) - SHOWN_VALUES:,} others" if len(counts) > SHOWN_VALUES else ""
    return f"is {' or '.join(shown)}{more}"


def _percent(share: float) -> str:
    """Write a share so that all and none are told from nearly all and nearly none.

    >>> _percent(1.0), _percent(0.9996), _percent(0.0004), _percent(0.123), _percent(0.0)
    ('100 %', '99.96 %', '0.04 %', '12.3 %', '0 %')
    """
    digits = 1 if 0.01 <= share <= 0.99 else 2
    return f"{100 * share:.{digits}f}".rstrip("0").rstrip(".") + " %"


def _logit(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return float(np.log(p / (1 - p)))
