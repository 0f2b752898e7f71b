"""Rejected values and rows are found at the lines of their files, whatever stands between."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.read import read, release
from leadlight.spec.models import SourceSpec

from .conftest import Reader

GOOD, MULTI, RAGGED, BLANK, BAD, EMPTY_ID = "k,5", '"m\nm\n\nm",5', "1,2,3", "", "k,bad", ",5"
SPAN = {MULTI: 4}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_behind_cells_of_several_lines(read_csv: Reader, newline: str, pack) -> None:
    text = newline.join(["id,a", GOOD, '"m', 'm",5', "", RAGGED, GOOD, BAD, "", EMPTY_ID, ""])
    result = read_csv(pack(text.encode()), types={"a": "number"}, reject_limit=1)
    assert [line.split(",")[1] for line in result.rejects] == ["6", "8", "10"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([GOOD, MULTI, RAGGED, BLANK, BAD, EMPTY_ID]), max_size=14),
    st.sampled_from(["", "Report\n\n"]),
    st.booleans(),
)
def test_every_reject_has_its_line(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], preamble: str, ended: bool
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    text = preamble + "\n".join(["id,a", *rows]) + ("\n" if ended else "")
    (folder / "f.csv").write_text(text, encoding="utf-8")
    expected, line = [], preamble.count("\n") + 2
    for row in rows:
        if row in {RAGGED, BAD, EMPTY_ID}:
            expected.append(line)
        line += SPAN.get(row, 1)
    assert rejected_lines(folder) == expected


def rejected_lines(folder: Path) -> list[int]:
    engine = DuckDBEngine(None)
    spec = SourceSpec(csv="f.csv", id="id", types={"a": "number"}, reject_limit=1)
    reading = read(engine, "src", spec, folder, rejects_dir=folder)
    release(engine, reading)
    engine.close()
    if reading.rejects_file is None:
        return []
    return [int(row.split(",")[1]) for row in reading.rejects_file.read_text(encoding="utf-8").splitlines()[1:]]


def test_line_far_into_a_packed_file(read_csv: Reader) -> None:
    body = b"".join(b"%d,5\n" % number for number in range(300_000))
    result = read_csv(gzip.compress(b"id,a\n" + body + b"1,2,3\n" + b"x,bad\n"), types={"a": "number"})
    assert result.rejects == [
        'f.csv,300002,,,"has 3 cells, the header has 2","1,2,3"',
        'f.csv,300003,a,bad,is not a number,"x,bad"',
    ]


def test_a_quote_that_swallows_megabytes(read_csv: Reader, folder: Path) -> None:
    body = b"".join(b"%d,5\n" % number for number in range(400_000))
    result = read_csv(b"id,a\n" + body + b'x,"open\n' + body, reject_limit=0.6)
    assert result.reading.rows == 400_000
    assert result.reading.rejected == 400_001
    assert result.rejects[0].startswith(
        'f.csv,400002,,,"has a quote that is not closed, or text behind a closing quote: 400,001 lines are lost"'
    )
