from __future__ import annotations

import inspect

import pytest

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.engines.postgres import PostgresEngine
from leadlight.expr.types import Type

METHODS = [name for name, member in vars(Engine).items() if inspect.isfunction(member) and not name.startswith("_")]


def test_an_engine_is_asked_few_things() -> None:
    assert len(METHODS) <= 16


@pytest.mark.parametrize("kind", [DuckDBEngine, PostgresEngine])
@pytest.mark.parametrize("name", METHODS)
def test_the_engines_take_what_the_protocol_promises(name: str, kind: type) -> None:
    promised, made = (inspect.signature(getattr(each, name)) for each in (Engine, kind))
    assert list(made.parameters) == list(promised.parameters)


def test_each_of_our_types_has_a_column_type() -> None:
    assert DuckDBEngine.capabilities.types.keys() == PostgresEngine.capabilities.types.keys() == set(Type)
