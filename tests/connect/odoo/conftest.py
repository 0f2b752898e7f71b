from __future__ import annotations

from collections.abc import Iterator

import pytest

from connect.odoo.stand_in import StandIn


@pytest.fixture(scope="session")
def odoo_served() -> Iterator[StandIn]:
    """An Odoo on loopback."""
    with StandIn().serving() as made:
        yield made


@pytest.fixture(params=["ann@example.com", None], ids=["json-rpc", "json-2"])
def odoo(request: pytest.FixtureRequest, odoo_served: StandIn) -> Iterator[StandIn]:
    """The same, as new, asked in both ways."""
    odoo_served.reset()
    odoo_served.login = request.param
    yield odoo_served
    odoo_served.login = "ann@example.com"
    assert odoo_served.errors == []
