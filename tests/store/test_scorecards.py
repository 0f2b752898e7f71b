from __future__ import annotations

from datetime import datetime

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import NotFoundError
from leadlight.store.scorecards import get_version, history, is_in_use, latest, publish


def day(number: int) -> datetime:
    return datetime(2026, 1, number)


@pytest.fixture
def published(store: DuckDBEngine) -> DuckDBEngine:
    for number, version in ((1, "aaaa11"), (2, "bbbb22"), (3, "aaaa11")):
        publish(store, name="house", version=version, content=f'{{"v": "{version}"}}', published_at=day(number))
    return store


def test_the_latest_is_in_use_and_an_old_one_may_come_back(published: DuckDBEngine) -> None:
    found = latest(published, "house")
    assert found is not None
    assert (found.version, found.content, found.published_at) == ("aaaa11", '{"v": "aaaa11"}', day(3))
    assert [stored.version for stored in history(published, "house")] == ["aaaa11", "bbbb22", "aaaa11"]


def test_as_of_a_moment(published: DuckDBEngine) -> None:
    found = latest(published, "house", as_of=day(2))
    assert found is not None
    assert found.version == "bbbb22"
    assert latest(published, "house", as_of=datetime(2025, 1, 1)) is None
    assert is_in_use(published, "house", "bbbb22", as_of=day(2))
    assert not is_in_use(published, "house", "bbbb22")


def test_publishing_what_is_in_use_changes_nothing(published: DuckDBEngine) -> None:
    assert not publish(published, name="house", version="aaaa11", content="{}", published_at=day(9))
    assert len(history(published, "house")) == 3


def test_by_the_beginning_of_its_hash(published: DuckDBEngine) -> None:
    assert get_version(published, "house", "aaaa11").published_at == day(3)
    assert get_version(published, "house", "bbbb").version == "bbbb22"


@pytest.mark.parametrize("version", ["bbb", "cccc33", "", "%"])
def test_no_such_version(published: DuckDBEngine, version: str) -> None:
    with pytest.raises(NotFoundError, match=f"^scorecard 'house' has no version '{version}': .*aaaa11, bbbb22$"):
        get_version(published, "house", version)
