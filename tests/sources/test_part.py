from pathlib import Path

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.part import TextFormat, named, quoted
from leadlight.sources.survey import Survey


@pytest.mark.parametrize("text", ["plain", "it's", 'say "hi"', "a;b--c", "line\nend", ""])
def test_quoting_holds(engine: DuckDBEngine, text: str) -> None:
    assert engine.rows(f"SELECT {quoted(text)}") == [(text,)]
    if text:
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {named(text)} AS SELECT 1 AS {named(text)}")
        assert engine.rows(f"SELECT {named(text)} FROM {named(text)}") == [(1,)]


@pytest.mark.parametrize("name", ["plain.csv", "it's.csv", "with [brackets] and *.csv", "ünï.csv"])
def test_odd_file_names_are_read(engine: DuckDBEngine, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    text = TextFormat(Survey(path, "none", "utf-8", "\n", 2, ""), ",", 2, 1, 2)
    assert engine.rows(f"SELECT * FROM {text.sql(None)}") == [("1", "2")]
