"""Provider `text`: what a job title, a description and a message say, by words and small models. Nobody is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from pydantic import Field

from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.enrich.sound import MAX_EVIDENCE, clean_text
from leadlight.enrich.texts.industry import industry_of_text
from leadlight.enrich.texts.messages import Found, budget_of, intent_of, language_of, team_size_of, urgency_of
from leadlight.enrich.texts.titles import function_of, seniority_of

LONGEST = 5000
"""The most characters of a text that are read."""
OF_NAME = 0.8
"""How sure an industry is that a name alone points to, against one that a description does."""

ABOUT = About(
    name="text",
    title="What titles, descriptions and messages say",
    needs=(frozenset({Clue.TITLE}), frozenset({Clue.TEXT}), frozenset({Clue.COMPANY})),
    gives=(
        "seniority", "job_function", "industry", "text_language", "intent", "text_urgency", "text_budget",
        "text_team_size",
    ),
    network=False,
    licence="py3langid, BSD 3-Clause",
)  # fmt: skip

MESSAGE: Mapping[str, Callable[[str], Found | None]] = {
    "text_language": language_of,
    "intent": intent_of,
    "text_urgency": urgency_of,
    "text_budget": budget_of,
    "text_team_size": team_size_of,
}
"""Attribute → how it is read out of a message."""


class TextSettings(Settings):
    """Which texts are read."""

    descriptions: list[str] = Field(
        default_factory=lambda: ["company_description", "website_description", "website_title", "social_bio"],
        description="attributes that say what a company does, the best first; its name comes after them",
    )
    message: bool = Field(True, description="read what the lead wrote for intent, urgency, money, people and language")


class Text:
    """Reads titles, descriptions and messages.

    >>> clues = {Clue.TITLE: "Head of Sales", Clue.TEXT: "We need a quote for 25 seats asap"}
    >>> facts = Text(TextSettings()).facts(clues)
    >>> [(fact.attribute, fact.value) for fact in facts][:3]
    [('seniority', 'director'), ('job_function', 'sales'), ('text_language', 'en')]
    """

    about = ABOUT

    def __init__(self, settings: TextSettings, surroundings: Surroundings | None = None) -> None:
        del surroundings
        self.settings = settings

    def key(self, query: Query) -> str | None:
        """Return a hash of all that is read: what people wrote is no key."""
        texts = self._texts(query)
        if not texts:
            return None
        whole = "\x1f".join(f"{name}={text}" for name, text in sorted(texts.items()))
        return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:32]

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the texts say; nobody is asked."""
        del network
        return self.facts({**query.clues}, query.attributes)

    def facts(self, clues: Mapping[Clue, str], attributes: Mapping[str, object] | None = None) -> tuple[Fact, ...]:
        """Return what the texts among clues and attributes say."""
        texts = self._texts(Query(clues, attributes or {}))
        title, message = texts.pop("title", ""), texts.pop("text", "")
        return (*_title(title), *self._industry(texts), *(_message(message) if self.settings.message else ()))

    def _texts(self, query: Query) -> dict[str, str]:
        """Return the texts that are read, by name, the descriptions in the order of the settings."""
        found: dict[str, object] = {"title": query.get(Clue.TITLE), "text": query.get(Clue.TEXT)}
        found |= {name: query.attributes.get(name) for name in self.settings.descriptions}
        found |= {"company": query.get(Clue.COMPANY)}
        texts = {name: clean_text(text, LONGEST) for name, text in found.items() if isinstance(text, str)}
        return {name: text for name, text in texts.items() if text}

    def _industry(self, texts: Mapping[str, str]) -> list[Fact]:
        """Return the industry that the first text points to which points to any."""
        for name, text in texts.items():
            found = industry_of_text(text)
            if found is not None:
                sure = found.confidence * (OF_NAME if name == "company" else 1.0)
                origin = f"{name}: {', '.join(found.words[:6])}"
                return [Fact("industry", found.name, round(sure, 3), origin, clean_text(text, MAX_EVIDENCE))]
        return []


def _title(title: str) -> list[Fact]:
    found = (("seniority", seniority_of(title)), ("job_function", function_of(title)))
    return [
        Fact(attribute, said.value, 0.9, f"title: {said.words}", clean_text(title, MAX_EVIDENCE))
        for attribute, said in found
        if said is not None
    ]


def _message(text: str) -> list[Fact]:
    found = ((attribute, read(text)) for attribute, read in MESSAGE.items())
    return [
        Fact(attribute, one.value, one.confidence, "text", around(text, one.start, one.end))
        for attribute, one in found
        if one is not None and one.confidence > 0
    ]


def around(text: str, start: int, end: int, limit: int = MAX_EVIDENCE) -> str:
    """Return the words around a place in a text, as evidence.

    >>> around("We need it urgently, and by phone please.", 11, 19, limit=24)
    'it urgently, and'
    """
    end = min(end, start + limit)
    room = (limit - (end - start)) // 2
    left, right = max(0, start - room), min(len(text), end + room)
    left = left if left == 0 else text.find(" ", left, start) + 1 or start
    right = right if right == len(text) else max(end, text.rfind(" ", end, right))
    return clean_text(text[left:right], limit)


PROVIDER = Offer(ABOUT, TextSettings, Text)
