"""Tables that have just got their rows: an engine that plans by their size is told of it."""

from __future__ import annotations

from leadlight.engines.base import Engine
from leadlight.store.sizes import note_sizes


def test_an_engine_that_does_not_look_is_told(store: Engine) -> None:
    store.execute("CREATE TEMP TABLE some_leads AS SELECT unnest(generate_series(1, 700)) AS lead")
    note_sizes(store, "some_leads", "leads")
    assert store.rows("SELECT count(*) FROM some_leads") == [(700,)]
    if not store.capabilities.one_file:
        told = "SELECT reltuples::BIGINT FROM pg_class WHERE relname = 'some_leads' AND relpersistence = 't'"
        assert store.rows(told) == [(700,)]
