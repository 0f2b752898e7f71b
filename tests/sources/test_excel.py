import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from leadlight.errors import DataError
from leadlight.sources import excel

from .conftest import Reader, Result


@pytest.fixture
def read_book(folder: Path, read_source: Reader) -> Reader:
    """Write a workbook, a list of rows a sheet, and read it."""

    def reader(sheets: dict[str, list[list[object]]], **spec: object) -> Result:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(folder / "f.xlsx")
        return read_source(excel="f.xlsx", **({"id": "id"} | spec))

    return reader


def test_kinds_of_cells(read_book: Reader) -> None:
    result = read_book(
        {
            "S": [
                ["id", "a", "when", "flag", "mixed", "t"],
                [1, 1.5, dt.datetime(2026, 1, 31, 10, 15), True, 1, "x"],
                [2, None, dt.date(2026, 2, 1), False, "y", None],
                [None] * 6,
                ["A3", 7, None, None, None, "01"],
            ]
        }
    )
    assert result.types == {"a": "number", "when": "time", "flag": "bool", "mixed": "text", "t": "text"}
    assert result.rows == [
        ("1", 1.5, dt.datetime(2026, 1, 31, 10, 15), True, "1", "x"),
        ("2", None, dt.datetime(2026, 2, 1), False, "y", None),
        ("A3", 7.0, None, None, None, "01"),
    ]
    assert result.lines == [2, 3, 5]


def test_header_below_a_title(read_book: Reader) -> None:
    result = read_book({"S": [["Report of May"], [], ["id", "a"], ["x", 1]]})
    assert result.rows == [("x", 1.0)]
    assert (result.lines, result.notes) == ([4], ["f.xlsx: header found in row 3"])


def test_sheet(read_book: Reader) -> None:
    sheets: dict[str, list[list[object]]] = {"One": [["id"], ["x"]], "Two": [["id"], ["y"]]}
    assert read_book(sheets).rows == [("x",)]
    assert read_book(sheets, sheet="Two").rows == [("y",)]
    with pytest.raises(DataError) as caught:
        read_book(sheets, sheet="Tow")
    assert str(caught.value).splitlines()[1] == "f.xlsx: has no sheet 'Tow'; did you mean 'Two'? Known: One, Two"


def test_rejects_have_rows_of_the_sheet(read_book: Reader) -> None:
    rows: list[list[object]] = [["id", "a"], *[[number, number] for number in range(200)], [None, 5], ["q", "zz"]]
    result = read_book({"S": rows}, types={"a": "number"})
    assert result.rejects == ['f.xlsx,202,id,,is empty,",5"', 'f.xlsx,203,a,zz,is not a number,"q,zz"']


def test_refused(read_book: Reader, folder: Path, read_source: Reader) -> None:
    with pytest.raises(DataError, match=r"f\.xlsx: sheet 'S' is empty"):
        read_book({"S": []})
    (folder / "f.xlsx").write_bytes(b"id,a\n1,2\n")
    with pytest.raises(DataError, match=r"f\.xlsx: is no Excel or OpenDocument workbook, or is damaged \(invalid Zip"):
        read_source(excel="f.xlsx", id="id")


def test_one_that_would_fill_the_memory_is_refused(read_book: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "MOST_BYTES", 50_000)
    assert read_book({"S": [["id", "a"], ["x", 1]]}).rows == [("x", 1.0)]
    with pytest.raises(
        DataError, match=r"f\.xlsx: unpacks to 0\.\d GB, more than a workbook may: export its sheet as CSV"
    ):
        read_book({"S": [["id", "a"], *[[f"x{n}", "y" * 30] for n in range(2_000)]]})


def test_what_is_not_read_is_said(read_book: Reader) -> None:
    sheets: dict[str, list[list[object]]] = {"One": [["id", "a", "a"], ["x", 1, 2]], "Two": [["id"], ["y"]]}
    assert read_book(sheets).notes == [
        "f.xlsx: 2 columns are called 'a': the others are taken as 'a (2)'",
        "f.xlsx: the first sheet, 'One', is read, and none of 'Two'",
    ]
    assert not read_book(sheets, sheet="Two").notes
