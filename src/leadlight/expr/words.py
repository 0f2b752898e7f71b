"""Words in texts, so that they mean the same in every engine: patterns made of nothing but characters and ranges.

Engines disagree on what a letter is, on case beyond A to Z and on accents (some know none of it), and none of that can
be switched on everywhere. So a pattern names every form of a letter outright: `[Eeé…]`. All are found by the engine's
plain regular expressions, where ranges, negated ranges, `+`, `*`, `|` and groups mean the same.

A **word** is a run of letters and digits of the alphabets that put spaces between words (Latin, Greek, Cyrillic,
Armenian, Hebrew, Arabic, the scripts of India, Georgian); everything else, `_` and `-` too, stands between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql

LETTERS = "0-9A-Za-zªµºÀ-ÖØ-öø-\u0dff\u10a0-\u10ff\u1e00-\u1ffe"
"""What words are made of, as the inside of a class. Combining accents lie in it; scripts without spaces do not."""
WITHOUT_SPACES = "\u2c00-\u2dff\u3040-\u9fff\ua000-\ud7ff\uf900-\ufaff"
"""The letters of scripts that put no spaces between words, and some others, as the inside of a class."""
MARKS = "\u0300-\u036f"
"""Accents that stand behind their letter as characters of their own."""
STROKES = str.maketrans("øłđħıŧς", "oldhitσ")
"""Letters with a stroke, which Unicode does not take apart; and the sigma at the end of a word."""

_WORD = re.compile(f"[{LETTERS}]+")


def words(text: str) -> list[str]:
    """Return the words of a text, as they stand.

    >>> words("Data-loss in HDFS: can't restart")
    ['Data', 'loss', 'in', 'HDFS', 'can', 't', 'restart']
    """
    return _WORD.findall(text)


def fold(text: str) -> str:
    """Return a text without case and accents.

    >>> fold("Ångström, ÉTÉ")
    'angstrom, ete'
    """
    apart = unicodedata.normalize("NFD", text.lower())
    return "".join(character for character in apart if not unicodedata.combining(character)).translate(STROKES)


def phrase_fault(phrase: str) -> str | None:
    """Say what is wrong with a word or phrase to look for, or return None.

    >>> phrase_fault("c++")
    "looks for whole words, and 'c++' is not made of words alone: use contains or like for it"
    """
    found = words(phrase)
    loose = not found or not phrase.startswith(found[0]) or not phrase.endswith(found[-1])
    if not loose and not any(character.isalnum() for character in _WORD.sub("", phrase)):
        return None
    return f"looks for whole words, and {phrase[:40]!r} is not made of words alone: use contains or like for it"


def has_any(text: Sql, phrases: Iterable[str]) -> Sql:
    """Return SQL that is true where a text has one of these words, or words in a row, in any case and with any accents.

    Between the words of a phrase may stand whatever is no word: spaces, hyphens, a new line.
    """
    return exp.RegexpLike(this=text, expression=build.text(pattern(phrases)))


def count(text: Sql) -> Sql:
    """Return SQL for how many words a text has, as a double."""
    # Every word becomes one letter, which then stands nowhere else; how many there are is what goes when they do.
    one = exp.RegexpReplace(
        this=text, expression=build.text(f"[{LETTERS}]+"), replacement=build.text("w"), modifiers=build.text("g")
    )
    none = exp.Replace(this=one.copy(), expression=build.text("w"), replacement=build.text(""))
    return exp.Sub(this=build.double(exp.Length(this=one)), expression=build.double(exp.Length(this=none)))


def pattern(phrases: Iterable[str]) -> str:
    """Return the regular expression that finds any of the phrases anywhere in a text."""
    wanted = "|".join(dict.fromkeys(_phrase(phrase) for phrase in phrases))
    return f"(^|[^{LETTERS}])[{MARKS}]*({wanted})([^{LETTERS}]|$)"


def _phrase(phrase: str) -> str:
    return f"[^{LETTERS}]+".join("".join(map(_letter, fold(word))) for word in words(phrase))


def _letter(letter: str) -> str:
    forms = _forms().get(letter, (letter,))
    return f"[{_ranges(forms)}][{MARKS}]*" if letter.isalpha() else letter


@cache
def _forms() -> Mapping[str, Sequence[str]]:
    """Return for each letter the characters that are a form of it."""
    found: dict[str, list[str]] = {}
    for code in range(ord("A"), 0x1FFF):
        character = chr(code)
        if _WORD.fullmatch(character) and character.isalpha() and len(fold(character)) == 1:
            found.setdefault(fold(character), []).append(character)
    return found


def _ranges(characters: Sequence[str]) -> str:
    """Write characters, in order of their codes, as the inside of a class."""
    runs: list[list[str]] = []
    for character in characters:
        if runs and ord(character) == ord(runs[-1][-1]) + 1:
            runs[-1].append(character)
        else:
            runs.append([character])
    return "".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else "".join(run) for run in runs)
