"""Whole sources: what is written comes back, from every format; several files; files that have been read before."""

import csv
import gzip
import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError
from leadlight.expr.types import Type
from leadlight.sources.read import ProgressUpdate, describe, read, release
from leadlight.spec.models import SourceSpec

from .conftest import Reader, left_over

DATA = Path(__file__).parents[3] / "shared" / "data"
has_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")

# ---------------------------------------------------------------------------------------------------- round trips

TEXTS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
).map(lambda text: f"x{text.strip()}x")
CELLS = {
    "text": TEXTS,
    "number": st.floats(-1e300, 1e300).filter(lambda x: abs(x) > 1e-300 or x == 0),
    "bool": st.booleans(),
    "time": st.datetimes(datetime(1900, 3, 1), datetime(2261, 12, 31)).map(lambda t: t.replace(microsecond=0)),
}
TABLES = st.integers(1, 12).flatmap(
    lambda rows: st.fixed_dictionaries(
        {name: st.lists(st.none() | cells, min_size=rows, max_size=rows) for name, cells in CELLS.items()}
    )
)


def as_csv_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat(" ") if isinstance(value, datetime) else repr(value) if isinstance(value, float) else value


def write_csv(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *[map(as_csv_text, row) for row in rows]])


def write_jsonl(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    lines = [json.dumps(dict(zip(header, row, strict=True)), default=datetime.isoformat) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")


def write_parquet(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    types = [pa.string(), pa.string(), pa.float64(), pa.bool_(), pa.timestamp("us")]
    columns = [list(column) for column in zip(*rows, strict=True)]
    pq.write_table(pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=header), path)


def write_excel(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    for row in [header, *rows]:
        book.active.append(row)
    book.save(path)


@pytest.mark.parametrize(
    ("form", "name", "write"),
    [
        ("csv", "f.csv.gz", write_csv),
        ("jsonl", "f.jsonl", write_jsonl),
        ("parquet", "f.parquet", write_parquet),
        ("excel", "f.xlsx", write_excel),
    ],
)
@settings(max_examples=15, deadline=None)
@given(table=TABLES)
def test_what_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, form: str, name: str, write: Any, table: dict[str, list[Any]]
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    columns = [table[name] for name in CELLS]
    rows = [[f"id-{number}", *row] for number, row in enumerate(zip(*columns, strict=True))]
    write(folder / name, ["id", *CELLS], rows)
    engine = DuckDBEngine(None)
    reading = read(engine, "src", SourceSpec(**{form: name}, id="id"), folder, rejects_dir=folder)
    found = engine.rows(f"SELECT _id, text, number, bool, time FROM {reading.table} ORDER BY _line")
    engine.close()
    assert reading.rejected == 0
    for got, wrote in zip(found, rows, strict=True):
        assert got[0] == wrote[0]
        assert all(same(a, b) for a, b in zip(got[1:], wrote[1:], strict=True))
    types = {column.name: str(column.type) for column in reading.columns}
    assert all(types[name] == name for name, cells in table.items() if any(cell is not None for cell in cells))


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-14)
    return bool(a == b)


# ---------------------------------------------------------------------------------------------------- several files


def test_files_are_read_together_by_column_name(read_source: Reader, folder: Path) -> None:
    (folder / "b.csv").write_text("id;b;a\n3;x;7\n", encoding="utf-8")
    (folder / "a.csv").write_text("id,a\n1,5\n2,6\n", encoding="utf-8")
    result = read_source(csv="*.csv", id="id")
    assert result.rows == [("1", 5.0, None), ("2", 6.0, None), ("3", 7.0, "x")]
    assert result.lines == [2, 3, 2]
    assert [(file.path, file.rows) for file in result.reading.files] == [("a.csv", 2), ("b.csv", 1)]


def test_one_type_for_all_files(read_source: Reader, folder: Path) -> None:
    (folder / "a.csv").write_text("id,a\n1,5\n", encoding="utf-8")
    (folder / "b.csv").write_text("id,a\n2,x\n", encoding="utf-8")
    pq.write_table(pa.table({"id": [1], "a": [5]}), folder / "a.parquet")
    pq.write_table(pa.table({"id": [2], "a": ["x"]}), folder / "b.parquet")
    assert read_source(csv="*.csv", id="id").rows == [("1", "5"), ("2", "x")]
    result = read_source(parquet="*.parquet", id="id")
    assert result.rows == [("1", "5"), ("2", "x")]
    assert result.notes == ["column a holds different types in different files: read as text"]


def test_faults_of_all_files_come_at_once(read_source: Reader, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"")
    (folder / "b.csv").write_bytes(b"PAR1")
    with pytest.raises(DataError) as caught:
        read_source(csv="*.csv", id="id")
    assert str(caught.value).splitlines() == [
        "2 faults in the data",
        "a.csv: is empty: not even a header was found",
        "b.csv: is a Parquet file: write `parquet:`",
    ]


def test_rejects_name_their_file(read_source: Reader, folder: Path) -> None:
    (folder / "a.csv").write_text("id,a\n1,5\n,6\n", encoding="utf-8")
    (folder / "b.csv").write_text("id,a\n1,5\n2,6\n1,2,3\n,7\n", encoding="utf-8")
    result = read_source(csv="*.csv", id="id", reject_limit=0.5)
    assert [line.split(",")[:2] for line in result.rejects] == [["a.csv", "3"], ["b.csv", "4"], ["b.csv", "5"]]
    assert [(file.rows, file.rejected) for file in result.reading.files] == [(1, 1), (2, 2)]


# ----------------------------------------------------------------------------------------- what has been read before


def test_unchanged_files_are_skipped(read_source: Reader, folder: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(f"id,a\n{name},5\n", encoding="utf-8")
    first = read_source(csv="*.csv", id="id")
    known = {file.path: file.fingerprint for file in first.reading.files}
    again = read_source(csv="*.csv", id="id", known=known)
    assert (again.reading.table, again.reading.rows) == ("", 0)
    assert again.notes == ["nothing has changed since it was read"]
    assert [file.skipped for file in again.reading.files] == [True, True]
    (folder / "b.csv").write_text("id,a\nnew,6\n", encoding="utf-8")
    changed = read_source(csv="*.csv", id="id", known=known)
    assert changed.rows == [("new", 6.0)]
    assert [(file.path, file.skipped) for file in changed.reading.files] == [("a.csv", True), ("b.csv", False)]


def test_another_way_of_reading_reads_again(read_source: Reader, folder: Path) -> None:
    (folder / "f.csv").write_text("id,a\n1,5\n", encoding="utf-8")
    known = {file.path: file.fingerprint for file in read_source(csv="f.csv", id="id").reading.files}
    assert read_source(csv="f.csv", id="id", reject_limit=0.5, known=known).reading.files[0].skipped
    assert read_source(csv="f.csv", id="id", types={"a": "text"}, known=known).rows == [("1", "5")]


def test_types_of_the_store_hold(read_source: Reader, folder: Path) -> None:
    (folder / "f.csv").write_text("id,a,b,c\n1,5,6,yes\n2,x,7,no\n", encoding="utf-8")
    result = read_source(
        csv="f.csv", id="id", reject_limit=0.5, store_types={"a": Type.NUMBER, "b": Type.TEXT, "c": Type.BOOL}
    )
    assert result.rows == [("1", 5.0, "6", True)]
    assert result.rejects == ['f.csv,3,a,x,is not a number,"2,x,7,no"']


def test_outcomes_are_texts_that_cast_to_their_type(read_source: Reader, folder: Path) -> None:
    (folder / "f.csv").write_text("id,won,paid,stage\n1,1,yes,new\n2,0,no,\n", encoding="utf-8")
    cases = (("won", "number", ["1", "0"]), ("paid", "bool", ["true", "false"]), ("stage", "text", ["new", None]))
    for column, kind, texts in cases:
        result = read_source(csv="f.csv", id="id", outcome=column)
        assert [row[1] for row in result.rows] == texts
        assert result.reading.roles["outcome"].type == kind


def test_progress_counts_bytes_and_rows(read_source: Reader, folder: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("id\n1\n2\n", encoding="utf-8")
    seen: list[ProgressUpdate] = []
    read_source(csv="*.csv", id="id", progress=seen.append)
    assert [(update.path, update.rows, update.done, update.total) for update in seen] == [
        ("a.csv", 2, 7, 14),
        ("b.csv", 4, 14, 14),
    ]


def test_nothing_is_left_after_a_fault(engine: DuckDBEngine, folder: Path) -> None:
    (folder / "f.csv").write_text("id,at\n1,x\n", encoding="utf-8")
    with pytest.raises(DataError):
        read(engine, "src", SourceSpec(csv="f.csv", lead="id", at="at", event="e", timezone="Asia/Tokyo"), folder,
             rejects_dir=folder)  # fmt: skip
    assert left_over(engine) == []
    assert engine.rows("SELECT current_setting('TimeZone')") == [("UTC",)]


def test_order_is_kept_over_many_rows(read_source: Reader, folder: Path, engine: DuckDBEngine) -> None:
    """DuckDB reads in parallel; a row's line must still be its own."""
    (folder / "f.csv").write_text("id,n\n" + "".join(f"{n},{n + 2}\n" for n in range(1_500_000)), encoding="utf-8")
    reading = read(engine, "src", SourceSpec(csv="f.csv", id="id"), folder, rejects_dir=folder)
    assert engine.rows(f"SELECT count(*), count(*) FILTER (WHERE n <> _line) FROM {reading.table}") == [(1_500_000, 0)]
    release(engine, reading)


# -------------------------------------------------------------------------------------------------------- real data


def real(engine: DuckDBEngine, tmp_path: Path, **spec: Any) -> Any:
    assert describe("src", SourceSpec(**spec), DATA).roles
    return read(engine, "src", SourceSpec(**spec), DATA, rejects_dir=tmp_path)


@has_data
@pytest.mark.data
def test_xeducation(engine: DuckDBEngine, tmp_path: Path) -> None:
    reading = real(
        engine, tmp_path, csv="xeducation_leads/Leads.csv.gz", id="Lead Number", outcome="Converted", missing=["Select"]
    )
    assert (reading.rows, reading.rejected, len(reading.columns)) == (9240, 0, 35)
    types = {column.name: str(column.type) for column in reading.columns}
    assert (types["total_visits"], types["do_not_email"], types["city"]) == ("number", "bool", "text")
    assert engine.rows(
        "SELECT count(*) FILTER (WHERE _outcome = '1'), count(*) - count(city), "
        f"count(*) FILTER (WHERE city = 'Select'), count(DISTINCT _id) FROM {reading.table}"
    ) == [(3561, 2249 + 1420, 0, 9240)]


@has_data
@pytest.mark.data
def test_olist(engine: DuckDBEngine, tmp_path: Path) -> None:
    leads = real(
        engine, tmp_path, csv="olist_marketing_funnel/olist_marketing_qualified_leads_dataset.csv", id="mql_id",
        created_at="first_contact_date",
    )  # fmt: skip
    assert engine.rows(
        f"SELECT count(*), min(_created_at), max(_created_at), count(*) - count(origin) FROM {leads.table}"
    ) == [(8000, datetime(2017, 6, 14), datetime(2018, 5, 31), 60)]
    release(engine, leads)
    deals = real(
        engine, tmp_path, csv="olist_marketing_funnel/olist_closed_deals_dataset.csv", lead="mql_id", at="won_date",
        outcome="lead_type", value="declared_monthly_revenue",
    )  # fmt: skip
    with_value = "count(*) FILTER (WHERE _value > 0)"
    found = engine.rows(f"SELECT count(*), max(_at)::DATE::VARCHAR, {with_value} FROM {deals.table}")
    assert found == [(842, "2018-11-14", 45)]


@has_data
@pytest.mark.data
def test_itsm(engine: DuckDBEngine, tmp_path: Path) -> None:
    reading = real(
        engine, tmp_path, csv="itsm_incident_event_log/incident_event_log.csv.gz", lead="number", at="sys_updated_at",
        type="incident_state", missing=["?"],
    )  # fmt: skip
    assert (reading.rows, reading.rejected) == (141_712, 0)
    assert "sys_updated_at: times as %d/%m/%Y %H:%M (day first)" in reading.notes
    assert engine.rows(
        "SELECT count(DISTINCT _lead), min(opened_at)::DATE::VARCHAR, max(opened_at)::DATE::VARCHAR, "
        f"round(100 * (1 - count(cmdb_ci) / count(*)), 1) FROM {reading.table}"
    ) == [(24_918, "2016-02-29", "2017-02-16", 99.7)]


@has_data
@pytest.mark.data
def test_gitbugs(engine: DuckDBEngine, tmp_path: Path) -> None:
    """Descriptions of many lines, and times such as 30/Sep/21 17:20."""
    reading = real(engine, tmp_path, csv="feedback_gitbugs/hadoop_bugs.csv.gz", id="Issue id", created_at="Created")
    assert (reading.rows, reading.rejected) == (2503, 0)
    row = f"SELECT _created_at, resolved FROM {reading.table} WHERE _id = '13404344'"
    assert engine.rows(row) == [(datetime(2021, 9, 30, 17, 20), datetime(2022, 7, 20, 20, 51))]
