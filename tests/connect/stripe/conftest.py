"""Stripe on loopback, as new for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connect.stripe.stand_in import StandIn


@pytest.fixture(scope="session")
def stripe_served() -> Iterator[StandIn]:
    with StandIn().serving() as made:
        yield made


@pytest.fixture
def stripe(stripe_served: StandIn) -> Iterator[StandIn]:
    stripe_served.reset()
    yield stripe_served
    assert stripe_served.errors == []
