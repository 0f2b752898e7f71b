r"""A world of subscribers whose true probabilities are known: they use, renew, expand and leave.

Time goes in steps of 30 days, the last of which ends at `until`. Every random number is drawn from the seed by the
subscriber's own number (see `draws`).

**Subscribers** start at a random moment of the world. Segment, channel, plan and billing by share; ln seats ~
N(2, 0.9); fit f ~ N(0, 1), hidden, by segment; activity a = exp(N(-0.125, 0.5)).

**Health**, hidden, is one of four states: 0 failing, 1 flat, 2 healthy, 3 thriving; constant within a step. At the
start it is the number of `CUTS` below N(0, 1) + 0.5 f; after a step it goes up with probability `UP` exp(0.3 f), else
down with probability `DOWN` exp(-0.3 f).

**Terms** are of 1 or 12 steps (`billing`: monthly, annual). At the end of a term a subscriber leaves with probability

    c = sigmoid(CHURN[state] + (1.4 if annual) + CHANNEL_EFFECT + PLAN_EFFECT)

and else renews. In every step there is an expansion (a fifth more seats) with probability e = `EXPAND`[state]
SEGMENT_EXPANDS, at a uniform moment, unless the subscriber has left by then.

**Truth** as of `until`, given all that is hidden then and nothing later, of the three steps after it: the probability
to leave, to renew at least once, and to expand at least once, by recursion backward over the steps (d says whether a
term ends in the step, g at which part of it, V' is the next step's value after health has moved):

    leave   = d c + (1 - d c) V'
    renew   = d (1 - c) + (1 - d) V'
    expand  = e (1 - d c (1 - g)) + (1 - e) (1 - d c) V'

**Events** are Poisson with monthly rates by state (`RATES`); what people do themselves is multiplied by a. Tickets
have a severity, surveys a score from 0 to 10 that rises with health.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from leadlight.errors import UsageError
from leadlight.simulate.columns import lead_ids, moments, texts
from leadlight.simulate.draws import Bools, Codes, Draws, Floats, Ints
from leadlight.simulate.world import DAY, UNTIL
from leadlight.simulate.write import table_files
from leadlight.spec.readable import Readable

STEP = 30 * DAY
AHEAD = 3
"""The steps after `until` that the truth is about."""
MAX_SUBSCRIBERS, MAX_DAYS = 200_000, 3650

SEGMENTS, SEGMENT_SHARE = ("agency", "software", "retail", "services"), np.array((0.25, 0.3, 0.2, 0.25))
SEGMENT_FIT, SEGMENT_EXPANDS = np.array((-0.2, 0.4, -0.4, 0.1)), np.array((0.8, 1.5, 0.6, 1.0))
CHANNELS, CHANNEL_SHARE = ("direct", "partner", "marketplace", "discount"), np.array((0.45, 0.25, 0.15, 0.15))
CHANNEL_EFFECT = np.array((0.0, -0.3, 0.2, 0.7))
PLANS, PLAN_SHARE, PRICE = ("starter", "team", "business"), np.array((0.45, 0.35, 0.2)), np.array((12.0, 25.0, 60.0))
PLAN_EFFECT = np.array((0.2, 0.0, -0.3))
BILLING, BILLING_SHARE, TERM = ("monthly", "annual"), np.array((0.65, 0.35)), np.array((1, 12))
ANNUAL_EFFECT = np.array((0.0, 1.4))

STATES = 4
CUTS = np.array((-1.0, 0.1, 1.1))
UP, DOWN = np.array((0.10, 0.12, 0.10, 0.0)), np.array((0.0, 0.12, 0.10, 0.10))
CHURN = np.array((-1.1, -2.7, -4.0, -5.2))
EXPAND = np.array((0.003, 0.012, 0.035, 0.08))
RATES = {
    "login": (3.0, 8.0, 16.0, 26.0),
    "key_action": (0.3, 2.0, 6.0, 14.0),
    "invite": (0.02, 0.1, 0.4, 0.9),
    "ticket": (1.2, 0.6, 0.5, 0.4),
    "payment_failed": (0.25, 0.08, 0.04, 0.02),
    "survey": (0.12, 0.15, 0.18, 0.2),
    "admin_left": (0.05, 0.02, 0.01, 0.005),
}
OWN_DOING = ("login", "key_action", "invite")
SEVERITIES = ("low", "normal", "urgent")
SEVERITY_SHARE = np.array(((0.2, 0.4, 0.4), (0.3, 0.5, 0.2), (0.35, 0.5, 0.15), (0.4, 0.5, 0.1)))
MISSING_SEGMENT = 0.06
MORE_SEATS = 1.2


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Who subscribes, one row each; moments in seconds since 1970."""

    number: Ints
    start: Ints
    segment: Codes
    channel: Codes
    plan: Codes
    billing: Codes
    seats: Ints
    fit: Floats
    activity: Floats

    def leaves(self, state: Ints | int) -> Floats:
        """The probability to leave at the end of a term."""
        effects = CHANNEL_EFFECT[self.channel] + PLAN_EFFECT[self.plan] + ANNUAL_EFFECT[self.billing]
        found: Floats = 1 / (1 + np.exp(-(CHURN[state] + effects)))
        return found

    def expands(self, state: Ints | int) -> Floats:
        """The probability to expand within a step."""
        found: Floats = np.minimum(EXPAND[state] * SEGMENT_EXPANDS[self.segment], 0.5)
        return found

    def moves(self, state: Ints | int) -> tuple[Floats, Floats]:
        """The probabilities that health goes up, and down, after a step."""
        up = np.minimum(UP[state] * np.exp(0.3 * self.fit), 0.5)
        down = np.minimum(DOWN[state] * np.exp(-0.3 * self.fit), 0.5)
        return up, down


