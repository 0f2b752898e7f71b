"""What a message of a lead says: what it wants, whether it is urgent, money and people that it names; in what language.

By patterns in several languages (messages.yaml), each finding with the place of its words; and by py3langid, a small
model that ships in its package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LONGEST = 5000
"""The most characters of a message that are read."""
NEAR = 60
"""How many characters before or after an amount a word like "budget" belongs to it."""
LEAST_WORDS = 8
"""A message of so many words that fits no pattern wants something else; a shorter one says nothing."""
LEAST_LETTERS = 20
"""Texts of fewer letters are in no language."""
LANGUAGES = (
    "ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nb nl nn no pl pt ro ru sk sl sr sv ta "
    "th tr uk ur vi zh"
)
"""The languages that leads write in; py3langid knows many that are mistaken for them in short texts."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a message says, how sure that is, and where its words stand."""

    value: str | float | bool
    confidence: float
    start: int
    end: int


def intent_of(text: str) -> Found | None:
    """Return what a message wants: demo, pricing, support, job, partnership, spam or other.

    >>> intent_of("Could you send us a quote for 20 seats?").value, intent_of("Hi")
    ('pricing', None)
    """
    text = text[:LONGEST]
    scores: dict[str, float] = {}
    places: dict[str, tuple[float, int, int]] = {}
    for intent, weight, pattern in _rules().intents:
        for match in _some(pattern, text, 3):
            scores[intent] = scores.get(intent, 0.0) + weight
            places[intent] = max(places.get(intent, (0.0, 0, 0)), (weight, match.start(), match.end()), key=_weight)
    if not scores:
        long = len(text.split()) >= LEAST_WORDS
        return Found("other", 0.3, 0, min(len(text), 200)) if long else None
    best = max(scores, key=scores.__getitem__)
    share = scores[best] / sum(scores.values())
    return Found(best, round(share * min(1.0, 0.4 + 0.15 * scores[best]), 2), *places[best][1:])


def _weight(place: tuple[float, int, int]) -> float:
    return place[0]


def urgency_of(text: str) -> Found | None:
    """Return whether a message says that it is urgent, or that it is not; None where it says neither.

    >>> urgency_of("We need it asap").value, urgency_of("It is not urgent at all").value, urgency_of("Hello")
    (True, False, None)
    """
    rules = _rules()
    text = text[:LONGEST]
    if calm := rules.calm.search(text):
        return Found(False, 0.8, *calm.span())
    urgent = rules.urgent.search(text)
    return Found(True, 0.8, *urgent.span()) if urgent else None


# --- money and people ---

_NUMBER = r"\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_SCALE = (
    r"(?:k|m|mio|mn|million(?:en|s)?|millones|milioni|milh[õo]es|miljoen|thousand|tausend|tsd|mil|mille|mila|duizend)"
)
_CURRENCY = (
    r"(?:\$|€|£|¥|₹|us\$|usd|eur|euros?|gbp|chf|cad|aud|sek|nok|dkk|pln|inr|jpy|brl|r\$|dollars?|pounds?|d[óo]lares"
    r"|dollari|franken|kr|z[łl])"
)
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?P<before>{_CURRENCY})?\s?(?P<number>{_NUMBER})\s?(?P<scale>{_SCALE}(?![^\W\d_]))?"
    rf"(?:\s?(?:-|–|to|bis|à|a)\s?(?P<number2>{_NUMBER})\s?(?P<scale2>{_SCALE}(?![^\W\d_]))?)?\s?(?P<after>{_CURRENCY}(?!\w))?",
    re.IGNORECASE,
)


def budget_of(text: str) -> Found | None:
    """Return the amount of money that a message names, in whatever currency; of a range, the middle.

    Surer where a word such as "budget" stands near it. Prices that are asked about look the same.

    >>> budget_of("Our budget is 15-25k EUR").value, budget_of("We have 20 seats")
    (20000.0, None)
    """
    text = text[:LONGEST]
    near = [match.span() for match in _some(_rules().budget, text, 20)]
    found = [(one, far) for match in _some(_AMOUNT, text, 50) for one, far in _amount(match, near)]
    return max(found, key=lambda pair: (pair[0].confidence, -pair[1]))[0] if found else None


def _amount(match: re.Match[str], near: list[tuple[int, int]]) -> Iterator[tuple[Found, int]]:
    """Return an amount of money, and how far from the next word for a budget it stands."""
    money = bool(match["before"] or match["after"])
    scale = match["scale"] or match["scale2"]
    far = min((max(0, start - match.end(), match.start() - end) for start, end in near), default=LONGEST)
    low = _value(match["number"], scale)
    high = _value(match["number2"], match["scale2"]) if match["number2"] else low
    value = (low + high) / 2 if high >= low else low
    if (money or (far <= NEAR and (scale or value >= 500))) and 1 <= value <= 1e12:
        start = match.start() + len(match[0]) - len(match[0].lstrip())
        yield Found(value, 0.9 if money and far <= NEAR else 0.6, start, match.end()), far


