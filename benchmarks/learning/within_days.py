"""How much of a system's area comes from ranking days against days, and how much from ranking the leads of a day.

    python benchmarks/learning/within_days.py                      # the sets with a target, logistic and Leadlight
    python benchmarks/learning/within_days.py --systems logistic lightgbm leadlight --sets uci_bank_marketing

At each rolling origin the area under the ROC curve is taken twice: over all pairs of a won and another row, and over
those pairs only whose rows are of one day (moment, where there are few). Who decides whom to call today only ever
meets pairs of the second kind. A feature that is the same for all leads of a day cannot change the second figure.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import peers
from cells import SYSTEMS
from datasets import SETS, DataSet
from protocols import Judged, auc_within, rolling_splits
from sklearn.metrics import roc_auc_score


def measured(data: DataSet, systems: list[str]) -> Iterator[tuple[str, str, float, float]]:
    """Yield origin, system, area over all pairs, area over pairs of a day."""
    rows = data.load()
    for split in rolling_splits(rows):
        train, test = rows.take(split.train), rows.take(split.test)
        assert test.time is not None
        day = np.floor(test.time).astype(np.int64)
        for system in systems:
            said = SYSTEMS[system](train)(test.features)
            score = said.score if isinstance(said, Judged) else said
            yield split.name, system, float(roc_auc_score(test.won, score)), auc_within(test.won, score, day)


def main() -> None:
    """Print a line per origin and the mean of each set, area over all pairs / over pairs of a day."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    targets = [name for name, data in SETS.items() if data.target and data.present and not data.variant_of]
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=targets, metavar="SET")
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=["logistic", "leadlight"])
    parser.add_argument("--threads", type=int, default=peers.THREADS)
    options = parser.parse_args()
    peers.THREADS = options.threads
    print(f"| set | origin | {' | '.join(options.systems)} |\n|---|---|{'--:|' * len(options.systems)}")
    for name in options.sets:
        found = list(measured(SETS[name], options.systems))
        for origin in dict.fromkeys(row[0] for row in found):
            print(_line(name, origin, [row for row in found if row[0] == origin], options.systems), flush=True)
        print(_line(name, "**mean**", found, options.systems), flush=True)


def _line(name: str, origin: str, found: list[tuple[str, str, float, float]], systems: list[str]) -> str:
    means = (np.mean([row[2:] for row in found if row[1] == system], axis=0) for system in systems)
    return f"| {name} | {origin} | {' | '.join(f'{whole:.4f} / {within:.4f}' for whole, within in means)} |"


if __name__ == "__main__":
    main()
