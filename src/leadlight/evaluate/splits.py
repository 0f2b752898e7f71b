"""What is learned from and what is judged by: parts in time, so that judging resembles using."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from leadlight.evaluate.arrays import Bools, Floats, Ints, same_length

MIN_WINS = 10
"""Fewer wins in a part, or fewer rows that were not won, tell next to nothing."""
SHARE = 0.25
"""The newest share of rows that is held out."""
OTHER_SHARES = (0.3, 0.4, 0.5, 0.2, 0.15, 0.1)
"""Tried in this order where a part would have too few wins."""
ORIGINS = 5


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers to learn from and to judge by.

    `timed` says that every row to judge by lies after `cut`, and that everything learned from was settled by then: its
    horizon had passed. Else leads were drawn at random, because nothing tells the order in time. `unsettled` counts
    rows that are in neither part: their outcome was not yet known at the cut, or they lie after the part. `enough`
    says that both parts have wins and others to tell something.
    """

    train: Ints = field(repr=False)
    test: Ints = field(repr=False)
    timed: bool
    cut: float | None
    until: float | None
    """The moment of the newest row to judge by."""
    train_wins: int
    test_wins: int
    unsettled: int
    enough: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values; not the rows."""
        return {
            "timed": self.timed,
            "cut": self.cut,
            "until": self.until,
            "train": {"rows": len(self.train), "wins": self.train_wins},
            "test": {"rows": len(self.test), "wins": self.test_wins},
            "unsettled": self.unsettled,
            "enough": self.enough,
        }

    def __str__(self) -> str:
        how = "in time" if self.timed else "at random, since no time is known"
        few = "" if self.enough else "; too few to tell"
        return (
            f"split {how}: learned from {len(self.train):,} rows ({self.train_wins:,} wins), "
            f"judged by {len(self.test):,} ({self.test_wins:,} wins){few}"
        )


def split(won: Bools, *, time: Floats | None, horizon: float = 0.0, lead: Ints | None = None, seed: int = 0) -> Split:
    """Split in time where it is known and differs, else at random by lead."""
    if time is None or not len(time) or np.ptp(time) == 0:
        return random_split(won, lead=lead, seed=seed)
    return out_of_time_split(won, time=time, horizon=horizon)


def out_of_time_split(
    won: Bools, *, time: Floats, horizon: float = 0.0, share: float = SHARE, min_wins: int = MIN_WINS
) -> Split:
    """Hold out the newest share of rows; learn from those whose horizon had passed at the cut.

    Rows of one moment stay together. Where a part has fewer than `min_wins` wins or others, other shares are tried in
    turn; where none will do, the one whose poorer part is richest is returned with `enough` false. `time` and `horizon`
    are in the same unit.

    >>> found = out_of_time_split(np.arange(100) % 2 == 0, time=np.arange(100.0), horizon=7)
    >>> found.cut, len(found.train), len(found.test), found.unsettled
    (74.0, 68, 25, 7)
    """
    same_length(won=won, time=time)
    best: Split | None = None
    for candidate in (share, *OTHER_SHARES):
        found = _after(won, time, horizon, cut=_cut(time, 1 - candidate), until=np.inf, min_wins=min_wins)
        if found.enough:
            return found
        if best is None or _poorer(won, found) > _poorer(won, best):
            best = found
    assert best is not None
    return best


def rolling_origins(
    won: Bools,
    *,
    time: Floats,
    horizon: float = 0.0,
    origins: int = ORIGINS,
    share: float = 0.5,
    min_wins: int = MIN_WINS,
) -> Iterator[Split]:
    """Cut the newest share of rows into slices of equal size; judge by each, learning from what was settled before.

    >>> time = np.arange(100.0)
    >>> [(item.cut, len(item.train), len(item.test)) for item in rolling_origins(time % 2 == 0, time=time, origins=2)]
    [(49.0, 50, 25), (74.0, 75, 25)]
    """
    same_length(won=won, time=time)
    if not len(time):
        return
    cuts = [_cut(time, 1 - share + share * place / origins) for place in range(origins)] + [float(time.max())]
    for cut, until in pairwise(cuts):
        if cut < until:
            yield _after(won, time, horizon, cut=cut, until=until, min_wins=min_wins)


def random_split(
    won: Bools, *, lead: Ints | None = None, share: float = SHARE, min_wins: int = MIN_WINS, seed: int = 0
) -> Split:
    """Hold out leads drawn at random, with all their rows; leads with a win and without are drawn alike.

    For rows without a time only: it cannot tell whether what was learned lasts.

    >>> found = random_split(np.arange(100) % 2 == 0, share=0.25)
    >>> found.timed, len(found.train), len(found.test), found.test_wins
    (False, 76, 24, 12)
    """
    rows = same_length(won=won, lead=lead)
    names, code = np.unique(np.arange(rows) if lead is None else lead, return_inverse=True)
    winner = np.bincount(code, weights=won, minlength=len(names)) > 0
    rng = np.random.default_rng(seed)
    held = np.zeros(len(names), np.bool_)
    for kind in (winner, ~winner):
        place = rng.permutation(np.flatnonzero(kind))
        held[place[: int(len(place) * share)]] = True
    test = held[code]
    return _made(won, ~test, test, timed=False, cut=None, until=None, min_wins=min_wins)


def _cut(time: Floats, share: float) -> float:
    """Return the moment up to which about this share of rows lies; the newest moment itself is never the cut."""
    cut = float(np.quantile(time, share, method="lower"))
    newest = float(time.max())
    return cut if cut < newest else float(time[time < newest].max(initial=-np.inf))


def _after(won: Bools, time: Floats, horizon: float, *, cut: float, until: float, min_wins: int) -> Split:
    train = time + horizon <= cut
    test = (time > cut) & (time <= until)
    newest = float(time[test].max()) if test.any() else None
    return _made(won, train, test, timed=True, cut=cut, until=newest, min_wins=min_wins)


def _made(
    won: Bools, train: Bools, test: Bools, *, timed: bool, cut: float | None, until: float | None, min_wins: int
) -> Split:
    return Split(
        np.flatnonzero(train), np.flatnonzero(test), timed, cut, until,
        train_wins=int(won[train].sum()), test_wins=int(won[test].sum()),
        unsettled=int((~train & ~test).sum()),
        enough=min(_fewest(won[train]), _fewest(won[test])) >= min_wins,
    )  # fmt: skip


def _fewest(won: Bools) -> int:
    return min(int(won.sum()), int((~won).sum()))


def _poorer(won: Bools, found: Split) -> int:
    return min(_fewest(won[found.train]), _fewest(won[found.test]))
