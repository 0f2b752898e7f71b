from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.workspace import Workspace


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace of the test's own, nothing read yet."""
    return make_shop(tmp_path / "shop")


@pytest.fixture(scope="session")
def read_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of such a workspace whose sources were read, and nothing else was done."""
    folder = make_shop(tmp_path_factory.mktemp("read") / "shop")
    Workspace(folder).ingest()
    return folder / "store.duckdb"


@pytest.fixture
def service(shop: Path, read_shop: Path) -> Iterator[Inside]:
    """The service over it, in this process; that its sources are read first is what others test."""
    if not (shop / "store.duckdb").exists():
        shutil.copyfile(read_shop, shop / "store.duckdb")
    with inside(shop) as found:
        yield found


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory, read_shop: Path) -> Iterator[Inside]:
    """A service that a module's tests share; they change nothing, or what others do not look at."""
    folder = make_shop(tmp_path_factory.mktemp("past") / "shop")
    shutil.copyfile(read_shop, folder / "store.duckdb")
    with inside(folder) as found:
        yield found
