"""Much that was synced at once, cut into groups of records that are read one after the other.

A group has all versions of its records, whatever files they stand in: it is a range of ids. So each record tells in its
group what it tells among all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from leadlight.sources.lake import ID, is_covered, locate_lake
from leadlight.sources.locate import Located
from leadlight.sources.part import named, quoted
from leadlight.spec.models import SourceKind, SourceSpec

MOST_ROWS = 100_000
MOST_BYTES = 64 << 20
"""Of the values of a group, as Parquet tells their size."""
SAMPLE = 10_000
"""About so many rows say where one group ends and the next one begins."""


class ReadWhole(Exception):
    """What a source says cannot be told from a group of its records: it is to be read as a whole."""


@dataclass(frozen=True, slots=True)
class Group:
    """Records of some files (as they are shown): those whose id is `first` or greater, and less than `before`."""

    files: frozenset[str]
    first: str | None = None
    before: str | None = None

    @property
    def sql(self) -> str:
        """The condition on the rows.

        >>> Group(frozenset(), "b", "d").sql
        '("_id" >= \\'b\\' AND "_id" < \\'d\\')'
        """
        least = [] if self.first is None else [f"{named(ID)} >= {quoted(self.first)}"]
        most = [] if self.before is None else [f"{named(ID)} < {quoted(self.before)}"]
        inside = " AND ".join(least + most) or "true"
        return f"({inside})" if self.first is not None else f"({inside} OR {named(ID)} IS NULL)"


def groups_of(spec: SourceSpec, root: Path, known: Mapping[str, str]) -> list[Group]:
    """Return the groups in which to read what is new in the lake of a source; none where it is to be read as a whole.

    That is so where there is little of it, and where what a record says depends on others: a source that does not go
    by the records' own ids.
    """
    if spec.connection is None or not _by_record(spec):
        return []
    files = [file for file in locate_lake(spec, root) if file.shown not in known and not is_covered(file.shown, known)]
    rows, size = _sizes(files)
    count = max(-(-rows // MOST_ROWS), -(-size // MOST_BYTES))
    if count < 2:
        return []
    bounds = _bounds(files, rows, count)
    shown = frozenset(file.shown for file in files)
    return [Group(shown, first, before) for first, before in zip([None, *bounds], [*bounds, None], strict=True)]


def _by_record(spec: SourceSpec) -> bool:
    match spec.role:
        case SourceKind.LEADS:
            return spec.id == ID
        case SourceKind.ACCOUNTS:
            return spec.account == ID
        case _:
            return spec.message_id == ID


def _sizes(files: Sequence[Located]) -> tuple[int, int]:
    """Return how many rows files have, and how many bytes their values take unpacked."""
    import pyarrow.parquet as pq

    found = [pq.read_metadata(file.path) for file in files]
    size = sum(one.row_group(n).total_byte_size for one in found for n in range(one.num_row_groups))
    return sum(one.num_rows for one in found), size


def _bounds(files: Sequence[Located], rows: int, count: int) -> list[str]:
    """Return ids that cut the rows into about so many groups, alike in size: always the same for the same rows."""
    paths = ", ".join(quoted(str(file.path)) for file in files)
    every = max(1, rows // SAMPLE)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        found = connection.execute(
            f"SELECT {ID} FROM read_parquet([{paths}], union_by_name = true) "  # noqa: S608
            f"WHERE hash({ID}) % {every} = 0 ORDER BY 1"
        ).fetchall()
    return sorted({str(found[len(found) * n // count][0]) for n in range(1, count)}) if found else []
