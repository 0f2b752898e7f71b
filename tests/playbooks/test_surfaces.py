"""Every playbook speaks its own words: no lead, win or deal where tickets, threats or shoppers are ranked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from leadlight.errors import NotFoundError, UsageError
from leadlight.learn.line import Wish
from leadlight.templates.init import WRITTEN, init
from leadlight.templates.playbooks import playbooks
from leadlight.workspace import Workspace

OTHERS = [item.name for item in playbooks().playbooks if item.name != "b2b-sales"]
SALES = re.compile(r"\b(leads?|won|wins?|deals?)\b", re.IGNORECASE)
ALLOWED = re.compile(r"<code>.*?</code>|<(style|svg)\b.*?</\1>|<[^>]+>", re.DOTALL)


def surfaces(workspace: Workspace, card: str, folder: Path) -> dict[str, Callable[[], object]]:
    return {
        "rank": lambda: workspace.rank(card),
        "explain": lambda: workspace.explain(workspace.rank(card).rows[0].ledger.id, card),
        "evaluate": lambda: workspace.evaluate(card),
        "threshold": lambda: workspace.threshold(Wish(cost=1, gain=9), card),
        "profile": lambda: workspace.profile(card),
        "report": lambda: workspace.report(folder / "report.html", card).html,
    }


@pytest.mark.parametrize("name", OTHERS)
def test_no_surface_of_a_playbook_speaks_of_sales(tmp_path: Path, name: str) -> None:
    init(tmp_path / "w", playbook=name, today=WRITTEN)
    workspace = Workspace(tmp_path / "w", now=lambda: datetime(2026, 7, 1))
    workspace.ingest()
    assert workspace.loaded.workspace.spec.entity != "lead"
    told = 0
    for card in workspace.loaded.scorecards:
        if not workspace.rank(card).rows:
            continue
        for surface, show in surfaces(workspace, card, tmp_path).items():
            try:
                text = ALLOWED.sub(" ", str(show()))
            except (NotFoundError, UsageError):  # no outcome of its own, or none yet
                continue
            told += 1
            assert not SALES.search(text), (card, surface, [line for line in text.splitlines() if SALES.search(line)])
    assert told >= 4
