"""Keys of criteria: short ASCII names, unique in their scorecard, that serve as names of columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

MAX_KEY = 50
"""Leaves room for the suffixes a statement adds before PostgreSQL cuts names off at 63."""
TAKEN = ("total", "cap")
"""What a statement calls a group's own columns."""


def criterion_keys(groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a key for each criterion, given the names of each group's criteria in order.

    >>> criterion_keys({"fit": ["Industry × size", "Größe", "Total", "industry-size"]})
    ['fit__industry_size', 'fit__groe', 'fit__total_2', 'fit__industry_size_2']
    """
    taken = {f"{group}__{name}".lower() for group in groups for name in TAKEN}
    keys: list[str] = []
    for group, names in groups.items():
        for name in names:
            key = _unique(group, _slug(name), taken)
            taken.add(key.lower())
            keys.append(key)
    return keys


def _unique(group: str, slug: str, taken: set[str]) -> str:
    number = 1
    while True:
        suffix = "" if number == 1 else f"_{number}"
        room = MAX_KEY - len(group) - 2 - len(suffix)
        key = f"{group}__{slug[: max(room, 1)].rstrip('_')}{suffix}"
        if key.lower() not in taken:
            return key
        number += 1


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "criterion"
