"""What a provider is: what it needs, what it gives, what it costs, and one question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from leadlight.enrich.network import MONTH, Network
from leadlight.enrich.vocabulary import VOCABULARY, Meaning
from leadlight.spec.variables import expand


class Clue(StrEnum):
    """What identifies a lead outside, or can be read: taken from its attributes, or found by a provider before."""

    EMAIL = "email"
    DOMAIN = "domain"
    """The registrable domain of its company; never that of a free or disposable mail provider."""
    WEBSITE = "website"
    """The address of its company's home page."""
    PHONE = "phone"
    COMPANY = "company"
    PERSON = "person"
    TITLE = "title"
    ADDRESS = "address"
    CITY = "city"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"
    IP = "ip"
    LINKS = "links"
    """Addresses of its profiles (GitHub, Mastodon …), separated by spaces."""
    TEXT = "text"
    """What it wrote, or what is written about it."""


Value = str | float | bool | datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that a provider gives, with the evidence for it."""

    attribute: str
    """A name of `vocabulary`, or one of the provider's own that it declares in `About.own`."""
    value: Value
    """Text (several values of one attribute: joined by ", ", in order), number, bool, or naive UTC."""
    confidence: float = 1.0
    """How sure the provider is, 0 to 1."""
    origin: str = ""
    """Where it stands: an address, a record's name, a rule."""
    evidence: str = ""
    """The words it was read from, at most 300 characters."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is known of a lead when a provider is asked."""

    clues: Mapping[Clue, str]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Every attribute known so far, for the few providers that take more than clues."""
    at: datetime = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as everywhere
    """The moment of asking, naive UTC."""

    def get(self, clue: Clue) -> str | None:
        """Return a clue, None where it is not known."""
        return self.clues.get(clue)


@dataclass(frozen=True, slots=True)
class About:
    """What a provider is, said once."""

    name: str
    title: str
    """In a few words, for people."""
    needs: tuple[frozenset[Clue], ...]
    """The sets of clues of which any one suffices."""
    gives: tuple[str, ...]
    """Attributes of `vocabulary` or of `own`, all that it can ever give."""
    clues: frozenset[Clue] = frozenset()
    """Clues that its facts can become, for the providers after it."""
    network: bool = True
    """Whether it asks outside; one that does not works out what follows from the lead's own values."""
    personal: bool = False
    """Whether it sends what identifies a person (and not only a company) outside."""
    cost: float = 0.0
    """Money for one question, unless settings say otherwise."""
    ttl: timedelta = MONTH
    """For how long an answer holds."""
    nothing_ttl: timedelta = timedelta(days=7)
    """For how long it is taken as given that there is nothing."""
    licence: str = ""
    """The terms of what it gives, in a few words; an address where there is one."""
    per_second: float | None = None
    """Requests a second that its hosts allow, where that is known; else `network.per_second` holds."""
    requests: int = 1
    """About how many HTTP requests one question takes, redirects and retries apart; for a dry run."""
    own: tuple[tuple[str, Meaning], ...] = ()
    """What it gives that is not in `vocabulary`, each with its meaning."""

    def meaning(self, attribute: str) -> Meaning | None:
        """Return type and meaning of an attribute that it gives; None where it is neither known nor its own."""
        return VOCABULARY.get(attribute) or dict(self.own).get(attribute)


class Settings(BaseModel):
    """What leadlight.yaml may say of a provider; each provider adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Provider(Protocol):
    """A source of facts about a lead. An instance is made with its settings, and asked by many at once.

    `ask` is a pure function of the query and of what the network answers: it keeps nothing, and it raises nothing but
    NetworkError, whatever comes back.
    """

    @property
    def about(self) -> About:
        """What it is; the same for all questions."""

    @property
    def settings(self) -> Settings:
        """What leadlight.yaml says of it."""

    def key(self, query: Query) -> str | None:
        """Return what would be asked, in a normal form: leads with the same key have the same answer.

        None where the query lacks what is needed, so that there is nothing to ask.
        """

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what there is; nothing where nothing is known. Raises NetworkError."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a provider may take from where it runs: the workspace's folder, and variables."""

    folder: Path = Path()
    environ: Mapping[str, str] | None = None
    """None where nobody will be asked, only looked at what would be: variables then stay as they are written."""

    contact: str | None = None
    """`network.contact`: an address for those who are asked; some ask nobody in without one."""

    def path(self, file: str) -> Path:
        """Return a file's path, taken as relative to the workspace."""
        return self.folder / file

    def expand(self, text: str) -> str:
        """Fill in `${VARIABLES}`; raises UsageError that names those that are not set."""
        return text if self.environ is None else expand(text, self.environ)


@dataclass(frozen=True, slots=True)
class Offer:
    """What an entry point of the group `leadlight.providers` names: what a provider is, and how one is made.

    A provider's module ends in `PROVIDER = Offer(ABOUT, FooSettings, Foo)`. The module itself imports nothing heavy:
    libraries are imported where they are used, so that what a provider is can be said without them.
    """

    about: About
    """What it is when its settings say nothing."""
    settings: type[Settings]
    make: Callable[[Any, Surroundings], Provider]
    """Take settings (an instance of `settings`) and surroundings. Raises UsageError or NotFoundError: a file or
    variable is missing."""
