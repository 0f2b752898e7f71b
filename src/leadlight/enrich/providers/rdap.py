"""When a domain was registered, until when, and with whom: RDAP (RFC 9082, 9083), which has replaced WHOIS.

Which server knows a top-level domain stands in IANA's list (RFC 9224), which is fetched once a month.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from leadlight.enrich.answer import at, items_at, json_from, text_at
from leadlight.enrich.convert import time_of
from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings

BOOTSTRAP = "https://data.iana.org/rdap/dns.json"
HEADERS = {"Accept": "application/rdap+json, application/json"}

ABOUT = About(
    name="rdap",
    title="Domain registration (RDAP)",
    needs=(frozenset({Clue.DOMAIN}),),
    gives=("domain_created_at", "domain_expires_at", "domain_registrar", "domain_age_days"),
    ttl=timedelta(days=90),
    licence="Registries' public RDAP, each with terms of its own: for single look-ups, not for bulk (RFC 9083)",
)


class RdapSettings(Settings):
    """Settings of rdap."""

    server: str | None = Field(
        None, description="the address of an RDAP server to ask for every domain; IANA's list says who unless told"
    )


class Rdap:
    """Asks the registry of a domain."""

    def __init__(self, settings: RdapSettings, _: Surroundings) -> None:
        self.about, self.settings = ABOUT, settings

    def key(self, query: Query) -> str | None:
        """Return the domain."""
        domain = (query.get(Clue.DOMAIN) or "").strip().lower().rstrip(".")
        return domain if "." in domain and not set(domain) & set("/?#@:%\\ ") else None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the registry says. Raises NetworkError."""
        domain = self.key(query)
        server = None if domain is None else self.settings.server or await _server(domain, query.at, network)
        if domain is None or server is None:
            return ()
        url = f"{server.rstrip('/')}/domain/{_ascii(domain)}"
        answer = await json_from(
            network, url, whose=server, at=query.at, headers=HEADERS, ttl=ABOUT.ttl, nothing=(400, 404, 410, 422)
        )
        return () if answer is None else tuple(_facts(answer, query.at, url))


PROVIDER = Offer(ABOUT, RdapSettings, Rdap)


async def _server(domain: str, now: datetime, network: Network) -> str | None:
    """Return the server of the longest ending that IANA lists; None where the registry has none."""
    answer = await json_from(network, BOOTSTRAP, whose="IANA's list of RDAP servers", at=now, nothing=())
    labels = _ascii(domain).split(".")
    endings = [".".join(labels[index:]) for index in range(1, len(labels))]
    servers = dict(_listed(answer))
    return next((servers[ending] for ending in endings if ending in servers), None)


def _listed(answer: Any) -> Iterator[tuple[str, str]]:
    for service in items_at(answer, "services", most=10_000):
        addresses = [url for url in items_at(service, 1) if isinstance(url, str) and url.startswith("http")]
        best = next((url for url in addresses if url.startswith("https:")), addresses[0] if addresses else None)
        for ending in items_at(service, 0, most=10_000):
            if best is not None and isinstance(ending, str):
                yield ending.lower(), best


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def _facts(answer: Any, now: datetime, url: str) -> Iterator[Fact]:
    created, expires = _event(answer, "registration"), _event(answer, "expiration")
    if created is not None:
        evidence = f"registration {created:%Y-%m-%d}"
        yield Fact("domain_created_at", created, 0.98, url, evidence)
        if now >= created:
            yield Fact("domain_age_days", float((now - created).days), 0.98, url, evidence)
    if expires is not None:
        yield Fact("domain_expires_at", expires, 0.98, url, f"expiration {expires:%Y-%m-%d}")
    if registrar := _registrar(answer):
        yield Fact("domain_registrar", registrar, 0.98, url, f"registrar {registrar}")


def _event(answer: Any, action: str) -> datetime | None:
    for event in items_at(answer, "events"):
        if text_at(event, "eventAction") == action:
            return time_of(text_at(event, "eventDate"))
    return None


def _registrar(answer: Any) -> str | None:
    """Return the name of the entity whose role is registrar: its `fn` of jCard (RFC 7095), else its handle."""
    for entity in items_at(answer, "entities"):
        if "registrar" in list(items_at(entity, "roles")):
            named = [item for item in items_at(entity, "vcardArray", 1) if at(item, 0) in ("fn", "org")]
            named.sort(key=lambda item: at(item, 0) != "fn")
            return next((name for item in named if (name := text_at(item, 3))), None) or text_at(entity, "handle")
    return None
