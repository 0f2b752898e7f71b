"""From what providers answered to rows: outcomes, how long they hold, values as one text."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import About, Fact, Value
from leadlight.enrich.record import RETRY, Looked, canonical, tables
from leadlight.store.facts import FACTS, LOOKUPS

NOW = datetime(2026, 3, 1, 12)
ABOUT = About(
    "dns", "DNS", (), ("cms", "hiring"), ttl=timedelta(days=30), nothing_ttl=timedelta(days=7), licence="open"
)


def looked(**more: object) -> Looked:
    return Looked(1, ABOUT, "acme.com", NOW, **more)  # type: ignore[arg-type]


def test_what_was_found_holds_as_long_as_the_provider_says_since_it_was_fetched() -> None:
    yesterday = NOW - timedelta(days=1)
    one = looked(facts=(Fact("cms", "wordpress"),), fetched_at=yesterday)
    assert (one.outcome, one.until) == ("found", yesterday + timedelta(days=30))
    assert (looked().outcome, looked().until) == ("nothing", NOW + timedelta(days=7))


@pytest.mark.parametrize("why", list(Why))
def test_a_failure_holds_shortly(why: Why) -> None:
    one = looked(error=NetworkError(why, "no"))
    assert one.outcome == "failed"
    assert one.until == NOW + RETRY[why] < NOW + timedelta(days=2)


def test_a_host_is_believed_when_to_come_back() -> None:
    later = NOW + timedelta(minutes=5)
    assert looked(error=NetworkError(Why.RATE_LIMITED, "later", retry_at=later)).until == later


def test_rows_have_the_columns_of_the_tables() -> None:
    facts = (Fact("cms", "wordpress", 0.9, "header", "X-Powered-By"), Fact("hiring", True))
    error = NetworkError(Why.DENIED, "the key is missing")
    lookups, said = tables([looked(facts=facts, cost=0.1, basis="consent"), looked(error=error)])
    assert lookups.schema.equals(LOOKUPS)
    assert said.schema.equals(FACTS)
    assert [(row["outcome"], row["why"], row["message"], row["cost"], row["basis"]) for row in lookups.to_pylist()] == [
        ("found", None, None, 0.1, "consent"),
        ("failed", "denied", "the key is missing", 0.0, None),
    ]
    assert [(row["attribute"], row["value"], row["type"], row["licence"]) for row in said.to_pylist()] == [
        ("cms", "wordpress", "text", "open"),
        ("hiring", "true", "bool", "open"),
    ]
    assert tables([])[0].num_rows == 0


values = st.one_of(
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
)


@given(values)
def test_the_text_of_a_value_gives_the_value_back(value: Value) -> None:
    """What the store casts the text to is what the provider said, to the last bit."""
    engine = DuckDBEngine(None)
    text, kind = canonical(value)
    ((back,),) = engine.rows(f"SELECT try_cast(? AS {engine.capabilities.types[kind]})", [text])
    engine.close()
    assert back == value
