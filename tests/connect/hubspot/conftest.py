"""HubSpot on loopback, as new for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connect.hubspot.stand_in import StandIn


@pytest.fixture(scope="session")
def hubspot_served() -> Iterator[StandIn]:
    with StandIn().serving() as made:
        yield made


@pytest.fixture
def hubspot(hubspot_served: StandIn) -> Iterator[StandIn]:
    hubspot_served.reset()
    yield hubspot_served
    assert hubspot_served.errors == []
