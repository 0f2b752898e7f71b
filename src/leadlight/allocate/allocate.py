"""Give a limited resource to the ranked list: strictly by rank, and beside it the best total there is.

Gates hold in both: those whose gate gives the best grade are served first, by rank; those gated behind get what is left
when everybody else has been served, and count for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from leadlight.allocate.best import best
from leadlight.allocate.by_rank import by_rank
from leadlight.allocate.out import write_allocation
from leadlight.allocate.pools import Pools, read_pools
from leadlight.allocate.problem import NOBODY, Demand, Floats, Ints, Supply, used
from leadlight.allocate.reasons import in_short, reason_of, why_waiting
from leadlight.allocate.report import Allocation, Asker, Policy, PoolUse
from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.expr import build
from leadlight.expr.parse import Expression, ExpressionError, parse_condition
from leadlight.expr.sql import to_sql
from leadlight.expr.types import Type
from leadlight.scorecards.compile import Options, carried
from leadlight.scorecards.places import group_text, known_types, order_by, tier, type_of, value_of
from leadlight.scorecards.rank import scored
from leadlight.scorecards.staleness import staleness
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill, more, quoted

POOL = "pool_"
"""What stands before a pool's column in `fits`."""
EVERYTHING = "(all)"
"""The pool where there is only one."""
MOST_OWN = 10_000
"""How many pools there may be where `per` names the one for each."""
SHOWN_POOLS = 2_000
"""How many pools a report tells of, the fullest first."""


