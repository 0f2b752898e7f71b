"""The store in PostgreSQL makes of a sync what one in DuckDB makes of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connect.crm import START, Crm, crm, registered

__all__ = ["crm", "registered"]

TOLD = {
    "leads": "SELECT id, created_at FROM leads ORDER BY id",
    "ids": "SELECT i.id, l.id FROM ids i JOIN leads l ON l.lead = i.lead ORDER BY 1",
    "attributes": (
        "SELECT l.id, a.known_at, a.known_until, a.title, a.size, a.deleted FROM attributes a "
        "JOIN leads l ON l.lead = a.lead ORDER BY 1, 2"
    ),
    "outcomes": 'SELECT l.id, o."at", o.outcome, o.value FROM outcomes o JOIN leads l ON l.lead = o.lead ORDER BY 1, 3',
    "events": 'SELECT l.id, e.type::VARCHAR, e."at" FROM events e JOIN leads l ON l.lead = e.lead ORDER BY 1, 2',
}


def lived(crm: Crm) -> dict[str, list[tuple]]:
    """Let a system live for a while, and return what became of it."""
    for n in range(8):
        crm.world.put("contacts", str(n), START - timedelta(days=9 - n), jobtitle=f"T{n}", employees=float(n))
        crm.world.put("deals", f"d{n}", START, contact=str(n), stage="won", closed=START, amount=10.0)
        crm.world.put("emails", f"e{n}", START, contact=str(n), kind="open", sent=START)
    crm.sync()
    crm.world.put("contacts", "1", crm.later(days=1), jobtitle="new")
    crm.world.delete("contacts", "2", crm.now)
    crm.world.delete("contacts", "3", crm.now, into="4")
    crm.world.put("deals", "d1", crm.now, stage="talking")
    crm.world.put("deals", "d5", crm.now, contact="6")
    crm.world.delete("deals", "d2", crm.now)
    report = crm.sync()
    assert report.error is None
    assert report.joined == 1
    assert not crm.sync().changed
    crm.workspace().undo_merge(crm.workspace().merges().merges[0].merge)
    assert crm.sync().joined == 0
    crm.workspace().erase("crm:7")
    crm.sync(full=True)
    return {name: crm.rows(query) for name, query in TOLD.items()}


@pytest.mark.slow
def test_both_stores_hold_the_same(crm: Crm, postgres_store: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Crm(tmp_path / "other")
    text = (other.root / "leadlight.yaml").read_text()
    (other.root / "leadlight.yaml").write_text(f'store: "{postgres_store}"\n{text}')
    assert lived(other) == lived(crm)
