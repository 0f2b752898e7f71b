from __future__ import annotations

from pathlib import Path

import pytest
from tests.scorecards.shop import HOUSE, open_shop

from leadlight.scorecards.past import continues
from leadlight.workspace import Workspace

EDITED = HOUSE.replace("points: -6", "points: -7")
LATER = "2026-04-20"
"""When ann's engagement is 10.19: below the bound 12, within the margin of 2."""


@pytest.fixture
def scored(shop: Workspace) -> Workspace:
    shop.score(as_of="2026-02-21")
    assert shop.explain("ann", as_of="2026-02-21").grade == "A1"
    return shop


def test_the_version_in_use_goes_on(scored: Workspace) -> None:
    with scored.session(), scored.store() as engine:
        assert continues(engine, scored._ready(engine).scorecards["house"], None)
    assert scored.explain("ann", as_of=LATER).grade == "A1"


def test_another_version_begins_anew(scored: Workspace) -> None:
    edited = open_shop(scored.root, house=EDITED)
    assert edited.explain("ann", as_of=LATER).grade == "A2"
    (run,) = edited.score(as_of=LATER)
    assert (run.silent, edited.history("ann").scores[-1].grade) == (True, "A2")


def test_from_then_on_it_is_the_one_that_goes_on(scored: Workspace) -> None:
    edited = open_shop(scored.root, house=EDITED)
    edited.score(as_of="2026-02-22")
    assert edited.explain("ann", as_of=LATER).grade == "A1"  # entered anew on 22 February
    assert open_shop(scored.root, house=HOUSE).explain("ann", as_of=LATER).grade == "A2"


def test_without_grades_there_is_nothing_to_go_on(shop: Workspace, tmp_path: Path) -> None:
    plain = open_shop(tmp_path, house=HOUSE[: HOUSE.index("gates:")])
    plain.score()
    with plain.session(), plain.store() as engine:
        assert not continues(engine, plain._ready(engine).scorecards["house"], None)
