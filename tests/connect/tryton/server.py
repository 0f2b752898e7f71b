"""A real Tryton: installed once into an environment of its own, filled once, and served from a copy.

Tryton is under the GPL: it runs in processes of its own, and nothing of it is imported here.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.connect import tryton

HERE = Path(__file__).parent
MODULE = Path(tryton.__file__).parent / "leadlight_fields"
"""The module for Tryton's server that comes with Leadlight."""
LOCK = HERE / "requirements.lock"
CACHE = HERE.parents[2] / ".pytest_cache" / "tryton"
MODULES = (
    "sale_opportunity", "marketing_automation", "marketing_email", "marketing_campaign", "web_user", "leadlight_fields",
)  # fmt: skip
DATABASE, PASSWORD = "lead", "tryton-admin-password"
READY_SECONDS = 120


def digest(*more: str, filled: bool = True) -> str:
    """Return a name for what is made of these files: an environment, or a database that is filled besides."""
    found = hashlib.sha256("".join(more).encode())
    files = [LOCK, *(one for one in MODULE.rglob("*.*") if one.suffix != ".pyc")]
    for file in sorted([*files, HERE / "client.py", HERE / "fill.py"] if filled else files):
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def once(folder: Path) -> Iterator[bool]:
    """Say whether a folder is still to be made; others wait meanwhile. What failed is begun anew."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if done.exists():
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield True
        done.touch()


def environment() -> Path:
    """Return the Python of an environment with Tryton, made where there is none."""
    folder = CACHE / f"environment-{digest(sys.version, filled=False)}"
    python = folder / "bin" / "python"
    with once(folder) as missing:
        if missing:
            _install(folder, python)
            modules = subprocess.run(
                [python, "-c", "import os, trytond; print(os.path.dirname(trytond.__file__))"],
                check=True, capture_output=True, text=True,
            ).stdout.strip()  # fmt: skip
            shutil.copytree(
                MODULE, Path(modules) / "modules" / MODULE.name, ignore=shutil.ignore_patterns("__pycache__")
            )
    return python


def _install(folder: Path, python: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    told = ["--quiet", "--require-hashes", "-r", str(LOCK)]
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    if uv.exists() and subprocess.run([uv, "pip", "install", "--python", python, *told], check=False).returncode == 0:
        return
    subprocess.run([python, "-m", "pip", "install", *told], check=True)  # a mirror that only pip knows


def configuration(folder: Path, uri: str) -> Path:
    """Write Tryton's configuration for a database and a free port; return its path."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / f"trytond-{port}.conf"
    file.write_text(f"[database]\nuri = {uri}\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n")
    return file


def make_database(folder: Path, uri: str) -> None:
    """Make the tables of all modules."""
    password = folder / "password"
    password.write_text(PASSWORD + "\n")
    admin = environment().with_name("trytond-admin")
    command = [admin, "-c", configuration(folder, uri), "-d", DATABASE, "--all", "-u", *MODULES]
    subprocess.run(
        [*command, "--activate-dependencies", "--email", "admin@example.com", "-p"],
        check=True, capture_output=True, env={**os.environ, "TRYTONPASSFILE": str(password)},
    )  # fmt: skip


class Client:
    """Tryton's own client, in its own process."""

    def __init__(self, url: str) -> None:
        command = [str(environment()), str(HERE / "client.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self("connect", url=url.replace("http://", f"http://admin:{PASSWORD}@") + f"/{DATABASE}/rpc/")

    def __call__(self, do: str, **arguments: Any) -> Any:
        """Ask for something; an error of Tryton's is raised as RuntimeError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)


@dataclass
class Tryton:
    """A server that runs, with its client."""

    url: str
    client: Client
    told: dict[str, Any]
    """What was made when it was set up: key, company, employee, currency."""

    @property
    def key(self) -> str:
        """The administrator's key for the REST API."""
        return str(self.told["key"])


@contextmanager
def serving(folder: Path, uri: str, told: dict[str, Any] | None = None) -> Iterator[Tryton]:
    """Serve a database as long as the context lasts."""
    file = configuration(folder, uri)
    url = f"http://127.0.0.1:{file.stem.partition('-')[2]}"
    command = [environment().with_name("trytond"), "-c", file, "-d", DATABASE]
    with (folder / "trytond.log").open("w") as log:
        process = subprocess.Popen([str(one) for one in command], stdout=log, stderr=log)
    try:
        _wait(url, process)
        client = Client(url)
        try:
            if told is not None:
                client("company", number=told["company"])
            yield Tryton(url, client, told or client("setup"))
        finally:
            client.close()
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    for _ in range(READY_SECONDS * 10):
        if process.poll() is not None:
            break
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("Tryton does not start: see trytond.log")
