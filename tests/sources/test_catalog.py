from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.expr.types import Type
from leadlight.sources.catalog import describe_sources
from leadlight.spec.catalog import Catalog
from leadlight.spec.models import WorkspaceSpec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "leads.csv").write_text("id,size,when\n1,5,2026-01-01\n")
    (tmp_path / "more.csv").write_text("id,size\n2,big\n")
    (tmp_path / "deals.csv").write_text("id,stage,at\n1,won,2026-02-01\n")
    (tmp_path / "paid.csv").write_text("id,at,won\n1,2026-02-01,yes\n")
    (tmp_path / "views.csv").write_text("id,at,path\n1,2026-02-01,/\n")
    return tmp_path


def described(folder: Path, **sources: dict[str, str]) -> tuple[Catalog, list[str], int]:
    catalog, notes, faults = describe_sources(WorkspaceSpec.model_validate({"sources": sources}), folder)
    return catalog, notes, len(faults)


DEALS = {"csv": "deals.csv", "lead": "id", "at": "at", "outcome": "stage"}
PAID = {"csv": "paid.csv", "lead": "id", "at": "at", "outcome_is": "paid"}
VIEWS = {"csv": "views.csv", "lead": "id", "at": "at", "event": "view"}


def test_names_and_types_as_the_headers_promise(folder: Path) -> None:
    catalog, notes, faults = described(folder, leads={"csv": "leads.csv", "id": "id"}, views=VIEWS, deals=DEALS)
    assert (notes, faults) == ([], 0)
    assert catalog == Catalog(
        attributes={"size": Type.NUMBER, "when": Type.TIME},
        properties={"path": Type.TEXT},
        events=frozenset({"view"}),
        outcome=("stage", Type.TEXT),
    )


def test_sources_that_disagree_meet_as_text(folder: Path) -> None:
    both = {"a": {"csv": "leads.csv", "id": "id"}, "b": {"csv": "more.csv", "id": "id"}}
    assert described(folder, **both)[0].attributes["size"] is Type.TEXT


def test_an_outcome_that_no_column_names_is_called_outcome(folder: Path) -> None:
    assert described(folder, paid=PAID)[0].outcome == ("outcome", Type.TEXT)
    assert described(folder, paid=PAID, deals=DEALS)[0].outcome == ("stage", Type.TEXT)


def test_what_a_source_may_give_that_cannot_be_opened_is_not_known(folder: Path) -> None:
    gone = {"leads": {"csv": "gone.csv", "id": "id", "outcome": "won"}, "views": {**VIEWS, "csv": "gone.csv"}}
    catalog, _, faults = described(folder, **gone)
    assert (catalog.hidden, faults) == ({"attributes", "outcome", "properties"}, 2)


@pytest.mark.parametrize(
    ("name", "source", "note"),
    [
        (
            "paid",
            {**PAID, "outcome_is": "won"},
            "outcome_is: won holds for every row, though there is a column 'won'; to read what that column says, "
            "write outcome: won",
        ),
        (
            "views",
            {**VIEWS, "event": "Path"},
            "event: Path holds for every row, though there is a column 'path'; to read what that column says, "
            "write type: path",
        ),
    ],
)
def test_a_value_for_every_row_that_is_also_a_column_is_pointed_out(
    folder: Path, name: str, source: dict[str, str], note: str
) -> None:
    assert described(folder, **{name: source})[1:] == ([f"{name}: {note}"], 0)
