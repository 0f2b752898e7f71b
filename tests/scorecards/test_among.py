"""Which leads a condition picks, as of a moment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.scorecards.shop import open_shop

from leadlight.errors import UsageError
from leadlight.workspace import Workspace


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = open_shop(Path(tmp_path_factory.mktemp("among")))
    workspace.ingest()
    return workspace


def ids(shop: Workspace, numbers: list[int]) -> set[str]:
    with shop.store() as engine:
        return {str(own) for own, lead in engine.rows("SELECT id, lead FROM leads") if lead in numbers}


def test_all_exist_or_those_of_an_account_or_of_a_condition(shop: Workspace) -> None:
    assert ids(shop, shop.among()) == {"ann", "bob", "cy", "di", "eve"}  # fay comes later
    assert ids(shop, shop.among(account="Acme")) == {"ann", "bob"}
    assert ids(shop, shop.among(where="seniority = 'vp'")) == {"ann", "cy", "eve"}
    assert ids(shop, shop.among(where="visits_30d >= 1", account="Acme")) <= {"ann", "bob"}
    assert shop.among(account="nobody's") == shop.among(where="false") == []


def test_who_is_never_scored_is_among_them_but_not_ranked(shop: Workspace) -> None:
    found = shop.rank(among=shop.among(where="seniority = 'vp'"))
    assert {row.ledger.id for row in found.rows} == {"ann", "cy"}
    assert (found.total, found.excluded) == (2, 1)


def test_nobody_is_there_before_they_are_created(shop: Workspace) -> None:
    assert shop.among(as_of=datetime(2000, 1, 1)) == []


@pytest.mark.parametrize("where", ["", "nothing = 1", "1 +", "(SELECT 1)"])
def test_conditions_that_are_none(shop: Workspace, where: str) -> None:
    with pytest.raises(UsageError, match="where is no condition"):
        shop.among(where=where)
