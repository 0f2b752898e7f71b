"""Tables of results in Markdown: every set, the mean over sets and the mean rank; the origins one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from cells import SYSTEMS, Cell
from datasets import SETS
from ours import OURS

METRICS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "ece": "ECE",
    "ece_by_chance": "ECE that chance alone gives where probabilities are right",
}
HIGHER_IS_BETTER = ("auc", "average_precision")
BANK, BANK_WHO = "uci_bank_marketing", "uci_bank_marketing_who"
TITLES = {"random": "Split at random, 70 % to 30 %", "rolling": "Rolling origins"}

Scores = Mapping[str, Mapping[str, float]]
"""Set → system → mean over the splits that all systems of the set have."""


def tables(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the tables of each protocol that has results."""
    for protocol in dict.fromkeys(cell.protocol for cell in cells):
        own = [cell for cell in cells if cell.protocol == protocol]
        common = _common(own)
        yield f"\n## {TITLES[protocol]}\n"
        yield from (_failures(own), _sizes(common))
        for metric, title in METRICS.items():
            told = [cell for cell in common if getattr(cell.measured, metric) is not None]
            if told:
                yield f"\n### {title}\n\n" + _by_set(told, metric, protocol)
        yield "\n### Seconds to fit (wall)\n\n" + _by_set(common, "fit_wall", protocol, digits=2)
        if protocol == "rolling":
            yield "\n### AUC at each origin of the sets with a target\n\n" + _origins(common)


def _common(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells of those splits that every system of the set has done, so that means compare.

    A system that lacks more than one of a set's splits is left out there: it was only begun, or keeps failing.
    """
    done = defaultdict(lambda: defaultdict(set))
    for cell in cells:
        if cell.measured:
            done[cell.set][cell.system].add(cell.split)
    shared: dict[str, set[str]] = {}
    systems: dict[str, set[str]] = {}
    for name, splits in done.items():
        most = max(map(len, splits.values()))
        systems[name] = {system for system, some in splits.items() if len(some) >= most - 1}
        shared[name] = set.intersection(*(splits[system] for system in systems[name]))
    return [
        cell for cell in cells if cell.measured and cell.split in shared[cell.set] and cell.system in systems[cell.set]
    ]


def _value(cell: Cell, metric: str) -> float:
    return float(cell.fit_wall if metric == "fit_wall" else getattr(cell.measured, metric))


def _scores(cells: Sequence[Cell], metric: str) -> Scores:
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for cell in cells:
        values[cell.set, cell.system].append(_value(cell, metric))
    found: dict[str, dict[str, float]] = {name: {} for name in SETS}
    for (name, system), some in values.items():
        found[name][system] = float(np.mean(some))
    return {name: systems for name, systems in found.items() if systems}


def _by_set(cells: Sequence[Cell], metric: str, protocol: str, digits: int = 4) -> str:
    """Return rows of sets and columns of systems, the best of each row bold."""
    scores = _scores(cells, metric)
    systems = [system for system in SYSTEMS if any(system in row for row in scores.values())]
    lines = [_line("set", systems), _line("---", ["--:"] * len(systems))]
    lines += [_row(name, scores[name], systems, metric, digits) for name in scores]
    counted = [name for name in scores if SETS[name].in_mean and set(systems) <= set(scores[name])]
    if counted:
        mean = {system: float(np.mean([scores[name][system] for name in counted])) for system in systems}
        lines.append(_row(f"**mean of {len(counted)}**", mean, systems, metric, digits))
        ranks = np.mean([_ranks([scores[name][system] for system in systems], metric) for name in counted], axis=0)
        lines.append(_line("mean rank", [f"{rank:.2f}" for rank in ranks]))
    if protocol == "rolling":
        lines += _target_means(scores, systems, metric, digits)
    return "\n".join(lines)


def _target_means(scores: Scores, systems: Sequence[str], metric: str, digits: int) -> list[str]:
    """Return the means over the sets with a target: with the bank as published, and without calendar features.

    Leadlight chooses its features itself: in both it stands with what it makes of the bank as published.
    """
    lines = []
    for title, bank in (("bank as published", BANK), ("bank without calendar", BANK_WHO)):
        sets = [name for name, data in SETS.items() if data.target and name not in (BANK, BANK_WHO)] + [bank]
        rows = [{**scores.get(name, {})} for name in sets]
        if bank == BANK_WHO:
            rows[-1] |= {system: scores[BANK][system] for system in OURS if system in scores.get(BANK, {})}
        whole = [system for system in systems if all(system in row for row in rows)]
        mean = {system: float(np.mean([row[system] for row in rows])) for system in whole}
        if mean:
            lines.append(_row(f"**targets, {title}**", mean, systems, metric, digits))
    return lines


def _origins(cells: Sequence[Cell]) -> str:
    """Return one line per origin of each set with a target: dates, sizes, rates, and the area of each system."""
    targets = [cell for cell in cells if SETS[cell.set].target]
    systems = [system for system in SYSTEMS if any(cell.system == system for cell in targets)]
    lines = [_line("set | origin | trained | rate | tested | wins | rate", systems)]
    lines.append(_line("---|---|--:|--:|--:|--:|--:", ["--:"] * len(systems)))
    for name, split in dict.fromkeys((cell.set, cell.split) for cell in sorted(targets, key=_place)):
        row = {cell.system: cell for cell in targets if (cell.set, cell.split) == (name, split)}
        one = next(iter(row.values()))
        facts = f"{name} | {split} | {one.trained:,} | {one.measured.trained_rate:.1%} | {one.tested:,} | {one.wins:,}"
        areas = {system: _value(cell, "auc") for system, cell in row.items()}
        lines.append(_row(f"{facts} | {one.measured.rate:.1%}", areas, systems, "auc", 4))
    return "\n".join(lines)


def _sizes(cells: Sequence[Cell]) -> str:
    """Return how many rows each set was trained and tested on, and over how many splits."""
    lines = ["| set | splits | trained | tested | wins tested |", "|---|--:|--:|--:|--:|"]
    for name in SETS:
        splits = {cell.split: cell for cell in cells if cell.set == name}.values()
        if splits:
            trained, tested, wins = (
                np.mean([getattr(cell, what) for cell in splits]) for what in ("trained", "tested", "wins")
            )
            lines.append(f"| {name} | {len(splits)} | {trained:,.0f} | {tested:,.0f} | {wins:,.0f} |")
    return "\n".join(lines)


def _failures(cells: Sequence[Cell]) -> str:
    failed = [f"* {cell.system} on {cell.set}, {cell.split}: {cell.failure}" for cell in cells if cell.failure]
    return "\n".join(["Failed, and left out for all:", *failed, ""]) if failed else ""


def _place(cell: Cell) -> tuple[int, str]:
    return list(SETS).index(cell.set), cell.split


def _ranks(values: Sequence[float], metric: str) -> np.ndarray:
    """Return ranks from 1, the best; equals share the mean of theirs."""
    from scipy.stats import rankdata

    return rankdata([-value if metric in HIGHER_IS_BETTER else value for value in values])


def _row(title: str, values: Mapping[str, float], systems: Sequence[str], metric: str, digits: int) -> str:
    best = (max if metric in HIGHER_IS_BETTER else min)(values.values())
    texts = [f"{values[system]:.{digits}f}" if system in values else "" for system in systems]
    bold = [f"**{text}**" if text and float(text) == round(best, digits) else text for text in texts]
    return _line(title, bold)


def _line(title: str, cells: Sequence[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"
