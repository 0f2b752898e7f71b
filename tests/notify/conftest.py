from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.notify.office import Firm
from tests.notify.receivers import SECRET, Mailbox, Receiver, mailbox, receiver

Make = Callable[..., Firm]


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """A receiver of webhooks."""
    with receiver() as made:
        yield made


@pytest.fixture
def post() -> Iterator[Mailbox]:
    """An SMTP server."""
    with mailbox() as made:
        yield made


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Make]:
    """Makes a workspace over DuckDB."""
    yield from _makes(tmp_path / "firm", "duckdb:firm.duckdb")


def _makes(folder: Path, store: str) -> Iterator[Make]:
    made: list[Firm] = []

    def make(*destinations: str, **more: Any) -> Firm:
        made.append(Firm(folder, store, destinations, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(params=["duckdb", "postgres"])
def any_firm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes a workspace over either engine."""
    store = "duckdb:firm.duckdb"
    if request.param == "postgres":
        store = request.getfixturevalue("postgres_store")
    yield from _makes(tmp_path / "firm", store)
