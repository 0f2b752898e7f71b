"""Between a provider and everything that believes it: what strangers say is bounded, typed and can never end a run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from leadlight.enrich.network import Network, NetworkError, Why
from leadlight.enrich.provider import About, Fact, Provider, Query, Settings, Value
from leadlight.expr.types import Type

MAX_VALUE = 500
MAX_EVIDENCE = 300
MAX_ORIGIN = 300
MAX_FACTS = 200
HIDDEN = "…"
MAX_NUMBER = 1e15
"""Above this, a number of employees, dollars or followers is none."""

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]+"
)
"""Control characters, line and direction marks, invisible ones, halves of characters: none is part of a value."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A provider as leadlight.yaml has it, whose facts hold what `About` promises."""

    provider: Provider
    about: About
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Keys that are in its settings: should an answer ever say one back, it is left out."""

    @property
    def settings(self) -> Settings:
        """What leadlight.yaml says of it."""
        return self.provider.settings

    def key(self, query: Query) -> str | None:
        """Return what would be asked; None where there is nothing to ask."""
        return self.provider.key(query)

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return the facts that are sound. Raises NetworkError, and nothing else."""
        try:
            facts = await self.provider.ask(query, network)
        except NetworkError as error:
            if not any(secret in error.message for secret in self.secrets):
                raise
            raise NetworkError(error.why, hide(error.message, self.secrets), retry_at=error.retry_at) from None
        except Exception as error:
            message = f"the answer to {self.about.name} could not be read ({type(error).__name__})"
            raise NetworkError(Why.BROKEN, message) from error
        return tuple(_hidden(fact, self.secrets) for fact in sound(facts, self.about))


def sound(facts: tuple[Fact, ...], about: About) -> tuple[Fact, ...]:
    """Return the facts that the provider may give, cleaned and bounded; of an attribute named twice, the surest.

    >>> about = About("x", "X", (), ("city", "employees"))
    >>> [fact.value for fact in sound((Fact("city", " Al\\x00bany "), Fact("employees", float("nan"))), about)]
    ['Al bany']
    """
    best: dict[str, Fact] = {}
    for fact in facts[:MAX_FACTS]:
        clean = _clean(fact, about)
        if clean is not None and (fact.attribute not in best or clean.confidence > best[fact.attribute].confidence):
            best[fact.attribute] = clean
    return tuple(best.values())


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return text without the keys that are in it.

    >>> hide("no such key: k3y", ["k3y"])
    'no such key: …'
    """
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def clean_text(text: str, limit: int = MAX_VALUE) -> str:
    """Return text on one line without control characters, at most so long.

    >>> clean_text("a\\n\\tb\\u202e  c", 4)
    'a b…'
    """
    plain = " ".join(_CONTROL.sub(" ", text[: limit * 8]).split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def _hidden(fact: Fact, secrets: tuple[str, ...]) -> Fact:
    if not secrets:
        return fact
    value = hide(fact.value, secrets) if isinstance(fact.value, str) else fact.value
    return replace(fact, value=value, origin=hide(fact.origin, secrets), evidence=hide(fact.evidence, secrets))


def _clean(fact: Fact, about: About) -> Fact | None:
    if fact.attribute not in about.gives:
        return None
    meaning = about.meaning(fact.attribute)
    value = _value(fact.value, meaning.type if meaning else None)
    confidence = fact.confidence if math.isfinite(fact.confidence) else 0.0
    if value is None or confidence <= 0:
        return None
    return replace(
        fact,
        value=value,
        confidence=min(confidence, 1.0),
        origin=clean_text(fact.origin, MAX_ORIGIN),
        evidence=clean_text(fact.evidence, MAX_EVIDENCE),
    )


def _value(value: Value, wanted: Type | None) -> Value | None:
    """Return a value of the wanted type (of its own where None is wanted), or None where it is none."""
    own = _type(value)
    if own is not (wanted or own):
        return None
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    number = float(value)
    return number if math.isfinite(number) and abs(number) <= MAX_NUMBER else None


def _type(value: Value) -> Type | None:
    if isinstance(value, bool):
        return Type.BOOL
    if isinstance(value, str):
        return Type.TEXT
    if isinstance(value, datetime):
        return Type.TIME
    return Type.NUMBER if isinstance(value, int | float) else None
