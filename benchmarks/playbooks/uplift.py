"""Measure who is moved on the Hillstrom campaign, and write the table into docs/playbooks/digital-marketing.md.

    .venv/bin/python benchmarks/playbooks/uplift.py

Each mail against those who got none: half of the customers, drawn at random, learned from, the other half judged by.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from case import CASES, load, make

from leadlight.evaluate.bootstrap import Metric
from leadlight.evaluate.uplift import UpliftVerdict

PAGE = Path(__file__).parents[2] / "docs" / "playbooks" / "digital-marketing.md"
BEGIN, END = "<!-- uplift: begin -->", "<!-- uplift: end -->"
OUTCOMES = {
    "visit_womens": "visit, women's mail",
    "visit_mens": "visit, men's mail",
    "purchase_womens": "purchase, women's mail",
    "purchase_mens": "purchase, men's mail",
}


def main() -> None:
    """Learn from every campaign, print and write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = make(load(CASES / "marketing_visits.py"), Path(folder) / "campaign")
        for outcome, title in OUTCOMES.items():
            found = workspace.uplift(outcome=outcome, force=True).learned
            rows += _rows(title, found.verdict, [criterion.name for criterion in found.criteria])
            sys.stderr.write(f"{title}: done\n")
    table = "\n".join([*HEAD, *rows])
    sys.stdout.write(table + "\n")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{table}\n{END}", page, flags=re.DOTALL), encoding="utf-8"
    )


HEAD = (
    "| outcome, treatment | judged by (treated + control) | uplift of all | ranked by | Qini, per 1,000 | top 10 % | "
    "top 20 % | top 30 % | moved more than others? |",
    "|---|---|---|---|---|---|---|---|---|",
)


def _rows(title: str, verdict: UpliftVerdict, criteria: list[str]) -> list[str]:
    """Return a line for each way to rank; uplift in percentage points."""
    treated, control = verdict.arms
    lines = []
    for place, (name, figures) in enumerate(verdict.systems):
        what = [title, f"{treated.n:,} + {control.n:,}", _cell(figures.effect, 100)] if not place else ["", "", ""]
        label = f"{name} ({', '.join(criteria)})" if not place else name
        cells = [_cell(figures.qini, 1000), *(_cell(getattr(figures, f"uplift_{k}"), 100) for k in (10, 20, 30))]
        answer = str(verdict.better_than_random) if not place else ""
        lines.append("| " + " | ".join([*what, label, *cells, answer]) + " |")
    return lines


def _cell(metric: Metric | None, times: float) -> str:
    if metric is None:
        return "–"
    return f"{times * metric.value:.1f} ({times * metric.low:.1f} to {times * metric.high:.1f})"


if __name__ == "__main__":
    main()
