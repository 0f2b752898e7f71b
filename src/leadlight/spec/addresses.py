"""Addresses and networks as users write them: `10.0.0.0/8`, `9.9.9.9`, `127.0.0.1:5353`, `[::1]:53`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from leadlight.errors import shorten

DNS_PORT = 53


def network(text: str) -> IPv4Network | IPv6Network:
    """Read a network, or the one address it has; raises ValueError with what is allowed.

    >>> network("10.1.2.3/8"), network("::1")
    (IPv4Network('10.0.0.0/8'), IPv6Network('::1/128'))
    """
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{shorten(text)} is no network: write addresses as in 10.0.0.0/8 or fd00::/8") from None


def name_server(text: str) -> tuple[str, int]:
    """Read ADDRESS or ADDRESS:PORT, IPv6 with a port in brackets; raises ValueError with what is allowed.

    >>> name_server("127.0.0.1:5353"), name_server("[::1]:53"), name_server("9.9.9.9"), name_server("::1")
    (('127.0.0.1', 5353), ('::1', 53), ('9.9.9.9', 53), ('::1', 53))
    """
    host, port = text, str(DNS_PORT)
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        port = (port.removeprefix(":") or str(DNS_PORT)) if closed else ""
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = str(ip_address(host))
    except ValueError:
        address = ""
    if not address or not (port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536):
        raise ValueError(f"{shorten(text)} is no name server: write an IP address, as in 9.9.9.9 or 127.0.0.1:5353")
    return address, int(port)
