"""What the columns of a file hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.sources.profile import Profile, along_file, format_of, how_to_read, opened, profiles

TEXT = "id,city,size,mail,amount\n" + "".join(
    f'{n},{"Ulm" if n % 2 else "NA"},{n % 3}.5,p{n}@firm.example,"{n}.000,50"\n' for n in range(1, 31)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "leads.csv"
    path.write_text(TEXT)
    return path


def look(file: Path) -> dict[str, Profile]:
    with opened(file, how_to_read(file)) as (engine, reading):
        return {one.header: one for one in profiles(engine, reading)}


def test_counts_and_values(file: Path) -> None:
    found = look(file)
    assert (found["id"].is_unique, found["id"].whole, found["id"].filled) == (True, True, 30)
    assert (found["city"].filled, found["city"].distinct, found["city"].values) == (15, 1, (("Ulm", 15),))
    assert not found["city"].is_full
    assert found["mail"].addresses == 1.0
    assert found["id"].values[0] == ("1", 1)


def test_missing_words_and_the_decimal_comma_are_found(file: Path) -> None:
    source = how_to_read(file)
    assert (source.missing, source.decimal) == (["NA"], ",")
    assert str(look(file)["amount"].type) == "number"


def test_dots_stay_dots(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text('id,amount,note\n1,1.5,"1,5"\n2,2.5,b\n')
    assert how_to_read(path).decimal == "."


def test_order_along_the_file(file: Path) -> None:
    with opened(file, how_to_read(file)) as (engine, reading):
        columns = {column.header: column for column in reading.columns}
        assert along_file(engine, reading, columns["id"]) == pytest.approx(1.0)
        assert abs(along_file(engine, reading, columns["size"])) < 0.5


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", "csv"), ("a.CSV.GZ", "csv"), ("a.tsv", "csv"), ("a", "csv"), ("a.pq", "parquet"),
     ("a.ndjson.zst", "jsonl"), ("v1.2.xlsx", "excel")],
)  # fmt: skip
def test_formats_by_name(name: str, expected: str) -> None:
    assert format_of(Path(name)) == expected
