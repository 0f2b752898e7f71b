"""Values that mean won, lost, not yet."""

from __future__ import annotations

import pytest

from leadlight.errors import UsageError
from leadlight.expr.types import Type
from leadlight.sources.endings import Endings, endings, shown_values, told_endings
from leadlight.sources.profile import Profile
from leadlight.sources.read import Column


def column(*values: str, type_: Type = Type.TEXT) -> Profile:
    counted = tuple((value, 10) for value in values)
    return Profile(
        Column("stage", "Stage", type_), 10 * len(values), 10 * len(values), len(values), False, 0.0, counted
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("Won", "Lost", "Open", "Demo"), Endings(("Won",), ("Lost",), ("Open", "Demo"))),
        (("Won", "Lost"), Endings(("Won",), ("Lost",))),
        (("customer", "lead", "prospect"), Endings(("customer",), ("lead", "prospect"), final=False)),
        (("yes", "no"), Endings(("yes",), ("no",), final=False)),
        (("0", "1"), Endings(("1",), ("0",), final=False)),
        (("won",), Endings(("won",), (), final=False)),
        (("yes", "no", "unknown"), None),
        (("failure", "success", "nonexistent"), None),
        (("1", "2"), None),
        ((), None),
    ],
)
def test_values_read_by_their_words(values: tuple[str, ...], expected: Endings | None) -> None:
    assert endings(column(*values)) == expected


def test_only_stages_with_all_three_are_rich() -> None:
    found = [endings(column(*values)) for values in (("Won", "Lost", "Open"), ("Won", "Lost"), ("yes", "no"))]
    assert [one is not None and one.is_rich for one in found] == [True, False, False]


def test_values_told() -> None:
    stages = column("a", "b", "c")
    assert told_endings(stages, ["B"]) == Endings(("b",), ("a", "c"), final=False)
    assert told_endings(stages, ["a", "A", "b"]) == Endings(("a", "b"), ("c",), final=False)
    assert told_endings(column("a", "lost", "c"), ["a"]) == Endings(("a",), ("lost",), ("c",))
    assert told_endings(column("false", "true", type_=Type.BOOL), ["yes"]).win == ("true",)


def test_a_value_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="no row has 'z' in 'Stage'") as caught:
        told_endings(column("a", "b"), ["z"])
    assert "'a' (10), 'b' (10)" in str(caught.value)


def test_many_values_are_shown_bounded() -> None:
    assert shown_values(column(*"abcdefghijklmnop")).endswith("'l' (10) and 4 more")
