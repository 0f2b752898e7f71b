"""Every system that has a stand-in (`<system>/stand_in.py`), served once, and begun anew for each test."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from connect.stand_in import StandIn
from leadlight.connect.registry import connector

SYSTEMS = sorted(file.parent.name for file in Path(__file__).parent.glob("*/stand_in.py"))


@pytest.fixture(scope="session", params=SYSTEMS)
def served(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A system on loopback."""
    made: StandIn = import_module(f"connect.{request.param}.stand_in").StandIn()
    with made.serving() as serving:
        yield serving


@pytest.fixture
def system(served: StandIn) -> Iterator[StandIn]:
    """The same, as new; what no test may ever see is looked for at its end."""
    served.reset()
    yield served
    about = connector(served.system).about
    assert served.errors == []
    assert max(served.pages_seen, default=0) <= max(about.limits.page, served.largest_page)
    assert max(served.batches_seen, default=0) <= about.limits.batch
    assert served.fastest() <= max(about.limits.per_second, 1)
    assert served.per_day is None or served.today[1] <= served.per_day
