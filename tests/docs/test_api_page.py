"""The examples of docs/howto/api.md, run with curl against a service over the demo."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.docs.pages import ROOT, blocks

from leadlight.cli.app import main
from leadlight.service.app import create_app
from leadlight.service.serve import running

EXAMPLES = [block for block in blocks(ROOT / "docs" / "howto" / "api.md") if block.language == "bash"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("api")
    assert main(["init", str(folder)]) == 0
    with running(folder) as state, socket.create_server(("127.0.0.1", 0)) as listening:
        key, _ = state.keys.make("docs", ["ingest", "read", "manage"])
        server = uvicorn.Server(uvicorn.Config(create_app(state), log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield {"URL": f"http://127.0.0.1:{listening.getsockname()[1]}", "KEY": key}
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("client")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("line", [line for block in EXAMPLES for line in block.text.splitlines()])
def test_an_example_works(served: dict[str, str], here: Path, line: str) -> None:
    done = subprocess.run(
        ["bash", "-c", line], env={**os.environ, **served}, cwd=here, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