@dataclass(frozen=True, slots=True)
class _Setup:
    """What was asked for, looked up: the resources, what each lead needs of them, and who has them."""

    resources: tuple[str, ...]
    needs: tuple[str | float, ...]
    pools: Pools | None
    fits: Expression | None
    where: Expression | None
    spec: models.AllocateSpec

    @property
    def lead_names(self) -> tuple[str, ...]:
        """The names that must come along with the scores."""
        names = [need for need in self.needs if isinstance(need, str)]
        names += [self.spec.per] if self.spec.per else []
        names += [name for name in sorted(self.fits.names) if not self.is_of_pool(name)] if self.fits else []
        names += sorted(self.where.names) if self.where else []
        return tuple(dict.fromkeys(names))

    def is_of_pool(self, name: str) -> bool:
        """Say whether a name in `fits` is a pool's column."""
        return self.pools is not None and name.startswith(POOL) and name.removeprefix(POOL) in self.pools.types


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks, in rank order: the table as it came, and the arrays made of it."""

    table: pa.Table
    demand: Demand
    tier: Ints


def allocate(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    spec: models.AllocateSpec,
    root: Path,
    *,
    limit: int = 20,
    optimise: bool = True,
    time_limit: float = 20.0,
    target: Path | None = None,
    among: Sequence[int] | None = None,
) -> Allocation:
    """Allocate what `spec` names to everybody (or the leads `among`) as of a moment, and show the first `limit`.

    `optimise` looks for the best total too, for `time_limit` seconds. `target` is a CSV or Parquet file for the whole
    list. Raises UsageError or NotFoundError for what does not go together.
    """
    setup = _set_up(workspace, scorecard, spec, root)
    options = Options(contributions=False, carry=setup.lead_names)
    with scored(engine, workspace, scorecard, as_of, options=options, among=among) as table:
        found = _ask(engine, workspace, scorecard, setup, table)
        names, supply, kind = _supply(engine, setup, found, table)
    asked = _asked(found, setup, kind)
    pool = by_rank(asked.demand, supply, spread=spec.spread)
    best_pool, policy = _best(asked, supply, setup, pool, spread=spec.spread, time_limit=time_limit, wanted=optimise)
    waits = why_waiting(asked.demand, supply, pool)
    if target is not None:
        write_allocation(engine, target, _whole(asked, setup, names, pool, best_pool, waits))
    entity = workspace.spec.entity if scorecard.spec.of == "lead" else "account"
    _, unit = value_of(scorecard)
    counted = _counted_reasons(setup, waits)
    return Allocation(
        entity, scorecard.name, scorecard.version, as_of, len(asked.demand), unit,
        dict(zip(setup.resources, supply.capacity.sum(axis=0).tolist(), strict=True)),
        _policy("by rank", asked.demand, pool, supply, setup), policy,
        _shown(asked, setup, names, supply, pool, best_pool, waits, np.flatnonzero(pool != NOBODY)[:limit]),
        _shown(asked, setup, names, supply, pool, best_pool, waits, np.flatnonzero(pool == NOBODY)[:limit]),
        counted, _pool_use(asked.demand, names, supply, setup, pool), len(names), staleness(engine, as_of),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ what was asked for


def merged(spec: models.AllocateSpec, **given: Any) -> models.AllocateSpec:
    """Return the workspace's defaults with what was told now put over them.

    A capacity told now names all resources there are: needs of others are left out. Told in numbers it is the whole of
    it, and `per` says otherwise than `fits` who serves whom: the pools and `fits` of the file are then put aside.
    """
    told = {key: value for key, value in given.items() if value not in (None, {}, [])}
    if "capacity" in told:
        kept = {name: need for name, need in spec.need.items() if name in told["capacity"]}
        told["need"] = {**kept, **told.get("need", {})}
        if "pools" not in told and not any(isinstance(amount, str) for amount in told["capacity"].values()):
            told = {"pools": None, "fits": None, "per": None, **told}
    elif "need" in told:
        told["need"] = {**spec.need, **told["need"]}
    if told.get("per") is not None:
        told = {"fits": None, **told}
    if told.get("fits") is not None:
        told = {"per": None, **told}
    return spec.model_copy(update=told)


def _set_up(
    workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, spec: models.AllocateSpec, root: Path
) -> _Setup:
    if not spec.capacity:
        raise UsageError(
            "how much is there to give away?",
            fix="Write --capacity gpu=96 --need gpu=gpus, or `allocate:` in leadlight.yaml.",
        )
    for name in spec.need:
        if name not in spec.capacity:
            raise UsageError(f"there is a need of {name} but no capacity", fix=f"Add --capacity {name}=N.")
    pools = None if spec.pools is None else read_pools(spec.pools, root, name=spec.pool)
    if pools is None:
        for name, amount in spec.capacity.items():
            if isinstance(amount, str):
                raise UsageError(f"the capacity of {name} is the column {amount!r}, but there are no pools",
                                 fix=f"Name a number, or --pools FILE with a column {amount}.")  # fmt: skip
    if spec.per is not None and spec.fits is not None:
        raise UsageError("`per` names the one pool for each, `fits` lets several serve: they exclude each other")
    if pools is None and spec.fits is not None:
        raise UsageError("`fits` says which pool may serve whom, but there are no pools", fix="Add --pools FILE.")
    needs = tuple(spec.need.get(name, 1.0) for name in spec.capacity)
    for need in needs:
        if isinstance(need, str):
            type_of(workspace, scorecard, need, number=True)
    if spec.per is not None:
        type_of(workspace, scorecard, spec.per)
    of_leads = known_types(workspace, scorecard)
    of_pools = {POOL + name: kind for name, kind in pools.types.items()} if pools is not None else {}
    fits, where = _parse("fits", spec.fits, {**of_leads, **of_pools}), _parse("where", spec.where, of_leads)
    return _Setup(tuple(spec.capacity), needs, pools, fits, where, spec)


def _parse(key: str, text: str | None, names: Mapping[str, Type]) -> Expression | None:
    try:
        return None if text is None else parse_condition(text, names)
    except ExpressionError as error:
        raise UsageError(f"`{key}` is no condition: {error}") from None


# ---------------------------------------------------------------------------------------------------- from the store


def _ask(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, setup: _Setup, table: str
) -> pa.Table:
    """Return everybody in rank order with the value, the needs, and the number of the kind `fits` tells apart."""
    value, _ = value_of(scorecard)
    graded = scorecard.spec.grades is not None
    fit_names = [carried(name) for name in setup.lead_names if setup.fits and name in setup.fits.names]
    kind = Sql("0")
    if setup.spec.per is not None:
        kind = group_text(workspace, scorecard, setup.spec.per)
    elif fit_names:
        kind = fill("dense_rank() OVER (ORDER BY {names}) - 1", names=fit_names)
    needs = [
        fill("{need}::DOUBLE AS {name}", name=f"need_{number}", need=quoted(carried(need)) if isinstance(need, str)
             else Sql(repr(float(need))))
        for number, need in enumerate(setup.needs)
    ]  # fmt: skip
    return engine.arrow(
        fill(
            "SELECT row_number() OVER (ORDER BY {order}) AS rank, {key} AS key, {id} AS id, score, {grade} AS grade, "
            "{tier} AS tier, (CASE WHEN {tier} < 2 THEN {value} ELSE 0 END)::DOUBLE AS value, {kind} AS kind{needs} "
            "FROM {table} WHERE {where} ORDER BY rank",
            order=order_by(scorecard), key=scorecard.spec.of, id="id" if scorecard.spec.of == "lead" else "account",
            grade=Sql("grade" if graded else "NULL::VARCHAR"), tier=tier(scorecard), value=value, kind=kind,
            needs=more(*needs), table=table, where=_asking(engine, setup),
        )
    )  # fmt: skip


def _asking(engine: Engine, setup: _Setup) -> Sql:
    """Return the condition for those who ask."""
    if setup.where is None:
        return Sql("true")
    condition = to_sql(setup.where, lambda name: build.col(carried(name)))
    return fill("coalesce({asks}, false)", asks=Sql(build.to_text(condition, engine.capabilities.dialect)))


def _asked(found: pa.Table, setup: _Setup, kind: Ints) -> _Asked:
    need = np.column_stack([_floats(found, f"need_{number}") for number in range(len(setup.resources))])
    negative = np.flatnonzero(np.any(need < 0, axis=1))
    if len(negative):
        first = found.column("id")[int(negative[0])]
        raise UsageError(f"the need of {len(negative):,} is negative, {first} among them", fix="A need is 0 or more.")
    demand = Demand(need, _floats(found, "value"), kind)
    return _Asked(found, demand, found.column("tier").to_numpy().astype(np.int64))


def _floats(table: pa.Table, name: str) -> Floats:
    return np.asarray(table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _supply(engine: Engine, setup: _Setup, found: pa.Table, table: str) -> tuple[list[str], Supply, Ints]:
    """Return the names of the pools, what they have, and which of them each lead may go to (as its kind)."""
    names, capacity = _capacity(setup, found)
    if setup.spec.per is not None:
        return _own_pools(names, capacity, found.column("kind"))
    if setup.fits is None:
        return names, Supply(capacity, np.ones((1, len(names)), np.bool_)), np.zeros(found.num_rows, np.int64)
    kind = found.column("kind").to_numpy().astype(np.int64)
    eligible = np.zeros((int(kind.max()) + 1 if len(kind) else 1, len(names)), np.bool_)
    for row, column in _fitting(engine, setup, table):
        eligible[row, column] = True
    return names, Supply(capacity, eligible), kind


def _capacity(setup: _Setup, found: pa.Table) -> tuple[list[str], Floats]:
    """Return the pools' names and capacities; with `per` and no pools, each value is a pool of its own."""
    amounts = list(setup.spec.capacity.values())
    if setup.pools is not None:
        columns = [
            setup.pools.numbers(amount) if isinstance(amount, str) else [float(amount)] * len(setup.pools.names)
            for amount in amounts
        ]
        return list(setup.pools.names), np.array(columns, np.float64).T
    names = sorted(found.column("kind").unique().to_pylist()) if setup.spec.per is not None else [EVERYTHING]
    return names, np.tile(np.array([float(amount) for amount in amounts]), (len(names), 1))


