"""The cases of the benchmark of playbooks, each prepared and read once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadlight.workspace import Workspace

FOLDER = Path(__file__).parents[2] / "benchmarks" / "playbooks"
if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))

if TYPE_CHECKING:
    from case import Case

_made: dict[str, tuple[Case, Workspace]] = {}


@pytest.fixture(scope="session")
def made_case(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Case, Workspace]]:
    """Return a case by the name of its file and its workspace, read; skip where its data set is absent.

    The workspace is made once and shared: a test that changes files in it works on a copy (`shutil.copytree`).
    """
    from case import CASES, load, make

    def get(name: str) -> tuple[Case, Workspace]:
        if name not in _made:
            case = load(CASES / f"{name}.py")
            if not case.present:
                pytest.skip(f"the data set {case.data} is not in ../shared/data")
            _made[name] = case, make(case, tmp_path_factory.mktemp("cases") / name)
        return _made[name]

    return get
