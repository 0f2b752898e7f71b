"""An account of Pipedrive on loopback."""

from collections.abc import Iterator
from typing import Any

import pytest

from connect.pipedrive.stand_in import StandIn


class Plain(StandIn):
    """The same, read without history, as is usual."""

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "history": False}


@pytest.fixture(scope="session")
def served() -> Iterator[StandIn]:
    with Plain().serving() as made:
        yield made


@pytest.fixture
def crm(served: StandIn) -> StandIn:
    served.reset()
    return served
