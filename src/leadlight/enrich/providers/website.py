"""Provider `website`: what a company's own web site says of it.

The home page and the few pages that matter (contact, careers, prices, about) are read, as robots.txt allows.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from leadlight.enrich.network import Network, NetworkError, Reply, Why
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings

if TYPE_CHECKING:
    from leadlight.enrich.extract.page import PageFacts
    from leadlight.enrich.extract.readers import Readers
    from leadlight.enrich.extract.technologies import Known

ABOUT = About(
    name="website",
    title="What a company's own web site says",
    needs=(frozenset({Clue.WEBSITE}), frozenset({Clue.DOMAIN})),
    gives=(
        "website_status", "website_title", "website_description", "website_language", "website_pages", "website_words",
        "website_feed", "website_changed_at", "company_name", "legal_name", "founded", "employees", "company_email",
        "company_phone", "company_address", "city", "region", "postal_code", "country", "social_profiles",
        "technologies", "cms", "ecommerce_platform", "analytics_tools", "marketing_tools", "crm_tools",
        "support_tools", "finance_tools", "hosting", "hiring", "open_positions", "has_pricing_page", "has_free_trial",
        "has_demo_request", "has_chat", "has_login",
    ),
    clues=frozenset({Clue.COMPANY, Clue.ADDRESS, Clue.CITY, Clue.POSTAL_CODE, Clue.COUNTRY, Clue.LINKS}),
    licence="the company's own public pages, as its robots.txt allows",
)  # fmt: skip

_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_GIVE_UP = frozenset({Why.BUDGET, Why.RATE_LIMITED})
"""Why the whole look-up ends: it can be taken up again later, and what was fetched is kept."""
_OTHER_WAY = frozenset({Why.NO_SUCH_HOST, Why.UNREACHABLE, Why.BROKEN, Why.TOO_MANY_REDIRECTS})
"""Why another address of the home page is tried: without TLS, with www."""
NOT_PAGES = re.compile(
    r"(?i)\.(?:pdf|jpe?g|png|gif|svg|webp|zip|gz|docx?|xlsx?|pptx?|mp[34]|avi|mov|ics|vcf|exe|dmg|xml|json)$"
)


class WebsiteSettings(Settings):
    """How much of a site is read, and technologies of one's own."""

    pages: int = Field(4, ge=1, le=20, description="pages of a site that are read, the home page among them")
    technologies: str | None = Field(
        None, description="a file of fingerprints besides the shipped ones, relative to the workspace"
    )
    sitemap: bool = Field(False, description="ask for sitemap.xml too, for the last change of a site")


class Website:
    """Reads web sites."""

    def __init__(self, settings: WebsiteSettings, surroundings: Surroundings | None = None) -> None:
        self.settings = settings
        self.about = replace(ABOUT, requests=settings.pages + 1 + settings.sitemap)  # and robots.txt
        self._fingerprints: Known | None = None
        self._readers: Readers | None = None
        if settings.technologies is not None:
            from leadlight.enrich.extract.technologies import with_own

            path = (surroundings or Surroundings()).path(settings.technologies)
            self._fingerprints = with_own(path, shown=settings.technologies)

    def key(self, query: Query) -> str | None:
        """Return the site's host in lower case without www.; of several clues, the web site's.

        >>> from leadlight.enrich.provider import Clue, Query
        >>> site = Website(WebsiteSettings())
        >>> site.key(Query({Clue.WEBSITE: "HTTPS://www.Acme.com/about"})), site.key(Query({Clue.DOMAIN: "acme.com"}))
        ('acme.com', 'acme.com')
        """
        return host_of(query.get(Clue.WEBSITE) or "") or host_of(query.get(Clue.DOMAIN) or "")

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the site says. Raises NetworkError where it could not be asked."""
        host = self.key(query)
        if host is None:
            return ()
        try:
            reply = await _home(host, network)
        except NetworkError as error:
            status = {Why.NO_SUCH_HOST: "absent", Why.TOO_MANY_REDIRECTS: "broken"}.get(error.why)
            if status is None:
                raise
            return (Fact("website_status", status, 0.9, f"https://{host}/", error.why.value),)
        return await self._read(host, reply, network)

    async def _read(self, host: str, reply: Reply, network: Network) -> tuple[Fact, ...]:
        from leadlight.enrich.extract.organisation import host_of as host_of_url
        from leadlight.enrich.extract.site import Site, site_facts

        if not reply.ok:
            return _status(reply)
        if not _is_page(reply):
            return (Fact("website_status", "live", 0.6, reply.url, _kind(reply)),)
        home = await self._page(reply)
        if home.refresh and host_of_url(home.refresh) == host_of_url(home.url) and home.refresh != home.url:
            again = await _fetch(home.refresh, network)
            home = home if again is None else await self._page(again)
        if home.parked is not None:
            return (Fact("website_status", "parked", home.parked.confidence, home.url, home.parked.evidence),)
        if not _belongs(host, home):
            return (Fact("website_status", "redirect_elsewhere", 0.9, f"https://{host}/", home.url),)
        pages = [home]
        for url in further(home, 2 * (self.settings.pages - 1)):
            if len(pages) >= self.settings.pages:
                break
            more = await _fetch(url, network)
            page = None if more is None else await self._page(more)
            if page is not None and _belongs(host, page) and page.url not in {known.url for known in pages}:
                pages.append(page)
        facts = site_facts(Site(host_of_url(home.url), pages))
        if self.settings.sitemap:
            facts = await _with_sitemap(facts, home.url, network)
        return (Fact("website_status", "live", 0.95, home.url, home.title[:300]), *facts)

    async def _page(self, reply: Reply) -> PageFacts:
        if self._readers is None:
            from leadlight.enrich.extract.readers import Readers

            self._readers = Readers(self._fingerprints)
        return await self._readers.read(reply.text(), reply.url, headers=reply.headers, fetched_at=reply.fetched_at)


def host_of(clue: str) -> str | None:
    """Return the host that a web address or domain names, without www.; None where it names none.

    >>> host_of("https://user@www.Acme.com:8080/x"), host_of("bücher.de"), host_of("localhost"), host_of("10.0.0.1")
    ('acme.com', 'xn--bcher-kva.de', None, None)
    """
    text = clue.strip().lower()[:500]
    text = re.split(r"[/?#\\\s]", text.partition("://")[2] or text, maxsplit=1)[0]
    host = text.rpartition("@")[2].partition(":")[0].strip(".").removeprefix("www.")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
        return None
    return host


async def _home(host: str, network: Network) -> Reply:
    """Fetch the home page: over TLS, else without, else under www."""
    failures: list[NetworkError] = []
    for url in (f"https://{host}/", f"http://{host}/", f"https://www.{host}/", f"http://www.{host}/"):
        if failures and failures[-1].why is Why.NO_SUCH_HOST and "://www." not in url:
            continue  # where there is no such host, another scheme does not help
        try:
            reply = await network.get(url, crawl=True)
        except NetworkError as error:
            if error.why not in _OTHER_WAY:
                raise
            failures.append(error)
            if "://www." in url and error.why is Why.NO_SUCH_HOST:
                break
            continue
        return reply
    raise next((error for error in failures if error.why is not Why.NO_SUCH_HOST), failures[0])


async def _fetch(url: str, network: Network) -> Reply | None:
    """Fetch one more page; None where there is none."""
    try:
        reply = await network.get(url, crawl=True)
    except NetworkError as error:
        if error.why in _GIVE_UP:
            raise
        return None
    return reply if reply.ok and _is_page(reply) else None


def _kind(reply: Reply) -> str:
    return reply.headers.get("content-type", "")[:100]


def _is_page(reply: Reply) -> bool:
    kind = _kind(reply).lower()
    return "html" in kind or "text/plain" in kind or not kind or b"<html" in reply.body[:2_000].lower()


def _status(reply: Reply) -> tuple[Fact, ...]:
    """Return what a home page that is no page says: who is refused learns nothing of the site's state."""
    if reply.status in (404, 410):
        return (Fact("website_status", "broken", 0.9, reply.url, f"status {reply.status}"),)
    return ()


