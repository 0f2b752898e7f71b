from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.scorecards.shop import open_shop

from leadlight.workspace import Workspace

NEWEST = datetime(2026, 3, 5)
NOTE = "the newest event is of 2026-03-05, 61 days before the as-of: did you mean --as-of 2026-03-06?"


def test_long_after_the_newest_event_it_is_pointed_out(shop: Workspace, tmp_path: Path) -> None:
    late = NEWEST + timedelta(days=61)
    ranking = shop.rank(as_of=late)
    (run,) = shop.score(as_of=late)
    report = shop.report(tmp_path / "r.html", as_of=late)
    assert ranking.notes == run.notes == report.facts.ranking.notes == (NOTE,)
    assert str(ranking).endswith(NOTE)
    assert str(run).endswith(NOTE)
    assert ranking.as_dict()["notes"] == run.as_dict()["notes"] == [NOTE]
    assert f"T{NOTE[1:]}" in report.html


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=60)])
def test_soon_after_it_is_not(shop: Workspace, later: timedelta) -> None:
    assert shop.rank(as_of=NEWEST + later).notes == ()


def test_events_after_the_as_of_tell_nothing(shop: Workspace) -> None:
    first = shop.rank(as_of="2026-02-09")
    assert first.notes == ()


def test_nor_does_a_store_without_events(tmp_path: Path) -> None:
    card = "groups: {fit: {criteria: [{name: Size, feature: employees, bands: [[0, null, 1]]}]}}\n"
    shop = open_shop(tmp_path, house=card)
    shop.ingest(only=["leads"])
    assert shop.rank(as_of="2036-01-01").notes == ()
