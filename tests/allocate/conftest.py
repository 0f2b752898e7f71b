from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.scorecards.shop import NOW, open_shop

from leadlight.workspace import Workspace


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop whose files have been read."""
    folder = tmp_path_factory.mktemp("shop")
    open_shop(folder).ingest()
    return folder


@pytest.fixture
def shop(stocked: Path, tmp_path: Path) -> Workspace:
    """A shop of the test's own."""
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    return Workspace(tmp_path, now=lambda: NOW)
