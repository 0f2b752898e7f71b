"""What is known of some leads as of a moment, and since when."""

from __future__ import annotations

from datetime import datetime

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.store.accounts import load_accounts
from leadlight.store.attributes import load_leads
from leadlight.store.facts import SINCE_CREATION
from leadlight.store.history import ACCOUNTS, LEADS
from leadlight.store.known import known, own_values, since
from leadlight.store.leads import refresh_leads
from leadlight.store.periods import rebuild

JANUARY, MARCH, MAY, JULY = (datetime(2026, month, 1) for month in (1, 3, 5, 7))
COLUMNS = {"email": Type.TEXT, "size": Type.NUMBER, "source": Type.TEXT}


@pytest.fixture
def stocked(store: DuckDBEngine, stage: object) -> DuckDBEngine:
    rows = [
        ("a", JANUARY, JANUARY, "x", "a@x.de", 5.0, "web"),
        ("a", JANUARY, MARCH, "x", "a@y.de", 5.0, "web"),
        ("a", JANUARY, MAY, "x", "a@y.de", 9.5, "web"),
        ("b", MAY, MAY, None, None, None, None),
    ]
    load_leads(store, stage("crm", ["id", "created_at", "known_at", "account"], COLUMNS, rows), JULY)  # type: ignore[operator]
    load_accounts(
        store, stage("firms", ["account"], {"industry": Type.TEXT, "size": Type.NUMBER}, [("x", "retail", 1.0)]), JULY
    )  # type: ignore[operator]
    refresh_leads(store)
    rebuild(store, LEADS)
    rebuild(store, ACCOUNTS)
    return store


def test_every_value_as_of_a_moment_with_those_of_the_account(stocked: DuckDBEngine) -> None:
    (row,) = known(stocked, [1, 2, 99], MARCH).to_pylist()
    assert row == {"lead": 1, "account": "x", "email": "a@y.de", "size": 5.0, "source": "web", "industry": "retail"}
    assert [row["lead"] for row in known(stocked, [1, 2], MAY).to_pylist()] == [1, 2]
    assert known(stocked, [], MAY).num_rows == 0


@pytest.mark.parametrize(
    ("names", "moment", "expected"),
    [
        (["email"], JULY, MARCH),
        (["email"], datetime(2026, 2, 1), SINCE_CREATION),
        (["email", "size"], JULY, MAY),
        (["size"], MARCH, SINCE_CREATION),
        (["source"], JULY, SINCE_CREATION),
        (["industry"], JULY, SINCE_CREATION),
        (["nothing_of_that_name"], JULY, SINCE_CREATION),
        ([], JULY, SINCE_CREATION),
    ],
)
def test_since_when_values_are_what_they_are(
    stocked: DuckDBEngine, names: list[str], moment: datetime, expected: datetime
) -> None:
    rows = {row["lead"]: row["known_at"] for row in since(stocked, [1, 2], names, moment).to_pylist()}
    assert rows == {1: expected, 2: SINCE_CREATION}


def test_what_an_account_became_later_is_known_since_then(stocked: DuckDBEngine, stage: object) -> None:
    load_accounts(stocked, stage("firms", ["account"], {"industry": Type.TEXT}, [("x", "software")]), JULY)  # type: ignore[operator]
    rebuild(stocked, ACCOUNTS)
    assert since(stocked, [1], ["industry"], datetime(2026, 8, 1)).to_pylist() == [{"lead": 1, "known_at": JULY}]


def test_what_each_source_says_and_since_when(stocked: DuckDBEngine, stage: object) -> None:
    rows = [("a", "a@z.de", "ads")]
    load_leads(stocked, stage("web", ["id"], {"email": Type.TEXT, "source": Type.TEXT}, rows), JULY)  # type: ignore[operator]
    said = [
        (row["attribute"], row["value"], row["source"], row["since"])
        for row in own_values(stocked, 1, JULY).to_pylist()
    ]
    assert said == [
        ("account", "x", "crm", JANUARY),
        ("email", "a@y.de", "crm", MARCH),
        ("email", "a@z.de", "web", JANUARY),
        ("size", "9.5", "crm", MAY),
        ("source", "ads", "web", JANUARY),
        ("source", "web", "crm", JANUARY),
    ]
    assert {row["value"] for row in own_values(stocked, 1, MARCH).to_pylist() if row["attribute"] == "size"} == {"5"}
