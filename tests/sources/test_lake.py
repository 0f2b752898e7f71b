"""Names of files and objects, and which fields of an object a source uses."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.sources.lake import escaped, is_covered, lake_file, lake_files, wanted_fields
from leadlight.spec.models import SourceSpec

NAMES = ["amount", "contact", "Deal Stage", "owner", "closed"]


def deals(**more: object) -> SourceSpec:
    return SourceSpec.model_validate(
        {"connection": "crm", "object": "deals", "lead": "contact", "outcome": "Deal Stage", "columns": [], **more}
    )


@given(st.text(min_size=1, max_size=30))
def test_a_name_may_be_a_files_and_is_found_again(name: str) -> None:
    made = escaped(name.encode(errors="replace").decode())
    assert re.fullmatch(r"[A-Za-z0-9_=-]+", made)
    back = re.sub(rb"=([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), made.encode())
    assert back.decode() == name.encode(errors="replace").decode()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"contact", "Deal Stage"}),
        ({"columns": ["owner"]}, {"contact", "Deal Stage", "owner"}),
        ({"columns": {"boss": "owner"}, "value": "amount"}, {"contact", "Deal Stage", "owner", "amount"}),
        ({"where": "closed is not null and deal_stage <> 'x'"}, {"contact", "Deal Stage", "closed"}),
        ({"columns": None, "drop": ["owner"]}, {"contact", "Deal Stage", "amount", "closed"}),
        ({"lead": "_id"}, {"Deal Stage"}),
    ],
)
def test_fields_are_those_that_a_source_names(more: dict[str, object], expected: set[str]) -> None:
    assert wanted_fields(deals(**more), NAMES) == (expected, ())


def test_names_that_are_no_fields_are_told_once() -> None:
    source = deals(lead="person", columns=["person", "size"])
    assert wanted_fields(source, NAMES)[1] == ("person", "size")


def test_a_file_stands_for_the_numbers_it_holds(tmp_path: Path) -> None:
    for name in ("00000000-ab.parquet", "00000001-ab.parquet", "00000000-00000001-ab.parquet", "00000002-ab.parquet",
                 "other.parquet", "00000003-ab.new"):  # fmt: skip
        (tmp_path / name).touch()
    assert [one.path.name for one in lake_files(tmp_path)] == ["00000000-00000001-ab.parquet", "00000002-ab.parquet"]
    assert lake_file(Path("x.parquet")) is None


@pytest.mark.parametrize(
    ("known", "covered"),
    [
        ([], False),
        (["00000000-ab.parquet"], False),
        (["00000000-ab.parquet", "00000002-ab.parquet"], False),
        (["00000000-00000001-ab.parquet", "00000002-ab.parquet"], True),
        (["00000000-00000005-ab.parquet"], True),
        (["00000000-00000005-cd.parquet"], False),
        (["leads.csv", "00000000-00000002-ab.parquet"], True),
    ],
)
def test_what_was_read_under_other_names_is_not_read_again(known: list[str], covered: bool) -> None:
    assert is_covered("raw/00000000-00000002-ab.parquet", known) is covered


def test_of_two_that_stand_for_the_same_the_newer_counts(tmp_path: Path) -> None:
    for age, name in enumerate(("00000000-00000003-aa.parquet", "00000000-00000003-bb.parquet")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ns=(age, age))
    assert [one.token for one in lake_files(tmp_path)] == ["bb"]
