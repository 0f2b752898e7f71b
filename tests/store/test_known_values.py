from __future__ import annotations

from pathlib import Path

from leadlight.store.known_values import KnownValues
from leadlight.store.open import open_store
from leadlight.store.sql import Sql


def values(*told: str) -> Sql:
    return Sql(" UNION ALL ".join(f"SELECT 'email' AS attribute, '{one}' AS value" for one in told))


def test_what_is_new_is_shared_by_nobody() -> None:
    engine = open_store("duckdb::memory:", Path(), create=True)
    known = KnownValues()
    assert known.may_share(engine, values("a", "b"), values("b"), rule=1)  # who else has it, only the store knows
    assert not known.may_share(engine, values(), values("c"), rule=1)
    assert known.may_share(engine, values(), values("x", "a"), rule=1)
    assert known.may_share(engine, values(), values("c"), rule=1)
    assert known.may_share(engine, values("a", "d"), values("d"), rule=2)  # by another rule, all is read anew
    assert not known.may_share(engine, values(), values("c"), rule=2)
    known.forget()
    assert known.may_share(engine, values("c"), values("e"), rule=2)
    engine.close()
