"""Hypothesis strategies for small, nasty workspaces.

Times are drawn from a pool made of the moments and windows in play, so that rows lie exactly at T, at T - w, and a
microsecond beside them, and often tie. Values come from small pools too, so that they meet the keys, bands and
conditions that are drawn from the same pools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from leadlight.spec.models import ScorecardSpec, WorkspaceSpec
from reference.conditions import (
    Abs,
    And,
    Arithmetic,
    Between,
    Case,
    Coalesce,
    Compare,
    Const,
    In,
    IsNull,
    Like,
    Name,
    Node,
    Not,
    Or,
    Value,
    render,
)
from reference.scorer import (
    AccountAttributes,
    Attributes,
    Event,
    GradeChange,
    Lead,
    Outcome,
    Scorer,
    World,
)

SCORECARD = "house"
FOREVER = datetime.fromisoformat("9999-12-31")
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)

ATTRIBUTES = {
    "seniority": "text", "employees": "number", "is_customer": "bool", "signed_up": "time", "order": "number",
    "score": "text",
}  # fmt: skip
ACCOUNT_ATTRIBUTES = {
    "industry": "text", "revenue": "number", "strategic": "bool", "founded": "time", "points": "number",
}  # fmt: skip
PROPERTIES = {"path": "text", "amount": "number", "flag": "bool", "seen": "time", "user": "text"}
EVENTS = ("page_view", "email_open", 'it\'s "ø" ☃')
UNSEEN_EVENT = "never"
FEATURE_NAMES = ("f_1", "grade", "base", "visits", "value", "rank", "events", "total")
GROUP_NAMES = ("fit", "engagement", "order")

MOMENTS = tuple(
    datetime.fromisoformat(text)
    for text in (
        "2026-03-12 12:00:00", "2024-02-29 00:00:00", "2024-12-31 23:59:59.999999", "2025-01-01 00:00:00",
        "2025-03-30 02:30:00", "2025-03-09 02:30:00.000001", "2025-11-02 01:30:00", "1970-01-01 00:00:00",
        "1999-12-31 23:59:59.5", "2026-07-15 08:07:06.123457",
    )
)  # fmt: skip
WINDOWS = {
    "30d": 30 * DAY, "7d": 7 * DAY, "24h": DAY, "2w": 14 * DAY, "90d": 90 * DAY, "90m": timedelta(minutes=90),
    "0.5s": timedelta(seconds=0.5),
}  # fmt: skip

TEXTS = (
    "a", "won", "A", "it's", "b", "lost", 'say "hi"', "/pricing", "/pricing/é", "50%_\\", "other", "", " a", "☃😀",
    "line\nbreak",
    "'; drop table leads; --", "ß", "null", "true", "1", "{{x}}", "%s", "?", "$1", ":x",
)  # fmt: skip
NUMBERS = (0.0, 1.0, -1.0, 0.5, 2.0, 10.0, 49.999, 50.0, 200.0, 5000.0, 1e-9, 1e12, -3.25, 0.1)
PATTERNS = ("/pricing%", "%", "", "_", "%a%", "50%", "%\\%", "☃_", "%'%", "line_break", "%/%/%", "A")
POINTS = (0.0, 1.0, -1.0, 5.0, 20.0, -40.0, 0.1, -0.3, 1e-9, 1e9, -1e9, 12.5, 13.2)
CAPS = ((None, None), (0.0, 60.0), (-5.0, 5.0), (10.0, 10.0), (None, 0.0), (1.0, None), (-100.0, 60.5))
ACCOUNTS = ("acme", "Åcme 'n' \"co\"", "", "b")
OUTCOMES = ("won", "lost", "open")
LABELS = ("C", "B", "A", "1", "2", "3", "it's ★", "")


POOLS: Mapping[str, Sequence[Value]] = {"text": TEXTS, "number": NUMBERS, "bool": (True, False), "time": MOMENTS}


class Dice:
    """Choices decoded from bytes that Hypothesis draws in one go: a draw per row instead of one per value."""

    def __init__(self, rolled: bytes) -> None:
        self._rolled = iter(rolled)

    def pick(self, options: Sequence[Any]) -> Any:
        rolled = next(self._rolled) if len(options) <= 64 else 256 * next(self._rolled) + next(self._rolled)
        return options[rolled % len(options)]

    def value(self, kind: str, times: Sequence[datetime]) -> Value:
        return self.pick(_with_common(None, times if kind == "time" else POOLS[kind]))

    def row(self, kinds: Mapping[str, str], times: Sequence[datetime]) -> dict[str, Value]:
        return {name: self.value(kind, times) for name, kind in kinds.items()}


ROLLS = 24


def _dice(draw) -> Dice:
    return Dice(draw(st.binary(min_size=ROLLS, max_size=ROLLS)))


def _many_dice(draw, count: int) -> list[Dice]:
    rolled = draw(st.binary(min_size=ROLLS * count, max_size=ROLLS * count))
    return [Dice(rolled[ROLLS * i : ROLLS * (i + 1)]) for i in range(count)]


def _with_common(first: Value, pool: Sequence[Value]) -> Sequence[Value]:
    """A pool in which some values are common, so that rows and conditions meet."""
    common = pool[:4]
    return [common[0], first, *common, *common, *common, *pool]


# ------------------------------------------------------------------------------------------------------- conditions


@dataclass
class Scope:
    """The names that may stand in a text, each with its type."""

    names: Mapping[str, str]
    meanings: dict[str, Node] = field(default_factory=dict)

    def of(self, kind: str) -> list[str]:
        return [name for name, known in self.names.items() if known == kind]

    def keep(self, node: Node) -> str:
        """Render a tree and remember what the text means."""
        text = render(node)
        self.meanings[text] = node
        return text


def _pick(draw, options: Sequence[Any]) -> Any:
    return options[draw(_below(len(options)))]


@cache
def _below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


def _name(draw, name: str) -> Name:
    loud = name not in ("order", "user", "rank") and _pick(draw, (False, False, False, True))
    return Name(name, name.upper() if loud else None)


def _constant(draw, kind: str) -> Const:
    pool = (*NUMBERS, 0.2, 0.3, 3.0) if kind == "number" else POOLS[kind]
    return Const(_pick(draw, _with_common(pool[0], pool)))


def _operand(draw, scope: Scope, kind: str, depth: int) -> Node:
    """A value of a type: mostly a name, sometimes an expression."""
    names = scope.of(kind)
    names += ["outcome"] * (3 if "outcome" in names else 0)
    choice = draw(st.integers(0, 5 + (4 if depth else 0)))
    if choice <= 4 and names:
        return _name(draw, _pick(draw, names))
    if choice <= 5 or not depth:
        return _constant(draw, kind)
    if choice == 6:
        return Coalesce((_operand(draw, scope, kind, 0), _operand(draw, scope, kind, 0), _constant(draw, kind)))
    if choice == 7:
        branches = ((_condition(draw, scope, 0), _operand(draw, scope, kind, 0)),)
        return Case(branches, _pick(draw, (None, _constant(draw, kind))))
    if kind != "number":
        return _constant(draw, kind)
    if choice == 8:
        return Abs(_operand(draw, scope, kind, depth - 1))
    left, right = _operand(draw, scope, kind, depth - 1), _operand(draw, scope, kind, depth - 1)
    return Arithmetic(_pick(draw, "+-*/%"), left, right)


def _condition(draw, scope: Scope, depth: int) -> Node:
    choice = draw(st.integers(0, 9 if depth else 6))
    if choice >= 7:
        parts = tuple(_condition(draw, scope, depth - 1) for _ in range(1 if choice == 9 else 2))
        return Not(parts[0]) if choice == 9 else And(parts) if choice == 8 else Or(parts)
    kind = _pick(draw, [kind for kind in ("number", "text", "bool", "time") if scope.of(kind)] or ["number"])
    value = _operand(draw, scope, kind, depth)
    negated = _pick(draw, (True, False))
    if choice == 0:
        return IsNull(value, negated)
    if choice == 1 and kind in ("text", "number"):
        options = tuple(_constant(draw, kind) for _ in range(draw(st.integers(1, 3))))
        return In(value, options, negated)
    if choice == 2 and kind in ("number", "time"):
        return Between(value, _operand(draw, scope, kind, 0), _operand(draw, scope, kind, 0), negated)
    if kind == "text" and choice in (2, 3):
        return Like(value, _pick(draw, PATTERNS), _pick(draw, (False, False, True)), negated)
    if kind == "bool" and choice in (3, 4):
        return value
    ordered = kind in ("number", "time")
    op = _pick(draw, ("<>", "=", "<", "<=", ">", ">=") if ordered else ("<>", "="))
    return Compare(op, value, _operand(draw, scope, kind, depth))


# --------------------------------------------------------------------------------------------------------- features


@dataclass
class Known:
    """The features drawn so far: their specs, types, and whose they can be (a lead's, an account's or both)."""

    meanings: dict[str, Node]
    windows: Sequence[str]
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    subjects: dict[str, frozenset[str]] = field(default_factory=dict)

    def names(self, subject: str) -> dict[str, str]:
        """Every name with a value for a lead (or an account) that a condition may use."""
        own = {"created_at": "time", "id": "text", "account": "text", "as_of": "time", "outcome": "text", **ATTRIBUTES}
        if subject == "account":
            own = {"account": "text", "leads": "number"}
        features = {name: kind for name, kind in self.types.items() if subject in self.subjects[name]}
        return {**own, **ACCOUNT_ATTRIBUTES, **features}

    def scope(self, subject: str) -> Scope:
        return Scope(self.names(subject), self.meanings)


BOTH = frozenset({"lead", "account"})
LEADS = frozenset({"lead"})
EVENT_KINDS = (
    "count", "sum", "min", "max", "avg", "distinct", "share", "recency", "decayed", "trend", "since_first", "interval",
    "sessions",
)  # fmt: skip


def _where(draw, known: Known) -> str:
    scope = Scope(PROPERTIES, known.meanings)
    return scope.keep(_condition(draw, scope, 1))


def _event_type(draw) -> str:
    return _pick(draw, (*EVENTS, *EVENTS[:2], *EVENTS[:2], "*", UNSEEN_EVENT))


def _window(draw, known: Known) -> str:
    return _pick(draw, known.windows)


def _event_feature(draw, known: Known, kind: str) -> dict[str, Any]:
    spec: dict[str, Any] = {kind: _event_type(draw)}
    if kind in ("sum", "min", "max", "avg") or (kind == "decayed" and draw(st.booleans())):
        spec["property"] = "amount"
    if kind == "distinct":
        spec["property"] = _pick(draw, tuple(PROPERTIES))
    if kind == "decayed":
        spec["half_life"] = _window(draw, known)
    if kind == "sessions":
        spec["gap"] = _window(draw, known)
    if kind == "share" or _pick(draw, (False, False, True)):
        spec["where"] = _where(draw, known)
    if kind == "trend" or draw(st.booleans()):
        spec["within"] = _window(draw, known)
    return spec


def _account_feature(draw, known: Known) -> dict[str, Any]:
    kind = _pick(draw, (*EVENT_KINDS, "distinct_leads", "distinct_leads", "lead_sum", "lead_max"))
    if kind in ("lead_sum", "lead_max"):
        numbers = [
            name for name, of in known.names("lead").items()
            if of == "number" and name not in ACCOUNT_ATTRIBUTES and "account" not in known.specs.get(name, {})
        ]  # fmt: skip
        return {"account": {kind.removeprefix("lead_"): _pick(draw, numbers)}}
    return {"account": _event_feature(draw, known, kind)}


def _after_feature(draw, known: Known) -> dict[str, Any]:
    spec: dict[str, Any] = {"after": _pick(draw, ("created_at", "signed_up", "founded")), "plus": _window(draw, known)}
    if draw(st.booleans()):
        values = draw(st.lists(st.sampled_from([text for text in TEXTS if text]), max_size=2))
        spec = {**spec, "by": "seniority", "plus": {value: _window(draw, known) for value in values}}
        if draw(st.booleans()):
            spec["other"] = _window(draw, known)
    return spec


def _add_feature(draw, known: Known, kinds: Sequence[str]) -> None:
    kind = _pick(draw, kinds)
    name = next(name for name in FEATURE_NAMES if name not in known.specs)
    subjects, of = BOTH, "number"
    if kind == "attribute":
        pool = {**ATTRIBUTES, **ACCOUNT_ATTRIBUTES}
        attribute = _pick(draw, tuple(pool))
        spec: dict[str, Any] = {"attribute": attribute}
        of, subjects = pool[attribute], LEADS
        if draw(st.booleans()) and attribute not in known.specs:
            name = attribute  # as in the design's example: `seniority: {attribute: seniority}`
    elif kind == "age":
        spec, subjects = {"age": _pick(draw, ("created_at", "signed_up", "founded"))}, LEADS
    elif kind == "until":
        times = [name for name, of in known.names("lead").items() if of == "time" and name != "as_of"]
        spec, subjects = {"until": _pick(draw, tuple(times))}, LEADS
    elif kind == "after":
        spec, of, subjects = _after_feature(draw, known), "time", LEADS
    elif kind == "expr":
        of = _pick(draw, ("number", "number", "bool", "text"))
        scope = known.scope("lead")
        node = _condition(draw, scope, 1) if of == "bool" else _operand(draw, scope, of, 2)
        spec, subjects = {"expr": scope.keep(node)}, LEADS
    elif kind == "account":
        spec = _account_feature(draw, known)
    else:
        spec = _event_feature(draw, known, kind)
    known.specs[name], known.types[name], known.subjects[name] = spec, of, subjects


# --------------------------------------------------------------------------------------------------------- criteria


def _keys(draw, kind: str) -> list[Value]:
    pool = {"text": [text for text in TEXTS if text], "number": NUMBERS, "bool": (True, False)}[kind]
    return draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique=True))


def _category(draw, scope: Scope) -> dict[str, Any]:
    kind = _pick(draw, ("text", "text", "number", "bool"))
    points = {key: _pick(draw, POINTS) for key in _keys(draw, kind)}
    spec = {"feature": _pick(draw, scope.of(kind)), "points": points}
    return spec | _rest(draw)


def _rest(draw) -> dict[str, float]:
    return {key: _pick(draw, POINTS) for key in ("other", "missing") if draw(st.booleans())}


def _cuts(draw) -> list[float]:
    return sorted(draw(st.lists(st.sampled_from((*NUMBERS, 3.0, 1.0, 2.0, 0.0)), min_size=1, max_size=4, unique=True)))


def _bands(draw, scope: Scope) -> dict[str, Any]:
    cuts: list[float | None] = list(_cuts(draw))
    if len(cuts) == 1 or draw(st.booleans()):
        cuts.insert(0, None)
    if draw(st.booleans()):
        cuts.append(None)
    bands = [[low, high, _pick(draw, POINTS)] for low, high in pairwise(cuts)]
    rest = _rest(draw)
    if "other" in rest and len(bands) > 2:
        bands.pop(draw(st.integers(0, len(bands) - 1)))
    names = scope.of("number") + ["leads"] * (3 if "leads" in scope.names else 0)
    return {"feature": _pick(draw, names), "bands": bands} | rest


def _pair(draw, scope: Scope) -> dict[str, Any]:
    names = [name for name, kind in scope.names.items() if kind != "time"]
    first, second = draw(st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True))
    cuts = {
        name: _cuts(draw)
        for name in (first, second)
        if scope.names[name] == "number" and _pick(draw, (True, True, False))
    }  # fmt: skip
    shape = [cuts.get(name) or scope.names[name] for name in (first, second)]

    def cells(axis: int):
        make = (lambda: cells(1)) if axis == 0 else (lambda: _pick(draw, POINTS))
        if isinstance(shape[axis], list):
            return [make() for _ in range(len(shape[axis]) + 1)]
        table = {key: make() for key in _keys(draw, shape[axis])}
        return table | ({"other": make()} if draw(st.booleans()) else {})

    return {"features": [first, second], "bands": cuts, "table": cells(0)} | _rest(draw)


def _event(draw, known: Known) -> dict[str, Any]:
    spec: dict[str, Any] = {"event": _event_type(draw), "points": _pick(draw, POINTS)}
    if _pick(draw, (False, False, True)):
        spec["where"] = _where(draw, known)
    for key in ("within", "half_life"):
        if draw(st.booleans()):
            spec[key] = _window(draw, known)
    if _pick(draw, (False, True)):
        spec["first"] = draw(st.integers(1, 3))
    if _pick(draw, (False, False, True)):
        spec["max"] = _pick(draw, (0.5, 5.0, 20.0, 0.1, 1e9))
    return spec


def _criterion(draw, known: Known, kinds: Sequence[str], subject: str, number: int) -> dict[str, Any]:
    kind, scope = _pick(draw, kinds), known.scope(subject)
    title = _pick(draw, ("Criterion", 'it\'s "№" ☃', "cap", "score", "a; b -- c", "Критерий", "%", "base"))
    spec: dict[str, Any] = {"name": f"{title} {number}"}
    if kind == "category":
        return spec | _category(draw, scope)
    if kind == "bands":
        return spec | _bands(draw, scope)
    if kind == "pair":
        return spec | _pair(draw, scope)
    if kind == "event":
        return spec | _event(draw, known)
    return spec | {"when": scope.keep(_condition(draw, scope, 2)), "points": _pick(draw, POINTS)}


# ----------------------------------------------------------------------------------------------------------- grades


def _grades(draw, known: Known, groups: Sequence[str]) -> dict[str, Any]:
    axes = draw(st.lists(st.sampled_from((*groups, "score")), min_size=1, max_size=2, unique=True))
    spec: dict[str, Any] = {}
    for axis in axes:
        count = draw(st.integers(1, 4))
        labels = draw(st.lists(st.sampled_from(LABELS[:7]), min_size=count, max_size=count, unique=True))
        bounds = draw(
            st.lists(
                st.sampled_from((0.0, 5.0, 20.0, 12.5, -40.0, 60.0, 1.0, -1.0)),
                min_size=count - 1, max_size=count - 1, unique=True,
            )
        )  # fmt: skip
        spec[axis] = dict(zip(labels, [None, *bounds], strict=True))
    # A margin as large as a bound: sums are often 0, so that many lie exactly where the level is left.
    edges = [bound for levels in spec.values() for bound in levels.values() if bound is not None and bound > 0]
    if draw(st.booleans()):
        spec["hysteresis"] = {"margin": _pick(draw, (*edges, 0.0, 3.0, 0.5, *edges))}
        if draw(st.booleans()):
            spec["hysteresis"]["dwell"] = _window(draw, known)
    return spec


def _grade_labels(grades: dict[str, Any]) -> list[str]:
    axes = [list(levels) for axis, levels in grades.items() if axis != "hysteresis"]
    return axes[0] if len(axes) == 1 else [first + second for first in axes[0] for second in axes[1]]


def _gates(draw, known: Known, subject: str, grades: dict[str, Any]) -> list[dict[str, Any]]:
    scope, labels = known.scope(subject), _grade_labels(grades)
    return [
        {"name": f"Gate's {i}", "when": scope.keep(_condition(draw, scope, 1)), "grade": _pick(draw, labels)}
        for i in range(draw(st.integers(0, 2)))
    ]


def _calibration(draw) -> dict[str, Any]:
    scores = sorted(draw(st.lists(st.sampled_from((-60.0, -20.0, 0.0, 5.0, 25.0, 70.0)), min_size=1, unique=True)))
    shares = st.sampled_from((0.0, 0.004, 0.02, 0.07, 0.31, 0.84, 1.0))
    return {"score": scores, "probability": draw(st.lists(shares, min_size=len(scores), max_size=len(scores)))}


@dataclass(frozen=True)
class Theme:
    """What a workspace is rich in."""

    features: Sequence[str] = ()
    criteria: Sequence[str] = ()
    of: str = "lead"
    accounts: bool = False
    grades: bool = False
    moments: int = 1


def _scorecard(draw, known: Known, theme: Theme) -> dict[str, Any]:
    number, groups = 0, {}
    for group in GROUP_NAMES[: draw(st.integers(1, 2)) if theme.criteria else 1]:
        criteria = []
        for _ in range(draw(st.sampled_from((2, 1, 3, 0))) if theme.criteria else 0):
            number += 1
            criteria.append(_criterion(draw, known, theme.criteria, theme.of, number))
        groups[group] = {"cap": _pick(draw, CAPS), "criteria": criteria}
    spec: dict[str, Any] = {"of": theme.of, "base": _pick(draw, POINTS), "groups": groups}
    if theme.grades:
        spec["grades"] = _grades(draw, known, list(groups))
        spec["gates"] = _gates(draw, known, theme.of, spec["grades"])
        if draw(st.booleans()):
            spec["calibration"] = _calibration(draw)
    return spec


# ------------------------------------------------------------------------------------------------------------ worlds


def _times(moments: Sequence[datetime], windows: Sequence[timedelta]) -> list[datetime]:
    """A pool of times that lie on, or a tick beside, everything that has an edge; some stand in it several times."""
    found = []
    for moment in moments:
        found += [moment, moment, moment, moment - TICK, moment + TICK, moment + timedelta(seconds=1), moment + DAY]
        found += [moment - 400 * DAY, moment - 3 * DAY, moment + 400 * DAY]
        for window in windows:
            for edge in (moment - window, moment - 2 * window):
                found += [edge, edge, edge + TICK, edge - TICK]
    return sorted(found)


def _world(draw, moments: Sequence[datetime], times: list[datetime], theme: Theme, scorecard: dict[str, Any]) -> World:
    early = [time for time in times if time <= moments[0]]
    accounts = (*ACCOUNTS[:1] * 3, *ACCOUNTS, None) if theme.accounts else (None, *ACCOUNTS[:2])
    count = _pick(draw, (2, 4, 8, 3, 5, 6, 1, 7, 0))
    leads = [Lead(i, f"lead '{i}'", dice.pick(early + times)) for i, dice in enumerate(_many_dice(draw, count))]
    attributes = [
        Attributes(lead.lead, start, end, dice.pick(accounts), dice.row(ATTRIBUTES, times))
        for lead in leads
        for start, end, dice in _versions(draw, early + times)
    ]
    account_attributes = [
        AccountAttributes(account, start, end, dice.row(ACCOUNT_ATTRIBUTES, times))
        for account in (ACCOUNTS if theme.accounts else ACCOUNTS[:2])
        for start, end, dice in _versions(draw, early + times)
    ]
    history = _history(draw, leads, times, moments[0], scorecard) if theme.grades else []
    outcomes = [
        Outcome(
            dice.pick(range(len(leads) + 1)), dice.pick((moments[0], *times, None, None)), dice.pick(OUTCOMES), 10.0
        )
        for dice in _many_dice(draw, _pick(draw, (2, 0, 6, 12)))
    ]
    events = _events(draw, len(leads), times)
    return World(leads, attributes, account_attributes, events, outcomes, history)


def _versions(draw, times: Sequence[datetime]) -> list[tuple[datetime, datetime, Dice]]:
    """Zero to two periods of one history, the last of which is open or (seldom) ends."""
    dice = _dice(draw)
    starts = sorted({dice.pick(times) for _ in range(dice.pick((1, 2, 0, 1, 2)))})
    if not starts:
        return []
    ends = [*starts[1:], dice.pick((FOREVER,) * 7 + (starts[-1] + DAY,))]
    return [(start, end, _dice(draw)) for start, end in zip(starts, ends, strict=True)]


def _events(draw, leads: int, times: Sequence[datetime]) -> list[Event]:
    events = [
        Event(
            dice.pick(range(leads + 1)),  # one of them is nobody we know
            dice.pick((*EVENTS, EVENTS[0])),
            dice.pick(times),
            dice.row(PROPERTIES, times),
        )
        for dice in _many_dice(draw, _pick(draw, (6, 20, 40, 30, 12, 1, 25, 35, 16, 0)))
    ]
    twice = draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    return [*events, *twice]


def _history(
    draw, leads: Sequence[Lead], times: Sequence[datetime], moment: datetime, scorecard: dict[str, Any]
) -> list[GradeChange]:
    subjects = [lead.lead for lead in leads] if scorecard["of"] == "lead" else list(ACCOUNTS)
    axes = [list(levels) for axis, levels in scorecard["grades"].items() if axis != "hysteresis"]
    dwell = WINDOWS[scorecard["grades"].get("hysteresis", {}).get("dwell", "24h")]
    edges = [moment + shift for shift in (0 * TICK, -dwell, TICK - dwell, TICK) for _ in range(4)]
    rows = []
    for subject in subjects:
        dice = _dice(draw)
        for at in [dice.pick((*edges, *times)) for _ in range(dice.pick((1, 2, 0)))]:
            name = dice.pick((SCORECARD, SCORECARD, SCORECARD, "another"))
            levels = tuple(dice.pick((*axis, *axis, "gone", None)) for axis in axes)
            since = tuple(dice.pick([time for time in (*edges, *times) if time <= at]) for _ in axes)
            rows.append(GradeChange(name, at, subject, "?", levels, since, dice.pick((False, True))))
    return rows


@dataclass(frozen=True)
class Example:
    """A workspace with one scorecard, its rows, the moments to look from, and what every text in the spec means."""

    workspace: WorkspaceSpec
    scorecard: ScorecardSpec
    world: World
    moments: tuple[datetime, ...]
    meanings: Mapping[str, Node]
    feature_types: Mapping[str, str]

    def scorer(self, world: World | None = None) -> Scorer:
        """The reference over this workspace (or over other rows)."""
        return Scorer(
            self.workspace, self.world if world is None else world, self.meanings, frozenset(ATTRIBUTES),
            frozenset(ACCOUNT_ATTRIBUTES),
        )  # fmt: skip

    def __repr__(self) -> str:
        """Show what a person needs to follow a failure by hand."""
        lines = [
            f"moments: {', '.join(str(moment) for moment in self.moments)}",
            f"features: {self.workspace.model_dump(mode='json', exclude_defaults=True)}",
            f"scorecard: {self.scorecard.model_dump(mode='json', exclude_defaults=True)}",
        ]
        for table in ("leads", "attributes", "account_attributes", "events", "outcomes", "grade_history"):
            lines += [f"{table}:", *(f"    {row}" for row in getattr(self.world, table))]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Let Hypothesis print it the same way."""
        printer.text(repr(self))


