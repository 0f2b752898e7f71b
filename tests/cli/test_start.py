"""Starting is quick: nothing heavy is loaded for help."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.cli.conftest import environment

HEAVY = ("duckdb", "pyarrow", "sqlglot", "pandas", "sklearn", "lightgbm", "scipy", "numpy", "vl_convert", "jinja2")


@pytest.mark.parametrize(
    "program",
    [
        "import leadlight",
        "import leadlight.cli.app as app; app.main(['--help'])",
        "import leadlight.cli.app as app; app.main(['rank', '--help'])",
        "import leadlight.cli.app as app; app.main(['--version'])",
    ],
)
def test_loads_nothing_heavy(program: str) -> None:
    loaded = f"{program}\nimport sys; print('LOADED', sorted(set(sys.modules) & set({HEAVY!r})))"
    ended = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, env=environment(), check=True
    )
    assert ended.stdout.splitlines()[-1] == "LOADED []"
