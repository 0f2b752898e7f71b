from pathlib import Path

import pytest

from leadlight.sources.csv import distinct_headers, first_header, header_notes, open_csv
from leadlight.sources.locate import Located
from leadlight.sources.opened import Opened
from leadlight.sources.part import TextFormat
from leadlight.spec.models import SourceSpec


def cut(tmp_path: Path, text: str, **spec: object) -> TextFormat:
    path = tmp_path / "f.csv"
    path.write_text(text, encoding="utf-8", newline="")
    with Opened() as opened:
        part = open_csv(Located(path, "f.csv"), SourceSpec(**{"csv": "f.csv", "id": "id"} | spec), opened)
    assert part.text is not None
    return part.text


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("id,a;b\n1,2;3\n4,5\n", ","),
        ("id;a\n1;2,5\n3;4,5\n", ";"),
        ("id\ta, b\n1\tx, y, z\n", "\t"),
        ('id|a\n"1|2"|3\n', "|"),
        ("id\n1\n", ","),
        ("id;note\n1;a, b\n2;c, d\n", ";"),
    ],
)
def test_delimiter(tmp_path: Path, text: str, delimiter: str) -> None:
    assert cut(tmp_path, text).delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "skip", "first_line"),
    [
        ("id,a\n1,2\n", 1, 2),
        ("\n\nid,a\n1,2\n", 3, 4),
        ('Report\n"of\nMay",x\nid,a\n1,2\n', 3, 5),
        ('id,"two\nlines"\n1,2\n', 1, 3),
        ("sep=,\nid,a\n1,2\n", 2, 3),
    ],
)
def test_header(tmp_path: Path, text: str, skip: int, first_line: int) -> None:
    found = cut(tmp_path, text)
    assert (found.skip, found.first_line, found.width) == (skip, first_line, 2)


def test_quotes_behind_backslashes(tmp_path: Path) -> None:
    assert cut(tmp_path, 'id,a\n1,"x \\"y\\", z"\n2,"a"\n').escape == "\\"
    assert cut(tmp_path, 'id,a\n1,"x ""y"", z"\n2,"C:\\"\n').escape == '"'


def test_headers_alike_are_told_apart() -> None:
    names, unnamed = distinct_headers(["a", "A", "a", "", "a (3)"])
    assert names == ["a", "A", "a (3)", "column 4", "a (3) (4)"]
    assert unnamed == {"column 4"}


@pytest.mark.parametrize(
    ("rows", "named", "at"),
    [
        ([["Leads of 2026"], [""], ["id", "name", "stage"], ["1", "Ann", "won"], ["2", "Bo", ""]], [], 2),
        ([["Leads of 2026"], [""], ["id", "name", "stage"], ["1", "Ann", "won"], ["2", "Bo", ""]], ["id"], 0),
        ([["name"], ["Ann"]], [], 0),
        ([["", ""], ["id", "name"], ["1", ""], ["2", ""], ["3", ""]], [], 1),
        ([[], [""]], [], None),
        ([["id", "a", "b", "c"], ["1", "", "", ""], ["2", "x", "y", "z"], ["3", "x", "y", "z"]], [], 0),
    ],
)
def test_titles_are_passed_over_where_no_name_is_told(rows: list[list[str]], named: list[str], at: int | None) -> None:
    assert first_header(rows, named) == at


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["id", "2024", "2025", "name", "city", "a", "b", "c", "d", "e"], ""),
        (["id", "Q1 2024", "100%"], ""),
        (["L0", "2025-01-01 10:00", "ads", "467", "won"], "2 of 5 names look like values ('2025-01-01 10:00', '467')"),
        (["ann@acme.example", "40", "x"], "2 of 3 names look like values"),
    ],
)
def test_a_header_that_looks_like_a_record_is_pointed_out(header: list[str], said: str) -> None:
    notes = " ".join(header_notes("f.csv", header, distinct_headers(header)[0]))
    assert (said in notes) if said else not notes
