"""What a job title says: how senior, and in which function; by words in several languages (titles.yaml)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

from leadlight.enrich.countries import folded

LONGEST = 200
"""The most characters of a title that are read."""
LEVELS = ("c_level", "vp", "director", "manager", "senior", "staff", "entry")
FUNCTIONS = ("engineering", "sales", "marketing", "finance", "operations", "hr", "it", "support", "legal", "product")


@dataclass(frozen=True, slots=True)
class Said:
    """What a title says, and the words that say it."""

    value: str
    words: str


def seniority_of(title: str) -> Said | None:
    """Return how senior a title is; None where it does not say.

    >>> [said.value for said in map(seniority_of, ("Senior VP Sales", "Assistant to the CEO", "Geschäftsführerin"))]
    ['vp', 'staff', 'c_level']
    """
    return _first(folded(title[:LONGEST]), _rules().seniority)


def function_of(title: str) -> Said | None:
    """Return the function of a title; None where it does not say, as of general management.

    >>> [said and said.value for said in map(function_of, ("Sales Engineer", "Leiterin Personalwesen", "CEO"))]
    ['sales', 'hr', None]
    """
    return _first(folded(title[:LONGEST]), _rules().function)


Rule = tuple[str, re.Pattern[str]]


@dataclass(frozen=True, slots=True)
class _Rules:
    seniority: tuple[Rule, ...]
    function: tuple[Rule, ...]


def _first(text: str, rules: tuple[Rule, ...]) -> Said | None:
    found = ((value, pattern.search(text)) for value, pattern in rules)
    return next((Said(value, match[0].strip()) for value, match in found if match), None)


@cache
def _rules() -> _Rules:
    data = YAML(typ="safe").load((files(__package__) / "titles.yaml").read_text(encoding="utf-8"))
    levels = [(rule["level"], _pattern(rule["words"])) for rule in data["seniority"]]
    after = next(n for n, (level, _) in enumerate(levels) if level == "c_level") + 1
    levels.insert(after, ("manager", _pattern(data["managers_first"])))
    functions = [(rule["function"], _pattern(rule["words"])) for rule in data["function"]]
    return _Rules(tuple(levels), tuple(functions))


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of whole words, in which * stands for letters, and alone for a word."""
    parts = (r" ".join(_word(word) for word in phrase.split()) for phrase in sorted(set(words), key=len, reverse=True))
    return re.compile(rf"(?<!\S)(?:{'|'.join(parts)})(?!\S)")


def _word(word: str) -> str:
    return r"\S+" if word == "*" else r"\S*".join(re.escape(part) for part in word.split("*"))
