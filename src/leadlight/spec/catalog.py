"""The names that conditions and features may use, as the store or the files have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from leadlight.expr.types import Type

RESERVED = frozenset({"lead", "id", "account", "created_at", "known_at", "known_until", "as_of", "leads", "outcome"})
"""Names with a meaning of their own; a column of such a name gets an underscore behind it (`lead_`)."""

RESERVED_PROPERTIES = frozenset({"lead", "type", "at"})
"""The same for properties of events."""


Names = Literal["attributes", "account_attributes", "properties", "outcome"]


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
