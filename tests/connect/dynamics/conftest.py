"""An environment on loopback, served once and begun anew for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connect.dynamics.stand_in import StandIn


@pytest.fixture(scope="session")
def loopback() -> Iterator[StandIn]:
    """An environment that serves."""
    with StandIn().serving() as made:
        yield made


@pytest.fixture
def crm(loopback: StandIn) -> Iterator[StandIn]:
    """The same, as new."""
    loopback.reset()
    yield loopback
    assert loopback.errors == []
