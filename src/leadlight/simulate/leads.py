"""Leads: who they are when they arrive, and what is hidden about them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from leadlight.simulate.accounts import Accounts, make_accounts
from leadlight.simulate.draws import Bools, Codes, Floats, Ints
from leadlight.simulate.world import (
    ACCOUNTS_PER_BLOCK,
    BLOCK,
    BOT,
    COUNTRY_EFFECT,
    DAY,
    DEPARTMENT_EFFECT,
    DEPARTMENT_SHARE,
    INDUSTRY_SIZE,
    KIND_SHARE,
    SENIORITY_EFFECT,
    SENIORITY_SHARE,
    SIZE_CUTS,
    SOURCE_SHARE_END,
    SOURCE_SHARE_START,
    SOURCE_WARMTH,
    TOOLS,
    World,
    is_weekend,
    office_hours,
)

MAILBOXES = ("free", "disposable", "company")


@dataclass(frozen=True, slots=True)
class Leads:
    """Leads as they are, by number, with what is hidden.

    `person` is the row (in this chunk) of the lead whose person this is: its own, but for duplicates. `account` is the
    row in `accounts`. Everything but `number`, `person` and `created` is the person's.
    """

    number: Ints
    person: Ints
    created: Ints
    kind: Codes
    source: Codes
    seniority: Codes
    department: Codes
    mailbox: Codes
    account: Ints
    fit: Floats
    activity: Floats
    first_state: Codes
    accounts: Accounts

    def __len__(self) -> int:
        return len(self.number)

    @property
    def is_bot(self) -> Bools:
        """Which are no people."""
        found: Bools = self.kind == BOT
        return found

    @property
    def is_duplicate(self) -> Bools:
        """Which are another lead's person again."""
        found: Bools = self.person != np.arange(len(self))
        return found

    @property
    def heat(self) -> Floats:
        """How much the lead's company is shopping."""
        found: Floats = self.accounts.heat[self.account]
        return found

    @property
    def employees(self) -> Floats:
        """The true size of the lead's company."""
        found: Floats = self.accounts.employees[self.account]
        return found

    def take(self, rows: Ints) -> Leads:
        """The leads of some rows, as if each were a person of its own."""
        own = {name: getattr(self, name)[rows] for name in _BY_ROW}
        return replace(self, **own, person=np.arange(len(rows)))


_BY_ROW = (
    "number", "created", "kind", "source", "seniority", "department", "mailbox", "account", "fit", "activity",
    "first_state",
)  # fmt: skip


def make_leads(world: World, start: int, stop: int) -> Leads:
    """Draw the leads numbered from `start` (a multiple of BLOCK) up to `stop`."""
    number = np.arange(start, stop, dtype=np.int64)
    person = _persons(world, number)
    who = number[person]
    accounts = make_accounts(world, _pool(start, stop))
    people = _people(world, who, accounts, start)
    return replace(people, number=number, person=person, created=_again(world, people.created, number, person))


def _people(world: World, who: Ints, accounts: Accounts, start: int) -> Leads:
    draws, arrived = world.draws, _arrivals(world, who)
    kind = draws.choice("lead/kind", who, np.array(KIND_SHARE))
    drifted = (draws.uniform("lead/source drifted", who) < world.phase(arrived)).astype(np.int64)
    source = draws.choice("lead/source", who, np.array([SOURCE_SHARE_START, SOURCE_SHARE_END]), drifted)
    seniority = draws.choice("lead/seniority", who, np.array(SENIORITY_SHARE))
    department = draws.choice("lead/department", who, np.array(DEPARTMENT_SHARE))
    place = np.floor(ACCOUNTS_PER_BLOCK * draws.uniform("lead/account", who) ** 1.8).astype(np.int64)
    account = (who - start) // BLOCK * ACCOUNTS_PER_BLOCK + place
    fit = _fit(world, who, accounts, account, seniority, department)
    return Leads(
        number=who,
        person=np.arange(len(who)),
        created=arrived,
        kind=kind,
        source=source,
        seniority=seniority,
        department=department,
        mailbox=_mailboxes(world, who, kind, accounts.employees[account]),
        account=account,
        fit=fit,
        activity=np.exp(0.6 * draws.normal("lead/activity", who) - 0.18),
        first_state=_first_states(world, who, source, accounts.heat[account], fit),
        accounts=accounts,
    )


