"""What a word is, and the patterns that find it; that engines agree on it is tested with all of `sql`."""

from __future__ import annotations

import re

import pytest

from leadlight.expr.words import fold, pattern, phrase_fault, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("crash", ["crash"]),
        ("Crash, again!", ["Crash", "again"]),
        ("data_loss data-loss", ["data", "loss", "data", "loss"]),
        ("é e\u0301", ["é", "e\u0301"]),
        ("Łódź ΟΔΟΣ сбой", ["Łódź", "ΟΔΟΣ", "сбой"]),
        ("3×4 × ÷ 5", ["3", "4", "5"]),
        ("崩溃 x 한글", ["x"]),
        ("a\u00a0b\u2013c\u2019d", ["a", "b", "c", "d"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "plain"), [("ÉTÉ", "ete"), ("Øl", "ol"), ("ΟΔΟΣ", "οδοσ"), ("İstanbul", "istanbul"), ("straße", "straße")]
)
def test_fold(text: str, plain: str) -> None:
    assert fold(text) == plain


@pytest.mark.parametrize(
    ("phrase", "texts", "others"),
    [
        ("crash", ["crash", "Crash!", "a CRÁSH", "cra\u0301sh", "crash_x", "x\ncrash\n"], ["crashes", "acrash"]),
        ("data loss", ["data loss", "Data-Loss", "data,\n loss of"], ["dataloss", "data of loss", "loss data"]),
        ("ΟΔΟΣ", ["οδός", "ΟΔΟΣ"], ["οδ"]),
        ("404", ["error 404.", "404"], ["4040", "1404"]),
        ("oom", ["OOM 崩溃", "崩溃oom崩溃"], ["room"]),
    ],
)  # fmt: skip
def test_pattern(phrase: str, texts: list[str], others: list[str]) -> None:
    made = re.compile(pattern([phrase]))
    assert [text for text in texts if not made.search(text)] == []
    assert [text for text in others if made.search(text)] == []


def test_one_pattern_for_several_phrases_names_each_once() -> None:
    assert pattern(["crash", "Crásh"]) == pattern(["crash"])
    assert re.search(pattern(["hang", "crash"]), "it crash-ed")


def test_nothing_in_a_pattern_needs_an_escape() -> None:
    """Dialects write backslashes in four ways."""
    made = pattern(["it's a 100 data-loss", "Ångström ß"])
    assert not set(made) & set("\\'\"%")


@pytest.mark.parametrize("phrase", ["c++", "", " ", "#1", "崩溃", "crash 崩溃", "crash!", "-a"])
def test_what_is_no_word_is_refused(phrase: str) -> None:
    assert phrase_fault(phrase) is not None


@pytest.mark.parametrize("phrase", ["crash", "can't restart", "data-loss", "404", "сбой диска"])
def test_words_and_phrases_are_fine(phrase: str) -> None:
    assert phrase_fault(phrase) is None
