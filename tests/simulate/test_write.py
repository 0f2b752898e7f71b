from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlight.simulate.write import table_files

ROWS = pa.table({"id": ["a", "b"], "when": pa.array([0, 86_400], pa.timestamp("s")), "n": pa.array([1, None])})


def test_tables_are_appended_and_nulls_are_empty_cells(tmp_path: Path) -> None:
    with table_files([tmp_path / "x.csv", tmp_path / "x.parquet"]) as files:
        for file in files:
            file.add(ROWS)
            file.add(ROWS.slice(1))
    assert (tmp_path / "x.csv").read_text().splitlines() == [
        '"id","when","n"',
        '"a",1970-01-01 00:00:00,1',
        '"b",1970-01-02 00:00:00,',
        '"b",1970-01-02 00:00:00,',
    ]
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 3
    assert [file.rows for file in files] == [3, 3]


def test_dictionaries_are_plain_texts_to_readers(tmp_path: Path) -> None:
    table = pa.table({"word": pa.DictionaryArray.from_arrays(pa.array([0, 0, None]), pa.array(["x"]))})
    with table_files([tmp_path / "x.parquet"]) as (file,):
        file.add(table)
    assert pq.read_table(tmp_path / "x.parquet").schema.field("word").type == pa.string()
    assert pq.read_table(tmp_path / "x.parquet")["word"].to_pylist() == ["x", "x", None]


def test_after_an_error_the_old_files_stand_and_nothing_is_left_over(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("as before")

    def fail() -> None:
        with table_files([tmp_path / "x.csv", tmp_path / "y.parquet"]) as files:
            for file in files:
                file.add(ROWS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "as before"
