"""How long a fit takes, and how much memory: Leadlight beside LightGBM that stops early, at 40,000 and at 1M rows.

    python benchmarks/learning/scale.py --rows 40000 --repetitions 3
    python benchmarks/learning/scale.py --rows 40000 --set uci_bank_marketing fin_givemesomecredit
    python benchmarks/learning/scale.py --rows 1000000 --repetitions 1

Each fit is a process of its own; the systems take turns. The clock starts when modules are imported and the rows stand
in memory as an Arrow table, and ends with the tables or trees. The peak counts the process as a whole, rows included.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import peers
from datasets import SETS
from ours import leadlight
from simulated import FEATURES, simulated

from leadlight.learn.examples import Examples
from measure import THREADS, Usage, in_own_process, interleaved, measured, show, tell

SIMULATED = "simulated"


def main() -> None:
    """Measure, or be the process that is measured."""
    options = _options()
    if options.run:
        tell(_fit(options.run, _rows(options.set[0], options.rows)))
        return
    for name in options.set:

        def run(system: str, _: int, name: str = name) -> Usage:
            return in_own_process(__file__, ["--run", system, "--set", name, "--rows", str(options.rows)])

        summaries = interleaved(options.systems, options.repetitions, run)
        what = f"{name}, {FEATURES} features" if name == SIMULATED else name
        show(f"Fit of {options.rows:,} rows: {what}, {THREADS} threads", summaries, peers=["lightgbm"])


def _fit(system: str, rows: Examples) -> Usage:
    peers.THREADS = THREADS
    fits = {"lightgbm": peers.lightgbm, "leadlight": leadlight, "leadlight_fit": _bare}
    fits[system](rows.take(np.arange(min(len(rows), 2_000))))  # loads modules, compiles
    return measured(lambda: fits[system](rows))[1]


def _bare(examples: Examples) -> object:
    from leadlight.learn.fit import fit

    return fit(examples)


def _rows(name: str, count: int) -> Examples:
    """Return so many rows: made up, or of a set (the whole where it has fewer)."""
    if name == SIMULATED:
        return simulated(count)
    rows = SETS[name].load()
    return rows.take(np.sort(np.random.default_rng(0).permutation(len(rows))[:count]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--set", nargs="+", choices=[SIMULATED, *SETS], default=[SIMULATED], metavar="SET")
    parser.add_argument("--systems", nargs="+", default=["lightgbm", "leadlight_fit", "leadlight"])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
