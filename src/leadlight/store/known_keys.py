"""Which keys a source's events have, held in memory: so that new events are told from known ones without reading all.

Keys are random, so nothing in the table's layout helps to find them: to look for a hundred is to read every one. Here
are hashes of them, eight bytes each, in a few sorted runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlight.engines.base import Engine

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


class KnownKeys:
    """Hashes of all keys there are, and perhaps of more: what is not among them is new, what is may be known.

    >>> known = KnownKeys()
    >>> known.add(np.array([3, 1], np.uint64))
    >>> known.may_have(np.array([2, 3], np.uint64)), known.may_have(np.array([2], np.uint64)), len(known)
    (True, False, 2)
    """

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def add(self, hashes: Hashes) -> None:
        """Know these too: runs that are not much larger than the new one are merged with it."""
        if not len(hashes):
            return
        run = np.sort(hashes)
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)

    def may_have(self, hashes: Hashes) -> bool:
        """Return whether any of these is among them."""
        wanted = np.sort(hashes)
        for run in self._runs:
            places = np.searchsorted(run, wanted)
            if bool((run[np.minimum(places, len(run) - 1)] == wanted).any()):
                return True
        return False


def known_keys(engine: Engine, source: str) -> KnownKeys | None:
    """Read which keys a source's events have; None for an engine that finds keys by an index.

    From then on whoever appends events of the source tells it; keys that are no more do no harm.
    """
    if not engine.capabilities.one_file:
        return None
    known = KnownKeys()
    for table in ("events", "set_aside", "taken_out"):
        known.add(hashes_of(engine, f"SELECT _key FROM {table} WHERE _source = ?", [source]))  # noqa: S608
    return known


def hashes_of(engine: Engine, query: str, parameters: list[str] | None = None) -> Hashes:
    """Return the hashes of the keys that a query gives as `_key`."""
    found = engine.arrow(f"SELECT hash(_key) AS hashed FROM ({query})", parameters or [])  # noqa: S608
    return np.asarray(found["hashed"].to_numpy(), np.uint64)
