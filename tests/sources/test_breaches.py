"""Files that fit a contract by half: every fault at once, each with its place, its count and what to type next."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from leadlight.errors import DataError
from leadlight.sources.check import check_folder
from leadlight.workspace import Workspace

SPEC = "entity: ticket\nsources:\n  tickets: {csv: tickets.csv, id: number, created_at: opened_at}\n"
CONTRACT = """tickets:
  about: One row per ticket.
  columns:
    number:    {type: text, required: true, unique: true, means: "the ticket's number", example: INC0001}
    opened_at: {type: time, required: true, means: "when it was opened"}
    impact:    {type: text, required: true, allowed: ["1 - High", "2 - Medium", "3 - Low"], means: "whom it touches"}
    passed:    {type: number, min: 0, max: 50, missing_at_most: 0.2, means: "how often it was passed on"}
    vip:       {type: bool, without: "no points for important customers"}
"""
GOOD = [
    "number,opened_at,impact,passed,vip",
    "I1,2026-01-01 09:00,1 - High,3,yes",
    "I2,2026-01-02 09:00,3 - Low,0,no",
    "I3,2026-01-03 09:00,2 - Medium,1,no",
]

Run = Callable[..., list[str]]


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., Path]:
    """Write a workspace's files."""

    def make(rows: list[str], spec: str = SPEC, contract: str = CONTRACT) -> Path:
        (tmp_path / "leadlight.yaml").write_text(spec, encoding="utf-8")
        (tmp_path / "contract.yaml").write_text(contract, encoding="utf-8")
        (tmp_path / "tickets.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        return tmp_path

    return make


@pytest.fixture
def told(workspace: Callable[..., Path]) -> Run:
    """Check a workspace and ingest it; return the faults, which must be the same in both, then the warnings."""

    def run(rows: list[str], spec: str = SPEC, contract: str = CONTRACT) -> list[str]:
        folder = workspace(rows, spec, contract)
        checked, ingested = _error(lambda: check_folder(folder)), _error(lambda: Workspace(folder).ingest())
        if checked is None:
            assert ingested is None
            return [str(fault) for fault in check_folder(folder).warnings]
        assert ingested is not None
        assert ingested.faults == [fault for fault in checked.faults if fault.severity == "error"]
        assert "contract.yaml" in (ingested.fix or "")
        return [str(fault) for fault in checked.faults]

    return run


def _error(run: Callable[[], object]) -> DataError | None:
    try:
        run()
    except DataError as error:
        return error
    return None


def test_what_fits_has_no_fault(told: Run) -> None:
    assert told(GOOD) == []


def test_values_that_are_not_allowed(told: Run) -> None:
    assert told([*GOOD, "I4,2026-01-04,1 - high,0,no", "I5,2026-01-04,Low,0,no"]) == [
        "tickets.csv:5: impact: 2 of 5 values are none of those allowed: the first is '1 - high'; did you mean "
        "'1 - High'? Allowed: '1 - High', '2 - Medium', '3 - Low'. Write it so in the file, or allow it in "
        "contract.yaml and give it points"
    ]


def test_values_of_another_type(told: Run) -> None:
    rows = [*GOOD, "I4,soon,1 - High,many,perhaps"]
    assert told(rows) == [
        "tickets.csv:5: opened_at: 1 of 4 values are not times: the first is 'soon'; if that means no value, write "
        "`missing: ['soon']` for the source in leadlight.yaml, or put them right",
        "tickets.csv:5: passed: 1 of 4 values are not numbers: the first is 'many'; if that means no value, write "
        "`missing: ['many']` for the source in leadlight.yaml, or leave the column out: `drop: [passed]`",
        "tickets.csv:5: vip: 1 of 4 values are not true or false (nor yes, no, 1, 0): the first is 'perhaps'; if that "
        "means no value, write `missing: ['perhaps']` for the source in leadlight.yaml, or leave the column out: "
        "`drop: [vip]`",
    ]
    assert told(rows, SPEC.replace("id:", "missing: [soon, many, perhaps], id:")) == [
        "tickets.csv: passed: 25.0% of 4 rows have no value, 20% may; it is a number, how often it was passed on "
        "(warning)"
    ]


def test_decimal_commas_are_known_for_what_they_are(told: Run) -> None:
    rows = [GOOD[0], *(f'I{i},2026-01-01,1 - High,"{i},5",no' for i in range(3))]
    assert told(rows) == [
        "tickets.csv:2: passed: 3 of 3 values are not numbers: the first is '0,5'; if the comma is the decimal mark, "
        "write `decimal: ','` for the source in leadlight.yaml"
    ]
    assert told(rows, SPEC.replace("id:", "decimal: ',', id:")) == []


def test_bounds_of_what_is_not_required_are_warnings(told: Run) -> None:
    assert told([*GOOD, "I4,2026-01-04,1 - High,-2,no", "I5,2026-01-04,1 - High,99,no"]) == [
        "tickets.csv:5: passed: 1 of 5 values are below 0: the first is '-2'; put them right in the file, or min in "
        "contract.yaml (warning)",
        "tickets.csv:6: passed: 1 of 5 values are above 50: the first is '99'; put them right in the file, or max in "
        "contract.yaml (warning)",
    ]


def test_values_that_must_come_once(told: Run) -> None:
    assert told([*GOOD, "I2,2026-01-04,1 - High,2,no", "I2,2026-01-05,1 - High,2,no"]) == [
        "tickets.csv:3: number: 2 of 5 rows repeat a value that must come once: 'I2' comes 3 times, here first; keep "
        "one row of each, or choose with `where` which rows are meant"
    ]


def test_a_required_column_without_any_value(told: Run) -> None:
    rows = [GOOD[0], "I1,2026-01-01,,1,no", "I2,2026-01-01,,1,no"]
    assert told(rows) == ["tickets.csv: impact: no row has a value, and it is needed; it is text, whom it touches, "
                          "such as 1 - High"]  # fmt: skip


def test_rows_that_where_leaves_out_are_not_judged(told: Run) -> None:
    rows = ["number,opened_at,impact,passed,vip,kind", "I1,2026-01-01,1 - High,1,no,a", "I1,2026-01-01,Low,-1,no,b"]
    assert told(rows, SPEC.replace("id:", "where: \"kind = 'a'\", id:")) == []


def test_lines_are_those_of_the_file(told: Run) -> None:
    rows = [GOOD[0] + ",text", 'I1,2026-01-01,1 - High,1,no,"two\nlines"', "", "I2,2026-01-02,Low,1,no,one"]
    assert told(rows)[0].startswith(
        "tickets.csv:5: impact: 1 of 2 values are none of those allowed: the first is 'Low'"
    )


def test_missing_columns_and_broken_values_come_at_once(told: Run) -> None:
    rows = ["number,opened_at,Severity,passed", "I1,2026-01-01,1 - High,many", "I1,2026-01-02,3 - Low,1"]
    found = told(rows)
    assert [fault.split(": ")[1] for fault in found] == ["impact", "number", "passed"]
    assert "column 'Severity' has such values" in found[0]


def test_a_missing_column_is_found_by_its_values_or_its_name(workspace: Callable[..., Path]) -> None:
    rows = ["Number,Opened,Severity,passed", *(",".join(row.split(",")[:4]) for row in GOOD[1:])]
    with pytest.raises(DataError) as raised:
        check_folder(workspace(rows, SPEC.replace("created_at: opened_at", "known_at: opened_at")))
    assert [str(fault) for fault in raised.value.faults] == [
        "tickets.csv: opened_at: no column holds it, and it is needed: a time, when it was opened; the nearest header "
        "is 'Opened': if that is it, write `rename: {opened_at: \"Opened\"}` under sources.tickets in leadlight.yaml",
        "tickets.csv: impact: no column holds it, and it is needed: text, whom it touches, such as 1 - High; column "
        "'Severity' has such values: if that is it, write `rename: {impact: \"Severity\"}` under sources.tickets in "
        "leadlight.yaml",
    ]
    mapped = SPEC.replace("id:", "rename: {opened_at: Opened, impact: Severity}, id:")
    assert check_folder(workspace(rows, mapped)).warnings == ()
    assert Workspace(workspace(rows, mapped)).ingest().rows == 3


def test_other_formats_are_held_to_it_too(workspace: Callable[..., Path]) -> None:
    folder = workspace([*GOOD, "I4,2026-01-04,Low,3,no"])
    with duckdb.connect() as connection:
        connection.sql(f"COPY (FROM '{folder}/tickets.csv') TO '{folder}/tickets.parquet'")
    (folder / "tickets.csv.gz").write_bytes(gzip.compress((folder / "tickets.csv").read_bytes()))
    for key, file, line in (("parquet", "tickets.parquet", 4), ("csv", "tickets.csv.gz", 5)):
        (folder / "leadlight.yaml").write_text(SPEC.replace("csv: tickets.csv", f"{key}: {file}"), encoding="utf-8")
        with pytest.raises(DataError) as raised:
            check_folder(folder)
        (fault,) = raised.value.faults
        assert (fault.file, fault.line, fault.path) == (file, line, "impact")
