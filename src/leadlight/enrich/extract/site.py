"""What the pages of one site say together: each fact once, with the best evidence for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leadlight.enrich.extract.addresses import Address
from leadlight.enrich.extract.found import Found
from leadlight.enrich.extract.hosts import registrable
from leadlight.enrich.extract.organisation import likeness, name_key
from leadlight.enrich.extract.page import PageFacts
from leadlight.enrich.provider import Fact, Value

MAX_VALUE = 500
ENOUGH_WORDS = 40
"""Words on all pages below which what was not seen may still be there: pages that scripts fill show little."""
UNSEEN = 0.6
"""How sure it is that what no page shows is not there."""

KINDS = {
    "cms": "cms", "ecommerce_platform": "ecommerce", "analytics_tools": "analytics", "marketing_tools": "marketing",
    "crm_tools": "crm", "support_tools": "support", "finance_tools": "finance", "hosting": "hosting",
}  # fmt: skip
"""Attribute → the category of the technologies that it names."""
SIGNS = {
    "hiring": "hiring", "has_pricing_page": "pricing", "has_free_trial": "trial", "has_demo_request": "demo",
    "has_login": "login",
}  # fmt: skip
"""Attribute → the sign of a page that it is read from."""
_ROLES = ("info", "contact", "hello", "office", "sales", "mail", "enquiries", "inquiries", "kontakt", "admin", "post")
_NOT_IT = ("noreply", "no-reply", "webmaster", "abuse", "privacy", "datenschutz", "dpo", "jobs", "careers", "press")


@dataclass(frozen=True, slots=True)
class Site:
    """The pages that were read of a site, home first."""

    host: str
    pages: Sequence[PageFacts]

    @property
    def home(self) -> PageFacts:
        """The home page."""
        return self.pages[0]


def site_facts(site: Site) -> tuple[Fact, ...]:
    """Return the facts of a site that is live."""
    return tuple(
        fact
        for facts in (
            _of_home(site), _of_organisation(site), _of_contact(site), _of_technologies(site), _of_signs(site),
            _of_life(site),
        )
        for fact in facts
        if fact.value != ""
    )  # fmt: skip


def _of_home(site: Site) -> Iterator[Fact]:
    home = site.home
    yield Fact("website_title", home.title, 1.0, home.url)
    yield Fact("website_description", home.description, 1.0, home.url)
    language = next((page.language for page in site.pages if page.language is not None), None)
    if language is not None:
        yield Fact("website_language", language.value, language.confidence, home.url, language.evidence)
    yield Fact("website_pages", float(len(site.pages)), 1.0, home.url)
    yield Fact("website_words", float(sum(page.words for page in site.pages)), 1.0, home.url)


def _of_organisation(site: Site) -> Iterator[Fact]:
    name = company_name(site.pages)
    if name is not None:
        found, page = name
        yield Fact("company_name", found.value, found.confidence, page.url, f"{found.how}: {found.evidence}"[:300])
    for page in site.pages:
        stated = page.organisation
        if stated.legal_name:
            yield Fact("legal_name", stated.legal_name, 0.85, page.url, f"{stated.how}: {stated.legal_name}")
        if stated.founded:
            yield Fact("founded", float(stated.founded), 0.9, page.url, f"{stated.how}: {stated.founded}")
        if stated.employees:
            yield Fact("employees", float(stated.employees), 0.8, page.url, f"{stated.how}: {stated.employees}")
        if stated != type(stated)():
            return


def company_name(pages: Sequence[PageFacts]) -> tuple[Found, PageFacts] | None:
    """Return the name that the pages together speak most for, and the page that says it best."""
    votes: dict[str, float] = {}
    best: dict[str, tuple[Found, PageFacts]] = {}
    for page in pages:
        for found in page.names:
            key = name_key(found.value).replace(" ", "")
            votes[key] = votes.get(key, 0.0) + found.confidence
            if key not in best or found.confidence > best[key][0].confidence:
                best[key] = found, page
    return best[max(votes, key=lambda key: votes[key])] if votes else None


def _of_contact(site: Site) -> Iterator[Fact]:
    email = _best(site.pages, lambda page: page.emails, lambda found, page: _email_rank(found, page, site.host))
    if email is not None:
        found, page = email
        yield Fact("company_email", found.value, found.confidence, page.url, f"{found.how}: {found.evidence}"[:300])
    phone = _best(site.pages, lambda page: page.phones, _phone_rank)
    if phone is not None:
        found, page = phone
        yield Fact("company_phone", found.value, found.confidence, page.url, f"{found.how}: {found.evidence}"[:300])
    address = _best(site.pages, lambda page: page.addresses, _address_rank)
    if address is not None:
        yield from _address_facts(*address)
    profiles: dict[str, str] = {}
    for one in site.pages:
        for url in one.profiles:
            profiles.setdefault(url.split("/")[2], url)
    yield Fact("social_profiles", _joined(profiles.values(), " "), 0.9, site.home.url)


def _address_facts(address: Address, page: PageFacts) -> Iterator[Fact]:
    evidence = f"{address.how}: {address.evidence}"[:300]
    yield Fact("company_address", address.text, address.confidence, page.url, evidence)
    for attribute, value in (
        ("city", address.city), ("region", address.region), ("postal_code", address.postal_code),
        ("country", address.country),
    ):  # fmt: skip
        yield Fact(attribute, value, round(address.confidence * 0.9, 3), page.url, evidence)


def _best(
    pages: Sequence[PageFacts],
    values: Callable[[PageFacts], Sequence[Any]],
    rank: Callable[[Any, PageFacts], float],
) -> tuple[Any, PageFacts] | None:
    """Return the value that ranks highest, the first of several, and its page."""
    best: tuple[float, Any, PageFacts] | None = None
    for page in pages:
        for place, value in enumerate(values(page)):
            score = rank(value, page) - min(place, 20) * 0.02
            if best is None or score > best[0]:
                best = score, value, page
    return None if best is None else (best[1], best[2])


def _email_rank(found: Found, page: PageFacts, host: str) -> float:
    local, _, domain = found.value.partition("@")
    score = found.confidence
    own = registrable(host) or host
    if registrable(domain) == own:
        score += 2
    elif likeness(registrable(domain).partition(".")[0], own.partition(".")[0]) > 0.6:
        score += 1
    score += 0.6 * local.startswith(_ROLES) - 0.8 * any(word in local for word in _NOT_IT)
    return score + 0.3 * ("contact" in page.kinds)


def _phone_rank(found: Found, page: PageFacts) -> float:
    return found.confidence + 0.2 * ("contact" in page.kinds) + 0.1 * (found.how != "text")


def _address_rank(address: Address, page: PageFacts) -> float:
    return address.confidence + 0.2 * ("contact" in page.kinds) + 0.1 * bool(address.postal_code)


def _of_technologies(site: Site) -> Iterator[Fact]:
    best: dict[str, tuple[float, str, tuple[str, ...], str]] = {}
    for page in site.pages:
        for one in page.technologies:
            if one.name not in best or one.confidence > best[one.name][0]:
                best[one.name] = one.confidence, one.evidence, one.categories, page.url
    if not best:
        return
    names = sorted(best, key=lambda name: (-best[name][0], name))
    yield _named("technologies", names, best)
    for attribute, category in KINDS.items():
        of_kind = [name for name in names if category in best[name][2]]
        if of_kind:
            yield _named(attribute, of_kind, best)
    chats = [name for name in names if "chat" in best[name][2]]
    if chats:
        yield Fact("has_chat", True, best[chats[0]][0], best[chats[0]][3], f"{chats[0]}: {best[chats[0]][1]}"[:300])


def _named(attribute: str, names: list[str], best: dict[str, tuple[float, str, tuple[str, ...], str]]) -> Fact:
    kept = _joined(names, ", ")
    evidence = "; ".join(f"{name}: {best[name][1]}" for name in names)
    return Fact(attribute, kept, min(best[name][0] for name in names), best[names[0]][3], evidence[:300])


def _of_signs(site: Site) -> Iterator[Fact]:
    enough = sum(page.words for page in site.pages) >= ENOUGH_WORDS
    for attribute, sign in SIGNS.items():
        found = [(getattr(page, sign), page) for page in site.pages if getattr(page, sign) is not None]
        if found:
            best, page = max(found, key=lambda pair: pair[0].confidence)
            yield Fact(attribute, best.value == "true", best.confidence, page.url, best.evidence)
        elif enough:
            yield Fact(attribute, False, UNSEEN, site.home.url, f"no sign of it on {len(site.pages)} pages")
    if enough and not any("chat" in one.categories for page in site.pages for one in page.technologies):
        yield Fact("has_chat", False, UNSEEN, site.home.url, f"no sign of it on {len(site.pages)} pages")
    counted = [(page.open_positions, page) for page in site.pages if page.open_positions is not None]
    if counted:
        count, page = max(counted, key=lambda pair: float(pair[0].value))
        yield Fact("open_positions", float(count.value), count.confidence, page.url, count.evidence)


def _of_life(site: Site) -> Iterator[Fact]:
    feed = next((page.feeds[0] for page in site.pages if page.feeds), "")
    yield Fact("website_feed", feed, 0.95, site.home.url)
    changes = [(page.changed_at, page) for page in site.pages if page.changed_at is not None]
    if changes:
        (at, where), page = max(changes, key=lambda pair: pair[0][0])
        value: Value = at
        yield Fact("website_changed_at", value, 0.8 if where != "time" else 0.6, page.url, where)


def _joined(values: Iterable[str], separator: str) -> str:
    """Join as many values as fit."""
    text = ""
    for value in values:
        longer = f"{text}{separator}{value}" if text else value
        if len(longer) > MAX_VALUE:
            break
        text = longer
    return text
