"""The names that conditions and features may use, as the store or the files have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from leadlight.expr.types import Type

RESERVED = frozenset({"lead", "id", "account", "created_at", "known_at", "known_until", "as_of", "leads", "outcome"})
"""Names with a meaning of their own; a column of such a name gets an underscore behind it (`lead_`)."""

RESERVED_PROPERTIES = frozenset({"lead", "type", "at"})
"""The same for properties of events."""


OUTCOME = "outcome"
"""What an outcome is called where no column does."""

Names = Literal["attributes", "account_attributes", "properties", "outcome"]
EVERYTHING: frozenset[Names] = frozenset({"attributes", "account_attributes", "properties", "outcome"})


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is known about the data: which names there are and what kind of value each has.

    `events` is None where the types of events are not known yet (nothing was read), so that none can be refused.
    """

    attributes: Mapping[str, Type] = field(default_factory=dict)
    account_attributes: Mapping[str, Type] = field(default_factory=dict)
    properties: Mapping[str, Type] = field(default_factory=dict)
    events: frozenset[str] | None = None
    outcome: tuple[str, Type] | None = None
    """The name and type of the outcome column."""
    hidden: frozenset[Names] = frozenset()
    """What of this is not all known, because a source could not be looked at: no name of that sort can be refused."""


def one_outcome(given: Sequence[tuple[str, Type]]) -> tuple[str, Type] | None:
    """Return the outcome's name and type where sources may call it differently: a column's name goes first.

    Sources that disagree on the type meet as text.

    >>> one_outcome([("outcome", Type.TEXT), ("stage", Type.TEXT)])
    ('stage', <Type.TEXT: 'text'>)
    """
    if not given:
        return None
    name = next((name for name, _ in given if name != OUTCOME), OUTCOME)
    types = {kind for _, kind in given}
    return name, types.pop() if len(types) == 1 else Type.TEXT