@st.composite
def examples(draw, theme: Theme) -> Example:
    """A whole example of a theme."""
    meanings: dict[str, Node] = {}
    windows = [_pick(draw, tuple(WINDOWS)) for _ in range(2)]
    known = Known(meanings, windows)
    for _ in range(_pick(draw, (3, 1, 2, 4, 5)) if theme.features else 0):
        _add_feature(draw, known, theme.features)
    scorecard = _scorecard(draw, known, theme)
    workspace: dict[str, Any] = {"features": dict(reversed(known.specs.items()))}
    if theme.of == "lead" and _pick(draw, (False, False, False, True)):
        scope = known.scope("lead")
        workspace["exclude"] = scope.keep(_condition(draw, scope, 1))
    moments = draw(st.lists(_moment(), min_size=1, max_size=theme.moments, unique=True))
    times = _times(moments, [WINDOWS[window] for window in windows])
    world = _world(draw, moments, times, theme, scorecard)
    return Example(
        WorkspaceSpec.model_validate(workspace), ScorecardSpec.model_validate(scorecard), world, tuple(moments),
        meanings, {name: kind for name, kind in known.types.items() if theme.of in known.subjects[name]},
    )  # fmt: skip


def _moment() -> st.SearchStrategy[datetime]:
    return st.sampled_from([moment + shift for moment in MOMENTS for shift in (0 * TICK, 0 * TICK, TICK)])


