from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service.shop import Inside, inside, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace of the test's own, nothing read yet."""
    return make_shop(tmp_path / "shop")


@pytest.fixture
def service(shop: Path) -> Iterator[Inside]:
    """The service over it, in this process."""
    with inside(shop) as found:
        yield found


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A service that a module's tests share; they change nothing, or what others do not look at."""
    with inside(make_shop(tmp_path_factory.mktemp("past") / "shop")) as found:
        yield found
