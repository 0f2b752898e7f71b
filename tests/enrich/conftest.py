"""What tests of enrichment share: a small internet on loopback, and its bad hosts."""

from __future__ import annotations

import pytest

from internet import Internet, hostile


@pytest.fixture(scope="session")
def internet():
    """The internet of these tests; its text says what there is. Use host names of your own."""
    with Internet() as running:
        yield running


@pytest.fixture(scope="session")
def hostile_hosts(internet):
    """Addresses of hosts that misbehave, by name; see internet.hostile.HOSTS."""
    return hostile.add(internet)