@dataclass(frozen=True, slots=True, repr=False)
class SubscriptionsReport(Readable):
    """What was made, and where it lies; `seconds` is wall time."""

    out: Path
    seed: int
    start: datetime
    until: datetime
    subscribers: int
    active: int
    """Subscribers who have not left by `until`."""
    events: int
    renewed: int
    expanded: int
    churned: int
    files: tuple[Path, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "out": str(self.out),
            "start": self.start.isoformat(),
            "until": self.until.isoformat(),
            "files": [str(path) for path in self.files],
        }

    def __str__(self) -> str:
        return "\n".join(
            [
                f"World        seed {self.seed}, from {self.start:%Y-%m-%d} to {self.until:%Y-%m-%d}",
                f"Subscribers  {self.subscribers:,}, {self.active:,} of them active at the end",
                f"Events       {self.events:,}",
                f"Outcomes     {self.renewed:,} renewed, {self.expanded:,} expanded, {self.churned:,} churned",
                f"Files        {', '.join(path.name for path in self.files)} in {self.out}",
                f"Took         {self.seconds:.1f} s",
            ]
        )


def simulate_subscriptions(
    out: Path, *, subscribers: int = 2000, seed: int = 1, until: datetime = UNTIL, days: int = 720
) -> SubscriptionsReport:
    """Make a world of subscribers and write it into the folder `out`.

    Files: `subscribers.csv` (a row for each state a subscription was in, with `known_at`), `events.parquet`,
    `outcomes.csv`, and beside them `truth.parquet`, which no learner should see. `days` is rounded up to whole steps.

    Raises UsageError for numbers that make no world and for an `out` that is no folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = simulate_subscriptions(Path(folder), subscribers=50)
    >>> report.subscribers, [path.name for path in report.files]
    (50, ['subscribers.csv', 'events.parquet', 'outcomes.csv', 'truth.parquet'])
    """
    began = time.perf_counter()
    if not 1 <= subscribers <= MAX_SUBSCRIBERS:
        raise UsageError(f"{subscribers:,} subscribers make no world; from 1 to {MAX_SUBSCRIBERS:,} do")
    if not 1 <= days <= MAX_DAYS:
        raise UsageError(f"days is {days}; a world lasts from 1 to {MAX_DAYS:,} days")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", fix="Name a folder to write to.")
    out.mkdir(parents=True, exist_ok=True)
    draws, end, steps = Draws(seed), int((until - datetime(1970, 1, 1)).total_seconds()), -(-days // 30)  # noqa: DTZ001
    people = make_subscribers(draws, subscribers, begin=end - steps * STEP, end=end)
    life = _live(draws, people, end - steps * STEP, steps)
    paths = [out / name for name in ("subscribers.csv", "events.parquet", "outcomes.csv", "truth.parquet")]
    tables = (_history(people, life), life.events, life.outcomes, _truth(people, life, end))
    with table_files(paths) as files:
        for file, table in zip(files, tables, strict=True):
            file.add(table)
    return SubscriptionsReport(
        out=out,
        seed=seed,
        start=_moment(end - steps * STEP),
        until=until,
        subscribers=subscribers,
        active=int(life.active.sum()),
        events=life.events.num_rows,
        **life.counts,
        files=tuple(paths),
        seconds=time.perf_counter() - began,
    )


def make_subscribers(draws: Draws, count: int, *, begin: int, end: int) -> Subscribers:
    """Draw who subscribes, and when."""
    number = np.arange(count)
    segment = draws.choice("segment", number, SEGMENT_SHARE)
    return Subscribers(
        number=number,
        start=(begin + draws.uniform("start", number) * (end - begin)).astype(np.int64),
        segment=segment,
        channel=draws.choice("channel", number, CHANNEL_SHARE),
        plan=draws.choice("plan", number, PLAN_SHARE),
        billing=draws.choice("billing", number, BILLING_SHARE),
        seats=np.maximum(1, np.rint(np.exp(2 + 0.9 * draws.normal("seats", number)))).astype(np.int64),
        fit=SEGMENT_FIT[segment] + draws.normal("fit", number),
        activity=np.exp(0.5 * draws.normal("activity", number) - 0.125),
    )


# ------------------------------------------------------------------------------------------------------ what happens


@dataclass(frozen=True, slots=True)
class _Life:
    """What happened by the end of the world."""

    state: Ints
    active: Bools
    seats: Ints
    events: pa.Table
    outcomes: pa.Table
    changes: tuple[tuple[Ints, Ints, Ints], ...]
    """(numbers, moments, seats since then) of renewals and expansions."""
    counts: dict[str, int]


def _live(draws: Draws, people: Subscribers, begin: int, steps: int) -> _Life:
    """Let everybody live step by step."""
    count = len(people.number)
    state = np.searchsorted(CUTS, draws.normal("state", people.number) + 0.5 * people.fit)
    left_at = np.full(count, np.iinfo(np.int64).max)
    seats, events, outcomes, changes = people.seats.copy(), [], [], []
    for step in range(steps):
        since = begin + step * STEP
        here = (people.start < since + STEP) & (left_at > since)
        due, at = term_ends(people, since)
        grows = here & (draws.uniform("expands", people.number, step) < people.expands(state))
        grown_at = since + (draws.uniform("expands at", people.number, step) * STEP).astype(np.int64)
        leaves = here & due & (draws.uniform("leaves", people.number, step) < people.leaves(state))
        left_at[leaves] = at[leaves]
        grows &= (grown_at > people.start) & (grown_at < left_at)
        stays = here & due & ~leaves
        more = np.where(grows, np.ceil(seats * MORE_SEATS).astype(np.int64) - seats, 0)
        month: Floats = PRICE[people.plan] * seats
        added: Floats = PRICE[people.plan] * more * 12
        outcomes += [
            _outcomes(people, grows, grown_at, "expanded", added),
            _outcomes(people, stays, at, "renewed", month * TERM[people.billing].astype(np.float64)),
            _outcomes(people, leaves, at, "churned", month * 12.0),
        ]
        before = seats + np.where(grown_at <= at, more, 0)
        seats = seats + more
        changes += [
            (people.number[stays], at[stays], before[stays]),
            (people.number[grows], grown_at[grows], seats[grows]),
        ]
        events.append(_events(draws, people, state, here, left_at, since, step))
        state = _moved(draws, people, state, step)
    told = pa.concat_tables(outcomes)
    names = told.column("outcome").to_pylist()
    return _Life(
        state,
        left_at == np.iinfo(np.int64).max,
        seats,
        pa.concat_tables(events).sort_by("at"),
        told.sort_by("at"),
        tuple(changes),
        {name: names.count(name) for name in ("renewed", "expanded", "churned")},
    )


def term_ends(people: Subscribers, since: int) -> tuple[Bools, Ints]:
    """Whether a term ends in the step that begins then, and at which moment."""
    gone = (since - people.start) // STEP + 1
    at = people.start + gone * STEP
    due: Bools = (gone > 0) & (gone % TERM[people.billing] == 0)
    return due, at


def _moved(draws: Draws, people: Subscribers, state: Ints, step: int) -> Ints:
    up, down = people.moves(state)
    dice = draws.uniform("moves", people.number, step)
    found: Ints = state + (dice < up).astype(np.int64) - ((dice >= up) & (dice < up + down)).astype(np.int64)
    return found


def _outcomes(people: Subscribers, who: Bools, at: Ints, what: str, value: Floats) -> pa.Table:
    return pa.table(
        {
            "subscriber": lead_ids(people.number[who]),
            "at": moments(at[who]),
            "outcome": pa.repeat(what, int(who.sum())),
            "value": value[who].round(2).astype(np.float64),
        }
    )


def _events(
    draws: Draws, people: Subscribers, state: Ints, here: Bools, left_at: Ints, since: int, step: int
) -> pa.Table:
    """What is seen of everybody in one step."""
    tables = []
    for kind, by_state in RATES.items():
        rate = np.array(by_state)[state] * np.where(kind in OWN_DOING, people.activity, 1.0)
        times = draws.poisson(kind, people.number * 1024 + step, np.where(here, rate, 0.0))
        row = np.repeat(people.number, times)
        place = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        whose = (row * 1024 + step) * 64 + np.minimum(place, 63)
        at = since + (draws.uniform(f"{kind} at", whose, place) * STEP).astype(np.int64)
        seen = (at > people.start[row]) & (at < left_at[row])
        tables.append(_seen(draws, kind, row[seen], at[seen], state[row[seen]], whose[seen]))
    return pa.concat_tables(tables)


def _seen(draws: Draws, kind: str, row: Ints, at: Ints, state: Ints, whose: Ints) -> pa.Table:
    severity = draws.choice("severity", whose, SEVERITY_SHARE, state)
    score = np.clip(np.rint(3 + 2 * state + 2 * draws.normal("score", whose)), 0, 10)
    return pa.table(
        {
            "subscriber": lead_ids(row),
            "type": pa.repeat(kind, len(row)),
            "at": moments(at, "us"),
            "severity": texts(SEVERITIES, severity, np.full(len(row), kind != "ticket")),
            "score": pa.array(score, mask=np.full(len(row), kind != "survey")),
        }
    )


# ---------------------------------------------------------------------------------------------------------- the files


def _history(people: Subscribers, life: _Life) -> pa.Table:
    """A row for each state a subscription was in, the state at the start first."""
    parts = ((people.number, people.start, people.seats), *life.changes)
    number, known_at, seats = (np.concatenate([part[place] for part in parts]) for place in range(3))
    order = np.lexsort((seats, known_at, number))
    number, known_at, seats = number[order], known_at[order], seats[order]
    term = TERM[people.billing[number]] * STEP
    start = people.start[number]
    unknown = Draws(0).uniform("no segment", number) < MISSING_SEGMENT
    return pa.table(
        {
            "subscriber": lead_ids(number),
            "since": moments(start),
            "known_at": moments(known_at),
            "segment": texts(SEGMENTS, people.segment[number], unknown),
            "channel": texts(CHANNELS, people.channel[number]),
            "plan": texts(PLANS, people.plan[number]),
            "billing": texts(BILLING, people.billing[number]),
            "seats": seats,
            "monthly_revenue": PRICE[people.plan[number]] * seats,
            "renews_at": moments(start + ((known_at - start) // term + 1) * term),
        }
    )


def _truth(people: Subscribers, life: _Life, end: int) -> pa.Table:
    """The truth of those who are there at the end of the world."""
    leave, renew, grow = probabilities(people, end)
    row = np.arange(len(people.number))
    found = {"churn": leave, "renewal": renew, "expansion": grow}
    table = pa.table(
        {
            "subscriber": lead_ids(people.number),
            "as_of": moments(np.full(len(row), end)),
            "health": life.state,
            **{name: by_state[life.state, row] for name, by_state in found.items()},
        }
    )
    return table.filter(pa.array(life.active))


def probabilities(people: Subscribers, since: int, *, ahead: int = AHEAD) -> tuple[Floats, Floats, Floats]:
    """The probabilities to leave, to renew and to expand within so many steps: arrays (state, subscriber)."""
    shape = (STATES, len(people.number))
    leave, renew, grow = (np.zeros(shape) for _ in range(3))
    for step in range(ahead - 1, -1, -1):
        due, at = term_ends(people, since + step * STEP)
        part = (at - since - step * STEP) / STEP
        later = [np.stack([_after(people, value, state) for state in range(STATES)]) for value in (leave, renew, grow)]
        for state in range(STATES):
            c, e = np.where(due, people.leaves(state), 0.0), people.expands(state)
            leave[state] = c + (1 - c) * later[0][state]
            renew[state] = np.where(due, 1 - c, later[1][state])
            grow[state] = e * (1 - c * (1 - part)) + (1 - e) * (1 - c) * later[2][state]
    return leave, renew, grow


def _after(people: Subscribers, value: Floats, state: int) -> Floats:
    """The value of the next step as a state expects it."""
    up, down = people.moves(state)
    found: Floats = (1 - up - down) * value[state]
    if state < STATES - 1:
        found = found + up * value[state + 1]
    return found + down * value[state - 1] if state else found


def _moment(seconds: int) -> datetime:
    found: datetime = pa.scalar(seconds, pa.timestamp("s")).as_py()
    return found
