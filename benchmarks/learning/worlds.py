"""Learned scorecards held against worlds whose true probabilities are known.

    python benchmarks/learning/worlds.py --worlds 20
    python benchmarks/learning/worlds.py --worlds 4 --leads 20000

For each seed a world of 5,000 leads is simulated, a scorecard is learned from what was known on its last day, and what
it says of the leads open then is held against their true probability of being won within the horizon:

    slope     of the true log-odds on those said, fitted as a logistic regression: 1 is right, less is too bold
    coverage  of 20 groups of equal count by score, those whose mean true probability lies within the mean interval
    top       the true wins expected among the tenth ranked first, as a share of those in the truth's own first tenth;
              the truth knows the hidden intent, so nobody reaches 1
    seen      the same for trees that were taught the true probabilities of other worlds (seen.py): what can be seen
    house     the same for the hand-written scorecard
    leaks     columns planted to know the outcome or the day that were found, and honest features that were refused
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from seen import PLANTED, Seer, made, open_leads, seer, truth_of

import leadlight
from leadlight.learn.run import LearnRun
from leadlight.simulate.world import UNTIL
from leadlight.workspace import Workspace

Floats = NDArray[np.float64]
GROUPS = 20
TOP = 0.1
TARGETS = (
    "slope .9 to 1.1; coverage at least the nominal .9 - .03; the top tenth within 5 %; all planted leaks found; "
    "nothing honest refused"
)


@dataclass(frozen=True, slots=True)
class Held:
    """What came out of one world; `wins` are those learned from."""

    seed: int
    n: int
    wins: int
    true_rate: float
    said_rate: float
    slope: float
    coverage: float
    top: float
    seen: float
    house: float
    published: bool
    leaks: int
    refused: tuple[str, ...]


def held(seed: int, leads: int, learn: str = "", best: Seer | None = None) -> Held:
    """Simulate, learn, compare; `learn` goes into leadlight.yaml under that key."""
    with tempfile.TemporaryDirectory() as place:
        workspace = made(Path(place) / "world", seed, leads, learn=learn)
        run = workspace.learn(force=True, as_of=UNTIL, seed=seed)
        assert isinstance(run, LearnRun)
        learned, house = (_ranking(workspace, name) for name in ("learned", "house"))
        truth = truth_of(workspace)
        shown = open_leads(workspace) if best is not None else None
    known = sorted(set(truth) & set(learned))
    true = np.array([truth[id_] for id_ in known])
    said, low, high, score = (np.array([learned[id_][key] for id_ in known]) for key in KEYS)
    by_house = np.array([house[id_]["score"] for id_ in known])
    out = {item.feature for item in run.learned.leaks.findings if item.left_out and item.kind != "duplicate"}
    return Held(
        seed, len(known), int(run.learned.counts.wins),
        float(true.mean()), float(said.mean()), slope(true, said), coverage(true, low, high, score),
        top_share(true, score),
        np.nan if best is None or shown is None else top_share(shown.true, best.score(shown.features)),
        top_share(true, by_house), run.learned.publishable, len(out & {*PLANTED}), tuple(sorted(out - {*PLANTED})),
    )  # fmt: skip


KEYS = ("probability", "probability_low", "probability_high", "score")


def _ranking(workspace: Workspace, scorecard: str) -> dict[str, dict[str, Any]]:
    path = workspace.root / f"{scorecard}.parquet"
    workspace.export(str(path), scorecard=scorecard, as_of=UNTIL)
    with duckdb.connect(config={"threads": 1}) as connection:
        rows = connection.sql(f"FROM '{path}'").to_arrow_table().to_pylist()
    return {row["id"]: row for row in rows}


def slope(true: Floats, said: Floats) -> float:
    """Return by what to multiply the log-odds said, so that they fit the true probabilities best, beside a constant.

    >>> x = np.linspace(0.1, 0.9, 50)
    >>> round(slope(x, x), 2)
    1.0
    """
    z = np.log(said / (1 - said))

    def loss(b: float) -> float:
        def inner(a: float) -> float:
            return float(np.sum(np.logaddexp(0, a + b * z) - true * (a + b * z)))

        return float(minimize_scalar(inner, bounds=(-5, 5), method="bounded").fun)

    return float(minimize_scalar(loss, bounds=(0, 5), method="bounded").x)


def coverage(true: Floats, low: Floats, high: Floats, score: Floats) -> float:
    """Return the share of groups by score whose mean true probability lies within the mean interval said."""
    inside = [
        low[part].mean() <= true[part].mean() <= high[part].mean()
        for part in np.array_split(np.argsort(score, kind="stable"), GROUPS)
    ]
    return float(np.mean(inside))


def top_share(true: Floats, score: Floats) -> float:
    """Return the true wins expected in the tenth ranked first, over those in the best tenth there is.

    >>> top_share(np.arange(10.0), np.arange(10.0))
    1.0
    """
    count = max(round(len(true) * TOP), 1)
    chosen = np.argsort(-score, kind="stable")[:count]
    return float(true[chosen].sum() / np.sort(true)[-count:].sum())


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--leads", type=int, default=5000)
    parser.add_argument("--learn", default="", help="what to write under `learn:`, as in '{every: 30d}'")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--taught", type=int, default=4, help="worlds of 20,000 leads to teach `seen`; 0 leaves it out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    best = seer(options.taught, 20_000) if options.taught else None
    found = []
    print(f"Leadlight {leadlight.__version__}; targets: {TARGETS}\n")
    columns = ("seed", "n", "wins", "true rate", "said", "slope", "coverage", "top", "seen", "house", "leaks", "gate")
    print(f"| {' | '.join(columns)} |\n|{'--:|' * (len(columns) - 1)}---|")
    for seed in range(options.first, options.first + options.worlds):
        h = held(seed, options.leads, options.learn, best)
        found.append(h)
        counts, rates = (f"{h.n:,}", f"{h.wins:,}"), (f"{h.true_rate:.3f}", f"{h.said_rate:.3f}")
        figures = (f"{figure:.2f}" for figure in (h.slope, h.coverage, h.top, h.seen, h.house))
        leaks = f"{h.leaks} of {len(PLANTED)}" + "".join(f", {name} refused" for name in h.refused)
        gate = "passed" if h.published else "held back"
        print(f"| {' | '.join((str(seed), *counts, *rates, *figures, leaks, gate))} |", flush=True)
    print(summary(found))
    if options.json:
        options.json.write_text(json.dumps([asdict(h) for h in found], indent=1) + "\n")


def summary(found: list[Held]) -> str:
    """Return the means over the worlds, and in how many the slope is right."""
    lines = []
    for name in ("slope", "coverage", "top", "seen", "house"):
        values = np.array([getattr(h, name) for h in found])
        lines.append(f"{name}: mean {values.mean():.3f}, {values.min():.2f} to {values.max():.2f}")
    level = np.log([h.said_rate / h.true_rate for h in found])
    right = sum(0.9 <= h.slope <= 1.1 for h in found)
    lines.append(f"slope within .9 to 1.1 in {right} of {len(found)} worlds")
    lines.append(f"level, ln(said / true): mean {level.mean():+.3f}, standard deviation {level.std():.3f}")
    lines.append(f"top against what can be seen: {np.mean([h.top / h.seen for h in found]):.3f}")
    lines.append(
        f"planted leaks found: {sum(h.leaks for h in found)} of {len(PLANTED) * len(found)}; "
        f"honest features refused: {sum(len(h.refused) for h in found)}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
