from __future__ import annotations

from pathlib import Path

import pytest
from tests.scorecards.shop import NOW, open_shop

from leadlight.workspace import Workspace


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """A shop of the test's own, whose files have been read."""
    open_shop(tmp_path).ingest()
    return Workspace(tmp_path, now=lambda: NOW)
