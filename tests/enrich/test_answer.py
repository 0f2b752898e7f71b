"""Looking into JSON of strangers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.answer import at, items_at, number_at, text_at

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)
places = st.lists(st.sampled_from(["a", "b", 0, 1, -1, 7]), max_size=4)


@given(anything, places)
def test_any_place_of_anything(answer, place):
    assert isinstance(text_at(answer, *place), str | None)
    assert isinstance(number_at(answer, *place), float | None)
    assert len(list(items_at(answer, *place, most=2))) <= 2


def test_places():
    answer = {"a": [{"b": "x"}, 3, "7"], "n": None}
    assert at(answer, "a", 0, "b") == "x"
    assert (text_at(answer, "a", 1), text_at(answer, "a"), number_at(answer, "a", 2)) == ("3", None, 7)
    assert list(items_at(answer, "a")) == answer["a"]
    assert (at(answer, "a", 9), at(answer, "n", "x"), at(answer)) == (None, None, answer)
