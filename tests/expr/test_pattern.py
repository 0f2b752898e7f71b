"""LIKE patterns, taken apart and put together for any engine."""

from __future__ import annotations

import duckdb
import pytest

from leadlight.expr import build
from leadlight.expr.pattern import ANY, ONE, Part, matches, parts, pattern_fault


@pytest.mark.parametrize(
    ("pattern", "escape", "found"),
    [
        ("", None, []),
        ("abc", None, [Part("abc")]),
        ("a%b_", None, [Part("a"), ANY, Part("b"), ONE]),
        ("a\\%", None, [Part("a\\"), ANY]),
        ("a\\%", "\\", [Part("a%")]),
        ("!!!%%", "!", [Part("!%"), ANY]),
        ("!a", "!", [Part("a")]),
    ],
)
def test_parts(pattern, escape, found):
    assert list(parts(pattern, escape)) == found


@pytest.mark.parametrize(
    ("pattern", "escape", "fault"),
    [
        ("a!%", "!", None),
        ("a", "", "escape is one character, other than % and _; found ''"),
        ("a", "_", "escape is one character, other than % and _; found '_'"),
        ("a!", "!", "the pattern 'a!' ends in its escape character"),
        ("a!!", "!", None),
    ],
)
def test_faults(pattern, escape, fault):
    assert pattern_fault(pattern, escape) == fault


@pytest.mark.parametrize(
    ("text", "pattern", "matched"),
    [
        ("50%", "50!%", True),
        ("50x", "50!%", False),
        ("a_b", "a!_b", True),
        ("axb", "a!_b", False),
        ("a\\b%c", "a\\b!%_", True),
        ("100% a_b \\", "%!%%!_%\\", True),
        ("100% a-b \\", "%!%%!_%\\", False),
    ],
)
def test_literal_wildcards_match_themselves(text, pattern, matched):
    sql = build.to_text(matches(build.text(text), pattern, "!"), "duckdb")
    assert duckdb.execute(f"SELECT {sql}").fetchall() == [(matched,)]
