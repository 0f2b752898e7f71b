"""Columns that the contract names and no file has: known, always missing, and said to be so."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.errors import SpecError
from leadlight.expr.types import Type
from leadlight.sources.check import check_folder
from leadlight.sources.contract import constant, headers_by_column, missing_faults, nearest_header
from leadlight.spec.contract import SourceContract
from leadlight.spec.models import SourceSpec
from leadlight.store.names import catalog
from leadlight.workspace import Workspace

SPEC = """entity: ticket
sources:
  tickets: {csv: tickets.csv, id: number, created_at: opened_at}
features:
  pressing: {expr: "impact = '1 - High' and passed > 2"}
  calls:    {count: call, where: "channel = 'phone'", within: 30d}
exclude: "vip"
"""
CONTRACT = """tickets:
  columns:
    number:    {type: text, required: true, unique: true}
    opened_at: {type: time, required: true}
    impact:    {type: text, required: true}
    passed:    {type: number, without: "no points for tickets that are passed on"}
    due:       {type: time}
    vip:       {type: bool}
customers:
  kind: accounts
  columns:
    sites: {type: number}
calls:
  kind: events
  columns:
    channel: {type: text, without: "nothing is known of calls"}
"""
CARD = """groups:
  urgency:
    criteria:
      - {name: Impact, feature: impact, points: {"1 - High": 20}, other: 1}
      - {name: Passed on, feature: passed, bands: [[0, 2, 0], [2, null, 5]], missing: 2}
      - {name: Pressing, when: pressing, points: 3}
      - {name: Due, when: "due is null", points: 4}
      - {name: Sites, when: "sites > 3", points: 9}
      - {name: Called, feature: calls, bands: [[1, null, 7]], other: 0}
      - {name: Call, event: call, where: "channel = 'phone'", points: 7}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "leadlight.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "scorecards" / "house.yaml").write_text(CARD, encoding="utf-8")
    (tmp_path / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    rows = "Ticket ID,Opened at,Impact\nI1,2026-01-01,1 - High\nI2,2026-01-02,3 - Low\n"
    (tmp_path / "tickets.csv").write_text(rows, encoding="utf-8")
    spec = SPEC.replace("id: number", "id: Ticket ID")
    (tmp_path / "leadlight.yaml").write_text(spec, encoding="utf-8")
    return tmp_path


def test_absent_columns_are_known_and_always_missing(folder: Path) -> None:
    report = check_folder(folder)
    found = {column.column: column.header for column in report.contract}
    assert found == {"number": "Ticket ID", "opened_at": "Opened at", "impact": "Impact", "passed": None, "due": None,
                     "vip": None, "sites": None, "channel": None}  # fmt: skip
    assert "tickets.passed: absent: no points for tickets that are passed on" in str(report).splitlines()
    assert [column["missing"] for column in report.as_dict()["contract"][:4]] == [0, 0, 0, None]
    workspace = Workspace(folder)
    workspace.ingest()
    with workspace.store() as engine:
        known = catalog(engine)
    absent = {"passed": Type.NUMBER, "due": Type.TIME, "vip": Type.BOOL}
    assert {**known.attributes, "number": None} == {"impact": Type.TEXT, **absent, "number": None}
    assert (known.account_attributes, known.properties) == ({"sites": Type.NUMBER}, {"channel": Type.TEXT})
    assert [(row.ledger.id, row.ledger.score) for row in workspace.rank(as_of="2026-02-01").rows] == [
        ("I1", 26),
        ("I2", 7),
    ]


def test_a_column_that_comes_later_is_read(folder: Path) -> None:
    Workspace(folder).ingest()
    rows = "Ticket ID,Opened at,Impact,passed\nI1,2026-01-01,1 - High,4\nI2,2026-01-02,3 - Low,0\n"
    (folder / "tickets.csv").write_text(rows, encoding="utf-8")
    workspace = Workspace(folder)
    workspace.ingest()
    scores = {row.ledger.id: row.ledger.score for row in workspace.rank().rows}
    assert scores == {"I1": 20 + 5 + 3 + 4, "I2": 1 + 0 + 4}


def test_names_that_nobody_promised_stay_faults(folder: Path) -> None:
    (folder / "contract.yaml").unlink()
    with pytest.raises(SpecError, match="there is no name 'passed'"):
        check_folder(folder)


@pytest.mark.parametrize(
    ("source", "headers", "found"),
    [
        ({"id": "number", "created_at": "opened_at"}, ["Number", "Opened At"], ("Number", "Opened At")),
        ({"id": "ID", "created_at": "Opened"}, ["ID", "Opened"], ("ID", "Opened")),
        ({"id": "number", "rename": {"number": "No."}}, ["No.", "Date"], ("No.", None)),
        ({"id": "No.", "columns": {"number": "No.", "opened_at": "Date"}}, ["No.", "Date"], ("No.", "Date")),
        ({"id": "number", "created_at": "a", "known_at": "b"}, ["number", "a", "b"], ("number", None)),
        ({"id": "number", "drop": ["opened_at"]}, ["number", "opened_at"], ("number", None)),
    ],
)
def test_which_header_is_which_column(source: dict[str, object], headers: list[str], found: tuple[str, str]) -> None:
    columns = {"number": {"type": "text", "unique": True}, "opened_at": {"type": "time"}}
    contract = SourceContract.model_validate({"columns": columns})
    spec = SourceSpec.model_validate({"csv": "x.csv", **source})
    assert tuple(headers_by_column(spec, contract, headers).values()) == found


def test_the_lead_the_moment_and_the_worth_are_what_the_source_says_they_are() -> None:
    columns = {
        "lead_id": {"type": "text", "required": True},
        "closed": {"type": "time"},
        "stage": {"type": "text", "required": True, "allowed": ["won", "lost"]},
        "amount": {"type": "number"},
    }
    contract = SourceContract.model_validate({"columns": columns})
    spec = SourceSpec.model_validate({"csv": "x", "lead": "mql", "at": "day", "value": "revenue", "outcome_is": "won"})
    headers = ["mql", "seller", "day", "revenue"]
    assert headers_by_column(spec, contract, headers) == {
        "lead_id": "mql", "closed": "day", "stage": None, "amount": "revenue"
    }  # fmt: skip
    assert constant(spec, "stage", contract.columns["stage"]) == "won"
    assert missing_faults("deals", spec, contract, headers, "x.csv") == []


def test_a_contract_may_say_which_role_a_column_has() -> None:
    columns = {"who": {"type": "text", "required": True, "role": "lead"}, "what": {"type": "text", "role": "type"}}
    contract = SourceContract.model_validate({"columns": columns})
    spec = SourceSpec.model_validate({"csv": "x", "lead": "a", "at": "b", "event": "seen"})
    assert headers_by_column(spec, contract, ["a", "b"]) == {"who": "a", "what": None}
    assert constant(spec, "what", contract.columns["what"]) == "seen"


def test_nearest() -> None:
    assert nearest_header("reassignment_count", ["Reassigned", "Reassignment Cnt"]) == "Reassignment Cnt"
    assert nearest_header("impact", ["Severity", "State"]) is None