def _belongs(host: str, page: PageFacts) -> bool:
    """Whether a page is still that of the company: the same domain, or one of the same name (acme.com, acme.io)."""
    from leadlight.enrich.extract.hosts import registrable
    from leadlight.enrich.extract.organisation import host_of as host_of_url

    there = host_of_url(page.url)
    asked, got = registrable(host) or host, registrable(there) or there.removeprefix("www.")
    return asked == got or asked.partition(".")[0] == got.partition(".")[0]


def further(home: PageFacts, count: int) -> list[str]:
    """Return the pages to read after the home page, those first that say what it does not."""
    from leadlight.enrich.extract.organisation import host_of as host_of_url
    from leadlight.enrich.extract.signs import is_page_of

    own = host_of_url(home.url).removeprefix("www.")
    links = [
        link
        for link in home.links
        if link.host.removeprefix("www.") == own
        and not NOT_PAGES.search(link.path)
        and link.url.rstrip("/") != home.url.rstrip("/")
    ]  # fmt: skip
    reached = home.emails and home.phones and home.addresses
    wanted = ["careers", "pricing", "about", "contact"] if reached else ["contact", "careers", "pricing", "about"]
    chosen: list[str] = []
    for round_ in range(2):
        for kind in wanted:
            of_kind = [link.url for link in links if is_page_of(link, kind) and link.url not in chosen]
            if of_kind and (round_ == 0 or kind in ("contact", "about")):
                chosen.append(min(of_kind, key=len))
            if len(chosen) >= count:
                return chosen[: max(count, 0)]
    return chosen


async def _with_sitemap(facts: tuple[Fact, ...], home: str, network: Network) -> tuple[Fact, ...]:
    """Add the latest change that the sitemap names, where it is later than what the pages say."""
    from leadlight.enrich.extract.dates import moment

    url = re.sub(r"(https?://[^/]+).*", r"\1/sitemap.xml", home)
    reply = None
    try:
        reply = await network.get(url, crawl=True)
    except NetworkError as error:
        if error.why in _GIVE_UP:
            raise
    if reply is None or not reply.ok:
        return facts
    stated = [moment(text) for text in re.findall(r"<lastmod>\s{0,20}([^<\s]{8,40})", reply.text()[:1_000_000])]
    past = [at for at in stated if at is not None and at <= reply.fetched_at]
    known = next((fact.value for fact in facts if fact.attribute == "website_changed_at"), None)
    if not past or (known is not None and str(known) >= str(max(past))):
        return facts
    kept = tuple(fact for fact in facts if fact.attribute != "website_changed_at")
    return (*kept, Fact("website_changed_at", max(past), 0.8, url, "lastmod"))


PROVIDER = Offer(ABOUT, WebsiteSettings, Website)
