from __future__ import annotations

import inspect

import pytest

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type

METHODS = [name for name, member in vars(Engine).items() if inspect.isfunction(member) and not name.startswith("_")]


def test_an_engine_is_asked_few_things() -> None:
    assert len(METHODS) <= 12


@pytest.mark.parametrize("name", METHODS)
def test_the_engine_takes_what_the_protocol_promises(name: str) -> None:
    promised, made = (inspect.signature(getattr(kind, name)) for kind in (Engine, DuckDBEngine))
    assert list(made.parameters) == list(promised.parameters)


def test_each_of_our_types_has_a_column_type() -> None:
    assert DuckDBEngine.capabilities.types.keys() == set(Type)
