"""Hidden intent and what comes of it: states over time, and when each lead was won or lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlight.simulate.draws import Bools, Codes, Floats, Ints
from leadlight.simulate.leads import Leads
from leadlight.simulate.world import BUYER, DAY, SOURCE_END, SOURCE_START, STATES, STEP, World

NEVER = 2**62
"""The closing time of leads that are open when the paths end."""


@dataclass(frozen=True, slots=True)
class Paths:
    """What happened to leads, up to the moment `stop`.

    `state[row, step]` is the intent in that step (-1 after the end); `closed` the second in which a lead was won or
    lost, or NEVER; `won` says which.
    """

    state: Codes
    closed: Ints
    won: Bools
    stop: int

    def take(self, rows: Ints) -> Paths:
        """The paths of some rows."""
        return Paths(self.state[rows], self.closed[rows], self.won[rows], self.stop)


@dataclass(frozen=True, slots=True)
class Rates:
    """What drives some leads, apart from time: transition probabilities and rates per second, by state."""

    up: Floats
    down: Floats
    win: Floats
    loss: Floats


def rates_of(world: World, leads: Leads) -> Rates:
    """Compute each lead's probabilities of moving and its rates of being won and lost, but for time's part."""
    push = np.exp(0.35 * leads.heat + 0.25 * leads.fit)[:, None]
    pull = np.exp(world.fit_effect * leads.fit) * np.array(BUYER)[leads.kind]
    return Rates(
        up=np.minimum(0.5, np.array(world.up) * push),
        down=np.broadcast_to(np.array(world.down), (len(leads), STATES)),
        win=np.array(world.win_rate) / DAY * pull[:, None],
        loss=np.array(world.loss_rate) / DAY * np.exp(-0.3 * leads.fit)[:, None],
    )


def make_paths(world: World, leads: Leads, *, stop: int | None = None) -> Paths:
    """Draw what happens to leads from their arrival until `stop` (seconds; the world's end unless told).

    A longer look changes nothing in the part that was seen before. Duplicates are not resolved: pass people.
    """
    end = world.end if stop is None else stop
    rates, steps = rates_of(world, leads), int(end - leads.created.min()) // STEP + 1
    state = np.full((len(leads), steps), -1, dtype=np.int8)
    closed, won = np.full(len(leads), NEVER, dtype=np.int64), np.zeros(len(leads), dtype=np.bool_)
    row, now = np.arange(len(leads)), leads.first_state.astype(np.int64)
    for step in range(steps):
        since = leads.created[row] + step * STEP
        goes_on = since <= end
        row, now, since = row[goes_on], now[goes_on], since[goes_on]
        state[row, step] = now
        wait, is_win = _race(world, leads, rates, row, now, since, step)
        over = wait < STEP
        ends = since + np.floor(np.minimum(wait, STEP)).astype(np.int64)
        seen = over & (ends < end)
        closed[row[seen]], won[row[seen]] = ends[seen], is_win[seen]
        row, now = row[~over], now[~over]
        now = _move(world, rates, leads.number[row], row, now, step)
    return Paths(state, closed, won, end)


def _race(
    world: World, leads: Leads, rates: Rates, row: Ints, now: Ints, since: Ints, step: int
) -> tuple[Floats, Bools]:
    """Seconds to the first outcome at this step's rates, and whether it is a win."""
    win = rates.win[row, now] * time_factor(world, leads.source[row], since)
    both = win + rates.loss[row, now]
    wait = -np.log(world.draws.uniform("path/wait", leads.number[row], step)) / both
    is_win: Bools = world.draws.uniform("path/which", leads.number[row], step) * both < win
    return wait, is_win


def time_factor(world: World, source: Codes, at: Ints) -> Floats:
    """What time does to the win rate: the source's changing effect, drift and the calendar."""
    phase = world.phase(at)
    first, last = np.array(SOURCE_START)[source], np.array(SOURCE_END)[source]
    found: Floats = np.exp(first + phase * (last - first + world.drift) + world.calendar(at))
    return found


def _move(world: World, rates: Rates, number: Ints, row: Ints, now: Ints, step: int) -> Ints:
    """The state after a step."""
    u, up, down = world.draws.uniform("path/move", number, step), rates.up[row, now], rates.down[row, now]
    return now + (u < up) - ((u >= up) & (u < up + down))
