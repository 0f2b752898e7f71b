"""Deals, what they are worth, and the fields of a lead that were filled in afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leadlight.simulate.columns import lead_ids, moments, texts
from leadlight.simulate.draws import Floats, Ints
from leadlight.simulate.intent import NEVER, Paths
from leadlight.simulate.leads import Leads
from leadlight.simulate.world import WORTH_INDUSTRY, World

WORTH_SD = 0.4
QUALITIES = ("hot", "warm", "cold", "junk")
QUALITY_SHARE = ((0.04, 0.26, 0.5, 0.2), (0.82, 0.15, 0.02, 0.01), (0.2, 0.45, 0.3, 0.05))
"""Down: lost, won, open."""
FILLED_SHARE = (0.85, 0.95, 0.08)
RESULTS = ("contract signed", "chose another", "no budget", "no need", "left voicemail", "e-mailed", "will call back")
RESULT_SHARE = ((0, 0.3, 0.3, 0.25, 0.1, 0.05, 0), (0.9, 0, 0, 0, 0.02, 0.05, 0.03), (0, 0, 0, 0, 0.4, 0.4, 0.2))


@dataclass(frozen=True, slots=True)
class Leaks:
    """Columns of the leads file that know the outcome."""

    quality: pa.Array
    last_result: pa.Array


def make_leaks(world: World, leads: Leads, paths: Paths) -> Leaks:
    """Draw what sales wrote into each lead, knowing how it ended. `paths` are the leads' persons'."""
    ending = np.where(paths.closed == NEVER, 2, paths.won.astype(np.int64))
    quality = world.draws.choice("leak/quality", leads.number, np.array(QUALITY_SHARE), ending)
    result = world.draws.choice("leak/result", leads.number, np.array(RESULT_SHARE), ending)
    empty = world.draws.uniform("leak/filled", leads.number) > np.array(FILLED_SHARE)[ending]
    silent = world.draws.uniform("leak/said", leads.number) > np.array((0.9, 0.97, 0.5))[ending]
    return Leaks(texts(QUALITIES, quality, empty), texts(RESULTS, result, silent))


def expected_worth(world: World, leads: Leads) -> Floats:
    """What each lead brings on average when won, in €."""
    found: Floats = _typical_worth(world, leads) * np.exp(WORTH_SD**2 / 2)
    return found


def deals_table(world: World, leads: Leads, paths: Paths, alias: Ints) -> pa.Table:
    """The outcomes by the end of the world, under the person's id or, sometimes, that of its duplicate.

    `paths` has the persons' rows; `alias` is the row of each person's duplicate, or its own. The amount of a lost deal
    is what was offered.
    """
    row = np.flatnonzero((paths.closed < NEVER) & ~leads.is_duplicate)
    number, closed = leads.number[row], paths.closed[row]
    other = alias[row]
    use_other = (world.draws.uniform("deal/alias", number) < 0.4) & (leads.created[other] <= closed)
    noise = np.exp(WORTH_SD * world.draws.normal("deal/worth", number))
    amount = np.rint(_typical_worth(world, leads)[row] * noise / 10) * 10
    return pa.table(
        {
            "lead_id": lead_ids(leads.number[np.where(use_other, other, row)]),
            "closed_at": moments(closed),
            "stage": texts(("lost", "won"), paths.won[row].astype(np.int8)),
            "amount": pa.array(np.maximum(amount, 10)),
        }
    )


def _typical_worth(world: World, leads: Leads) -> Floats:
    factor = np.array(WORTH_INDUSTRY)[leads.accounts.industry[leads.account]]
    found: Floats = world.worth_base * leads.employees**0.55 * factor
    return found
