"""Files that grow chunk by chunk, and appear under their name only when they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

PARTIAL = ".partial"


@dataclass(slots=True)
class TableFile:
    """A CSV or Parquet file, as its suffix says, to which tables are added."""

    path: Path
    rows: int = 0
    _writer: pq.ParquetWriter | csv.CSVWriter | None = None

    @property
    def partial(self) -> Path:
        """Where the file grows until it is whole."""
        return self.path.with_name(self.path.name + PARTIAL)

    def add(self, table: pa.Table) -> None:
        """Append a table; the first one sets the columns."""
        if self._writer is None:
            self._writer = self._open(table.schema)
        self._writer.write_table(table)
        self.rows += len(table)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()

    def _open(self, schema: pa.Schema) -> pq.ParquetWriter | csv.CSVWriter:
        if self.path.suffix == ".csv":
            return csv.CSVWriter(str(self.partial), schema)
        # without the Arrow schema in the file, readers see plain texts where we have dictionaries
        return pq.ParquetWriter(str(self.partial), schema, compression="zstd", store_schema=False)


@contextmanager
def table_files(paths: list[Path]) -> Iterator[list[TableFile]]:
    """Open files to write; at the end all of them appear, or after an error none."""
    files = [TableFile(path) for path in paths]
    try:
        with ExitStack() as stack:
            for file in files:
                stack.callback(file.close)
            yield files
        for file in files:
            file.partial.replace(file.path)
    finally:
        for file in files:
            file.partial.unlink(missing_ok=True)
