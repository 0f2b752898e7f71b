"""The true probability that a lead is won, given all that is hidden at a moment and nothing later."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadlight.simulate.columns import lead_ids, moments
from leadlight.simulate.draws import Bools, Floats, Ints
from leadlight.simulate.intent import Paths, Rates, rates_of, time_factor
from leadlight.simulate.leads import Leads
from leadlight.simulate.outcomes import expected_worth
from leadlight.simulate.world import HORIZON, STEP, World

HORIZON_SECONDS = int(HORIZON.total_seconds())


def win_probability(world: World, leads: Leads, state: Ints, as_of: Ints, *, horizon: int = HORIZON_SECONDS) -> Floats:
    """Compute the probability of being won within `horizon` seconds after `as_of`, for leads open and in `state` then.

    Exact: the recursion of the world's module, step by step backward from the window's end.
    """
    rates = rates_of(world, leads)
    first = (as_of - leads.created) // STEP
    value = np.zeros_like(rates.win)
    for piece in range(-(-horizon // STEP), -1, -1):
        since = leads.created + (first + piece) * STEP
        length = np.minimum(since + STEP, as_of + horizon) - np.maximum(since, as_of)
        win = rates.win * time_factor(world, leads.source, since)[:, None]
        value = _one_step(rates, win, np.maximum(length, 0), value)
    found: Floats = value[np.arange(len(leads)), state]
    return found


def _one_step(rates: Rates, win: Floats, length: Ints, after: Floats) -> Floats:
    """Win within the step, or come through it, move, and win later."""
    both = win + rates.loss
    through = np.exp(-both * length[:, None])
    up, down = rates.up, rates.down
    moved = (1 - up - down) * after
    moved[:, :-1] += up[:, :-1] * after[:, 1:]
    moved[:, 1:] += down[:, 1:] * after[:, :-1]
    found: Floats = win / both * (1 - through) + through * moved
    return found


def truth_table(world: World, leads: Leads, paths: Paths) -> pa.Table:
    """The truth for each lead at its creation and at `until`; of the moments at which it was closed there is no row.

    `paths` are the leads' persons'. `worth` is what a win would bring on average, in €.
    """
    people, tables, rows = leads.take(leads.person), [], []
    for as_of in (leads.created, np.full(len(leads), world.end)):
        row = np.flatnonzero(_is_open(people, paths, as_of))
        tables.append(_truth_of(world, leads, people, paths, row, as_of))
        rows.append(row)
    by_lead = np.argsort(np.concatenate(rows), kind="stable")
    return pa.concat_tables(tables).take(pa.array(by_lead))


def state_at(leads: Leads, paths: Paths, as_of: Ints) -> Ints:
    """The intent of open leads at moments up to the paths' end."""
    step = np.minimum((as_of - leads.created) // STEP, paths.state.shape[1] - 1)
    found: Ints = paths.state[np.arange(len(leads)), step].astype(np.int64)
    return found


def _is_open(people: Leads, paths: Paths, as_of: Ints) -> Bools:
    found: Bools = (paths.closed > as_of) & (people.created <= as_of)
    return found


def _truth_of(world: World, leads: Leads, people: Leads, paths: Paths, row: Ints, as_of: Ints) -> pa.Table:
    people, as_of, is_duplicate = people.take(row), as_of[row], leads.is_duplicate[row]
    state = state_at(people, paths.take(row), as_of)
    original = lead_ids(leads.number[leads.person[row]])
    return pa.table(
        {
            "lead_id": lead_ids(leads.number[row]),
            "as_of": moments(as_of, "us"),
            "probability": win_probability(world, people, state, as_of),
            "worth": expected_worth(world, people),
            "intent": pa.array(state),
            "fit": people.fit,
            "is_bot": pa.array(people.is_bot),
            "is_duplicate_of": original.filter(pa.array(is_duplicate)).take(_places(is_duplicate)),
        }
    )


def _places(chosen: Bools) -> pa.Array:
    """For each row its place among the chosen, or null."""
    return pa.array(np.cumsum(chosen) - 1, mask=~chosen)
