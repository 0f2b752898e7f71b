import datetime as dt
import decimal
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlight.errors import DataError
from leadlight.sources.parquet import typed_columns

from .conftest import Reader, Result


@pytest.fixture
def read_table(folder: Path, read_source: Reader) -> Reader:
    def reader(columns: dict[str, object], **spec: object) -> Result:
        pq.write_table(pa.table(columns), folder / "f.parquet")
        return read_source(parquet="f.parquet", **({"id": "id"} | spec))

    return reader


def test_every_kind_of_column(read_table: Reader) -> None:
    moment = dt.datetime(2026, 1, 31, 10, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    result = read_table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "double": [1.5, math.nan],
            "big": pa.array([2**60, 1], pa.int64()),
            "text": ["007", " x "],
            "naive": pa.array([dt.datetime(2026, 1, 1), None]),
            "zoned": pa.array([moment, None]),
            "day": pa.array([dt.date(2026, 1, 1), None]),
            "flag": [True, None],
            "struct": [{"x": 1, "y z": {"q": "r"}}, None],
            "list": [[1, 2], None],
            "money": pa.array([decimal.Decimal("1.10"), None]),
            "label": pa.array(["a", "b"]).dictionary_encode(),
            "clock": pa.array([dt.time(1, 2), None]),
            "bytes": [b"x", None],
            "nothing": pa.nulls(2),
        }
    )
    assert result.rows[0] == (
        "1", 1.5, str(2**60), "007", dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 31, 8), dt.datetime(2026, 1, 1),
        True, 1.0, "r", "[1,2]", 1.1, "a", "01:02:00", None,
    )  # fmt: skip
    assert result.rows[1] == ("2", None, "1", "x", *[None] * 8, "b", None, None)
    assert list(result.types)[7:10] == ["struct_x", "struct_y_z_q", "list"]
    assert result.notes == ["f.parquet: column bytes holds blob values: not read", "nothing: no value in any row"]


def test_infinities_and_times_out_of_range_are_rejected(read_table: Reader) -> None:
    old = pa.array([dt.datetime(2026, 1, 1), dt.datetime(1500, 1, 1), dt.datetime(2026, 1, 1)], pa.timestamp("us"))
    result = read_table({"id": ["a", "b", "c"], "x": [1.0, 2.0, -math.inf], "t": old}, reject_limit=1)
    assert [row[0] for row in result.rows] == ["a"]
    assert result.rejects == [
        'f.parquet,2,t,1500-01-01 00:00:00,is outside the years 1678 to 2261,"b,2,1500-01-01 00:00:00"',
        'f.parquet,3,x,\'-inf,is not finite,"c,-inf,2026-01-01 00:00:00"',
    ]


def test_numbers_as_times_only_when_told(read_table: Reader) -> None:
    event = {"id": None, "lead": "lead", "at": "at", "event": "x"}
    with pytest.raises(DataError) as caught:
        read_table({"lead": ["a"], "at": [1717171717]}, **event)
    assert str(caught.value).splitlines()[1] == (
        "sources.src: column 'at' holds numbers (such as 1717171717), not times: if they count seconds, milliseconds … "
        "since 1970, write `dates: unix`"
    )
    result = read_table({"lead": ["a"], "at": [1717171717]}, dates="unix", **event)
    assert result.rows == [("a", dt.datetime(2024, 5, 31, 16, 8, 37), "x")]


def test_float_ids_have_no_point(read_table: Reader) -> None:
    assert read_table({"id": [1.0, 2.0]}).rows == [("1",), ("2",)]


@pytest.mark.parametrize("content", [b"", b"hello", b"PAR1xxxxxxxxxxxxxxxxPAR1"])
def test_no_parquet(folder: Path, read_source: Reader, content: bytes) -> None:
    (folder / "f.parquet").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_source(parquet="f.parquet", id="id")
    assert str(caught.value) == "1 fault in the data\nf.parquet: is not a Parquet file, or is damaged"


def test_struct_types_are_taken_apart() -> None:
    cells, notes = typed_columns([("s", 'STRUCT("a ""b"" c" DECIMAL(10,2), d STRUCT(e INTEGER[], f VARCHAR))')], "f")
    assert list(cells) == ['s.a "b" c', "s.d.e", "s.d.f"]
    assert cells['s.a "b" c'].sql == 'CAST("s"."a ""b"" c" AS DOUBLE)'
    assert notes == ()
