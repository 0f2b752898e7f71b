from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from leadlight.cli.app import VERBS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_what_the_commands_say() -> None:
    ended = subprocess.run([sys.executable, str(DOCS / "generate.py"), "--check"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_every_command_has_its_section() -> None:
    text = (DOCS / "cli.md").read_text()
    assert [verb for verb in VERBS if f"### leadlight {verb}\n" not in text] == []