def _pool(start: int, stop: int) -> Ints:
    first, last = start // BLOCK, -(-stop // BLOCK)
    return np.arange(first * ACCOUNTS_PER_BLOCK, last * ACCOUNTS_PER_BLOCK, dtype=np.int64)


def _persons(world: World, number: Ints) -> Ints:
    """The row of each lead's person. A duplicate's original is an earlier lead of its block, itself no duplicate."""
    row = np.arange(len(number))
    again = (world.draws.uniform("lead/duplicate", number) < world.duplicate_share) & (number % BLOCK > 0)
    back = 1 + np.floor(world.draws.uniform("lead/duplicate of", number) * (number % BLOCK)).astype(np.int64)
    original = np.where(again, row - back, row)
    return np.where(again[original], row, original)


def _arrivals(world: World, who: Ints) -> Ints:
    """When people arrive: ever more of them, in office hours, few on weekends."""
    u, g = world.draws.uniform("lead/arrival", who), world.growth
    phase = (np.sqrt(1 + u * g * (2 + g)) - 1) / g
    day = (world.begin + phase * (world.end - world.begin)).astype(np.int64) // DAY * DAY
    moved = is_weekend(day) & (world.draws.uniform("lead/arrival moved", who) < 0.7)
    at = day - 2 * DAY * moved + office_hours(world.draws.uniform("lead/arrival hour", who))
    return np.clip(at, world.begin, world.end - 1)


def _again(world: World, arrived: Ints, number: Ints, person: Ints) -> Ints:
    """When leads were created: on the person's arrival, or for a duplicate some time between then and `until`."""
    later = world.draws.uniform("lead/duplicate later", number) ** 2 * (world.end - arrived)
    again = np.minimum(arrived + later.astype(np.int64), world.end - 1)
    return np.where(person == np.arange(len(number)), arrived, again)


def _fit(world: World, who: Ints, accounts: Accounts, account: Ints, seniority: Codes, department: Codes) -> Floats:
    size = np.searchsorted(np.array(SIZE_CUTS), accounts.employees, side="right")
    tool = 0.5 * ((accounts.tool == TOOLS.index("salesforce")) & (accounts.employees > 50))
    of_account = np.array(INDUSTRY_SIZE)[accounts.industry, size] + np.array(COUNTRY_EFFECT)[accounts.country] + tool
    of_account += 0.35 * accounts.quality
    of_person = np.array(SENIORITY_EFFECT)[seniority] + np.array(DEPARTMENT_EFFECT)[department]
    of_person += 0.45 * world.draws.normal("lead/fit", who)
    fit: Floats = of_account[account] + of_person - world.fit_centre
    return fit


def _first_states(world: World, who: Ints, source: Codes, heat: Floats, fit: Floats) -> Codes:
    z = world.draws.normal("lead/intent", who) + np.array(SOURCE_WARMTH)[source] + 0.4 * heat + 0.25 * fit
    found: Codes = np.searchsorted(np.array(world.intent_cuts), z).astype(np.int8)
    return found


def _mailboxes(world: World, who: Ints, kind: Codes, employees: Floats) -> Codes:
    """Users of free mail come mostly from small companies, throw-away addresses mostly from bots."""
    free = np.where(employees < 20, 0.4, 0.1)
    disposable = np.where(kind == BOT, 0.6, 0.01)
    u = world.draws.uniform("lead/mailbox", who)
    return np.where(u < disposable, 1, np.where(u < disposable + free, 0, 2)).astype(np.int8)
