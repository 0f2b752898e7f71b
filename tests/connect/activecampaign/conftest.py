"""An account of ActiveCampaign on loopback."""

from collections.abc import Iterator

import pytest

from connect.activecampaign.stand_in import StandIn


@pytest.fixture(scope="session")
def served() -> Iterator[StandIn]:
    with StandIn().serving() as made:
        yield made


@pytest.fixture
def crm(served: StandIn) -> StandIn:
    served.reset()
    return served
