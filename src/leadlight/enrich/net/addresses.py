"""Which addresses may be asked: http and https on the public internet, and what is allowed besides.

An address (URL) is read strictly, once, and everything after works with its parts: nothing that two readers could read
differently (user names, backslashes, numbers in place of an IPv4 address) is accepted. Whether a host is public is
decided by the IP address that is connected to, never by its name alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlencode, urljoin, urlsplit

import idna

from leadlight.enrich.network import NetworkError, Why
from leadlight.spec.addresses import network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 4000
WEB_PORTS = frozenset({80, 443, 8080, 8443})
"""Ports that may be asked on public hosts."""
METADATA_HOSTS = frozenset({
    "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
    "metadata.azure.internal", "metadata.tencentyun.com", "metadata.packet.net", "metadata.platformequinix.com",
})  # fmt: skip
"""Names that clouds give their metadata services; never asked, whatever is allowed."""
METADATA_ADDRESSES = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.253", "169.254.169.123",
            "169.254.0.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
            "fd00:ec2::254", "fd00:ec2::23", "fd00:ec2::253", "fd20:ce::254", "fd00:42::42",
        ),
    )
)  # fmt: skip
"""Addresses of those services (168.63.129.16 looks public and is not); never asked, whatever is allowed."""
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            # https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast and reserved space
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            # https://www.iana.org/assignments/iana-ipv6-special-registry: what lies in 2000::/3 and is not for all
            "2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20",
        ),
    )
)  # fmt: skip
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_SIX_TO_FOUR = IPv6Network("2002::/16")
_COMPATIBLE = IPv6Network("::/96")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
_BAD_CHARACTERS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff\u200b-\u200f]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """One address that may be asked, in its normal form."""

    scheme: str
    host: str
    """ASCII, lower case, without a trailing dot; an IPv6 address without brackets."""
    port: int
    path: str
    """Path and query, ASCII."""

    @property
    def authority(self) -> str:
        """The host as the Host header says it, with the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The whole address."""
        return self.origin + self.path


def target(url: str, params: Mapping[str, str] | None = None) -> Target:
    """Read an address strictly; raises NetworkError (not allowed) where it is none that may be asked.

    >>> target("HTTP://Bücher.example:80/a b?q=ä#top".replace("a b", "a%20b")).url
    'http://xn--bcher-kva.example/a%20b?q=%C3%A4'
    >>> target("https://example.com", {"q": "a&b"}).url
    'https://example.com/?q=a%26b'
    >>> target("http://127.1/")
    Traceback (most recent call last):
    leadlight.enrich.network.NetworkError: '127.1' is a number, not a host: write an IPv4 address as 192.0.2.1
    """
    url = url.strip(" \t\r\n")
    if len(url) > LONGEST_URL:
        raise _refused(f"an address of {len(url)} characters is too long (at most {LONGEST_URL})")
    if _BAD_CHARACTERS.search(url):
        raise _refused("the address holds characters that no address may hold (spaces, controls, backslashes)")
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        raise _refused("the address cannot be read") from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise _refused(f"only http and https are asked, not {scheme[:20]!r}")
    if "@" in parts.netloc:
        raise _refused("an address with a user name is not asked")
    if "[" in parts.netloc and ":" not in (name or ""):
        raise _refused("what stands in brackets is no IPv6 address")
    query = "&".join(part for part in (parts.query, urlencode(params) if params else "") if part)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{_quoted_query(query)}" if query else "")
    return Target(scheme, host_name(name or ""), _DEFAULT_PORTS[scheme] if port is None else port, path)


def followed(base: Target, location: str) -> Target:
    """Read where a redirect leads, which may be relative to where it came from."""
    location = location.strip(" \t\r\n").replace(" ", "%20")
    if _SCHEME.match(location):
        return target(location)
    if _BAD_CHARACTERS.search(location):
        raise _refused("the redirect holds characters that no address may hold")
    try:
        return target(urljoin(base.url, location))
    except ValueError:
        raise _refused("the redirect cannot be read") from None


def _quoted_query(query: str) -> str:
    return quote(query, safe="/%:@!$&'()*+,;=~-._?")


def host_name(name: str) -> str:
    """Return a host's name in ASCII, or the IP address it is; raises NetworkError (not allowed) where it is neither.

    >>> host_name("Straße.Example.")
    'xn--strae-oqa.example'
    >>> host_name("[::1]"), host_name("93.184.215.14")
    ('::1', '93.184.215.14')
    """
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if ":" in bare:
        return _ipv6(bare)
    host = ascii_name(bare)
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise _refused(f"{host[:40]!r} is a number, not a host: write an IPv4 address as 192.0.2.1") from None
    if host in METADATA_HOSTS:
        raise NetworkError(Why.NOT_PUBLIC, f"{host} is the metadata service of a cloud")
    return host


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text if "%" not in text else ""))
    except ValueError:
        raise _refused(f"{text[:60]!r} is no IPv6 address that may be asked") from None


@lru_cache(maxsize=4096)
def ascii_name(name: str) -> str:
    """Return a name of the DNS in ASCII and lower case, by IDNA (UTS 46); raises NetworkError where it is none.

    >>> ascii_name("_dmarc.Müller。de")
    '_dmarc.xn--mller-kva.de'
    """
    if len(name) > 253:
        raise _refused(f"a host name of {len(name)} characters is too long")
    try:
        mapped = name.lower() if name.isascii() else idna.uts46_remap(name, std3_rules=False, transitional=False)
        labels = mapped.replace("。", ".").removesuffix(".").split(".")
        host = ".".join(label if label.isascii() else idna.alabel(label).decode() for label in labels)
    except (UnicodeError, IndexError, ValueError):
        raise _refused(f"{name[:60]!r} is no host name") from None
    if not _HOST.fullmatch(host) or len(host) > 253 or any(len(label) > 63 for label in host.split(".")):
        raise _refused(f"{host[:60]!r} is no host name")
    return host


def _refused(message: str) -> NetworkError:
    return NetworkError(Why.NOT_ALLOWED, message)


def is_public(address: Address) -> bool:
    """Whether an IP address is one of the public internet, and so is every IPv4 address that it carries within.

    >>> is_public(ip_address("93.184.215.14")), is_public(ip_address("::ffff:10.0.0.1"))
    (True, False)
    """
    carried = within(address)
    if carried is not None:
        return is_public(carried)
    if address in METADATA_ADDRESSES or (isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST):
        return False
    if isinstance(address, IPv6Address) and (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


def within(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for (mapped, compatible, NAT64, 6to4), None if it has none.

    >>> str(within(ip_address("64:ff9b::7f00:1"))), within(ip_address("2606:4700::1111"))
    ('127.0.0.1', None)
    """
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


