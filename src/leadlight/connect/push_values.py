"""What is written back of a lead: score, grade, probability, reasons, next step, when; and when it has changed.

A value counts as another one when the rounded figure is off by more than its rounding: figures wobble, and where 12.345
is written as 12.35 one day it is not written as 12.34 the next. Reasons have changed when others, or their points, are
told: that "5 days ago" became "6 days ago" alone is no news. The time of scoring goes along with the rest.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from leadlight.connect.protocol import PushField, Value
from leadlight.expr.types import Type
from leadlight.scorecards.export import RISKY
from leadlight.scorecards.ledger import SHOWN, Contribution, Ledger

What = Literal["score", "grade", "probability", "reasons", "next_step", "scored_at"]
"""What can be written back."""

REASONS = 3
"""How many reasons are told."""
LENGTH = 250
"""Characters of a text: what fits into one line of text everywhere."""
STEPS: Mapping[str, float] = {"score": 0.01, "probability": 0.0001}
"""To what figures are rounded."""
POINTS_STEP = 0.1
"""To what the points of a reason are rounded."""
SLACK = 0.51
"""How many steps a figure may be off before it is another one: half of one is its rounding."""
CUT = 60
"""Characters from which on the beginning of our text is ours: some systems count bytes, and cut what is too long."""
MOMENT = timedelta(seconds=1)
"""Times that are nearer than this are the same: systems keep fewer digits."""

FIELDS: Mapping[What, PushField] = {
    "score": PushField("leadlight_score", Type.NUMBER, "Leadlight score", "Points of the lead; written by Leadlight."),
    "grade": PushField(
        "leadlight_grade", Type.TEXT, "Leadlight grade", "Grade of the lead; written by Leadlight.", LENGTH
    ),
    "probability": PushField(
        "leadlight_probability", Type.NUMBER, "Leadlight probability",
        "How likely the lead is won, from 0 to 1; written by Leadlight.",
    ),
    "reasons": PushField(
        "leadlight_reasons", Type.TEXT, "Leadlight reasons", "Why it has its score; written by Leadlight.", LENGTH
    ),
    "next_step": PushField(
        "leadlight_next_step", Type.TEXT, "Leadlight next step",
        "What those who were won did next; written by Leadlight.", LENGTH,
    ),
    "scored_at": PushField(
        "leadlight_scored_at", Type.TIME, "Leadlight scored at", "When it was scored last (UTC); written by Leadlight."
    ),
}  # fmt: skip
"""What can be written, with the field that is made for it where leadlight.yaml names none."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to stand in a lead's record; figures as they are, `written` has them rounded."""

    values: Mapping[str, Value]
    """By what they are (`score`, `grade` …)."""
    because: Sequence[tuple[str, float]]
    """The items that the reasons tell of, and their points."""

    def written(self, what: str) -> Value:
        """Return a value as it is written."""
        value = self.values[what]
        return rounded(value, STEPS[what]) if what in STEPS and isinstance(value, float) else value

    def differs(self, what: str, value: Value, because: Sequence[tuple[str, float]] | None = None) -> bool:
        """Return whether a value that stands there is another than this; `because` is what its reasons told of."""
        new = self.values[what]
        if what in STEPS and isinstance(new, float):
            old = _number(value)
            return old is None or abs(new - old) > SLACK * STEPS[what]
        if what == "reasons" and because is not None and not is_empty(value):
            return not _same_items(self.because, because)
        return not same(new, value)


def target(ledger: Ledger, next_step: str | None, *, told: bool) -> Target:
    """Return what is to stand in the records of a lead; the next step only where it was looked for (`told`)."""
    items = _first(ledger.contributions)
    gate = [f"{ledger.gate.name}: grade {ledger.gate.grade}"] if ledger.gate else []
    values: dict[str, Value] = {
        "score": float(ledger.score), "grade": ledger.grade, "probability": ledger.probability,
        "reasons": in_a_line([*gate, *map(str, items)]), "scored_at": ledger.as_of.replace(microsecond=0),
    }  # fmt: skip
    if told:
        values["next_step"] = None if next_step is None else in_a_line([next_step])
    because = [(f"gate {ledger.gate.name}", 0.0)] if ledger.gate else []
    return Target(values, [*because, *((item.key, round(item.points, 3)) for item in items)])


