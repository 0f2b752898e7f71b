"""A corpus of broken workspaces: each gives exactly these faults, at these places, and never a traceback."""

from __future__ import annotations

import copy
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import SpecError
from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.spec.load import load_workspace
from leadlight.spec.resolve import resolve
from leadlight.spec.yaml import read_yaml

CORPUS = Path(__file__).with_name("faults.txt")
CATALOG = Catalog(
    attributes={
        "industry": Type.TEXT,
        "employees": Type.NUMBER,
        "score_a": Type.NUMBER,
        "is_member": Type.BOOL,
        "last_seen": Type.TIME,
        "country": Type.TEXT,
    },
    account_attributes={"country": Type.TEXT, "revenue": Type.NUMBER},
    properties={"path": Type.TEXT, "amount": Type.NUMBER},
    events=frozenset({"page_view", "order"}),
)


@dataclass(frozen=True)
class Case:
    name: str
    files: dict[str, str]
    faults: list[str]


def read_corpus(text: str) -> list[Case]:
    """Cut the corpus into cases: `### name`, then `--- file` with its text, then `>>>` with the faults."""
    cases = []
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        written, _, faults = body.partition(">>>\n")
        pieces = re.split(r"^--- (\S+)\n", written, flags=re.MULTILINE)[1:]
        files = dict(zip(pieces[::2], pieces[1::2], strict=True))
        cases.append(Case(name, files, faults.splitlines()))
    return cases


def faults_of(files: dict[str, str], folder: Path) -> list[str]:
    """Write the files, read them as a workspace, and return what is wrong with them."""
    for name, text in {"leadlight.yaml": "entity: lead\n", **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    try:
        loaded = load_workspace(folder)
    except SpecError as error:
        return [str(fault) for fault in error.faults]
    workspace, faults = resolve(loaded, CATALOG)
    assert (workspace is None) == any(fault.severity == "error" for fault in faults)
    return [str(fault) for fault in faults]


CASES = read_corpus(CORPUS.read_text(encoding="utf-8")) if CORPUS.exists() else []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_broken_workspace_gives_exactly_its_faults(case: Case, tmp_path: Path) -> None:
    assert faults_of(case.files, tmp_path) == case.faults


def test_corpus_is_large_and_every_case_has_a_fault() -> None:
    assert len(CASES) >= 130
    assert all(case.faults for case in CASES)


WORKSPACE = """\
store: duckdb:leadlight.duckdb
sources:
  leads: {csv: leads.csv, id: id, account: company, outcome: stage, columns: {industry: Industry}}
  events: {parquet: events/*.parquet, lead: id, type: event, at: ts, types: {amount: number}, timezone: Europe/Berlin}
outcome: {win: "outcome = 'won'", lose: "value < 0", horizon: 90d}
features:
  big: {expr: employees > 50}
  paid: {sum: order, property: amount, where: "path like '/x%'", within: 30d}
  theirs: {account: {max: big_paid}}
  big_paid: {expr: case when big then paid else 0 end}
exclude: industry = 'x'
"""
HOUSE = """\
base: 3
groups:
  fit:
    cap: [-100, 60]
    criteria:
      - {name: Industry, feature: industry, points: {software: 20, retail: 15}, missing: 1, other: 2}
      - {name: Size, feature: employees, bands: [[0, 10, -5], [10, null, 8]], missing: 7}
      - {name: Pair, features: [industry, employees], bands: {employees: [50]}, table: {a: [1, 2], other: [3, 4]}}
      - {name: Looks, event: page_view, points: 5, half_life: 14d, max: 20, within: 30d, first: 9}
      - {name: Works, when: employees > 50 and theirs > 3, points: 5}
gates: [{name: Competitor, when: "industry = 'x'", grade: D}]
grades: {fit: {A: 40, D: null}, hysteresis: {margin: 3, dwell: 24h}}
scale: {double_odds: 25}
calibration: {score: [-60, 70], probability: [0.25, 0.75]}
"""
HOSTILE: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, float("nan"),
    float("inf"), "", " ", "no", "=1+1", "x" * 3000, "\x00", "\ud800", "é",
    "${HOME}", "'", '"', "(((((", "not " * 500, "select 1", "employees", "industry > 3", "1d", [], {}, [[]], [None],
    {"": None}, {"a": {"b": 1}}, [1, 2, 3, 4], {"1": 2}, {"count": "x"}, {"feature": 1},
]  # fmt: skip


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to all that is inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [spot for key, inner in items for spot in [(*path, key), *spots(inner, (*path, key))]]


def replaced(text: str, spot: tuple[Any, ...], value: Any, *, key: bool) -> str:
    """Write the file as JSON, which is YAML, with one value or key replaced."""
    content = copy.deepcopy(read_yaml(text, "f").value)
    holder = content
    for part in spot[:-1]:
        holder = holder[part]
    if key and isinstance(holder, dict):
        holder[str(value)] = holder.pop(spot[-1])
    else:
        holder[spot[-1]] = value
    return json.dumps(content).replace("NaN", ".nan").replace("Infinity", ".inf")


def check(files: dict[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return faults_of(files, Path(folder))


def test_files_that_are_spoiled_next_are_sound() -> None:
    assert check({"leadlight.yaml": WORKSPACE, "scorecards/house.yaml": HOUSE}) == []


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(spots(read_yaml(WORKSPACE, "f").value)), st.sampled_from(HOSTILE), st.booleans())
def test_any_spoiled_workspace_gives_faults_and_no_traceback(spot: tuple[Any, ...], value: Any, key: bool) -> None:
    files = {"leadlight.yaml": replaced(WORKSPACE, spot, value, key=key), "scorecards/house.yaml": HOUSE}
    assert all(len(fault) < 2000 for fault in check(files))


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(spots(read_yaml(HOUSE, "f").value)), st.sampled_from(HOSTILE), st.booleans())
def test_any_spoiled_scorecard_gives_faults_and_no_traceback(spot: tuple[Any, ...], value: Any, key: bool) -> None:
    files = {"leadlight.yaml": WORKSPACE, "scorecards/house.yaml": replaced(HOUSE, spot, value, key=key)}
    assert all(len(fault) < 2000 for fault in check(files))


@settings(max_examples=120, deadline=None)
@given(st.integers(0, len(HOUSE)), st.integers(0, 5), st.text(alphabet="{}[]:,'\"-&*!|>%@# \n\tax0", max_size=3))
def test_any_slip_of_the_keyboard_gives_faults_and_no_traceback(at: int, gone: int, typed: str) -> None:
    files = {"leadlight.yaml": WORKSPACE, "scorecards/house.yaml": HOUSE[:at] + typed + HOUSE[at + gone :]}
    assert all(len(fault) < 2000 for fault in check(files))
