"""Host names: which belong together."""

from __future__ import annotations

from functools import lru_cache

from tldextract import TLDExtract

_EXTRACT = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@lru_cache(maxsize=8_192)
def registrable(host: str) -> str:
    """Return the part of a host name that somebody registered or was given by a host of many sites, "" for none.

    >>> registrable("www.shop.acme.co.uk"), registrable("acme.github.io"), registrable("localhost")
    ('acme.co.uk', 'acme.github.io', '')
    """
    return _EXTRACT(host.strip(".").lower()[:253]).top_domain_under_public_suffix


def same_site(one: str, other: str) -> bool:
    """Whether two hosts belong to the same registrable domain."""
    return one == other or (registrable(one) == registrable(other) != "")
