from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.learn.company import UNTIL, make_company

from leadlight.learn.run import LearnRun
from leadlight.workspace import Workspace


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a company that has read its files."""
    folder = tmp_path_factory.mktemp("company")
    make_company(folder)
    return folder


@pytest.fixture
def company(founded: Path, tmp_path: Path) -> Workspace:
    """A company of the test's own."""
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    return Workspace(tmp_path, now=lambda: UNTIL)


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory, founded: Path) -> tuple[Workspace, LearnRun]:
    """A company that has learned a scorecard and uses it."""
    folder = tmp_path_factory.mktemp("taught")
    shutil.copytree(founded, folder, dirs_exist_ok=True)
    workspace = Workspace(folder, now=lambda: UNTIL)
    run = workspace.learn(force=True)
    assert isinstance(run, LearnRun)
    return workspace, run