def _first(contributions: Sequence[Contribution]) -> list[Contribution]:
    """Return the largest contributions; where two are as large but for a wobble, the scorecard's order decides."""
    given = [item for item in contributions if item.kind != "base" and abs(item.points) > SHOWN]
    return sorted(given, key=lambda item: -round(abs(item.points), 6))[:REASONS]


def _same_items(mine: Sequence[tuple[str, float]], theirs: Sequence[tuple[str, float]]) -> bool:
    mine_by, theirs_by = dict(mine), dict(theirs)
    return mine_by.keys() == theirs_by.keys() and all(
        abs(points - theirs_by[name]) <= SLACK * POINTS_STEP for name, points in mine_by.items()
    )


def in_a_line(texts: Sequence[str], length: int = LENGTH) -> str:
    """Write reasons as one line of text: whole ones, as many as fit, harmless for spreadsheets and terminals.

    >>> in_a_line(["Visited: +5", "Size: +3"], 16)
    'Visited: +5'
    >>> in_a_line(["=1+1", "x"]), in_a_line(["a" * 20], 8)
    ("'=1+1; x", 'aaaaaaa…')
    """
    line = ""
    for text in texts:
        clean = " ".join("".join(one if one.isprintable() else " " for one in text).split())
        longer = f"{line}; {clean}" if line else _harmless(clean)
        if len(longer) > length:
            break
        line = longer
    if not line and texts:
        whole = _harmless(" ".join("".join(one if one.isprintable() else " " for one in texts[0]).split()))
        line = whole[: length - 1] + "…"
    return line


def _harmless(text: str) -> str:
    return f"'{text}" if re.match(RISKY, text) else text


def rounded(value: float, step: float) -> float:
    """Round a figure to a step.

    >>> rounded(12.3456, 0.01), rounded(0.1, 0.0001)
    (12.35, 0.1)
    """
    return round(value, round(-math.log10(step)))


def signature(names: Mapping[str, str], row: Mapping[str, Any]) -> str:
    """Return what is another text whenever something about a lead may be to be written."""
    figures = [rounded(row["score"], STEPS["score"]), row["grade"], row["gate"], row["reasons"]]
    chance = None if row["probability"] is None else rounded(row["probability"], STEPS["probability"])
    told = json.dumps([sorted(names.items()), *figures, chance], ensure_ascii=False)
    return hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()


def is_empty(value: Value) -> bool:
    """Return whether there is nothing in a field."""
    return value is None or (isinstance(value, str) and not value.strip())


def same(mine: Value, theirs: Value) -> bool:
    """Return whether a value that a system holds is the one that was written, as systems keep it.

    >>> same(12.35, "12.350"), same(0.8312, 0.83), same("A  b", "A b "), same(None, "")
    (True, True, True, True)
    >>> same(datetime(2026, 1, 31, 9), datetime(2026, 1, 31)), same(12.35, 12.0), same(12.35, 12.36), same("A", None)
    (True, False, False, False)
    >>> same("ä" * 250, "ä" * 127), same("a long reason", "a long")
    (True, False)
    """
    if is_empty(mine) or is_empty(theirs):
        return is_empty(mine) and is_empty(theirs)
    if isinstance(mine, bool) or isinstance(theirs, bool):
        return str(mine).lower() == str(theirs).lower()
    if isinstance(mine, float | int):
        return _same_number(float(mine), _number(theirs))
    if isinstance(mine, datetime):
        return isinstance(theirs, datetime) and _same_moment(mine, theirs)
    ours, held = " ".join(str(mine).split()), " ".join(str(theirs).split())
    return held == ours or (len(held) >= CUT and ours.startswith(held))


def _same_number(mine: float, theirs: float | None) -> bool:
    """Compare figures; one with at least two digits after the point may be ours, rounded by the system."""
    if theirs is None:
        return False
    if math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-6):
        return True
    digits = len(f"{theirs:.10f}".rstrip("0").partition(".")[2])
    return digits >= 2 and math.isclose(round(mine, digits), theirs, abs_tol=1e-9)


def _same_moment(mine: datetime, theirs: datetime) -> bool:
    day = datetime(mine.year, mine.month, mine.day)  # noqa: DTZ001 - naive UTC, as everywhere
    return abs(mine - theirs.replace(tzinfo=None)) < MOMENT or theirs == day


def _number(value: Value) -> float | None:
    if isinstance(value, bool) or value is None or isinstance(value, datetime):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
