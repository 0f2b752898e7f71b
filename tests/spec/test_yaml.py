import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.spec.yaml import MAX_DEPTH, MAX_VALUES, read_yaml


def fault(text: str) -> str:
    parsed = read_yaml(text, "f.yaml")
    assert len(parsed.faults) == 1
    return str(parsed.faults[0])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("true", True), ("False", False), ("null", None), ("~", None),
        ("2025-01-01", "2025-01-01"), ("2025-01-01 10:00:00", "2025-01-01 10:00:00"), ("1:30", "1:30"), ("=", "="),
        ("12", 12), ("-3", -3), ("+3", 3), ("0x1F", 31), ("0o17", 15), ("012", 12), ("1_000", 1000), ("1.5", 1.5),
        ("1e3", 1000.0), ("-.inf", float("-inf")), ("9e2f", "9e2f"), ("9f2c…", "9f2c…"), ("'5'", "5"), ('"5"', "5"),
        ("! 5", "5"), ("path like '/x%'", "path like '/x%'"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2_and_dates_stay_text(written: str, value: object) -> None:
    parsed = read_yaml(f"a: {written}\n", "f.yaml")
    assert parsed.faults == []
    assert parsed.value == {"a": value}
    assert type(parsed.value["a"]) is type(value)


def test_version_directive_does_not_bring_old_booleans_back() -> None:
    assert read_yaml("%YAML 1.1\n---\na: no\n", "f.yaml").value == {"a": "no"}


def test_aliases_and_merges_give_values_and_keep_the_places_of_what_they_name() -> None:
    parsed = read_yaml("a: &x {n: 1, m: 2}\nb: {<<: *x, m: 3}\nc: *x\nd: {<<: [{n: 7}, *x]}\n", "f.yaml")
    assert parsed.value == {
        "a": {"n": 1, "m": 2}, "b": {"n": 1, "m": 3}, "c": {"n": 1, "m": 2}, "d": {"n": 7, "m": 2},
    }  # fmt: skip
    assert parsed.marks.at(("b", "n")) == parsed.marks.at(("a", "n")) == (1, 11)
    assert parsed.marks.at(("b", "m")) == (2, 16)


def test_quoted_merge_key_is_a_key() -> None:
    assert read_yaml('a: {"<<": 1}', "f.yaml").value == {"a": {"<<": 1}}


def test_first_of_a_repeated_key_is_kept() -> None:
    assert read_yaml("a: 1\na: 2\n", "f.yaml").value == {"a": 1}


def test_true_and_1_are_the_same_key() -> None:
    assert fault("a: {1: x, true: y}") == "f.yaml:1:11: a.true: the key 'true' is given twice (first on line 1)"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "a:\n "])
def test_deep_nesting_is_refused_before_it_is_read(opening: str) -> None:
    text = opening * 20_000 if "\n" not in opening else "".join(" " * depth + "a:\n" for depth in range(500))
    began = time.perf_counter()
    assert fault(text).endswith(
        (f"nested more than {MAX_DEPTH} deep", "a key must be one plain value, not a map or list")
    )
    assert time.perf_counter() - began < 10


def test_depth_that_aliases_build_up_is_refused() -> None:
    text = "".join(f"a{i}: &a{i} [{f'*a{i - 1}' if i else 1}]\n" for i in range(200))
    assert fault(text) == f"f.yaml:{MAX_DEPTH}:12: nested more than {MAX_DEPTH} deep"


def test_alias_bomb_is_refused() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert fault("\n".join(lines)).endswith(f"more than {MAX_VALUES:,} values, aliases followed")


def test_huge_scalar_is_read_as_it_is() -> None:
    assert read_yaml(f"a: {'x' * 500_000}", "f.yaml").value == {"a": "x" * 500_000}


@pytest.mark.parametrize("digits", ["1" * 5_000, "0x" + "f" * 5_000, "1." + "0" * 5_000])
def test_huge_number_is_refused(digits: str) -> None:
    assert fault(f"a: {digits}") == f"f.yaml:1:4: a number of {len(digits):,} digits"


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['touch x']",
        "a: !!python/name:os.system",
        "a: !!python/object:os.system {}",
        "!!map {a: 1}",
        "a: !<tag:yaml.org,2002:binary> aGk=",
        "? !x a\n: 1",
    ],
)
def test_no_tag_makes_anything(text: str) -> None:
    parsed = read_yaml(text, "f.yaml")
    assert [" is not allowed: values are plain text" in fault.message for fault in parsed.faults] == [True]


@pytest.mark.parametrize("code", [0x00, 0x07, 0x1B, 0x7F, 0xFFFE, 0x85 + 1])
def test_control_character_is_refused_at_its_place(code: int) -> None:
    message = f"f.yaml:2:4: the character U+{code:04X} may not stand in YAML: remove it"
    assert fault(f"a: 1\nb: {chr(code)}x") == message


@pytest.mark.parametrize(("escape", "code"), [("\\0", "0000"), ("\\e", "001B"), ("\\x07", "0007"), ("\\ud800", "D800")])
def test_control_character_that_an_escape_brings_in_is_refused(escape: str, code: str) -> None:
    assert fault(f'a: "x{escape}y"') == f"f.yaml:1:4: the text holds the character U+{code}: remove it"


def test_escape_beyond_unicode_is_no_yaml() -> None:
    assert fault('a: "\\U99999999"').startswith("f.yaml: this is not YAML: ")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_without_an_exception(text: str) -> None:
    parsed = read_yaml(text, "f.yaml")
    assert parsed.marks.root is not None or parsed.faults


@given(st.text(alphabet="a:-? \n'\"[]{},&*!|>%#\t\\<", max_size=60))
def test_any_mix_of_yamls_own_signs_is_read_or_refused_without_an_exception(text: str) -> None:
    parsed = read_yaml(text, "f.yaml")
    assert parsed.marks.root is not None or parsed.faults
