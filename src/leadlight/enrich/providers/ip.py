"""Provider `ip`: where an IP address is, and whose network that is, by files in MaxMind's format on this machine.

GeoLite2, GeoIP2, DB-IP and IPinfo publish such files (.mmdb): of cities, of networks (ASN), of kinds of connections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from leadlight.enrich.answer import at, text_at
from leadlight.enrich.countries import country_code
from leadlight.enrich.network import Network, NetworkError, Why
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.enrich.providers.lists import shipped
from leadlight.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from maxminddb import Reader

ABOUT = About(
    name="ip",
    title="Where an IP address is (MaxMind files)",
    needs=(frozenset({Clue.IP}),),
    gives=("ip_country", "ip_city", "ip_organisation", "ip_kind", "time_zone"),
    network=False,
    licence="that of the files; GeoLite2: CC BY-SA 4.0 and MaxMind's terms",
)

PLACES: Mapping[str, tuple[tuple[tuple[str | int, ...], ...], float]] = {
    "ip_country": (
        (("country", "iso_code"), ("registered_country", "iso_code"), ("country",), ("country_code",)), 0.95,
    ),
    "ip_city": ((("city", "names", "en"), ("city",)), 0.6),
    "time_zone": ((("location", "time_zone"), ("timezone",)), 0.5),
    "ip_organisation": (
        (("organization",), ("traits", "organization"), ("autonomous_system_organization",), ("as_name",), ("isp",),
         ("traits", "isp")), 0.9,
    ),
}  # fmt: skip
"""Attribute → the places where the files have it, the best first, and how sure it is."""
KINDS = {
    "business": "business", "corporate": "business", "government": "business", "college": "business",
    "school": "business",
    "hosting": "hosting", "content_delivery_network": "hosting", "cellular": "mobile", "mobile": "mobile",
    "residential": "isp", "cable/dsl": "isp", "dialup": "isp", "isp": "isp", "education": "business",
}  # fmt: skip
"""What the files call a user or connection → kind."""


class IpSettings(Settings):
    """Which files are looked into."""

    files: list[str] = Field(
        default_factory=list, description="files in MaxMind's format (.mmdb), relative to the workspace; the first wins"
    )


class Ip:
    """Looks IP addresses up in files."""

    about = ABOUT

    def __init__(self, settings: IpSettings, surroundings: Surroundings | None = None) -> None:
        self.settings = settings
        where = surroundings or Surroundings()
        self._readers = tuple((Path(file).name, _reader(where.path(file))) for file in settings.files)

    def key(self, query: Query) -> str | None:
        """Return the address in normal form; None for one that is not on the public internet, or without files."""
        address = address_of(query.get(Clue.IP) or "")
        return str(address) if address is not None and address.is_global and self._readers else None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the files say; nobody is asked. Raises NetworkError where a file is damaged."""
        del network
        key = self.key(query)
        if key is None:
            return ()
        records = [(name, record) for name, reader in self._readers if (record := _record(reader, key, name))]
        return _facts(records, key)


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text names: with a port, in brackets, or the first of those that a proxy lists.

    >>> [str(address_of(text)) for text in ("8.8.8.8:443", "[2001:4860::1]:80", "1.1.1.1, 10.0.0.1", "::ffff:8.8.8.8")]
    ['8.8.8.8', '2001:4860::1', '1.1.1.1', '8.8.8.8']
    """
    first = text[:200].split(",", 1)[0].strip()
    bare = re.fullmatch(r"\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+", first)
    try:
        address = ip_address((bare[1] or bare[2]) if bare else first)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _reader(path: Path) -> Reader:
    from maxminddb import MODE_MMAP, open_database

    try:
        return open_database(str(path), MODE_MMAP)
    except OSError:
        raise NotFoundError(f"no file {path.name}", fix="Paths are relative to the workspace.") from None
    except Exception:  # the library raises whatever a damaged file leads it to
        raise UsageError(f"{path.name} is no file in MaxMind's format", fix="Name a .mmdb file.") from None


def _record(reader: Reader, address: str, name: str) -> Any:
    try:
        return None if ":" in address and reader.metadata().ip_version == 4 else reader.get(address)
    except Exception:  # as above
        raise NetworkError(Why.BROKEN, f"{name} is damaged") from None


def _facts(records: list[tuple[str, Any]], address: str) -> tuple[Fact, ...]:
    found = []
    for attribute, (places, sure) in PLACES.items():
        named = next(_named(records, places), None)
        if named is not None and (value := _value(attribute, named[1])):
            found.append(Fact(attribute, value, sure, named[0], address))
    organisation = next((str(fact.value) for fact in found if fact.attribute == "ip_organisation"), "")
    return (*found, *_kind(records, organisation, address))


def _named(records: list[tuple[str, Any]], places: tuple[tuple[str | int, ...], ...]) -> Iterator[tuple[str, str]]:
    for place in places:
        for name, record in records:
            if isinstance(text := at(record, *place), str) and text.strip():
                yield name, text.strip()


def _value(attribute: str, text: str) -> str | None:
    return country_code(text) if attribute == "ip_country" else text


def _kind(records: list[tuple[str, Any]], organisation: str, address: str) -> list[Fact]:
    """Return the kind of network: as a file says, else by the words in the name of who runs it."""
    for name, record in records:
        if at(record, "is_hosting_provider") is True or at(record, "traits", "is_hosting_provider") is True:
            return [Fact("ip_kind", "hosting", 0.9, name, address)]
        for place in (
            ("traits", "user_type"),
            ("user_type",),
            ("traits", "connection_type"),
            ("connection_type",),
            ("type",),
        ):
            kind = KINDS.get((text_at(record, *place) or "").lower())
            if kind is not None:
                return [Fact("ip_kind", kind, 0.9, name, address)]
    kind = next((kind for kind, pattern in _words().items() if pattern.search(organisation)), None)
    return [Fact("ip_kind", kind, 0.5, "name of the network", organisation)] if kind else []


@cache
def _words() -> Mapping[str, re.Pattern[str]]:
    kinds = shipped("ip.yaml").items()
    return {kind: re.compile("|".join(map(_pattern, words)), re.IGNORECASE) for kind, words in kinds}


def _pattern(word: str) -> str:
    end = "" if word.endswith("*") else r"(?!\w)"
    return rf"\b{re.escape(word.rstrip('*'))}{end}"


PROVIDER = Offer(ABOUT, IpSettings, Ip)