@dataclass(frozen=True, slots=True)
class Guard:
    """Says which IP addresses and ports may be connected to."""

    allow: tuple[Network, ...] = ()
    """Networks that may be asked although they are not public."""
    web_ports: frozenset[int] = WEB_PORTS

    @classmethod
    def of(cls, allow: Iterable[str], *, ports: Iterable[int] = ()) -> Guard:
        """Make one from networks as text; raises ValueError where one is none."""
        return cls(tuple(map(network, allow)), WEB_PORTS | frozenset(ports))

    def allows(self, address: Address) -> bool:
        """Whether an address lies in a network that is allowed by the settings, and belongs to no metadata service."""
        carried = within(address)
        if {address, carried} & METADATA_ADDRESSES:
            return False
        return any(one in network for one in (address, carried) if one is not None for network in self.allow)

    def port(self, port: int, *, stranger: bool) -> None:
        """Refuse ports that are no web's, unless it is oneself, no stranger, who says to ask an allowed network."""
        if port not in self.web_ports and (stranger or not self.allow):
            raise _refused(f"port {port} is none of the web's ({', '.join(map(str, sorted(WEB_PORTS)))})")

    def check(self, host: str, addresses: Sequence[str], port: int) -> tuple[str, ...]:
        """Return the addresses of a host, in a normal form, if all of them may be connected to.

        Raises NetworkError (not public) if one of them may not: a host that mixes public and private addresses is
        either broken or up to no good.
        """
        found = [self._checked(host, text, port) for text in addresses]
        return tuple(map(str, found))

    def _checked(self, host: str, text: str, port: int) -> Address:
        try:
            address = ip_address(text)
        except ValueError:
            raise NetworkError(Why.NOT_PUBLIC, f"{host} has an address that cannot be read") from None
        if getattr(address, "scope_id", None) is None:
            if self.allows(address):
                return address
            if is_public(address):
                if port not in self.web_ports:
                    raise _refused(f"port {port} is none of the web's")
                return address
        raise NetworkError(
            Why.NOT_PUBLIC,
            f"{host if host == str(address) else f'{host} ({address})'} is not public; "
            "`allow` in enrich.network names networks to ask as well",
        )
