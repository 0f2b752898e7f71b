r"""The simulated world: its equations, and every number in them.

All times are whole seconds; a *step* is five days, counted from a lead's arrival. `phase` runs from 0 at the start of
the world to 1 at `until`, and is how the world drifts. Every random number is drawn from the seed by the entity's own
number (see `draws`), so lead 17 is the same among a thousand leads and among ten million.

**Accounts.** Industry by share; ln employees ~ N(mean, sd) of the industry; country; crm (a tool in use); hidden
quality q ~ N(0, 1) and heat h ~ N(0, 1) (is the company shopping?); some have a mail gateway that clicks every link.

**Arrival.** Density over the world's days rises linearly from 1 to 1 + growth; office hours; weekend arrivals are
mostly moved to the days before. A lead is a buyer or, by small shares, a student, a competitor, one of our own staff
or a bot. Its source is drawn from shares that drift with phase.

**Hidden fit**, fixed, in logits:

    fit = seniority + department + industry_size[industry, size] + country + tool (0.5 if the crm is salesforce and
          employees > 50) + 0.35 q + 0.45 N(0, 1) - centre

**Hidden intent** is one of four states: 0 idle, 1 curious, 2 weighing, 3 buying; constant within a step.

    at arrival   z = N(0, 1) + source warmth + 0.4 h + 0.25 fit; the state is the number of `intent_cuts` below z
    after a step, when still open:  up with probability   u[s] = min(0.5, up[s] exp(0.35 h + 0.25 fit))
                                    down with probability d[s] = down[s]
    A bot, a student, a competitor or a colleague moves like everybody else, but does not buy.

**Outcomes** compete within each step, at rates per day:

    win   w[s] = win_rate[s]  buyer  exp(fit_effect fit + source_effect(phase) + drift phase + calendar(day))
    loss  l[s] = loss_rate[s] exp(-0.3 fit)

`buyer` is 1 for buyers, 0.05 for students, 0 for the rest. phase, day and so both rates are those of the step's first
moment. source_effect goes in a straight line from `source_start` to `source_end` and further. The time to the first of
the two is exponential with rate w + l, and it is a win with probability w / (w + l). Nothing that is seen (events,
filled-in fields) acts back on intent or outcomes.

**Truth.** The probability that a lead which is open at T is won in (T, T + 90 days], given all that is hidden at T
(fit, state, account) but nothing later, is W_0 in the recursion backward over the pieces j of that window that lie in
one step each, r_j days long:

    W_j[s] = w / (w + l) (1 - e^{-(w+l) r_j}) + e^{-(w+l) r_j} V_j[s]
    V_j[s] = u[s] W_{j+1}[s+1] + d[s] W_{j+1}[s-1] + (1 - u[s] - d[s]) W_{j+1}[s]

with W = 0 at the window's end. So no learner, however good, can rank better than it on average.

**Worth when won** = worth_base employees^0.55 worth_industry exp(N(0, 0.4)), in €.

**Events** are Poisson with rates per day by intent (`visit_rate`, `mail_rate`, `act_rates`); what a lead does itself is
multiplied by its activity, exp(N(-0.18, 0.6)). Weekends and August are thinned, hours are office hours. A visit is a
run of page views, by intent more and on other pages. A mail is opened, and once opened clicked, with probabilities by
intent; a gateway opens it and clicks all its links within seconds of delivery, whatever the intent. Bots visit in
bursts of dozens of pages, seconds apart. After unsubscribing no mail is sent. Some leads visited before they were
known. Won leads are onboarded (events that only winners have). `events` scales visits and mails, nothing else.

**What the files hide or leak.** Values are missing at random (country, title, industry) and not at random (phone and
budget: given by the keen; company: not told by users of free mail; employees: unknown for the small). A few leads are
the same person again under a new id and the same address, sometimes in capitals; their events and deals come under
either id. `lead_quality` and `last_activity_result` were filled in after the outcome. `record_no` tells the day of
creation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np

from leadlight.errors import UsageError
from leadlight.simulate.draws import Bools, Draws, Floats, Ints

DAY = 86_400
STEP = 5 * DAY
"""Seconds for which a lead's intent and rates are constant."""
STATES = 4
BLOCK = 64
"""Leads that share a pool of accounts and among which duplicates fall; chunks are whole blocks."""
ACCOUNTS_PER_BLOCK = 24
UNTIL = datetime(2026, 6, 30)  # noqa: DTZ001 -- times are naive UTC throughout
HORIZON = timedelta(days=90)
MAX_DAYS = 3650
"""Memory grows with the days of a world, not with its leads."""

