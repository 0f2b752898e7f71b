import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from leadlight.errors import DataError

from .conftest import Reader, Result

NO_OBJECT = "has no line that is a JSON object: write one object a line, without a list around them"


@pytest.fixture
def read_lines(folder: Path, read_source: Reader) -> Reader:
    def reader(*lines: str, pack=bytes, **spec: object) -> Result:
        (folder / "f.jsonl").write_bytes(pack("\n".join([*lines, ""]).encode()))
        return read_source(jsonl="f.jsonl", **({"id": "id"} | spec))

    return reader


def test_objects_are_flattened_and_lists_kept_as_text(read_lines: Reader) -> None:
    result = read_lines(
        '{"id":1,"a":{"b":"x","c":{"d":2}},"l":[1,2],"t":"2026-01-31T10:00:00+02:00","f":true,"n":1}',
        '{"id":"2","a":{"b":null},"f":false,"n":1.5,"g":{}}',
    )
    assert result.types == {
        "a_b": "text", "a_c_d": "number", "l": "text", "t": "time", "f": "bool", "n": "number", "g": "text",
    }  # fmt: skip
    assert result.rows == [
        ("1", "x", 2.0, "[1,2]", datetime(2026, 1, 31, 8), True, 1.0, None),
        ("2", None, None, None, None, False, 1.5, "{}"),
    ]


def test_texts_stay_texts_and_long_integers_are_not_rounded(read_lines: Reader) -> None:
    result = read_lines('{"id":1,"a":"5","b":"yes","big":12345678901234567}')
    assert result.rows == [("1", "5", "yes", "12345678901234567")]


def test_mixed_values_are_text(read_lines: Reader) -> None:
    result = read_lines('{"id":1,"a":"x"}', '{"id":2,"a":5}', '{"id":3,"a":{"z":1}}')
    assert result.rows == [("1", "x"), ("2", "5"), ("3", '{"z":1}')]


def test_broken_lines_are_rejected_with_their_lines(read_lines: Reader) -> None:
    good = [json.dumps({"id": number, "a": number}) for number in range(200)]
    result = read_lines(*good, '{"id":', "[1]", "", '{"a":5}', "x\x1fy", reject_limit=0.1)
    assert result.reading.rows == 200
    assert result.rejects == [
        'f.jsonl,201,,,is not a JSON object,"{""id"":"',
        "f.jsonl,202,,,is not a JSON object,[1]",
        'f.jsonl,204,id,,is empty,"{""a"":5}"',
        'f.jsonl,205,,,"has 2 cells, the header has 1",x\x1fy',
    ]


def test_packed(read_lines: Reader) -> None:
    assert read_lines('{"id":1}', '{"id":2}', pack=gzip.compress).rows == [("1",), ("2",)]


def test_keys_that_need_escaping(read_lines: Reader) -> None:
    result = read_lines(json.dumps({"id": 1, "a/b": 1, "a~b": 2, 'a"b': 3, "": 4, "it's": 5}))
    assert list(zip(result.types, result.rows[0][1:], strict=True)) == [
        ("a_b", 1.0), ("a_b_2", 2.0), ("a_b_3", 3.0), ("column_5", 4.0), ("it_s", 5.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["hello"], NO_OBJECT),
        (['[{"id":1},', '{"id":2}]'], NO_OBJECT),
        ([json.dumps({f"k{n}": n for n in range(2500)})], "has 2,500 different keys: at most 2,000 are read"),
    ],
)  # fmt: skip
def test_refused(read_lines: Reader, lines: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_lines(*lines)
    assert str(caught.value) == f"1 fault in the data\nf.jsonl: {message}"
