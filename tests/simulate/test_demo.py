"""The demo workspace fits the data it is shown with."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from ruamel.yaml import YAML

from leadlight.spec.models import (
    BandCriterion,
    CategoryCriterion,
    EventCriterion,
    ScorecardSpec,
    SourceKind,
    WorkspaceSpec,
)

DEMO = files("leadlight") / "templates" / "demo"


def read(*parts: str) -> Any:
    return YAML(typ="safe").load(DEMO.joinpath(*parts).read_text(encoding="utf-8"))


WORKSPACE = WorkspaceSpec.model_validate(read("leadlight.yaml"))
HOUSE = ScorecardSpec.model_validate(read("scorecards", "house.yaml"))
ACCOUNTS = ScorecardSpec.model_validate(read("scorecards", "accounts.yaml"))
CRITERIA = [criterion for card in (HOUSE, ACCOUNTS) for group in card.groups.values() for criterion in group.criteria]


def test_its_files_are_what_a_small_simulation_writes(small) -> None:
    named = {source.location for source in WORKSPACE.sources.values()}
    assert named == {f"data/{path.name}" for path in small.report.files if path.stem != "truth"}
    assert {source.role for source in WORKSPACE.sources.values()} == set(SourceKind)


def test_its_sources_name_columns_that_exist(small) -> None:
    for source in WORKSPACE.sources.values():
        columns = set(small.db.sql(f"FROM '{small.folder / source.location.removeprefix('data/')}'").columns)
        roles = ("id", "lead", "account", "created_at", "at", "type", "outcome", "value")
        assert {getattr(source, role) for role in roles} - {None} <= columns


def test_its_criteria_look_at_names_and_values_that_exist(small) -> None:
    attributes = set(small.db.table("leads").columns) | set(small.db.table("accounts").columns)
    for criterion in CRITERIA:
        if isinstance(criterion, CategoryCriterion | BandCriterion):
            assert criterion.feature in attributes | set(WORKSPACE.features) | {"leads"}
        if isinstance(criterion, CategoryCriterion):
            table = "accounts" if criterion.feature in small.db.table("accounts").columns else "leads"
            known = {row[0] for row in small.db.execute(f"SELECT DISTINCT {criterion.feature} FROM {table}").fetchall()}
            assert set(criterion.points) <= known, criterion.name
        if isinstance(criterion, EventCriterion):
            where = criterion.where or "true"
            assert small.value(f"SELECT count(*) FROM events WHERE event = '{criterion.event}' AND {where}") > 0


def test_no_criterion_looks_at_what_leaks() -> None:
    written = str(HOUSE.model_dump()) + str(ACCOUNTS.model_dump())
    assert "lead_quality" not in written
    assert "last_activity_result" not in written


def test_grades_go_from_a1_to_d3() -> None:
    assert HOUSE.grades is not None
    assert HOUSE.grades.labels == [letter + digit for letter in "ABCD" for digit in "123"]
    assert ACCOUNTS.of == "account"
    assert ACCOUNTS.grades is not None
    assert ACCOUNTS.grades.labels == ["A", "B", "C"]


@pytest.mark.parametrize("group", ["fit", "engagement"])
def test_every_level_can_be_reached_within_the_cap(group: str) -> None:
    assert HOUSE.grades is not None
    low, high = HOUSE.groups[group].cap
    bounds = [bound for _, bound in HOUSE.grades.axes[group] if bound is not None]
    assert low is not None
    assert high is not None
    assert low < min(bounds) <= max(bounds) < high