def _own_pools(names: list[str], capacity: Floats, wanted: pa.ChunkedArray) -> tuple[list[str], Supply, Ints]:
    """Give each lead the pool that `per` names; one whose pool there is not may go nowhere."""
    if len(names) > MOST_OWN:
        raise UsageError(
            f"{len(names):,} pools are too many to send each lead to its own; {MOST_OWN:,} at most",
            fix="Name an attribute with fewer values under `per`.",
        )
    place = {name: number for number, name in enumerate(names)}
    eligible = np.vstack([np.eye(len(names), dtype=np.bool_), np.zeros((1, len(names)), np.bool_)])
    if not len(wanted):
        return names, Supply(capacity, eligible), np.empty(0, np.int64)
    chunk = wanted.dictionary_encode().combine_chunks()
    numbers = np.array([place.get(name, len(names)) for name in chunk.dictionary.to_pylist()], np.int64)
    return names, Supply(capacity, eligible), numbers[chunk.indices.to_numpy()]


def _fitting(engine: Engine, setup: _Setup, table: str) -> list[tuple[int, int]]:
    """Return which kinds of leads each pool may serve, by the condition, looked at once for each kind and pool."""
    assert setup.fits is not None
    assert setup.pools is not None
    ours = [name for name in setup.lead_names if name in setup.fits.names]
    theirs = [name for name in sorted(setup.fits.names) if setup.is_of_pool(name)]
    condition = Sql(build.to_text(to_sql(setup.fits, build.col), engine.capabilities.dialect))
    kinds = fill(
        "SELECT DISTINCT {kind} AS _kind{columns} FROM {table} WHERE {where}",
        where=_asking(engine, setup),
        kind=fill("dense_rank() OVER (ORDER BY {names}) - 1", names=[carried(name) for name in ours]) if ours
        else Sql("0"),
        columns=more(*(fill("{c} AS {name}", c=carried(name), name=name) for name in ours)), table=table,
    )  # fmt: skip
    pools = {name: setup.pools.table.column(name.removeprefix(POOL)) for name in theirs}
    engine.register("_pools", pa.table({**pools, "_pool": range(len(setup.pools.names))}))
    try:
        rows = engine.rows(
            fill("SELECT _kind, _pool FROM ({kinds}), _pools WHERE coalesce({condition}, false)", kinds=kinds,
                 condition=condition)
        )  # fmt: skip
    finally:
        engine.unregister("_pools")
    return [(int(kind), int(pool)) for kind, pool in rows]


