"""Values that move from day to day, and scorecards that grade them in different ways: stories of thresholds."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from leadlight.workspace import Workspace

DAYS = 7
VALUES = {
    "slow": [20, 9.5, 8, 7.9, 10, 4, 0],
    "jump": [0, 20, 0, 0, 0, 0, 0],
    "step": [12, 6, 4, 3.5, 3, 2.9, 5],
}
"""Lead → its value on each day of January, from the first on."""
OTHERS = {"slow": [0, 0, 10, 9, 7, 7, 7], "jump": [0] * DAYS, "step": [20] * DAYS}
"""The value on the second axis."""

POINTS = sorted({value for values in [*VALUES.values(), *OTHERS.values()] for value in values if value})

WORKSPACE = """
store: duckdb:stories.duckdb
sources:
  leads: {csv: leads.csv, id: id, created_at: created, known_at: known}
"""
GROUPS = f"""
groups:
  fit: {{criteria: [{{name: Value, feature: value, points: {{{", ".join(f"{v:g}: {v:g}" for v in POINTS)}}}}}]}}
  deed: {{criteria: [{{name: Other, feature: other, points: {{{", ".join(f"{v:g}: {v:g}" for v in POINTS)}}}}}]}}
"""
LEVELS = "fit: {A: 10, B: 5, C: null}"
CARDS = {
    "plain": f"grades: {{{LEVELS}}}",
    "margin": f"grades: {{{LEVELS}, hysteresis: {{margin: 2}}}}",
    "dwell": f"grades: {{{LEVELS}, hysteresis: {{dwell: 3d}}}}",
    "gated": f'gates: [{{name: Odd, when: "value in (9.5, 6)", grade: C}}]\n'
    f"grades: {{{LEVELS}, hysteresis: {{margin: 2}}}}",
    "axes": f"grades: {{{LEVELS}, deed: {{1: 10, 2: null}}, hysteresis: {{margin: 2}}}}",
}


def day(number: int) -> datetime:
    """Return the n-th day of January, at noon."""
    return datetime.fromisoformat(f"2026-01-{number:02}T12:00")


def open_stories(folder: Path) -> Workspace:
    """Write the stories' files and read them."""
    (folder / "scorecards").mkdir()
    (folder / "leadlight.yaml").write_text(WORKSPACE)
    for name, grades in CARDS.items():
        (folder / "scorecards" / f"{name}.yaml").write_text(f"{GROUPS}{grades}\n")
    lines = ["id,created,known,value,other"]
    for lead, values in VALUES.items():
        for number, (value, other) in enumerate(zip(values, OTHERS[lead], strict=True), start=1):
            lines.append(f"{lead},2026-01-01,2026-01-{number:02},{value},{other}")
    (folder / "leads.csv").write_text("\n".join(lines) + "\n")
    workspace = Workspace(folder, now=lambda: day(DAYS))
    workspace.ingest()
    return workspace
