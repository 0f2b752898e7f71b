"""Score every lead with 20 criteria: Leadlight's compiled statement beside the best by hand, and the floor.

    python benchmarks/score_batch.py --leads 1000000 --events 20000000

Each repetition of each system runs in a process of its own, all taking turns. No time is shown unless all scores,
contributions and grades agree. See README.md for what is measured.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
from pathlib import Path
from typing import Any

from data import Size, add_size, prepare
from measure import THREADS, Usage, in_own_process, interleaved, measured, show, tell, write_json
from result import TOLERANCE, difference

SYSTEMS = ("leadlight_statement", "duckdb_sql", "polars_lazy", "clickhouse", "pandas_frames", "pandas_plain", "kernel")
PEERS = ("duckdb_sql", "polars_lazy", "clickhouse")
"""Those that the target is set against; pandas (with care, and as mostly written) and the floor are for scale."""


def main() -> None:
    """Measure, or be the process that is measured."""
    options = _options()
    size = Size(options.leads, options.events, options.root)
    if options.run:
        _run(size, options.run, options.save)
        return
    parquet = prepare(size)
    for system in options.systems:
        lay_out(size, system, parquet)
    saved = size.folder / "scores"

    def run(system: str, repetition: int) -> Usage:
        save = ["--save", str(saved / system)] if repetition == 0 else []
        return in_own_process(__file__, [*size_arguments(size), "--run", system, *save])

    try:
        summaries = interleaved(options.systems, options.repetitions, run)
        worst = _compare(saved, options.systems)
    finally:
        shutil.rmtree(saved, ignore_errors=True)
    print(f"All {len(options.systems)} agree on every score, contribution and grade; largest difference {worst:.1e}.")
    peers = [system for system in PEERS if system in options.systems] or list(options.systems)
    show(f"{size.leads:,} leads, {size.events:,} events, 20 criteria, {THREADS} threads", summaries, peers=peers)
    write_json(options.json, {"leads": size.leads, "events": size.events, "largest_difference": worst}, summaries)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_size(parser)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--run", choices=SYSTEMS, help=argparse.SUPPRESS)
    parser.add_argument("--save", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def size_arguments(size: Size) -> list[str]:
    return ["--leads", str(size.leads), "--events", str(size.events), "--root", str(size.root)]


def _system(name: str) -> Any:
    return importlib.import_module(f"systems.{name}")


def lay_out(size: Size, system: str, parquet: Path) -> None:
    """Write a system's own files unless they are there."""
    folder = size.folder / system
    if folder.exists():
        return
    part = size.folder / f"{system}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    _system(system).layout(parquet, part)
    part.rename(folder)


def _run(size: Size, system: str, save: Path | None) -> None:
    """Score once and tell what it took; imports and compilation are not counted, opening files is."""
    module, folder = _system(system), size.folder / system
    if hasattr(module, "warm_up"):
        module.warm_up(folder)
    outcome, usage = measured(lambda: module.score(folder))
    if save is not None:
        module.scores(outcome).save(save)
    tell(usage)


def _compare(saved: Path, systems: list[str]) -> float:
    """Return the largest difference to the first system; end the program where one is too large."""
    first, *others = systems
    differences = {system: difference(saved / first, saved / system) for system in others}
    wrong = {system: found for system, found in differences.items() if not found < TOLERANCE}
    if wrong:
        raise SystemExit("\n".join(f"{system} disagrees with {first}: by {found}" for system, found in wrong.items()))
    return max(differences.values(), default=0.0)


if __name__ == "__main__":
    main()
