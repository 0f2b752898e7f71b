"""Explain one lead among all, in a warm process: `Workspace.explain` beside the bare query for the lead's rows.

    python benchmarks/explain_one.py --leads 1000000 --events 20000000

The target is under 50 ms. The leads asked for are drawn at random, and a few are those with the most events.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from data import AS_OF, Size, add_size, prepare
from leadlight.store.open import open_store
from leadlight.workspace import Workspace
from measure import Usage, cpu_seconds, in_own_process, interleaved, peak_memory, show, tell, write_json
from score_batch import lay_out, size_arguments
from systems import leadlight_statement
from systems.leadlight_statement import WORKSPACE

BUSIEST = 20
Question = Callable[[int], object]


def main() -> None:
    """Measure, or be the process that is measured."""
    options = _options()
    size = Size(options.leads, options.events, options.root)
    folder = size.folder / "leadlight_statement"
    if options.run:
        tell(SYSTEMS[options.run](folder, _leads(folder, size, options.questions)))
        return
    lay_out(size, "leadlight_statement", prepare(size))
    shutil.copytree(WORKSPACE, folder, dirs_exist_ok=True)

    def run(system: str, _repetition: int) -> Usage:
        arguments = [*size_arguments(size), "--questions", str(options.questions), "--run", system]
        return in_own_process(__file__, arguments)

    summaries = interleaved(list(SYSTEMS), options.repetitions, run)
    title = f"One lead of {size.leads:,} with {size.events:,} events, the median of {options.questions} questions"
    show(title, summaries, peers=["bare query"], unit="ms")
    write_json(options.json, {"leads": size.leads, "events": size.events}, summaries)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_size(parser)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--run", choices=list(SYSTEMS), help=argparse.SUPPRESS)
    return parser.parse_args()


def _leads(folder: Path, size: Size, count: int) -> list[int]:
    """Draw leads that exist as of the moment, the busiest among them."""
    engine = open_store("duckdb:store.duckdb", folder, read_only=True)
    busiest = engine.rows(f"SELECT lead FROM events GROUP BY lead ORDER BY count(*) DESC, lead LIMIT {BUSIEST}")
    drawn = random.Random(20).sample(range(size.leads), count * 2)
    some = [lead for (lead,) in busiest] + drawn
    known = engine.rows(
        f"SELECT lead FROM leads WHERE created_at <= '{AS_OF}' AND lead IN ({', '.join(map(str, some))})"
    )
    engine.close()
    exist = {lead for (lead,) in known}
    leads = [lead for lead in some if lead in exist][:count]
    random.Random(7).shuffle(leads)
    return leads


def _asked(leads: list[int], ask: Question) -> Usage:
    """Ask for each lead after a few to warm up; return the medians of one question."""
    for lead in leads[:5]:
        ask(lead)
    walls, cpus = [], []
    for lead in leads:
        cpu, wall = cpu_seconds(), time.perf_counter()
        ask(lead)
        walls.append(time.perf_counter() - wall)
        cpus.append(cpu_seconds() - cpu)
    return Usage(statistics.median(walls), statistics.median(cpus), peak_memory())


def _explain(folder: Path, leads: list[int]) -> Usage:
    with Workspace(folder).session() as workspace:
        return _asked(leads, lambda lead: workspace.explain(f"L{lead}", "house", as_of=AS_OF))


def _bare(folder: Path, leads: list[int]) -> Usage:
    """Fetch the lead's attributes and events, and do nothing with them: what no explanation can do without."""
    engine, _ = leadlight_statement.opened(folder)
    find = "SELECT lead FROM ids WHERE id = ?"
    known = "SELECT * FROM attributes WHERE lead = ? AND known_at <= ? AND known_until > ?"
    seen = 'SELECT type, "at", path, seconds FROM events WHERE lead = ? AND "at" <= ?'

    def ask(lead: int) -> object:
        key = engine.rows(find, [f"L{lead}"])[0][0]
        return engine.rows(known, [key, AS_OF, AS_OF]), engine.rows(seen, [key, AS_OF])

    usage = _asked(leads, ask)
    engine.close()
    return usage


SYSTEMS: dict[str, Callable[[Path, list[int]], Usage]] = {"explain": _explain, "bare query": _bare}
"""What is asked, and how."""


if __name__ == "__main__":
    main()
