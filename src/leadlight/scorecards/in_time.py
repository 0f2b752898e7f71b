"""Which leads can still be dealt with before they are due, by Moore and Hodgson's rule.

Moore (1968, "An n job, one machine sequencing algorithm for minimizing the number of late jobs", with Hodgson's form
of it): take the jobs by due date; whenever what was taken cannot be done in time, give one up. Given up here is the one
of least worth for the effort it takes. Where all are worth the same that is the longest (Moore–Hodgson: as many as
possible are in time); where all take the same effort it is the one of least worth (unit jobs with deadlines are a
matroid: what is in time is worth as much as possible). With both it is a rule of thumb: that problem is NP-hard (Karp
1972).
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

MOST = 200_000
"""How many leads are looked at, the first in rank; the rule is a loop over them (about a second)."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def in_time(days_left: Floats, effort: Floats, worth: Floats, per_day: float) -> Bools:
    """Return who can be done in time when `per_day` units of effort are done a day, one lead after the other.

    `days_left` is NaN where a lead has no deadline, and then it is not among them; nor is one that is overdue, or takes
    longer alone than there is time.

    >>> in_time(np.array([1.0, 1.0, 2.0]), np.ones(3), np.array([5.0, 9.0, 1.0]), 1.0).tolist()
    [False, True, True]
    """
    taken = np.zeros(len(days_left), np.bool_)
    time = per_day * days_left * (1 + 1e-9)
    order = np.flatnonzero((days_left > 0) & (effort <= time))
    order = order[np.lexsort((order, days_left[order]))]
    yields = worth / np.maximum(effort, 1e-300)
    spent, kept = 0.0, list[tuple[float, float, int]]()
    for lead in order.tolist():
        heapq.heappush(kept, (float(yields[lead]), -float(effort[lead]), -lead))
        spent += float(effort[lead])
        while spent > time[lead]:
            spent += heapq.heappop(kept)[1]
    taken[[-lead for _, _, lead in kept]] = True
    return taken
