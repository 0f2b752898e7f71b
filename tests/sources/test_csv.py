from pathlib import Path

import pytest

from leadlight.sources.csv import distinct_headers, open_csv
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
