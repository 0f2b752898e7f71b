import pytest

from leadlight.spec.entity import many, plural


@pytest.mark.parametrize(
    ("one", "more"),
    [
        ("lead", "leads"), ("vulnerability", "vulnerabilities"), ("day", "days"), ("threat", "threats"),
        ("box", "boxes"), ("class", "classes"), ("patch", "patches"), ("feature request", "feature requests"),
    ],
)  # fmt: skip
def test_words_for_many(one: str, more: str) -> None:
    assert plural(one) == more
    assert (many(1, one), many(0, one), many(12345, one)) == (f"1 {one}", f"0 {more}", f"12,345 {more}")
