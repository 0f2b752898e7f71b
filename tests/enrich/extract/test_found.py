"""Values found more than once."""

from __future__ import annotations

from leadlight.enrich.extract.found import Found, around, surest


def test_the_same_way_twice_is_no_surer():
    [one] = surest([Found("a", 0.9, "text"), Found("a", 0.9, "text")])
    assert one.confidence == 1 - (1 - 0.9)


def test_nothing_is_ever_certain():
    [one] = surest([Found("a", 0.99, how) for how in "abcdef"])
    assert one.confidence == 0.99


def test_order_is_that_of_first_mention():
    found = surest([Found("b", 0.1, "text"), Found("a", 0.9, "text"), Found("b", 0.8, "mailto")])
    assert [one.value for one in found] == ["b", "a"]


def test_evidence_is_one_bounded_line():
    text = "x" * 500 + " call\n us " + "y" * 500
    evidence = around(text, 501, 505, width=500)
    assert len(evidence) <= 300
    assert "\n" not in evidence
