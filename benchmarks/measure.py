"""Measure: wall time, CPU time and peak memory of a piece of work, each in a process of its own."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

THREADS = 2
MEMORY = "6GB"
"""What DuckDB may hold before it spills to disk; the target at 10M leads is 8 GiB in all."""
Work = TypeVar("Work")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a piece of work took."""

    wall: float
    """Seconds on the clock."""
    cpu: float
    """Seconds of CPU, user and system, all threads."""
    peak: float
    """The most memory the process ever held, MiB; pages of mapped files count when they were read."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The medians of a system's repetitions; `peak` is the highest."""

    system: str
    wall: float
    cpu: float
    peak: float
    repetitions: int


def measured(work: Callable[[], Work]) -> tuple[Work, Usage]:
    """Do the work and say what it took."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    value = work()
    return value, Usage(time.perf_counter() - wall, cpu_seconds() - cpu, peak_memory())


def cpu_seconds() -> float:
    """Return the CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_memory() -> float:
    """Return the most memory this process has held, MiB.

    VmHWM starts at zero with the program; ru_maxrss would begin with what the parent process held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def in_own_process(script: str, arguments: Sequence[str]) -> Usage:
    """Run a script that ends by printing its Usage (see `tell`) and return that."""
    done = subprocess.run([sys.executable, script, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join([script, *arguments])} ended with {done.returncode}")
    return Usage(**json.loads(done.stdout.splitlines()[-1]))


def tell(usage: Usage) -> None:
    """Print a Usage for the parent process."""
    print(json.dumps(asdict(usage)))


def interleaved(systems: Iterable[str], repetitions: int, run: Callable[[str, int], Usage]) -> list[Summary]:
    """Run each system once, then each again: what else the machine does then falls on all alike."""
    systems = list(systems)
    taken: dict[str, list[Usage]] = {system: [] for system in systems}
    for repetition in range(repetitions):
        for system in systems:
            taken[system].append(run(system, repetition))
            last = taken[system][-1]
            print(f"  {repetition + 1}/{repetitions} {system}: {last.wall:.2f} s", file=sys.stderr, flush=True)
    return [summary(system, usages) for system, usages in taken.items()]


def summary(system: str, usages: Sequence[Usage]) -> Summary:
    """Return the medians."""
    return Summary(
        system,
        statistics.median(usage.wall for usage in usages),
        statistics.median(usage.cpu for usage in usages),
        max(usage.peak for usage in usages),
        len(usages),
    )


def show(title: str, summaries: Sequence[Summary], *, peers: Sequence[str], unit: str = "s") -> None:
    """Print a table; the ratios are to the best of the peers, by CPU and by wall time."""
    scale = 1000 if unit == "ms" else 1
    best_wall = min(item.wall for item in summaries if item.system in peers)
    best_cpu = min(item.cpu for item in summaries if item.system in peers)
    print(f"\n{title}\n")
    print(f"| system | wall {unit} | × best peer | CPU {unit} | × best peer | peak MiB |")
    print("|---|--:|--:|--:|--:|--:|")
    for item in summaries:
        print(
            f"| {item.system} | {item.wall * scale:.2f} | {item.wall / best_wall:.2f} | {item.cpu * scale:.2f} "
            f"| {item.cpu / best_cpu:.2f} | {item.peak:,.0f} |"
        )
    print(f"\nMedians of {summaries[0].repetitions}; best peer of {', '.join(peers)}.")


def write_json(path: Path | None, facts: Mapping[str, Any], summaries: Sequence[Summary]) -> None:
    """Write the same as JSON, where a path is given."""
    if path is not None:
        path.write_text(json.dumps({**facts, "systems": [asdict(item) for item in summaries]}, indent=2) + "\n")