KINDS = ("buyer", "student", "competitor", "staff", "bot")
KIND_SHARE = (0.949, 0.02, 0.008, 0.005, 0.018)
BUYER = (1.0, 0.05, 0.0, 0.0, 0.0)
BOT = KINDS.index("bot")

INDUSTRIES = ("software", "manufacturing", "retail", "finance", "healthcare", "education", "logistics", "agency")
INDUSTRY_SHARE = (0.22, 0.18, 0.14, 0.10, 0.10, 0.08, 0.08, 0.10)
EMPLOYEES_LOG_MEAN = (4.2, 5.0, 4.3, 5.2, 5.0, 4.8, 4.6, 2.9)
EMPLOYEES_LOG_SD = (1.4, 1.3, 1.6, 1.5, 1.4, 1.2, 1.3, 1.0)
WORTH_INDUSTRY = (1.2, 1.0, 0.8, 1.6, 1.1, 0.6, 0.9, 0.7)
SIZE_CUTS = (10.0, 50.0, 500.0, 5000.0)
INDUSTRY_SIZE = (
    (-0.2, 0.5, 0.9, 0.6, 0.1),
    (-0.9, -0.1, 0.5, 0.6, 0.3),
    (-0.6, 0.0, -0.2, 0.2, 0.7),
    (-0.7, 0.0, 0.5, 1.0, 0.9),
    (-0.6, -0.2, 0.2, 0.4, 0.0),
    (-1.0, -0.7, -0.5, -0.3, -0.3),
    (-0.4, 0.2, 0.3, 0.0, -0.2),
    (0.1, 0.4, 0.0, -0.4, -0.6),
)
"""Effect on fit of industry (down) and size (across): a pair that no sum of single effects can give."""

COUNTRIES = ("Germany", "France", "Netherlands", "Spain", "United Kingdom", "United States", "Poland", "India")
COUNTRY_SHARE = (0.30, 0.14, 0.10, 0.09, 0.12, 0.12, 0.06, 0.07)
COUNTRY_EFFECT = (0.25, 0.0, 0.2, -0.15, 0.1, 0.0, -0.2, -0.5)
TOOLS = ("salesforce", "hubspot", "dynamics", "pipedrive", "none")
TOOL_SHARE = (0.24, 0.22, 0.14, 0.12, 0.28)

SENIORITIES = ("c_level", "vp", "director", "manager", "staff")
SENIORITY_SHARE = (0.08, 0.08, 0.16, 0.30, 0.38)
SENIORITY_EFFECT = (0.55, 0.7, 0.45, 0.1, -0.4)
DEPARTMENTS = ("sales", "marketing", "it", "operations", "finance", "hr")
DEPARTMENT_SHARE = (0.26, 0.24, 0.18, 0.14, 0.09, 0.09)
DEPARTMENT_EFFECT = (0.3, 0.15, 0.0, 0.0, -0.2, -0.4)

SOURCES = ("referral", "organic", "ads", "webinar", "partner", "trade_fair", "cold_list")
SOURCE_SHARE_START = (0.10, 0.30, 0.16, 0.12, 0.08, 0.10, 0.14)
SOURCE_SHARE_END = (0.10, 0.22, 0.34, 0.12, 0.10, 0.06, 0.06)
SOURCE_WARMTH = (0.7, 0.3, 0.0, 0.2, 0.5, -0.1, -0.8)
SOURCE_START = (0.5, 0.1, 0.1, 0.0, 0.2, 0.1, -0.4)
SOURCE_END = (0.4, 0.1, -0.7, 0.2, 0.7, 0.0, -0.4)
INBOUND = (True, True, True, True, False, False, False)
HOUR_WEIGHT = (1, 1, 1, 1, 1, 2, 4, 10, 25, 40, 45, 40, 28, 34, 42, 40, 34, 24, 14, 10, 8, 6, 4, 2)


