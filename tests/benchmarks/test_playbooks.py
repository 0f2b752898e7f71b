"""The benchmark of the playbooks: what does not hold is said, a failing case stops no other, pages are written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "playbooks"
CASE = """
from datetime import datetime
from case import Case, set_sources
def prepare(raw, folder):
    BODY
CASE = Case(name="NAME", playbook="b2b-sales", data="", scorecard="house", prepare=prepare, now=datetime(2026, 6, 30),
            capacity=0.1, rows="a lead", practice={"employees": "employees"})
"""
COPY = """
    import shutil
    from leadlight.templates.playbooks import playbook_folder
    for file in (playbook_folder("b2b-sales") / "data").iterdir():
        shutil.copyfile(file, folder / "data" / file.name)
"""


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The benchmark's modules, which import each other by their bare names."""
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("case", "pages", "run")
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    yield {name: __import__(name) for name in names}
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(before)


TITLES = {"first_come": "first come", "hand_written": "hand-written", "black_box": "black box"}


def result(**systems: float) -> dict[str, Any]:
    figures = {name: {"auc": [auc, auc - 0.02, auc + 0.02], "ap": [0.2, 0.1, 0.3], "gain": [0.3, 0.2, 0.4]}
               for name, auc in systems.items()}  # fmt: skip
    return {
        "name": "shop: sales", "data": "", "capacity": 0.1, "n": 1000, "wins": 50, "called": "won", "timed": True,
        "since": 20454.0, "until": 20464.5, "first_come": "newest first", "row": "a lead", "practice": [],
        "literature": "", "notes": "Made up.", "learned_against": {"black box": "worse"},
        "systems": {TITLES.get(name, name): row for name, row in figures.items()},
    }  # fmt: skip


def test_what_does_not_hold_is_said(modules: dict[str, ModuleType]) -> None:
    shortfalls = modules["run"].shortfalls
    found = result(first_come=0.6, hand_written=0.55, learned=0.7, black_box=0.8)
    assert shortfalls(found) == [
        "the hand-written card (AUC 0.550) does not beat newest first (0.600)",
        "the learned card (AUC 0.700) is worse than the black box (0.800)",
    ]
    found = result(first_come=0.6, hand_written=0.63, learned=0.8, black_box=0.79)
    found["learned_against"] = {"black box": "no difference"}
    assert shortfalls(found) == ["the hand-written card beats newest first within noise only"]
    undated = {**result(hand_written=0.49, learned=0.8), "learned_against": {}}
    assert (
        shortfalls(undated)[0] == "the hand-written card (AUC 0.490) does not beat a coin (there are no dates) (0.500)"
    )
    assert shortfalls(undated)[-1] == "too few rows for a black box"
    assert shortfalls({**found, "wins": 12})[-1] == "12 won are too few to tell one system from another"


def test_pages_are_written_between_their_marks(
    modules: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modules["pages"], "DOCS", tmp_path)
    page = tmp_path / "shop.md"
    page.write_text("Before\n<!-- figures shop other -->\nold\n<!-- end -->\nAfter\n<!-- list -->\n<!-- end -->\n")
    shop = {**result(first_come=0.6, hand_written=0.63, learned=0.8, rfm=0.7), "does_not_hold": ["this"]}
    modules["pages"].write_pages({"shop": shop})
    text = page.read_text()
    assert "\nold\n" not in text
    assert text.startswith("Before\n<!-- figures shop other -->\n")
    row = next(line for line in text.splitlines() if line.startswith("| **shop"))
    assert "1,000 rows, 50 won; 2026-01-01 to 2026-01-11" in row
    assert "| 0.600 / 0.200 / 30%<br>(newest first) | 0.630 / 0.200 / 30% | rfm: 0.700 / 0.200 / 30% |" in row
    assert row.endswith("| – |")
    assert "* **shop: sales**: A row is a lead. Does not hold: this. Made up." in text
    assert "| `b2b-sales` | leads and companies" in text
    modules["pages"].write_pages({"shop": shop})
    assert page.read_text() == text


def test_one_failing_case_stops_no_other(
    modules: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = modules["run"]
    for name, body in (("broken", "raise OSError('no file')"), ("works", COPY)):
        (tmp_path / f"{name}.py").write_text(CASE.replace("BODY", body.strip()).replace("NAME", name))
    monkeypatch.setattr(run, "CASES", tmp_path)
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(modules["pages"], "DOCS", tmp_path)
    assert run.run(["broken", "works"]) == 1
    printed = capsys.readouterr()
    assert "broken: FAILED" in printed.err
    assert "no file" in printed.err
    assert printed.out.startswith("works: n ")
    found = json.loads((tmp_path / "results.json").read_text())["works"]
    assert {"first come", "hand-written", "learned", "employees"} <= found["systems"].keys()
    assert found["timed"]
    for figures in found["systems"].values():
        assert all(low <= value <= high for value, low, high in figures.values())


def test_every_case_names_what_there_is(modules: dict[str, ModuleType]) -> None:
    from leadlight.templates.playbooks import playbook_folder

    cases = modules["case"].cases()
    assert len({case.name for case in cases.values()}) == len(cases)
    for case in cases.values():
        cards = {path.name for path in (playbook_folder(case.playbook) / "scorecards").iterdir()}
        assert f"{case.scorecard}.yaml" in cards, case.name
        assert 0 < case.capacity <= 1
