"""What leads are called in a workspace, for one and for many."""

from __future__ import annotations


def plural(entity: str) -> str:
    """Say a word for many.

    >>> plural("lead"), plural("vulnerability"), plural("day"), plural("feature request"), plural("patch")
    ('leads', 'vulnerabilities', 'days', 'feature requests', 'patches')
    """
    if entity.endswith("y") and entity[-2:-1] not in "aeiou":
        return entity[:-1] + "ies"
    return entity + ("es" if entity.endswith(("s", "x", "z", "ch", "sh")) else "s")


def many(count: int, entity: str) -> str:
    """Say how many there are.

    >>> many(1, "ticket"), many(1200, "vulnerability")
    ('1 ticket', '1,200 vulnerabilities')
    """
    return f"{count:,} {entity if count == 1 else plural(entity)}"
