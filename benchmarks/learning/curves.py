"""Learning curves of `learn --from`: how few outcomes may move a hand-written card without harm, by the known truth.

    python benchmarks/learning/curves.py --worlds 5

For each seed a world of 20,000 leads is simulated. Of the leads whose outcome is settled some are drawn that hold so
many won ones, as if they were all there is; the demo's hand-written card is moved by them; both cards then rank the
leads open on the last day, whose true probability is known.

    gain      in the expected area under the ROC curve, card as moved against card as written
    interval  of the area of the card as written: half its 90 % interval over the leads ranked
    loss      by how much the expected log loss falls, each card with the curve that the same outcomes give it
    top       the true wins among the first tenth, as a share of those of the card as written

Target: no gain below 0 by more than the interval, from 0 to 2,000 wins.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from seen import made, truth_of
from worlds import top_share

import leadlight
from leadlight.learn.calibrate import Calibration, calibrate
from leadlight.learn.levers import Pulls, gather, levers
from leadlight.learn.prior import Proposal, learn_from
from leadlight.learn.training import Rows, past_rows
from leadlight.simulate.world import HORIZON, UNTIL
from leadlight.spec.resolved import ResolvedScorecard

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WINS = (0, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
RESAMPLES = 200
CARD = "house"


@dataclass(frozen=True, slots=True)
class Point:
    """One draw of outcomes in one world."""

    seed: int
    wins: int
    rows: int
    moved: int
    withdrawn: int
    gain: float
    interval: float
    loss: float
    top: float

    @property
    def harmed(self) -> bool:
        """Whether the card as moved ranks worse by more than chance in who is ranked explains."""
        return self.gain < -self.interval


@dataclass(frozen=True, slots=True)
class Company:
    """A world's card, its settled rows as what they pull, and the open leads with their true probabilities."""

    card: ResolvedScorecard
    past: Pulls
    rows: Rows
    open_: Pulls
    true: Floats


def company(root: Path, seed: int, leads: int) -> Company:
    """Simulate, read, and look at what the card looks at."""
    workspace = made(root, seed, leads)
    truth = truth_of(workspace)
    with workspace.store() as engine:
        resolved = workspace._ready(engine)
        card = resolved.scorecards[CARD]
        rows = past_rows(engine, resolved, UNTIL)
        past, scored = gather(engine, resolved, card, rows.lead, rows.as_of)
        known = [(lead, truth[id_]) for lead, id_ in engine.rows("SELECT lead, id FROM leads") if id_ in truth]
        lead = np.array([lead for lead, _ in known], np.int64)
        open_, there = gather(engine, resolved, card, lead, pa.array([UNTIL] * len(lead), pa.timestamp("us")))
    kept = np.flatnonzero(scored)
    chosen = np.flatnonzero(there)
    true = np.array([probability for _, probability in known])[chosen]
    return Company(card, past.take(kept), rows.take(scored), open_.take(chosen), true)


def points(found: Company, seed: int) -> Iterator[Point]:
    """Move the card by ever more outcomes."""
    written = np.array([lever.points for lever in levers(found.card)])
    before = score(found.card, found.open_, written)
    half = interval(before, found.true, seed)
    for wins in WINS:
        drawn = draw(found.rows, wins, np.random.default_rng([seed, wins]))
        if drawn is None:
            return
        won, lead, time = found.rows.won[drawn], found.rows.lead[drawn], found.rows.time[drawn]
        pulled = found.past.take(drawn)
        proposal = learn_from(found.card, pulled, won, lead=lead, time=time, horizon=HORIZON / timedelta(days=1))
        after = score(found.card, found.open_, moved_points(found.card, proposal))
        curve = calibrate(score(found.card, pulled, written), won, lead=lead, time=time)
        losses = [
            expected_loss(found.true, one, by) for one, by in ((before, curve), (after, proposal.calibration or curve))
        ]
        yield Point(
            seed, wins, len(drawn), len(proposal.changes), proposal.withdrawn,
            expected_area(after, found.true) - expected_area(before, found.true), half, losses[0] - losses[1],
            top_share(found.true, after) / top_share(found.true, before),
        )  # fmt: skip


