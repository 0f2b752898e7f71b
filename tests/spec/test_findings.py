import pytest

from leadlight.expr.types import Type
from leadlight.spec.findings import Findings, Scope, names_in
from leadlight.spec.yaml import read_yaml

TYPES = {"employees": Type.NUMBER, "country": Type.TEXT}


def findings(text: str) -> Findings:
    return Findings(read_yaml(text, "f").marks)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Employees > 50 and \"Odd Name\" = 'x'", {"employees", "odd name"}),
        ("lower(country) = 'lower'", {"country"}),
        ("case when a then b else c end", {"a", "b", "c"}),
        ("a >", {"a"}),
        ("'unclosed", set()),
        ("", set()),
    ],
)
def test_names_in_a_text_that_may_be_broken(text: str, names: set[str]) -> None:
    assert names_in(text) == names


def test_sound_condition_is_parsed() -> None:
    found = findings("exclude: employees > 5")
    condition = found.condition("employees > 5", ("exclude",), Scope(TYPES))
    assert condition is not None
    assert condition.names == {"employees"}
    assert found.faults == []


def test_all_problems_of_a_condition_are_noted_each_at_its_place() -> None:
    text = "employes > 5 and contry = 'se'"
    found = findings(f'exclude: "{text}"')
    assert found.condition(text, ("exclude",), Scope(TYPES)) is None
    assert [(fault.line, fault.column) for fault in found.faults] == [(1, 11), (1, 28)]


def test_what_uses_a_broken_feature_is_not_looked_at() -> None:
    found = findings("exclude: x")
    scope = Scope(TYPES, broken=frozenset({"big"}))
    assert found.condition("big and nothing > 5", ("exclude",), scope) is None
    assert found.name("big", ("exclude",), scope, "feature") is None
    assert found.faults == []


def test_name_that_means_two_things_is_told_with_what_to_do() -> None:
    found = findings("exclude: country = 'se'")
    found.condition("country = 'se'", ("exclude",), Scope(TYPES, twice=frozenset({"country"})))
    assert [str(fault) for fault in found.faults] == [
        "f:1:10: exclude: 'country' is an attribute of leads and of accounts: leave one out with `drop: [country]` in "
        "its source, or rename it under `columns`"
    ]


@pytest.mark.parametrize(
    ("kind", "known", "count"),
    [("*", frozenset(), 0), ("x", None, 0), ("x", frozenset({"x"}), 0), ("x", frozenset({"y"}), 1)],
)
def test_event_that_never_came_is_only_warned_of(kind: str, known: frozenset[str] | None, count: int) -> None:
    found = findings("event: x")
    found.event(kind, ("event",), known)
    assert [fault.severity for fault in found.faults] == ["warning"] * count
