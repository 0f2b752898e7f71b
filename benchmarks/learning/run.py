"""Leadlight's learner beside its peers, on real sets, split at random and at origins in time.

    python benchmarks/learning/run.py                           # everything that has not been computed yet
    python benchmarks/learning/run.py --systems leadlight       # only Leadlight
    python benchmarks/learning/run.py --kept                    # nothing anew: the tables of what there is
    python benchmarks/learning/run.py --protocol rolling --sets olist_marketing_funnel --systems lightgbm leadlight

See README.md of benchmarks for what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait shall not take the cores of those that work

import ours
import peers
from cells import PROTOCOLS, SYSTEMS, Cell, results, works
from datasets import SETS
from protocols import CAP
from tables import tables


def main() -> None:
    """Compute what is missing, print the tables, write the figures."""
    options = _options()
    peers.THREADS = options.threads
    warnings.filterwarnings("ignore", message="Missing values detected")
    systems = [name for name in options.systems if name not in ours.OURS or ours.available()]
    cells: list[Cell] = []
    for protocol in options.protocol:
        work = works([SETS[name] for name in options.sets], systems, protocol, options.seeds, options.rows)
        cells += results(work, compute=not options.kept)
    for text in tables(cells):
        print(text)
    if options.json:
        options.json.write_text(json.dumps([asdict(cell) for cell in cells], indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    present = [name for name, data in SETS.items() if data.present]
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=present, metavar="SET")
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS), metavar="SYSTEM")
    parser.add_argument("--protocol", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--seeds", type=int, default=5, help="how many random splits")
    parser.add_argument("--rows", type=int, default=CAP, help="about the most rows of a set in a random split")
    parser.add_argument("--threads", type=int, default=peers.THREADS)
    parser.add_argument("--kept", action="store_true", help="compute nothing, show what was kept")
    parser.add_argument("--json", type=Path, help="write every cell to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
