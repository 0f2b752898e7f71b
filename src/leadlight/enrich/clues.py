"""What identifies a lead outside: clues, taken from its attributes and from what was found before.

The company's domain is never that of a free or disposable mail provider, of a social network or of a host of many
sites: whoever writes from gmail.com does not work at Google.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from leadlight.enrich.provider import Clue
from leadlight.enrich.record import canonical
from leadlight.enrich.sound import clean_text
from leadlight.enrich.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from tldextract import TLDExtract

    from leadlight.spec.enrich import EnrichSpec

ATTRIBUTES: Mapping[Clue, tuple[str, ...]] = {
    Clue.EMAIL: ("email", "email_address", "e_mail", "mail", "work_email", "email_normal"),
    Clue.DOMAIN: ("domain", "company_domain", "website_domain", "web_domain"),
    Clue.WEBSITE: ("website", "company_website", "web_site", "homepage", "home_page", "website_url", "url"),
    Clue.PHONE: ("phone", "phone_number", "telephone", "mobile", "mobile_phone", "tel", "phone_e164"),
    Clue.COMPANY: (
        "company", "company_name", "organisation", "organization", "account_name", "employer", "account", "legal_name",
    ),
    Clue.PERSON: ("full_name", "contact_name", "person", "name"),
    Clue.TITLE: ("title", "job_title", "position", "job"),
    Clue.ADDRESS: ("address", "postal_address", "street_address", "full_address", "address_normal", "company_address"),
    Clue.CITY: ("city", "town"),
    Clue.POSTAL_CODE: ("postal_code", "zip", "zip_code", "zipcode", "postcode"),
    Clue.COUNTRY: ("country", "country_code", "country_name", "phone_country"),
    Clue.IP: ("ip", "ip_address"),
    Clue.LINKS: ("links", "profiles", "social_profiles", "github", "mastodon", "bluesky", "linkedin", "linkedin_url"),
    Clue.TEXT: ("message", "comment", "comments", "notes", "text", "description"),
}  # fmt: skip
"""Where each clue is looked for, unless `clues:` says so: the first attribute that has a value."""

NAMES = (("first_name", "last_name"), ("firstname", "lastname"), ("given_name", "family_name"))
"""Pairs of attributes that together name a person."""

REMEMBERED = 20_000
"""How many domains are remembered with what they are."""

LONGEST = {Clue.TEXT: 5000, Clue.LINKS: 2000}
"""How many characters of a clue are taken; 500 of the others."""

ELSEWHERE = frozenset(
    (
        "facebook.com", "linkedin.com", "twitter.com", "x.com", "instagram.com", "youtube.com", "tiktok.com",
        "github.com", "gitlab.com", "medium.com", "linktr.ee", "google.com", "goo.gl", "bit.ly", "t.co",
        "wikipedia.org", "crunchbase.com", "xing.com", "vk.com", "pinterest.com", "threads.net", "bsky.app",
        "mastodon.social", "about.me", "yelp.com", "tripadvisor.com", "etsy.com", "ebay.com", "amazon.com",
    )
)  # fmt: skip
"""Registrable domains whose pages are about a company or person, but are not the company's own."""

_ID = re.compile(r"[A-Za-z]{0,4}[-_#]?\d+|(?=\w*\d)\w{15,18}|[0-9a-fA-F-]{32,36}")
"""What an account is called that has a number and no name."""


