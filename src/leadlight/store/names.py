"""Which names there are, what kind of value each has, and which sources give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog, one_outcome

Kind = Literal["attribute", "account_attribute", "property", "outcome", "event", "undated"]
"""What a name is of; `undated` ones are attributes of which a source tells no past, where it tells that of others."""
KINDS: tuple[Kind, ...] = get_args(Kind)


def record(engine: Engine, kind: Kind, source: str, columns: Mapping[str, Type]) -> None:
    """Note that a source gives these names."""
    present = dict(_found(engine, kind, [source], among=True))
    for name, type_ in columns.items():
        if present.get(name, type_) is not type_:
            engine.execute("DELETE FROM names WHERE kind = ? AND name = ? AND source = ?", [kind, name, source])
        if present.get(name) is not type_:
            engine.execute("INSERT INTO names VALUES (?, ?, ?, ?)", [kind, name, str(type_), source])


def undated(engine: Engine) -> dict[str, list[str]]:
    """Return the attributes, by source, whose past a source does not tell although it tells that of others."""
    found = engine.rows("SELECT source, name FROM names WHERE kind = 'undated' ORDER BY 1, 2")
    sources: dict[str, list[str]] = {}
    for source, name in found:
        sources.setdefault(str(source), []).append(str(name))
    return sources


def settle_types(engine: Engine, kind: Kind, name: str) -> None:
    """Let a name that sources give with different types be text."""
    engine.execute(
        "UPDATE names SET type = ? WHERE kind = ? AND name = ? AND "
        "(SELECT count(DISTINCT type) > 1 FROM names WHERE kind = ? AND name = ?)",
        [str(Type.TEXT), kind, name, kind, name],
    )


def known_types(engine: Engine, kind: Kind, *, without: Iterable[str] = ()) -> dict[str, Type]:
    """Return the names of a kind with their types, leaving out those that only the sources `without` give."""
    return dict(_found(engine, kind, list(without), among=False))


def _found(engine: Engine, kind: Kind, sources: list[str], *, among: bool) -> list[tuple[str, Type]]:
    found = engine.rows(
        "SELECT DISTINCT name, type FROM names WHERE kind = ? AND list_contains(?::VARCHAR[], source) = ? "
        "ORDER BY name",
        [kind, sources, among],
    )
    return [(str(name), Type(type_)) for name, type_ in found]


def catalog(engine: Engine) -> Catalog:
    """Return what the store knows about the data: names, types of values, types of events.

    >>> from leadlight.store.open import open_store
    >>> from pathlib import Path
    >>> engine = open_store("duckdb::memory:", Path())
    >>> record(engine, "attribute", "crm", {"country": Type.TEXT})
    >>> catalog(engine).attributes
    {'country': <Type.TEXT: 'text'>}
    """
    found = engine.rows("SELECT DISTINCT kind, name, type FROM names ORDER BY kind, name")
    given = {
        kind: {str(name): Type(type_) for found_kind, name, type_ in found if found_kind == kind} for kind in KINDS
    }
    return Catalog(
        attributes=given["attribute"],
        account_attributes=given["account_attribute"],
        properties=given["property"],
        events=event_types(engine),
        outcome=one_outcome([(str(name), Type(type_)) for kind, name, type_ in found if kind == "outcome"]),
    )


def event_types(engine: Engine) -> frozenset[str] | None:
    """Return the types of the events in the store; None where it has no events."""
    if not engine.capabilities.enums:
        return frozenset(name for name, _ in _found(engine, "event", [], among=False)) or None
    found = engine.rows("SELECT enum_range(type) FROM events LIMIT 1") if _is_enum(engine) else []
    return frozenset(found[0][0]) if found else None


def _is_enum(engine: Engine) -> bool:
    return engine.columns("events").get("type", "").startswith("ENUM")
