"""Which addresses requests may go to: the system's own, over https, and no other."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

from leadlight.errors import RemoteError, shorten

LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))


def base_of(system: str, base: str) -> str:
    """Return the address of an API as it is used: https, or http on this very machine; without a slash at its end.

    Raises RemoteError.

    >>> base_of("HubSpot", "https://api.hubapi.com/")
    'https://api.hubapi.com'
    """
    parts = _split(base)
    if parts is None or parts.username is not None or parts.query or parts.fragment:
        fix = "Write `url: https://…` without a user, a query or a fragment in it."
        raise RemoteError(system, "invalid", f"{_shown(base)} is no address of an API", fix=fix)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        fix = "Write `url: https://…`; http is for this machine only, since keys would be read on the way."
        raise RemoteError(system, "invalid", f"{_shown(base)} is not https", fix=fix)
    return base.rstrip("/")


def address_of(system: str, base: str, path: str, hosts: tuple[str, ...] = ()) -> str:
    """Return the whole address of a path, or of an address on the same host or one of `hosts`. Raises RemoteError.

    >>> address_of("HubSpot", "https://api.hubapi.com", "/crm/v3/objects/contacts")
    'https://api.hubapi.com/crm/v3/objects/contacts'
    >>> address_of("HubSpot", "https://api.hubapi.com", "https://api.hubapi.com/next?after=5")
    'https://api.hubapi.com/next?after=5'
    """
    if "://" not in path.partition("?")[0] and not path.startswith("//"):
        return f"{base}/{path.lstrip('/')}"
    own, other = urlsplit(base), _split(path)
    if other is not None and other.username is None and (_place(other) == _place(own) or _named(other, own, hosts)):
        return path
    host = other.hostname if other is not None else None
    message = f"sends us to another host, {shorten(host or path)}, which was not followed"
    raise RemoteError(system, "trouble", message, fix="If it has moved, write its new address as `url`.")


def joined(here: str, to: str) -> str:
    """Return where a redirect leads.

    >>> joined("https://crm.example/api/leads", "/api/leads/")
    'https://crm.example/api/leads/'
    """
    return urljoin(here, to)


def shown(address: str) -> str:
    """Return an address as it may be shown: without its query, where keys may stand.

    >>> shown("https://crm.example/leads?api_key=secret")
    'https://crm.example/leads'
    """
    return address.partition("?")[0].partition("#")[0]


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def _place(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _named(other: SplitResult, own: SplitResult, hosts: tuple[str, ...]) -> bool:
    """Whether it is one of `hosts` (with a port, unless the usual one), over https; http where all is on loopback."""
    safe = other.scheme == "https" or (own.scheme == "http" and other.hostname in LOOPBACK)
    return safe and other.netloc.lower() in {host.lower() for host in hosts}


def _shown(address: str) -> str:
    return shorten(shown(address).rpartition("@")[2])
