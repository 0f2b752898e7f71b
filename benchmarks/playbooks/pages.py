"""The measured figures as tables in docs/playbooks: written between marks, never by hand.

<!-- figures all -->            every case
<!-- figures support_incidents support_reopened -->
<!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from leadlight.templates.playbooks import playbooks

DOCS = Path(__file__).parents[2] / "docs" / "playbooks"
MARK = re.compile(r"(<!-- figures ([a-z0-9_ ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
LIST = re.compile(r"(<!-- list -->\n).*?(<!-- end -->)", re.DOTALL)
MAIN = ("first come", "hand-written", "learned", "black box")


def write_pages(results: Mapping[str, Mapping[str, Any]]) -> None:
    """Fill the marks of every page."""
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        filled = MARK.sub(lambda found: f"{found[1]}{_figures(found[2].split(), results)}{found[3]}", text)
        filled = LIST.sub(lambda found: f"{found[1]}{_list()}{found[2]}", filled)
        if filled != text:
            path.write_text(filled, encoding="utf-8")


def _list() -> str:
    """Return a row for each playbook that ships, with its page."""
    lines = ["| playbook | ranks |", "|---|---|"]
    for item in playbooks().playbooks:
        name = f"[{item.name}]({item.name}.md)" if (DOCS / f"{item.name}.md").exists() else f"`{item.name}`"
        lines.append(f"| {name} | {item.about.partition(': ')[2] or item.about} |")
    return "\n" + "\n".join(lines) + "\n\n"


def _figures(names: Sequence[str], results: Mapping[str, Mapping[str, Any]]) -> str:
    chosen = [results[name] for name in (sorted(results) if "all" in names else names) if name in results]
    return f"\n{table(chosen)}\n{remarks(chosen)}\n" if chosen else "\n"


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each case: area under the curve / average precision / gain at the capacity."""
    lines = [
        "| case | judged by | first come | hand-written | practice | learned | black box |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        systems = result["systems"]
        practice = "<br>".join(f"{name}: {_cell(systems[name])}" for name in systems if name not in MAIN) or "–"
        first, hand, learned, box = (_cell(systems.get(name)) for name in MAIN)
        if systems.get("first come"):
            first += f"<br>({result['first_come']})"
        cells = (_case(result), _judged_by(result), first, hand, practice, learned, box)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _case(result: Mapping[str, Any]) -> str:
    data = f"`{result['data']}`" if result["data"] else "simulated"
    return f"**{result['name']}**<br>{data}, gain at {result['capacity']:.1%}"


def _judged_by(result: Mapping[str, Any]) -> str:
    rows = f"{result['n']:,} rows, {result['wins']:,} {result['called']}"
    if not result["timed"]:
        return f"{rows}; at random"
    if result["since"] is None:
        return f"{rows}; the newest"
    return f"{rows}; {_day(result['since'])} to {_day(result['until'])}"


def _day(days: float) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days):%Y-%m-%d}"


def _cell(figures: Mapping[str, Sequence[float]] | None) -> str:
    if not figures:
        return "–"
    gain = f"{figures['gain'][0]:.0%}" if "gain" in figures else "–"
    return " / ".join([*(f"{figures[name][0]:.3f}" if name in figures else "–" for name in ("auc", "ap")), gain])


def remarks(results: Sequence[Mapping[str, Any]]) -> str:
    """Return, for each case, what a row is, what does not hold, what the literature says, and the traps."""
    lines = []
    for result in results:
        parts = [f"A row is {result['row']}" if result["row"] else ""]
        parts += [f"Does not hold: {'; '.join(result['does_not_hold'])}" if result["does_not_hold"] else ""]
        parts += [f"Literature: {result['literature']}" if result["literature"] else "", result["notes"]]
        said = ". ".join(part.rstrip(".") for part in parts if part)
        lines.append(f"* **{result['name']}**: {said}.")
    return "\n".join(lines) + "\n"
