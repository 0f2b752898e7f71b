"""Which industry a company is in, by the words of its name and of what is written about it.

A sum of weights per word and pair of words (industry_words.yaml), divided by the root of their number, and a softmax:
what logistic regression learns. benchmarks/enrich/industry.py learns the weights and measures them on companies that
they were not learned from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from ruamel.yaml import YAML

from leadlight.enrich.countries import folded

LONGEST = 4000
"""The most characters of a text that are read."""
LEAST = 0.4
"""Below this share of the softmax no industry is named."""
_STOP = """
a an and are as at be by can for from has have how in inc into is it its llc ltd more most new of on or our that the
their them they this to up us we with you your who all one company companies co corp corporation group make making help
helping helps business businesses der die das und fur mit von wir sind ein eine im zu den des le la les de du et pour en
un une nous el los las y para con que del il lo gli di e per het een van voor met
"""
STOP = frozenset(_STOP.split())
"""Words that say nothing, in several languages."""


@dataclass(frozen=True, slots=True)
class Industry:
    """An industry that words point to, how sure that is, and the words, those that say most first."""

    name: str
    confidence: float
    words: tuple[str, ...]


def terms_of(text: str) -> tuple[str, ...]:
    """Return the words of a text and the pairs of words that follow one another, each once.

    >>> terms_of("The drug discovery company")
    ('drug', 'discovery', 'drug discovery')
    """
    words = [_singular(word) for word in folded(text[:LONGEST]).split() if len(word) > 1 and word not in STOP]
    pairs = [f"{one} {other}" for one, other in pairwise(words)]
    return tuple(dict.fromkeys((*words, *pairs)))


def _singular(word: str) -> str:
    """Drop the s of most plurals."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def industry_of_text(text: str) -> Industry | None:
    """Return the industry that a text points to; None where its words do not say enough.

    >>> found = industry_of_text("We are a law firm: attorneys for immigration law")
    >>> found.name, found.words[0] in "law firm attorney"
    ('legal', True)
    """
    model = _model()
    known = [term for term in terms_of(text) if term in model.weights]
    if not known:
        return None
    totals = dict(model.bias)
    for term in known:
        for name, weight in model.weights[term].items():
            totals[name] += weight / math.sqrt(len(known))
    best = max(totals, key=lambda name: (totals[name], name))
    share = 1.0 / sum(math.exp(total - totals[best]) for total in totals.values())
    said = sorted(
        (term for term in known if model.weights[term].get(best, 0) > 0), key=lambda term: -model.weights[term][best]
    )
    return Industry(best, round(share, 3), tuple(said)) if share >= LEAST and said else None


@dataclass(frozen=True, slots=True)
class _Model:
    bias: Mapping[str, float]
    weights: Mapping[str, Mapping[str, float]]
    """Term → industry → weight."""


@cache
def _model() -> _Model:
    data = YAML(typ="safe").load((files(__package__) / "industry_words.yaml").read_text(encoding="utf-8"))
    weights: dict[str, dict[str, float]] = {}
    for name, words in data["weights"].items():
        for entry in words.split(", "):
            term, _, weight = entry.rpartition(" ")
            weights.setdefault(term, {})[name] = float(weight)
    return _Model({name: float(bias) for name, bias in data["bias"].items()}, weights)
