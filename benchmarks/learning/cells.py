"""One fit and what it measured: a set, a system, a split. Kept by the code and data it came from, computed once."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import ours
import peers
from datasets import KEPT, DataSet
from protocols import CAP, Measured, Split, measure, random_splits, rolling_splits

from leadlight.learn.examples import Examples

SYSTEMS = {**peers.PEERS, **ours.OURS}
IN_TIME_ONLY = ("lightgbm_latest",)
"""Systems that differ from another only where there is time."""
PROTOCOLS = ("rolling", "random")


@dataclass(frozen=True, slots=True)
class Cell:
    """A result: what was fitted on what, how long it took, and how good it was (None where it failed, and why)."""

    set: str
    system: str
    protocol: str
    split: str
    version: str
    trained: int
    tested: int
    wins: int
    """Among the rows tested."""
    fit_wall: float
    fit_cpu: float
    measured: Measured | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A cell to be computed, or found where it was kept."""

    data: DataSet
    fingerprint: str
    examples: Examples
    system: str
    protocol: str
    split: Split

    @property
    def version(self) -> str:
        """What changes when the rows, the split or the system's code does."""
        digest = hashlib.sha256(_code_version(self.system).encode())
        order = "" if self.examples.time is not None else " without time"
        digest.update(f"{self.fingerprint} {self.examples.horizon}{order}".encode())
        for part in (self.split.train, self.split.test):
            digest.update(part.tobytes())
        return digest.hexdigest()[:12]

    @property
    def path(self) -> Path:
        """Where its result is kept."""
        name = f"{self.protocol}-{self.split.name.replace(' ', '-')}-{self.version}.json"
        return KEPT / "results" / self.data.name / self.system / name

    def result(self, *, compute: bool = True) -> Cell | None:
        """Return the result, kept or computed now; None where it is not kept and shall not be computed."""
        path = self.path
        if path.exists():
            facts = json.loads(path.read_text())
            measured = facts.pop("measured")
            return Cell(**facts, measured=Measured(**measured) if measured else None)
        if not compute:
            return None
        cell = self._computed()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(cell)))
        return cell

    def _computed(self) -> Cell:
        train, test = self.examples.take(self.split.train), self.examples.take(self.split.test)
        wall, cpu = time.perf_counter(), time.process_time()
        failure, measured, wall_taken, cpu_taken = "", None, 0.0, 0.0
        try:
            predict = SYSTEMS[self.system](train)
            wall_taken, cpu_taken = time.perf_counter() - wall, time.process_time() - cpu
            measured = measure(test.won, predict(test.features), train.won.mean())
        except Exception as error:  # a system that cannot do a split is a result too
            failure = f"{type(error).__name__}: {str(error)[:200]}"
        return Cell(
            self.data.name, self.system, self.protocol, self.split.name, self.version, len(train), len(test), test.wins,
            wall_taken, cpu_taken, measured, failure,
        )  # fmt: skip


def works(sets: Sequence[DataSet], systems: Sequence[str], protocol: str, seeds: int, cap: int = CAP) -> Iterator[Work]:
    """Yield all cells, the first split of every set first, so that a run that was stopped compares what it has.

    Where rows are split at random, no system is told their time: what such a split asks is a world that stands still.
    """
    loaded = [(data, data.fingerprint, data.load()) for data in sets]
    if protocol == "random":
        loaded = [(data, fingerprint, replace(rows, time=None)) for data, fingerprint, rows in loaded]
        splits = [list(random_splits(rows, range(seeds), cap)) for *_, rows in loaded]
    else:
        splits = [list(rolling_splits(rows)) for *_, rows in loaded]
    for number in range(max((len(some) for some in splits), default=0)):
        for (data, fingerprint, rows), some in zip(loaded, splits, strict=True):
            for system in systems if number < len(some) else ():
                if protocol == "random" and system in IN_TIME_ONLY:
                    continue
                yield Work(data, fingerprint, rows, system, protocol, some[number])


def results(all_works: Iterator[Work], *, compute: bool) -> list[Cell]:
    """Return the cells, saying on the way what is being computed."""
    cells = []
    for work in all_works:
        new = compute and not work.path.exists()
        cell = work.result(compute=compute)
        if cell is not None:
            cells.append(cell)
        if new and cell is not None:
            said = f"AUC {cell.measured.auc:.4f}" if cell.measured else cell.failure
            line = f"{cell.protocol} {cell.set} {cell.split} {cell.system}: {said}, {cell.fit_wall:.1f} s"
            print(f"  {time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
    return cells


def _code_version(system: str) -> str:
    return ours.code_version(system) if system in ours.OURS else peers.code_version(system)
