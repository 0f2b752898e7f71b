from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from leadlight.engines.base import Engine
from leadlight.service.live_push import EVERY, OVERLAP, WHOLE, LivePush
from leadlight.store.open import open_store

NOW = datetime(2026, 3, 1, 9)


@pytest.fixture
def engine(tmp_path) -> Iterator[Engine]:  # type: ignore[no-untyped-def]
    made = open_store("duckdb:store.duckdb", tmp_path, create=True)
    yield made
    made.close()


def score(engine: Engine, lead: int, at: datetime, card: str = "house") -> None:
    engine.execute(
        "INSERT INTO scores BY NAME SELECT 1 AS run, ? AS scorecard, 'v' AS version, ?::TIMESTAMP AS as_of, "
        "?::INTEGER AS lead, 1.0 AS score",
        [card, at, lead],
    )


def test_at_first_all_are_looked_at_then_those_whose_scores_came(engine: Engine) -> None:
    live = LivePush(NOW)
    score(engine, 1, NOW)
    first = live.look(engine, "house", NOW)
    assert first is not None
    assert first.leads is None
    live.wrote(first)
    assert live.look(engine, "house", NOW + EVERY) is None

    score(engine, 2, NOW + EVERY)
    score(engine, 3, NOW + EVERY, "other")
    news = live.look(engine, "house", NOW + 2 * EVERY)
    assert news is not None
    assert news.leads == [2]


def test_what_was_not_written_comes_again_and_what_was_late_too(engine: Engine) -> None:
    live = LivePush(NOW, whole_at=NOW)
    score(engine, 1, NOW + timedelta(minutes=1))
    assert live.look(engine, "house", NOW + timedelta(minutes=2)) == live.look(
        engine, "house", NOW + timedelta(minutes=2)
    )
    news = live.look(engine, "house", NOW + timedelta(minutes=2))
    assert news is not None
    live.wrote(news)
    score(engine, 2, NOW + timedelta(minutes=1) - OVERLAP / 2)
    late = live.look(engine, "house", NOW + timedelta(minutes=3))
    assert late is not None
    assert late.leads == [2]


def test_now_and_then_all_are_looked_at(engine: Engine) -> None:
    live = LivePush(NOW, whole_at=NOW)
    assert live.look(engine, "house", NOW + WHOLE / 2) is None
    news = live.look(engine, "house", NOW + WHOLE)
    assert news is not None
    assert (news.leads, live.is_due(NOW + WHOLE), live.is_due(NOW + WHOLE + EVERY)) == (None, False, True)
