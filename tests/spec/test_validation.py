import pytest

from leadlight.spec.models import ScorecardSpec, WorkspaceSpec
from leadlight.spec.validation import found, validate
from leadlight.spec.yaml import read_yaml


def faults(model: type[WorkspaceSpec] | type[ScorecardSpec], text: str) -> list[str]:
    spec, faults = validate(model, read_yaml(text, "f"))
    assert (spec is None) == bool(faults)
    return [str(fault) for fault in faults]


def test_sound_file_has_no_faults() -> None:
    assert faults(WorkspaceSpec, "features: {a: {count: x}}") == []


def test_key_called_like_a_kind_is_no_kind() -> None:
    text = "features:\n  count: {count: x, where: 5}\n  account: {account: {count: x, where: 6}}\n"
    assert faults(WorkspaceSpec, text) == [
        "f:2:28: features.count.where: must be text; found 5, which needs quotes to be text",
        "f:3:40: features.account.account.where: must be text; found 6, which needs quotes to be text",
    ]


@pytest.mark.parametrize("key", ["[key]", "str", "list[any]", "dict[str]"])
def test_category_called_like_a_piece_of_pydantics_is_told_by_its_own_name(key: str) -> None:
    text = f"groups: {{fit: {{criteria: [{{name: a, feature: f, points: {{'{key}': x}}}}]}}}}"
    path = "groups.fit.criteria[0].points"
    expected = f"{path}.str" if key == "str" else f"{path}.'{key}'"
    assert faults(ScorecardSpec, text) == [f"f:1:{text.index('x}') + 1}: {expected}: must be a number; found 'x'"]


def test_unknown_key_of_a_list_item_is_told_at_the_key() -> None:
    text = "groups:\n  fit: {}\ngates:\n  - name: a\n    when: b\n    grade: A\n    becuse: c\n"
    assert faults(ScorecardSpec, text) == [
        "f:7:5: gates[0].becuse: unknown key 'becuse': known: grade, letter, name, when",
    ]


def test_huge_values_are_shown_short() -> None:
    text = f"entity: {'x' * 100_000}\n{'y' * 900}: 1\nfeatures: {{a: {{{'z' * 900}: 1}}}}\nexclude: [{'w, ' * 1000}]"
    messages = faults(WorkspaceSpec, text)
    assert len(messages) == 4
    assert all(len(message) < 500 for message in messages)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "nothing"),
        (False, "false"),
        (5, "5"),
        (float("-inf"), "-.inf"),
        (float("nan"), ".nan"),
        ("it's", '"it\'s"'),
        ([], "[]"),
        ([None, True, "x"], "[null, true, 'x']"),
        ([[1]], "a list"),
        (list(range(7)), "a list"),
        ({}, "a map"),
    ],
)
def test_values_are_shown_as_yaml_has_them(value: object, shown: str) -> None:
    assert found(value) == shown