@dataclass(frozen=True, slots=True)
class Clues:
    """How clues are taken from the values of a lead."""

    attributes: Mapping[Clue, tuple[str, ...]]
    """Clue → the attributes that may hold it, in order."""
    kind: Callable[[str], str]
    """The kind of a domain: free, disposable, corporate …"""

    def of(self, values: Mapping[str, Any]) -> dict[Clue, str]:
        """Return the clues in the values of one lead (own ones, and what was found before).

        >>> from leadlight.spec.enrich import EnrichSpec
        >>> clues = find_clues(EnrichSpec(), {"email", "first_name", "last_name"})
        >>> values = {"email": "ada@Mail.Acme.co.uk", "first_name": "Ada", "last_name": "Lovelace"}
        >>> {str(clue): value for clue, value in clues.of(values).items()}
        {'email': 'ada@Mail.Acme.co.uk', 'person': 'Ada Lovelace', 'domain': 'acme.co.uk'}
        >>> clues.of({"email": "ada@gmail.com"}).get(Clue.DOMAIN) is None
        True
        """
        found = {clue: text for clue in self.attributes if (text := self._value(clue, values))}
        if Clue.PERSON not in found and (person := _person(values)):
            found[Clue.PERSON] = person
        if site := found.pop(Clue.WEBSITE, None):
            found |= self._site(site, found)
        if domain := self._domain(found):
            found[Clue.DOMAIN] = domain
        else:
            found.pop(Clue.DOMAIN, None)
        return found

    def sources(self, wanted: Iterable[Clue]) -> tuple[str, ...]:
        """Return the attributes from which any of these clues may come."""
        wider = {Clue.DOMAIN: (Clue.DOMAIN, Clue.WEBSITE, Clue.EMAIL, Clue.COMPANY)}
        clues = [own for clue in wanted for own in wider.get(clue, (clue,))]
        names = [name for clue in clues for name in self.attributes.get(clue, ())]
        if Clue.PERSON in clues:
            names += [name for pair in NAMES for name in pair]
        return tuple(dict.fromkeys(names))

    def _value(self, clue: Clue, values: Mapping[str, Any]) -> str | None:
        texts = ((name, _text(values.get(name), clue)) for name in self.attributes[clue])
        found = [text for name, text in texts if text and not (name == "account" and _ID.fullmatch(text))]
        if clue is Clue.LINKS and found:
            return clean_text(" ".join(text for text in found if "." in text), LONGEST[clue]) or None
        return found[0] if found else None

    def _site(self, site: str, found: Mapping[Clue, str]) -> dict[Clue, str]:
        """Return the address of the company's site; a page about it elsewhere is one of its profiles."""
        host = _host(site)
        if host is None:
            return {}
        if _plain(host) in ELSEWHERE:
            return {Clue.LINKS: f"{found[Clue.LINKS]} {site}" if Clue.LINKS in found else site}
        return {Clue.WEBSITE: site} if self._is_company(host) else {}

    def _domain(self, found: Mapping[Clue, str]) -> str | None:
        """Return the domain of the lead's company: as given, of its site, of its address, or as it is called."""
        candidates = [found.get(Clue.DOMAIN), found.get(Clue.WEBSITE), _after_at(found.get(Clue.EMAIL))]
        company = found.get(Clue.COMPANY, "")
        candidates += [company] if re.fullmatch(r"[\w-]+(\.[\w-]+)+", company) else []
        hosts = (_host(candidate) for candidate in candidates if candidate)
        return next((registrable(host) for host in hosts if host and self._is_company(host)), None)

    def _is_company(self, host: str) -> bool:
        return bool(registrable(host)) and self.kind(host) not in ("free", "disposable")


def find_clues(spec: EnrichSpec, known: Iterable[str], *, kind: Callable[[str], str] | None = None) -> Clues:
    """Return how clues are taken, where these attributes are known.

    `kind` says what sort of domain one is; the `email` provider without settings of its own, unless told.
    """
    names = {name.lower(): name for name in known}
    told = {clue: (spec.clues[clue], *_found(clue)) for clue in Clue if clue in spec.clues}
    looked = {clue: tuple(names.get(name, name) for name in told.get(clue, ATTRIBUTES[clue])) for clue in Clue}
    return Clues(looked, kind or kind_of_domain)


def _found(clue: Clue) -> tuple[str, ...]:
    """Return the attributes by which providers give a clue."""
    return tuple(name for name in ATTRIBUTES[clue] if name in VOCABULARY)


@lru_cache(REMEMBERED)
def kind_of_domain(host: str) -> str:
    """Return the kind of a domain by the lists that ship.

    >>> kind_of_domain("gmail.com"), kind_of_domain("acme.com")
    ('free', 'corporate')
    """
    from leadlight.enrich.providers.email import Email, EmailSettings

    return Email(EmailSettings()).kind(host).name


@lru_cache(REMEMBERED)
def registrable(host: str) -> str:
    """Return the part of a host's name that somebody registered; that of a host of many sites keeps the site's own.

    >>> registrable("www.acme.co.uk"), registrable("acme.github.io"), registrable("localhost")
    ('acme.co.uk', 'acme.github.io', '')
    """
    return _extractor().extract_str(host).top_domain_under_public_suffix


def _plain(host: str) -> str:
    """Return the last two parts of a name, which say whose site it is where many have pages."""
    return ".".join(host.split(".")[-2:])


@cache
def _extractor() -> TLDExtract:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def _text(value: Any, clue: Clue) -> str | None:
    if value is None or isinstance(value, bool) or value == "":
        return None
    text = canonical(value)[0] if isinstance(value, str | int | float | datetime) else str(value)
    return clean_text(text, LONGEST.get(clue, 500)) or None


def _person(values: Mapping[str, Any]) -> str | None:
    for first, last in NAMES:
        names = [_text(values.get(name), Clue.PERSON) for name in (first, last)]
        if all(names):
            return " ".join(name for name in names if name)
    return None


def _after_at(email: str | None) -> str | None:
    return email.rpartition("@")[2] if email and "@" in email else None


def _host(address: str) -> str | None:
    """Return the name of the host in an address, in lower case as DNS has it; None where there is none."""
    import idna

    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return None
    host = host.strip(".").lower()
    if not re.fullmatch(r"[^\s/@:\\]+\.[^\s/@:\\.]{2,}", host):
        return None
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return None
