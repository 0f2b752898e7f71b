from __future__ import annotations

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.store.names import catalog, known_types, record, settle_types


def test_an_empty_store_knows_nothing(store: DuckDBEngine) -> None:
    assert catalog(store) == Catalog()
    assert catalog(store).events is None


def test_each_kind_by_itself(store: DuckDBEngine) -> None:
    record(store, "attribute", "crm", {"size": Type.NUMBER})
    record(store, "attribute", "web", {"size": Type.NUMBER, "city": Type.TEXT})
    record(store, "account_attribute", "firms", {"size": Type.TEXT})
    record(store, "property", "clicks", {"path": Type.TEXT})
    record(store, "outcome", "deals", {"stage": Type.TEXT})
    found = catalog(store)
    assert found.attributes == {"size": Type.NUMBER, "city": Type.TEXT}
    assert found.account_attributes == {"size": Type.TEXT}
    assert found.properties == {"path": Type.TEXT}
    assert found.outcome == ("stage", Type.TEXT)


def test_without_what_only_one_source_gives(store: DuckDBEngine) -> None:
    record(store, "attribute", "crm", {"size": Type.NUMBER, "city": Type.TEXT})
    record(store, "attribute", "web", {"size": Type.NUMBER})
    assert known_types(store, "attribute", without=["crm"]) == {"size": Type.NUMBER}
    assert known_types(store, "attribute", without=["crm", "web"]) == {}


def test_the_same_twice_is_noted_once(store: DuckDBEngine) -> None:
    for _ in range(2):
        record(store, "attribute", "crm", {"size": Type.NUMBER})
    assert store.rows("SELECT count(*) FROM names") == [(1,)]


def test_outcomes_that_disagree_are_text(store: DuckDBEngine) -> None:
    record(store, "outcome", "deals", {"won": Type.NUMBER})
    record(store, "outcome", "more", {"won": Type.TEXT})
    settle_types(store, "outcome", "won")
    assert catalog(store).outcome == ("won", Type.TEXT)
