from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connect.tryton.made import on_postgres, on_sqlite
from connect.tryton.server import Tryton
from connect.tryton.stand_in import StandIn

collect_ignore = ["client.py"]
"""Run by Tryton's Python."""


@pytest.fixture(scope="session")
def stand_in_served() -> Iterator[StandIn]:
    """A stand-in for Tryton on loopback."""
    with StandIn().serving() as made:
        yield made


@pytest.fixture
def stand_in(stand_in_served: StandIn) -> Iterator[StandIn]:
    """The same, as new."""
    stand_in_served.reset()
    yield stand_in_served
    assert stand_in_served.errors == []


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def tryton(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    """A real Tryton, filled."""
    folder: Path = tmp_path_factory.mktemp("tryton")
    if request.param == "sqlite":
        with on_sqlite(folder) as running:
            yield running
    else:
        with on_postgres(folder) as running:
            yield running
