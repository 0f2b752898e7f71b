"""A corpus of broken workspaces: each gives exactly these faults, at these places, and never a traceback."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadlight.errors import SpecError
from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.spec.load import load_workspace
from leadlight.spec.resolve import resolve

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