@dataclass(frozen=True)
class World:
    """One world's parameters: when it lies, and the numbers of its equations (see the module).

    >>> World(days=540).start.isoformat()
    '2025-01-06T00:00:00'
    """

    seed: int = 1
    until: datetime = UNTIL
    days: int = 540

    growth: float = 0.6
    fit_effect: float = 0.85
    fit_centre: float = 0.48
    drift: float = -0.25
    intent_cuts: tuple[float, ...] = (0.2, 1.35, 2.4)
    up: tuple[float, ...] = (0.035, 0.07, 0.12, 0.0)
    down: tuple[float, ...] = (0.0, 0.12, 0.14, 0.16)
    win_rate: tuple[float, ...] = (0.00003, 0.0003, 0.0022, 0.013)
    loss_rate: tuple[float, ...] = (0.0035, 0.003, 0.004, 0.007)
    quarter_end: float = 0.35
    """Effect of the last fifteen days of a quarter; `august` and `holidays` (20 to 31 December) likewise."""
    august: float = -0.4
    holidays: float = -0.6
    worth_base: float = 900.0
    duplicate_share: float = 0.025

    def __post_init__(self) -> None:
        """Refuse what makes no world. Raises UsageError."""
        if self.until.tzinfo is not None:
            object.__setattr__(self, "until", self.until.astimezone(UTC).replace(tzinfo=None))
        if not 1 <= self.days <= MAX_DAYS:
            raise UsageError(f"days is {self.days}; a world has from 1 to {MAX_DAYS:,} days")
        if not 2011 <= self.until.year <= 2999:
            raise UsageError(f"until is {self.until.date().isoformat()}; a world ends in a year from 2011 to 2999")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}; it is a whole number from 0 up")

    @property
    def start(self) -> datetime:
        """The world's first moment."""
        return self.until - timedelta(days=self.days)

    @cached_property
    def begin(self) -> int:
        """`start` in seconds since 1970."""
        return seconds(self.start)

    @cached_property
    def end(self) -> int:
        """`until` in seconds since 1970."""
        return seconds(self.until)

    @cached_property
    def draws(self) -> Draws:
        """The world's random numbers."""
        return Draws(self.seed)

    def phase(self, at: Ints) -> Floats:
        """How far the world has drifted: 0 at its start, 1 at `until`."""
        found: Floats = (at - self.begin) / (self.end - self.begin)
        return found

    def calendar(self, at: Ints) -> Floats:
        """The calendar's effect on the logarithm of the win rate, by day."""
        first = self.begin // DAY
        found: Floats = self._calendar_by_day[np.clip(at // DAY - first, 0, len(self._calendar_by_day) - 1)]
        return found

    @cached_property
    def _calendar_by_day(self) -> Floats:
        first = self.start.date()
        days = [first + timedelta(days=day) for day in range(self.days + 400)]
        return np.array([self._of_day(day.month, day.day) for day in days])

    def _of_day(self, month: int, day: int) -> float:
        if month == 12 and day >= 20:
            return self.holidays
        if month == 8:
            return self.august
        return self.quarter_end if month % 3 == 0 and day > 15 else 0.0


def seconds(moment: datetime) -> int:
    """Whole seconds from 1970 to a naive UTC moment.

    >>> seconds(datetime(1970, 1, 2))
    86400
    """
    return int((moment - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001 -- naive UTC


def office_hours(uniform: Floats) -> Ints:
    """Seconds into the day for uniform numbers: most between eight and eighteen o'clock."""
    limits = np.concatenate([[0.0], np.cumsum(HOUR_WEIGHT) / np.sum(HOUR_WEIGHT)])
    found: Ints = np.minimum(np.interp(uniform, limits, np.arange(25) * 3600.0), DAY - 1).astype(np.int64)
    return found


def is_weekend(at: Ints) -> Bools:
    """Whether moments fall on a Saturday or Sunday (1970 began on a Thursday)."""
    found: Bools = (at // DAY + 3) % 7 >= 5
    return found


def is_august(at: Ints) -> Bools:
    """Whether moments fall in an August."""
    months = at.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    found: Bools = months % 12 == 7
    return found
