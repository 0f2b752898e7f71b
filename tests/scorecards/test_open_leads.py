"""A lead's last outcome is a name that conditions may use, as of the moment."""

from __future__ import annotations

from pathlib import Path

from tests.scorecards.shop import WORKSPACE, open_shop

CLOSED = WORKSPACE.replace('exclude: "', 'exclude: "outcome is not null or ')


def test_leads_whose_outcome_is_known_leave_the_ranking(tmp_path: Path) -> None:
    shop = open_shop(tmp_path, workspace=CLOSED)
    shop.check()
    shop.ingest()
    assert [row.ledger.id for row in shop.rank().rows] == ["ann", "di"]
    # Cy was won on 15 Feb, Bob lost on 28 Feb: before, they were open.
    assert {row.ledger.id for row in shop.rank(as_of="2026-02-14").rows} == {"ann", "bob", "cy"}
    assert {row.ledger.id for row in shop.rank(as_of="2026-02-15").rows} == {"ann", "bob"}


def test_the_latest_of_several_outcomes_counts(tmp_path: Path) -> None:
    shop = open_shop(tmp_path, workspace=WORKSPACE.replace('exclude: "', "exclude: \"outcome = 'lost' or "))
    (tmp_path / "deals.csv").write_text(
        "lead,closed,stage,amount\nann,2026-02-01,lost,\nann,2026-02-10,won,5\nbob,2026-02-01,won,1\nbob,2026-02-10,lost,\n"
    )
    shop.ingest()
    assert {row.ledger.id for row in shop.rank().rows} == {"ann", "cy", "di"}
    assert {row.ledger.id for row in shop.rank(as_of="2026-02-05").rows} == {"bob", "cy"}
    assert "outcome" not in shop.sql() or '"outcomes"' in shop.sql(dialect="postgres")
