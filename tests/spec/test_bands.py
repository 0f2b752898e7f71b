from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from leadlight.expr.types import Type
from leadlight.spec.bands import band_flaws, category_flaws, pair_flaws
from leadlight.spec.models import BandCriterion, CategoryCriterion, PairCriterion

bound = st.one_of(st.none(), st.integers(0, 6))
band = st.tuples(bound, bound, st.just(1.0))


def holds(low: float | None, high: float | None, value: float) -> bool:
    return (low is None or low <= value) and (high is None or value < high)


@given(st.lists(band, min_size=1, max_size=5), st.sampled_from([None, 0.0]))
def test_bands_are_sound_exactly_when_every_value_between_falls_in_one(
    bands: list[tuple[int | None, int | None, float]], other: float | None
) -> None:
    criterion = BandCriterion(name="a", feature="x", bands=bands, other=other)
    values = [step / 2 - 1 for step in range(18)]
    counts = [sum(holds(low, high, value) for low, high, _ in bands) for value in values]
    some = [index for index, count in enumerate(counts) if count]
    empty = any(low is not None and high is not None and low >= high for low, high, _ in bands)
    overlap = any(count > 1 for count in counts)
    gap = bool(some) and 0 in counts[some[0] : some[-1]] and other is None
    messages = [flaw.message for flaw in band_flaws(criterion)]
    assert any("is empty" in message for message in messages) == empty
    assert any("overlaps" in message for message in messages) == overlap
    assert any("leave a gap" in message for message in messages) == gap


def test_bands_may_stand_in_any_order() -> None:
    criterion = BandCriterion(name="a", feature="x", bands=[(10, None, 1), (None, 10, 2)])
    assert list(band_flaws(criterion)) == []


def test_band_inside_a_wider_one_overlaps_it_and_so_does_the_next() -> None:
    criterion = BandCriterion(name="a", feature="x", bands=[(0, 100, 1), (10, 20, 2), (30, 40, 3)])
    assert [(flaw.path, flaw.message) for flaw in band_flaws(criterion)] == [
        (("bands", 1), "the band [10, 20) overlaps [0, 100): both hold [10, 20)"),
        (("bands", 2), "the band [30, 40) overlaps [0, 100): both hold [30, 40)"),
    ]


def test_bounds_are_written_with_all_their_digits() -> None:
    criterion = BandCriterion(name="a", feature="x", bands=[(None, 1234567.25, 1), (1234568, None, 1)])
    assert "[1234567.25, 1234568)" in next(band_flaws(criterion)).message


def test_keys_that_fit_the_type_are_sound() -> None:
    for kind, points in ((Type.TEXT, {"a": 1}), (Type.NUMBER, {1: 1, 2.5: 2}), (Type.BOOL, {True: 1, False: 2})):
        assert list(category_flaws(CategoryCriterion(name="a", feature="x", points=points), kind)) == []


def test_text_that_may_be_called_other_or_missing_is_only_warned_of() -> None:
    criterion = CategoryCriterion(name="a", feature="x", points={"other": 1, "missing": 2})
    assert [(flaw.path[-1], flaw.is_warning) for flaw in category_flaws(criterion, Type.TEXT)] == [
        ("other", True),
        ("missing", True),
    ]


cuts = st.lists(st.integers(-5, 5), min_size=1, max_size=3)
kinds = st.sampled_from(["bands", "text", "bool"])


@given(kinds, kinds, cuts, cuts)
def test_tables_of_all_shapes_are_sound_and_none_fits_another_pair(
    first: str, second: str, rows: list[int], columns: list[int]
) -> None:
    rises = all(a < b for given in (rows, columns) for a, b in pairwise(given))
    types = {
        name: {"bands": Type.NUMBER, "text": Type.TEXT, "bool": Type.BOOL}[kind]
        for name, kind in (("x", first), ("y", second))
    }
    bands = {name: given for name, kind, given in (("x", first, rows), ("y", second, columns)) if kind == "bands"}
    keys = {"text": ["a", "b", "other"], "bool": [True, False, "other"]}
    row = [1.0] * (len(columns) + 1) if second == "bands" else dict.fromkeys(keys[second], 1)
    table = [row] * (len(rows) + 1) if first == "bands" else dict.fromkeys(keys[first], row)
    criterion = PairCriterion(name="a", features=("x", "y"), bands=bands, table=table)
    flaws = list(pair_flaws(criterion, types))
    used = [given for name, given in (("x", rows), ("y", columns)) if name in bands]
    assert bool(flaws) == any(a >= b for given in used for a, b in pairwise(given))
    if rises and (first == "bands") != (second == "bands"):
        turned = PairCriterion(name="a", features=("y", "x"), bands=bands, table=table)
        assert list(pair_flaws(turned, types))


def test_features_without_a_type_are_left_out_of_checks_of_types() -> None:
    criterion = PairCriterion(name="a", features=("x", "y"), table={5: {"b": 1}})
    assert list(pair_flaws(criterion, {})) == []
