import csv

import pytest

from leadlight.errors import TooManyRejects
from leadlight.sources.rejects import MAX_REASONS_SHOWN, harmless

from .conftest import Reader


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_made_harmless(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_hostile_cells_come_back_as_text(read_csv: Reader) -> None:
    hostile = '"=HYPERLINK(""http://x"",""a"")"'
    result = read_csv(f"id,a\n@id,{hostile}\n-2+3,5\n", types={"a": "number"}, reject_limit=1)
    with result.reading.rejects_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {
            "file": "f.csv",
            "line": "2",
            "column": "a",
            "value": '\'=HYPERLINK("http://x","a")',
            "reason": "is not a number",
            "row": '\'@id,=HYPERLINK("http://x","a")',
        }
    ]


def test_first_reasons_are_shown_and_all_are_written(read_csv: Reader, folder) -> None:
    with pytest.raises(TooManyRejects) as caught:
        read_csv("id,a\n" + "1,x\n" * 500, types={"a": "number"})
    lines = str(caught.value).splitlines()
    assert lines[1] == "sources.src: 500 of 500 rows cannot be read (100.0%, allowed are 1.0%); nothing was read"
    assert lines[2] == "f.csv:2: a: 'x' is not a number"
    assert len(caught.value.faults) == MAX_REASONS_SHOWN + 1
    assert len((folder / "rejects" / "src.csv").read_text(encoding="utf-8").splitlines()) == 501


def test_a_row_with_two_faults_is_one_rejected_row(read_csv: Reader) -> None:
    result = read_csv("id,a,b\n1,x,y\n2,3,4\n", types={"a": "number", "b": "number"}, reject_limit=1)
    assert result.reading.rejected == 1
    assert result.rejects == ['f.csv,2,a,x,is not a number,"1,x,y"', 'f.csv,2,b,y,is not a number,"1,x,y"']


def test_long_values_are_cut(read_csv: Reader) -> None:
    result = read_csv("id,a\n1," + "x" * 5000 + "\n", types={"a": "number"}, reject_limit=1)
    assert result.rejects == [f'f.csv,2,a,{"x" * 1000},is not a number,"1,{"x" * 998}"']
