from __future__ import annotations

from pathlib import Path

import pytest
from tests.scorecards.shop import HOUSE, open_shop

from leadlight.errors import NotFoundError
from leadlight.workspace import Workspace


def test_items_add_up_and_have_causes(shop: Workspace) -> None:
    movement = shop.why("ann", since="2026-02-15", until="2026-03-01")
    assert sum(move.points for move in movement.moves) == pytest.approx(movement.points, abs=1e-9)
    causes = {(move.name, move.cause) for move in movement.moves}
    assert ("Asked for a demo", "new events") in causes
    assert ("Looks at pricing", "time passing") in causes
    assert ("Looks at pricing", "new events") in causes


def test_decay_alone_is_time_passing(shop: Workspace) -> None:
    movement = shop.why("ann", since="2026-03-01", until="2026-03-11")
    assert {move.cause for move in movement.moves} == {"time passing"}
    assert movement.points == pytest.approx(-(8 * 0.75) / 2, abs=1e-9)  # one half-life takes half of 6 points


def test_a_new_version_is_a_cause_of_its_own(shop: Workspace, tmp_path: Path) -> None:
    shop.score(as_of="2026-02-15")
    later = open_shop(tmp_path, house=HOUSE.replace("base: 1", "base: 3"), now=shop.now().replace(month=4))
    later.score(as_of="2026-03-20")
    movement = later.why("ann", since="2026-03-01", until="2026-03-20")
    assert [(m.name, m.cause, m.points) for m in movement.moves if m.cause == "scorecard"] == [
        ("Base", "scorecard", 2.0)
    ]
    assert sum(move.points for move in movement.moves) == pytest.approx(movement.points, abs=1e-9)


def test_before_it_existed(shop: Workspace) -> None:
    with pytest.raises(NotFoundError, match="ann did not exist at both moments"):
        shop.why("ann", since="2025-01-01")