@st.composite
def later_rows(draw, example: Example) -> World:
    """The same world with more rows, none of which was known at the example's (first) moment."""
    moment, world = example.moments[0], example.world
    times = [moment + TICK, moment + timedelta(seconds=1), moment + DAY, moment + 400 * DAY]
    newcomer = len(world.leads) + 1
    subjects = [lead.lead for lead in world.leads] + [newcomer]
    leads = [*world.leads, Lead(newcomer, "newcomer", _pick(draw, times))]
    events = [
        Event(dice.pick(subjects), dice.pick(EVENTS), dice.pick(times), dice.row(PROPERTIES, times))
        for dice in _many_dice(draw, _pick(draw, (4, 1, 8)))
    ]
    attributes = [_closed(row, moment, times) for row in world.attributes]
    attributes += [
        Attributes(lead, times[2], FOREVER, dice.pick((None, *ACCOUNTS)), dice.row(ATTRIBUTES, times))
        for lead, dice in ((lead, _dice(draw)) for lead in subjects)
    ]
    account_attributes = [_closed(row, moment, times) for row in world.account_attributes]
    account_attributes += [
        AccountAttributes(account, times[2], FOREVER, _dice(draw).row(ACCOUNT_ATTRIBUTES, times))
        for account in ACCOUNTS
    ]
    outcomes = [*world.outcomes, *(Outcome(lead, _pick(draw, times), "won", 1.0) for lead in subjects)]
    axes = len((example.scorecard.grades.__pydantic_extra__ if example.scorecard.grades else None) or {})
    history = [
        GradeChange(SCORECARD, times[0], subject, "?", ("A",) * axes, (times[0],) * axes)
        for subject in (subjects if example.scorecard.of == "lead" else ACCOUNTS)
        if axes
    ]
    return World(
        leads, attributes, account_attributes, [*events, *world.events], outcomes,
        [*world.grade_history, *history],
    )  # fmt: skip


def _closed(row, moment: datetime, times: Sequence[datetime]):
    """A version that was open at the moment ends where the one that came later starts."""
    if row.known_at > moment:
        return replace(row, known_until=min(row.known_until, times[2])) if row.known_at < times[2] else row
    return replace(row, known_until=times[2]) if row.known_until > times[2] else row