# ------------------------------------------------------------------------------------------------------ the policies


def _best(
    asked: _Asked, supply: Supply, setup: _Setup, pool: Ints, *, spread: bool, time_limit: float, wanted: bool
) -> tuple[Ints | None, Policy | None]:
    """Find the best total among those without a gate, those gated ahead being served as by rank."""
    if not wanted:
        return None, None
    chosen = np.where(asked.tier == 0, pool, NOBODY)
    middle = np.flatnonzero(asked.tier == 1)
    left = supply.after(asked.demand, chosen)
    found = best(asked.demand.take(middle), left, time_limit=time_limit, spread=spread)
    chosen[middle] = found.pool
    behind = np.flatnonzero(asked.tier == 2)
    chosen[behind] = by_rank(asked.demand.take(behind), supply.after(asked.demand, chosen), spread=spread)
    policy = _policy("best total", asked.demand, chosen, supply, setup)
    ahead = policy.value - found.value
    bound = None if found.bound is None else found.bound + ahead
    return chosen, replace(policy, bound=bound, gap=found.gap, solved=found.solved, note=found.note)


def _policy(name: str, demand: Demand, pool: Ints, supply: Supply, setup: _Setup) -> Policy:
    served = pool != NOBODY
    amounts = used(demand, pool, supply).sum(axis=0).tolist()
    return Policy(
        name, int(served.sum()), float(demand.value[served].sum()), dict(zip(setup.resources, amounts, strict=True))
    )


# -------------------------------------------------------------------------------------------------------- the report


def _shown(
    asked: _Asked, setup: _Setup, names: Sequence[str], supply: Supply, pool: Ints, best_pool: Ints | None,
    waits: Ints, which: Ints,
) -> tuple[Asker, ...]:  # fmt: skip
    rows = asked.table.take(pa.array(which)).to_pylist()
    left = supply.after(asked.demand, pool)
    return tuple(
        Asker(
            rank=row["rank"], id=str(row["id"]), score=row["score"], grade=row["grade"], value=row["value"],
            need={name: row[f"need_{number}"] for number, name in enumerate(setup.resources)},
            pool=None if pool[at] == NOBODY else names[pool[at]],
            reason=reason_of(int(waits[at]), asked.demand, left, int(at), setup.resources),
            best_pool=None if best_pool is None or best_pool[at] == NOBODY else names[best_pool[at]],
        )
        for row, at in zip(rows, which.tolist(), strict=True)
    )  # fmt: skip


def _counted_reasons(setup: _Setup, waits: Ints) -> dict[str, int]:
    kinds, counts = np.unique(waits[waits >= 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {in_short(int(kinds[at]), setup.resources): int(counts[at]) for at in order}


def _pool_use(
    demand: Demand, names: Sequence[str], supply: Supply, setup: _Setup, pool: Ints
) -> tuple[PoolUse, ...]:  # fmt: skip
    given = used(demand, pool, supply)
    served = np.bincount(pool[pool != NOBODY], minlength=len(names))
    with np.errstate(divide="ignore", invalid="ignore"):
        full = np.nan_to_num(given / supply.capacity).max(axis=1)
    order = np.lexsort((np.arange(len(names)), -full))[:SHOWN_POOLS]
    return tuple(
        PoolUse(
            names[at], int(served[at]), dict(zip(setup.resources, supply.capacity[at].tolist(), strict=True)),
            dict(zip(setup.resources, given[at].tolist(), strict=True)),
        )
        for at in order.tolist()
    )  # fmt: skip


def _whole(
    asked: _Asked, setup: _Setup, names: Sequence[str], pool: Ints, best_pool: Ints | None, waits: Ints
) -> pa.Table:
    """Return the whole list with what became of each."""
    shorts = pa.array([in_short(kind, setup.resources) for kind in range(int(waits.max(initial=-1)) + 1)], pa.string())
    labels = pa.array(names, pa.string())
    columns: dict[str, Any] = {name: asked.table.column(name) for name in ("rank", "id", "score", "grade", "value")}
    columns |= {
        f"need_{name}": asked.table.column(f"need_{number}") for number, name in enumerate(setup.resources)
    }  # fmt: skip
    columns |= {"served": pa.array(pool != NOBODY), "pool": _labelled(pool, labels), "reason": _labelled(waits, shorts)}
    if best_pool is not None:
        columns |= {"best_served": pa.array(best_pool != NOBODY), "best_pool": _labelled(best_pool, labels)}
    return pa.table(columns)


def _labelled(numbers: Ints, labels: pa.Array) -> pa.Array:
    return labels.take(pa.array(numbers, mask=numbers < 0))
