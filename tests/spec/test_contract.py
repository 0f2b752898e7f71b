"""The contract's file: its faults come with their lines, and beside those of the other files."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from leadlight.errors import SpecError
from leadlight.spec.contract import NOTHING
from leadlight.spec.load import load_workspace
from leadlight.spec.schema import json_schema

GOOD = """tickets:
  about: One row per ticket.
  columns:
    number: {type: text, required: true, unique: true, means: "the ticket's number", example: INC0001}
    impact: {type: text, allowed: ["1 - High", "2 - Medium"], without: "no points for impact"}
    passed: {type: number, min: 0, missing_at_most: 0.2}
"""


def faults(folder: Path, contract: str) -> list[str]:
    (folder / "leadlight.yaml").write_text("entity: ticket\n", encoding="utf-8")
    (folder / "contract.yaml").write_text(contract, encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        load_workspace(folder)
    return [str(fault) for fault in raised.value.faults]


def test_a_good_one(tmp_path: Path) -> None:
    (tmp_path / "leadlight.yaml").write_text("entity: ticket\n", encoding="utf-8")
    assert load_workspace(tmp_path).contract is NOTHING
    (tmp_path / "contract.yaml").write_text(GOOD, encoding="utf-8")
    columns = load_workspace(tmp_path).contract["tickets"].columns
    assert list(columns) == ["number", "impact", "passed"]
    assert (columns["number"].example, columns["impact"].allowed, columns["passed"].min) == (
        "INC0001", ["1 - High", "2 - Medium"], 0
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("required: true", "requird: true"), "contract.yaml:4:26: tickets.columns.number.requird: unknown key"),
        (("type: number", "type: integer"), "contract.yaml:6:20: tickets.columns.passed.type: must be 'number'"),
        (("type: number", "type: text"), "contract.yaml:6:13: tickets.columns.passed: min and max go with numbers"),
        (("min: 0", "min: 5, max: 2"), "contract.yaml:6:13: tickets.columns.passed: min is 5, above max, which is 2"),
        (("0.2", "20"), "contract.yaml:6:53: tickets.columns.passed.missing_at_most: must be at most 1; found 20"),
        (("columns:", "colums:"), "contract.yaml:3:3: tickets.colums: unknown key 'colums': did you mean 'columns'?"),
        (("    impact", "    the impact"), "contract.yaml:5:5: tickets.columns.'the impact': a name is letters"),
        (("means: ", "without: "), "contract.yaml:4:13: tickets.columns.number: `without` says what is lost"),
    ],
)  # fmt: skip
def test_faults_say_where(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    assert change[0] in GOOD
    found = faults(tmp_path, GOOD.replace(*change, 1))
    assert any(one.startswith(fault) for one in found), found


def test_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "scorecards" / "house.yaml").write_text("base: x\n", encoding="utf-8")
    found = faults(tmp_path, "tickets: {columns: {a: {type: word}}}\n")
    assert [one.partition(":")[0] for one in found] == [
        "contract.yaml",
        "scorecards/house.yaml",
        "scorecards/house.yaml",
    ]


def test_a_good_one_fits_its_schema() -> None:
    from ruamel.yaml import YAML

    schema = json_schema("contract")
    jsonschema.Draft202012Validator(schema).validate(YAML(typ="safe").load(GOOD))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({"tickets": {"columns": {"a": {"typ": "text"}}}})
