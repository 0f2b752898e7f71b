"""An allocation drawn for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from leadlight.allocate.report import amount
from leadlight.cli.console import words
from leadlight.spec.entity import many, plural

if TYPE_CHECKING:
    from leadlight.allocate.report import Allocation, Asker

POOLS = 12
"""How many pools are drawn, the fullest first."""


def allocation(found: Allocation) -> RenderableType:
    """Draw who is served, who waits and why, and what it is worth beside the best total."""
    parts: list[RenderableType] = [words(found.headline, "bold"), Padding(_policies(found), (1, 0, 1, 2))]
    if found.pool_count > 1:
        parts.append(Padding(_pools(found), (0, 0, 1, 2)))
    if found.served:
        parts += [words(f"served ({found.by_rank.served:,})", "bold"), Padding(_served(found), (0, 0, 1, 2))]
    if found.waiting:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in found.reasons.items())
        waiting = found.total - found.by_rank.served
        parts += [words(f"waiting ({waiting:,}): {reasons}", "bold"), Padding(_waiting(found), (0, 0, 1, 2))]
    return Group(*parts, *(words(note, "yellow") for note in found.notes))


def _policies(found: Allocation) -> Table:
    names = list(found.capacity)
    drawn = _table("", plural(found.entity), found.unit, *names, "", right=(plural(found.entity), found.unit, *names))
    for policy in (found.by_rank, *([found.best] if found.best else [])):
        used = [f"{amount(policy.used[name])} of {amount(found.capacity[name])}" for name in names]
        drawn.add_row(
            policy.name,
            f"{policy.served:,}",
            amount(policy.value),
            *used,
            words(_said(found, policy is found.best), "dim"),
        )
    return drawn


def _said(found: Allocation, best: bool) -> str:
    if not best or found.best is None:
        return "" if found.share is None else f"{found.share:.1%} of the best total"
    if found.best.solved:
        return "the optimum"
    gap = "" if found.best.gap is None else f"at most {found.best.gap:.1%} below the optimum"
    return "; ".join(part for part in (gap, found.best.note) if part)


def _pools(found: Allocation) -> Table:
    names = list(found.capacity)
    drawn = _table("pool", plural(found.entity), *names, right=(plural(found.entity), *names), fold=("pool",))
    for pool in found.pools[:POOLS]:
        used = [f"{amount(pool.used[name])} of {amount(pool.capacity[name])}" for name in names]
        drawn.add_row(words(pool.name), f"{pool.served:,}", *used)
    if found.pool_count > POOLS:
        drawn.add_row(words(f"… and {many(found.pool_count - POOLS, 'more pool')}", "dim"))
    return drawn


def _rows(found: Allocation, askers: Sequence[Asker], *last: str) -> Table:
    names = list(found.capacity)
    graded = ("grade",) if any(item.grade for item in askers) else ()
    return _table("#", "id", "score", *graded, *names, *last, right=("#", "score", *names), fold=("id", *last))


def _cells(item: Asker, *, graded: bool) -> list[RenderableType]:
    needs = ["" if need is None else amount(need) for need in item.need.values()]
    grade = [words(item.grade or "")] if graded else []
    return [f"{item.rank:,}", words(item.id, "bold"), f"{item.score:.1f}", *grade, *needs]


def _served(found: Allocation) -> Table:
    graded, several = any(item.grade for item in found.served), found.pool_count > 1
    drawn = _rows(found, found.served, *(("by",) if several else ()), *(("best total",) if found.best else ()))
    for item in found.served:
        same = "served too" if not several else "as by rank" if item.best_pool == item.pool else item.best_pool
        other = [words("waits" if item.best_pool is None else same, "dim")] if found.best else []
        drawn.add_row(*_cells(item, graded=graded), *([words(item.pool or "")] if several else []), *other)
    return drawn


def _waiting(found: Allocation) -> Table:
    graded = any(item.grade for item in found.waiting)
    drawn = _rows(found, found.waiting, "why", *(("best total",) if found.best else ()))
    for item in found.waiting:
        other = [words(_instead(found, item), "dim")]
        drawn.add_row(*_cells(item, graded=graded), words(item.reason or ""), *(other if found.best else []))
    return drawn


def _instead(found: Allocation, item: Asker) -> str:
    if item.best_pool is None:
        return "waits"
    return f"by {item.best_pool}" if found.pool_count > 1 else "served"


def _table(*columns: str, right: Iterable[str], fold: Iterable[str] = ()) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        justify = "right" if column in right else "left"
        drawn.add_column(column, justify=justify, no_wrap=column not in fold, overflow="fold")  # type: ignore[arg-type]
    return drawn