def moved_points(card: ResolvedScorecard, proposal: Proposal) -> Floats:
    """Return the card's numbers as proposed."""
    changed = {(change.group, change.criterion, change.level): change.after for change in proposal.changes}
    return np.array([changed.get((one.group, one.name, one.level), one.points) for one in levers(card)])


def draw(rows: Rows, wins: int, random: np.random.Generator) -> Ints | None:
    """Draw whole leads of which so many are won, and of the others the same share; None where there are too few."""
    leads, of = np.unique(rows.lead, return_inverse=True)
    winner = np.bincount(of, rows.won) > 0
    if wins > winner.sum():
        return None
    share = wins / winner.sum() if wins else 100 / len(leads)
    chosen = np.zeros(len(leads), np.bool_)
    chosen[random.permutation(np.flatnonzero(winner))[:wins]] = True
    rest = random.permutation(np.flatnonzero(~winner))
    chosen[rest[: max(int(len(rest) * share), 20)]] = True
    return np.flatnonzero(chosen[of])


def score(card: ResolvedScorecard, pulled: Pulls, worth: Floats) -> Floats:
    """Score rows by the numbers of a card, the caps of its groups included."""
    total = np.full(pulled.rows, float(card.spec.base))
    for name, group in card.spec.groups.items():
        mine = np.array([lever.group == name for lever in pulled.levers])[pulled.lever]
        given = (worth[pulled.lever] * pulled.amount)[mine]
        low, high = group.cap
        total += np.clip(
            np.bincount(pulled.row[mine], given, minlength=pulled.rows),
            -np.inf if low is None else low,
            np.inf if high is None else high,
        )
    return total


def expected_area(score: Floats, true: Floats) -> float:
    """Return the chance that of a lead won and one that is not the won one has the higher score, ties half.

    >>> round(expected_area(np.array([1.0, 2.0]), np.array([0.0, 1.0])), 3)
    1.0
    """
    _, place = np.unique(score, return_inverse=True)
    won, lost = np.bincount(place, true), np.bincount(place, 1 - true)
    below = np.concatenate([[0.0], np.cumsum(lost)[:-1]])
    return float(won @ (below + lost / 2) / (won.sum() * lost.sum()))


def interval(score: Floats, true: Floats, seed: int) -> float:
    """Return half the 90 % interval of the area over draws of leads and of their outcomes."""
    random, areas = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(true), len(true))
        areas.append(expected_area(score[drawn], (random.random(len(true)) < true[drawn]).astype(np.float64)))
    low, high = np.quantile(areas, [0.05, 0.95])
    return float(high - low) / 2


def expected_loss(true: Floats, score: Floats, curve: Calibration) -> float:
    """Return the expected log loss of a card with its curve."""
    p = curve.probabilities(score)
    return -float(np.mean(true * np.log(p) + (1 - true) * np.log1p(-p)))


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=5)
    parser.add_argument("--leads", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: list[Point] = []
    for seed in range(options.first, options.first + options.worlds):
        with tempfile.TemporaryDirectory() as place:
            found += points(company(Path(place) / "world", seed, options.leads), seed)
        print(f"world {seed} done", flush=True)
    print(f"\nLeadlight {leadlight.__version__}, {options.worlds} worlds of {options.leads:,} leads\n")
    print(table(found))
    if options.json:
        options.json.write_text(json.dumps([asdict(point) for point in found], indent=1) + "\n")


def table(found: list[Point]) -> str:
    """Return a line for each number of wins: means over the worlds, and the worst."""
    heads = ("wins", "worlds", "numbers moved", "gain, mean", "gain, least", "interval ±", "log loss", "top", "harmed")
    lines = [f"| {' | '.join(heads)} |", "|" + "--:|" * len(heads)]
    for wins in sorted({point.wins for point in found}):
        of = [point for point in found if point.wins == wins]
        mean = {
            name: float(np.mean([getattr(point, name) for point in of]))
            for name in ("moved", "gain", "interval", "loss", "top")
        }
        cells = (
            f"{wins:,}", f"{len(of)}", f"{mean['moved']:.0f}", f"{mean['gain']:+.4f}",
            f"{min(point.gain for point in of):+.4f}", f"{mean['interval']:.4f}", f"{mean['loss']:+.4f}",
            f"{mean['top']:.3f}", f"{sum(point.harmed for point in of)}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
