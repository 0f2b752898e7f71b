from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.workspace import Workspace
from tests.scorecards.shop import open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    workspace = open_shop(tmp_path)
    workspace.ingest()
    return workspace