def _value(number: str, scale: str | None) -> float:
    """Return a number as people of several countries write it.

    >>> _value("1.500,50", None), _value("1,500.50", None), _value("1.5", "k"), _value("20'000", None)
    (1500.5, 1500.5, 1500.0, 20000.0)
    """
    plain = re.sub(r"['’ \u00a0\u202f]", "", number)
    decimals = re.search(r"[.,](\d{1,2})$", plain)
    whole = re.sub(r"[.,]", "", plain[: decimals.start()] if decimals else plain)
    value = float(f"{whole}.{decimals[1] if decimals else 0}")
    return value * _factor(scale)


def _factor(scale: str | None) -> float:
    if not scale:
        return 1.0
    low = scale.lower()
    thousands = ("mil", "mille", "mila", "tsd", "tausend", "thousand", "duizend", "k")
    return 1e3 if low in thousands else 1e6


def team_size_of(text: str) -> Found | None:
    """Return the number of people or seats that a message names; of a range, the middle.

    >>> team_size_of("We are a team of 25").value, team_size_of("für 10 bis 20 Benutzer").value, team_size_of("in 2024")
    (25.0, 15.0, None)
    """
    match = _rules().people.search(text[:LONGEST])
    if match is None:
        return None
    low = match["n"] or match["n2"]
    high = match["m"] or match["m2"]
    value = _value(low, None) if not high else (_value(low, None) + _value(high, None)) / 2
    return Found(value, 0.8, *match.span()) if 1 <= value <= 1e7 else None


def numbers_in(text: str) -> tuple[float, ...]:
    """Return every number that a text names, in all the ways in which it can be read.

    >>> numbers_in("10-20k, or 1.500")
    (10000.0, 20000.0, 15000.0, 10.0, 1500.0)
    """
    found: list[float] = []
    for match in _some(_AMOUNT, text[:LONGEST], 50):
        low = _value(match["number"], match["scale"] or match["scale2"])
        high = _value(match["number2"], match["scale2"]) if match["number2"] else low
        found += [low, high, (low + high) / 2, _value(match["number"], None)]
    return tuple(dict.fromkeys(found))


# --- language ---


def language_of(text: str) -> Found | None:
    """Return the language of a text, two letters; None where it is too short to say.

    >>> language_of("Wir suchen eine Lösung für unseren Vertrieb").value, language_of("ok")
    ('de', None)
    """
    text = text[:1000]
    if sum(map(str.isalpha, text)) < LEAST_LETTERS:
        return None
    language, share = _identifier().classify(text)
    return Found("no" if language in ("nb", "nn") else language, round(float(share), 2), 0, min(len(text), 200))


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(set(LANGUAGES.split()) & set(identifier.labels))
    return identifier


# --- patterns ---


@dataclass(frozen=True, slots=True)
class _Rules:
    intents: tuple[tuple[str, float, re.Pattern[str]], ...]
    urgent: re.Pattern[str]
    calm: re.Pattern[str]
    budget: re.Pattern[str]
    people: re.Pattern[str]


@cache
def _rules() -> _Rules:
    data: Mapping[str, Any] = YAML(typ="safe").load((files(__package__) / "messages.yaml").read_text(encoding="utf-8"))
    intents = (
        (intent, float(w), _words(ways))
        for intent, by_weight in data["intent"].items()
        for w, ways in by_weight.items()
    )
    urgent = data["urgent"]
    return _Rules(
        tuple(intents), _words(urgent["yes"]), _words(urgent["no"]), _words(data["budget"]),
        _people(data["people"], data["team"]),
    )  # fmt: skip


def _words(ways: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)", re.IGNORECASE)


def _people(after: Iterable[str], before: Iterable[str]) -> re.Pattern[str]:
    number = r"\d{1,3}(?:[.,'’]\d{3})+|\d{1,7}"
    range_of = r"(?:\s?(?:-|–|to|bis|à|a|or|oder)\s?"
    return re.compile(
        rf"(?<![\w.,$€£])(?P<n>{number}){range_of}(?P<m>{number}))?\+?\s(?:[^\W\d]+\s){{0,2}}?(?:{'|'.join(after)})(?!\w)"
        rf"|(?<!\w)(?:{'|'.join(before)})\s?(?P<n2>{number}){range_of}(?P<m2>{number}))?(?![\w%])",
        re.IGNORECASE,
    )


def _some(pattern: re.Pattern[str], text: str, most: int) -> list[re.Match[str]]:
    return [match for match, _ in zip(pattern.finditer(text), range(most), strict=False)]
