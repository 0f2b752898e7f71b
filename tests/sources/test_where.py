from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.errors import DataError, TooManyRejects
from leadlight.sources.read import describe
from leadlight.spec.models import SourceSpec

from .conftest import Reader

LEADS = "id,Open Cases,state,when\na,1,new,2026-01-01\nb,20,old,2026-01-02\nc,,new,\n\nd,4,new,2026-01-04\n"


def test_rows_for_which_it_is_not_true_are_left_out_and_counted(read_csv: Reader) -> None:
    found = read_csv(LEADS, where="open_cases > 3")
    assert [row[:2] for row in found.rows] == [("b", 20.0), ("d", 4.0)]
    assert found.lines == [3, 5]  # as if every row took one line
    assert (found.reading.rows, found.reading.left_out, found.reading.rejected) == (2, 2, 0)
    assert [file.rows for file in found.reading.files] == [2]


def test_it_sees_columns_that_have_a_role_or_are_not_kept(read_csv: Reader) -> None:
    assert read_csv(LEADS, where="id <> 'a' and state = 'new'", drop=["state"]).rows == [
        ("c", None, None),
        ("d", 4.0, read_csv(LEADS).rows[3][3]),
    ]
    only = read_csv(LEADS, where="state = 'new' and \"when\" is not null", columns=["Open Cases"])
    assert only.rows == [("a", 1.0), ("d", 4.0)]
    assert only.types == {"open_cases": "number"}
    renamed = read_csv(LEADS, where="cases >= 4", columns={"Cases": "Open Cases"})
    assert renamed.rows == [("b", 20.0), ("d", 4.0)]


def test_a_row_that_is_not_meant_need_not_be_readable(read_csv: Reader) -> None:
    events = "id,at,kind\n" + "1,,open\n" * 50 + "1,2026-01-01,shut\n2,2026-01-02,shut\n"
    found = read_csv(events, lead="id", at="at", event="shut", where="kind = 'shut'", drop=["kind"])
    assert (found.reading.rows, found.reading.left_out, found.reading.rejected) == (2, 50, 0)
    with pytest.raises(TooManyRejects, match="50 of 52 rows"):
        read_csv(events, lead="id", at="at", event="shut")


def test_a_row_is_rejected_where_nobody_knows_whether_it_is_meant(read_csv: Reader) -> None:
    text = "id,n\n" + "".join(f"{n},{n}\n" for n in range(300)) + "x,many\n"
    found = read_csv(text, where="n < 200", types={"n": "number"})
    assert (found.reading.rows, found.reading.left_out, found.reading.rejected) == (200, 100, 1)
    assert found.rejects == ['f.csv,302,n,many,is not a number,"x,many"']


def test_a_column_with_a_missing_key_may_be_asked_for(read_csv: Reader) -> None:
    text = "id,n\n" + "1,1\n" * 3 + ",1\n"
    assert read_csv(text, where="id is not null").reading.left_out == 1


def test_the_share_of_rejects_is_one_of_the_rows_that_are_meant(read_csv: Reader) -> None:
    text = "id,n,m\n" + "1,1,1\n" * 990 + "2,2,1\n" * 9 + "3,2,x\n"
    assert read_csv(text, types={"m": "number"}).reading.rejected == 1
    with pytest.raises(TooManyRejects, match="1 of 10 rows"):
        read_csv(text, types={"m": "number"}, where="n = 2")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("stat = 'new'", "there is no name 'stat': did you mean 'state'? Known: id, open_cases, state, when"),
        ("open_cases", "a condition must be true or false; this is a number"),
        ("state = 5", "'state' is text"),
        ("open_cases > 3; drop table leads", "';'"),
    ],
)
def test_what_is_no_condition_over_the_columns(read_csv: Reader, folder: Path, where: str, message: str) -> None:
    spec = SourceSpec(csv="f.csv", id="id", where=where)
    for ask in (lambda: read_csv(LEADS, where=where), lambda: describe("src", spec, folder)):
        with pytest.raises(DataError) as caught:
            ask()
        assert {fault.path for fault in caught.value.faults} == {"sources.src.where"}
        assert message in str(caught.value)


def test_hostile_values_stay_values(read_csv: Reader) -> None:
    found = read_csv("id,a\n1,x' OR true --\n2,y\n", where="a = 'x'' OR true --'")
    assert [row[0] for row in found.rows] == ["1"]


def test_an_outcome_in_a_number_is_compared_as_one(read_csv: Reader) -> None:
    found = read_csv("id,won\n1,0\n2,1\n", lead="id", outcome="won", where="won = 1")
    assert found.rows == [("2", "1")]
