"""What is known of the tools behind DNS records: the shape of dns_tools.yaml, and how it is looked into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from leadlight.enrich.providers.lists import shipped, yaml_of
from leadlight.errors import UsageError


class ToolSpec(BaseModel):
    """By what a tool is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: list[str] = []
    spf: list[str] = []
    txt: list[str] = []
    dkim: list[str] = []


class HostingSpec(BaseModel):
    """By what a host is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: dict[str, list[str]] = {}
    ranges: dict[str, list[IPv4Network | IPv6Network]] = {}


class PatternsSpec(BaseModel):
    """The shape of dns_tools.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mail_suites: dict[str, list[str]] = {}
    gateways: dict[str, list[str]] = {}
    dns_hosts: dict[str, list[str]] = {}
    hosting: HostingSpec = HostingSpec()
    tools: dict[str, ToolSpec] = {}


@dataclass(frozen=True, slots=True)
class Names:
    """Host names → whose they are; the longest known one decides.

    >>> Names({"outlook.com": "microsoft_365"}).of("acme-com.mail.protection.outlook.com.")
    'microsoft_365'
    """

    known: Mapping[str, str]

    def of(self, host: str) -> str | None:
        """Return whose a host is."""
        labels = host.rstrip(".").lower().split(".")[-12:]
        names = (".".join(labels[n:]) for n in range(len(labels) - 1))
        return next((self.known[name] for name in names if name in self.known), None)


@dataclass(frozen=True)
class Patterns:
    """All that is known, own entries before those that ship."""

    specs: tuple[PatternsSpec, ...]

    def _of(self, tables: Iterable[Mapping[str, list[str]]]) -> Names:
        known: dict[str, str] = {}
        for table in tables:
            for name, hosts in table.items():
                for host in hosts:
                    known.setdefault(host.lower(), name)
        return Names(known)

    @cached_property
    def suites(self) -> Names:
        """Hosts of MX records → mail suite."""
        return self._of(spec.mail_suites for spec in self.specs)

    @cached_property
    def gateways(self) -> Names:
        """Hosts of MX records → who filters."""
        return self._of(spec.gateways for spec in self.specs)

    @cached_property
    def dns_hosts(self) -> Names:
        """Name servers → who runs them."""
        return self._of(spec.dns_hosts for spec in self.specs)

    @cached_property
    def hosts(self) -> Names:
        """Names of web servers → who runs them."""
        return self._of(spec.hosting.names for spec in self.specs)

    @cached_property
    def spf(self) -> Names:
        """Names in SPF records → tool."""
        return self._of({name: tool.spf for name, tool in spec.tools.items()} for spec in self.specs)

    @cached_property
    def dkim(self) -> Names:
        """Targets of DKIM selectors → tool."""
        return self._of({name: tool.dkim for name, tool in spec.tools.items()} for spec in self.specs)

    @cached_property
    def txt(self) -> Mapping[str, str]:
        """Starts of TXT records → tool."""
        return self._of({name: tool.txt for name, tool in spec.tools.items()} for spec in self.specs).known

    @cached_property
    def kinds(self) -> Mapping[str, frozenset[str]]:
        """Tool → its kinds."""
        return {name: frozenset(tool.kinds) for spec in reversed(self.specs) for name, tool in spec.tools.items()}

    @cached_property
    def ranges(self) -> Mapping[tuple[int, int, int], str]:
        """(IP version, prefix length, first bits) → who runs the network."""
        return {
            (net.version, net.prefixlen, int(net.network_address) >> (net.max_prefixlen - net.prefixlen)): name
            for spec in reversed(self.specs)
            for name, nets in spec.hosting.ranges.items()
            for net in nets
        }

    @cached_property
    def lengths(self) -> Mapping[int, tuple[int, ...]]:
        """IP version → the prefix lengths among the ranges, longest first."""
        return {
            version: tuple(sorted({length for v, length, _ in self.ranges if v == version}, reverse=True))
            for version in (4, 6)
        }

    def network_of(self, address: IPv4Address | IPv6Address) -> str | None:
        """Return who runs the network of an address; the smallest known network decides."""
        bits = int(address)
        starts = ((address.version, n, bits >> (address.max_prefixlen - n)) for n in self.lengths[address.version])
        return next((self.ranges[start] for start in starts if start in self.ranges), None)


@cache
def shipped_patterns() -> Patterns:
    """Return what ships with Leadlight."""
    return Patterns((PatternsSpec.model_validate(shipped("dns_tools.yaml")),))


def own_patterns(path: Path) -> Patterns:
    """Return what a file of the user's own says, before what ships. Raises NotFoundError or UsageError."""
    return Patterns((_spec(yaml_of(path), path.name), *shipped_patterns().specs))


def _spec(data: Any, file: str) -> PatternsSpec:
    try:
        return PatternsSpec.model_validate(data or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{file}, {where}: {first['msg']}",
            fix=f"Allowed are {', '.join(PatternsSpec.model_fields)}, in the shape of leadlight's dns_tools.yaml.",
        ) from None
