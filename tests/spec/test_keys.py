import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.spec.keys import MAX_KEY, criterion_keys


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Seniority", "fit__seniority"),
        ("Works with us already", "fit__works_with_us_already"),
        ("Industry × size", "fit__industry_size"),
        ("Café (à Paris)", "fit__cafe_a_paris"),
        ("会社", "fit__criterion"),
        ("__x__", "fit__x"),
        ("Cap", "fit__cap_2"),
        ("Total", "fit__total_2"),
        ("a" * 100, "fit__" + "a" * 45),
    ],
)
def test_key_is_the_group_and_the_name_in_plain_letters(name: str, key: str) -> None:
    assert criterion_keys({"fit": [name]}) == [key]


def test_names_that_look_alike_are_numbered() -> None:
    assert criterion_keys({"fit": ["a b", "A-B", "a_b", "a b 2"], "x": ["a b"]}) == [
        "fit__a_b", "fit__a_b_2", "fit__a_b_3", "fit__a_b_2_2", "x__a_b",
    ]  # fmt: skip


groups = st.dictionaries(
    st.from_regex(r"[A-Za-z](_?[a-z0-9]){0,19}", fullmatch=True),
    st.lists(st.text(alphabet="aAbB _-é会", min_size=1, max_size=80), max_size=8),
    max_size=4,
)


@given(groups)
def test_keys_are_short_ascii_and_unique_whatever_the_case(named: dict[str, list[str]]) -> None:
    keys = criterion_keys(named)
    taken = [key.lower() for key in keys] + [
        f"{group}__{own}".lower() for group in {g.lower() for g in named} for own in ("cap", "total")
    ]
    assert len(set(taken)) == len(taken)
    assert all(len(key) <= MAX_KEY and re.fullmatch(r"[A-Za-z]\w*__[a-z0-9_]+", key, re.ASCII) for key in keys)
