from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.live import Live, live
from tests.service.shop import make_shop


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The service on a socket, for all tests of a file."""
    with live(make_shop(tmp_path_factory.mktemp("live") / "shop")) as found:
        yield found
