"""The pools that have what is given away: agents, nodes, teams, from a file or from `leadlight.yaml`."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadlight.errors import DataError, NotFoundError, UsageError, did_you_mean, shorten
from leadlight.expr.types import Type
from leadlight.sources.names import unique_names
from leadlight.spec.yaml import read_yaml

MOST_POOLS = 100_000


@dataclass(frozen=True, slots=True)
class Pools:
    """One row a pool: its name, and columns of numbers, texts and truths."""

    names: tuple[str, ...]
    table: pa.Table

    @property
    def types(self) -> dict[str, Type]:
        """The type of each column."""
        kinds = {pa.float64(): Type.NUMBER, pa.bool_(): Type.BOOL, pa.string(): Type.TEXT}
        return {field.name: kinds[field.type] for field in self.table.schema}

    def numbers(self, column: str) -> list[float]:
        """Return a column of capacities. Raises NotFoundError for none, UsageError where it is no number or below 0."""
        if column not in self.types:
            raise NotFoundError(f"the pools have no column {column!r}: {did_you_mean(column, self.types)}")
        values = self.table.column(column).to_pylist()
        wrong = [
            (name, value) for name, value in zip(self.names, values, strict=True)
            if isinstance(value, bool) or not isinstance(value, float) or not 0 <= value < float("inf")
        ]  # fmt: skip
        if wrong:
            name, value = wrong[0]
            raise UsageError(
                f"the capacity {column} of pool {name} is {shorten(value)}, which is no number from 0 on",
                fix=f"Correct it ({len(wrong):,} such rows).",
            )
        return [float(value) for value in values]


def read_pools(given: str | Sequence[Mapping[str, Any]], root: Path, *, name: str | None = None) -> Pools:
    """Read pools from a CSV or YAML file (relative to `root`), or from a list of maps; headers become snake case.

    A column is of numbers or truths where all its values are, else of text; empty is missing. `name` is the column that
    names a pool, the first unless told. Raises DataError, NotFoundError or UsageError for what cannot be used.

    >>> pools = read_pools([{"agent": "ann", "hours": 6}, {"agent": "bo", "hours": 4.5}], Path())
    >>> pools.names, pools.numbers("hours")
    (('ann', 'bo'), [6.0, 4.5])
    """
    rows = _rows(given, root) if isinstance(given, str) else [dict(row) for row in given]
    if not rows:
        raise UsageError("there are no pools", fix="Give at least one row: a name, and a capacity for each resource.")
    if len(rows) > MOST_POOLS:
        raise UsageError(f"{len(rows):,} pools are too many; {MOST_POOLS:,} at most")
    headers = list(dict.fromkeys(key for row in rows for key in row))
    columns = dict(zip(unique_names(map(str, headers), frozenset()), headers, strict=True))
    key = next(iter(columns)) if name is None else name
    if key not in columns:
        raise NotFoundError(f"the pools have no column {key!r} to name them: {did_you_mean(key, columns)}")
    names = [_text(row.get(columns[key])) for row in rows]
    repeated = next((each for number, each in enumerate(names) if each is None or each in names[:number]), "")
    if repeated != "":
        raise UsageError(f"two pools are called {shorten(repeated)}" if repeated else "a pool has no name")
    table = pa.table({column: _column([row.get(header) for row in rows]) for column, header in columns.items()})
    return Pools(tuple(str(each) for each in names), table)


def _rows(given: str, root: Path) -> list[dict[str, Any]]:
    path = root / given
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise NotFoundError(f"cannot read the pools {given}: {error.strerror or 'it is no gzip file'}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read the pools {given}: it is no UTF-8 text") from None
    if path.suffix.lower() in (".yaml", ".yml"):
        return _from_yaml(text, given)
    reader = csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    return [{key: value for key, value in row.items() if key is not None} for row in reader]


def _from_yaml(text: str, given: str) -> list[dict[str, Any]]:
    parsed = read_yaml(text, given)
    if parsed.faults:
        raise DataError(list(parsed.faults))
    if not isinstance(parsed.value, list) or not all(isinstance(row, dict) for row in parsed.value):
        raise UsageError(f"{given} must be a list of maps, one for each pool", fix="- {name: ann, hours: 6}")
    return [dict(row) for row in parsed.value]


def _text(value: Any) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None


def _column(values: list[Any]) -> pa.Array:
    """Make a column of the narrowest type that holds all values."""
    filled = [value for value in values if _text(value) is not None]
    if filled and all(isinstance(value, bool) for value in filled):
        return pa.array([value if isinstance(value, bool) else None for value in values], pa.bool_())
    numbers = [_number(value) for value in values]
    if filled and sum(number is not None for number in numbers) == len(filled):
        return pa.array(numbers, pa.float64())
    return pa.array([_text(value) for value in values], pa.string())


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
