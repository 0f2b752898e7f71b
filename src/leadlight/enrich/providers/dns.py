"""Provider `dns`: what the DNS records of a company's domain say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from pydantic import Field

from leadlight.enrich.network import Network, NetworkError, Why
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.enrich.providers.dns_tools import Patterns, own_patterns, shipped_patterns
from leadlight.enrich.providers.email import ascii_domain, registrable
from leadlight.enrich.sound import clean_text

KINDS = ("marketing", "crm", "support", "finance")
"""Kinds of tools that have an attribute of their own, such as `marketing_tools`."""
RECORDS = 100
"""The most records of a kind that are looked at; real domains have a few dozen."""
DEPTH = 3
"""How far SPF records that name other ones are followed."""
BEHIND = ("microsoft_365", "google_workspace", "zoho", "yandex")
"""Mail suites that an SPF record names too, where others receive the e-mail before them."""
SELECTORS = (
    "selector1",
    "google",
    "k1",
    "k2",
    "s1",
    "s2",
    "hs1",
    "zendesk1",
    "mandrill",
    "pm",
    "mte1",
    "sf1",
    "fd",
    "kl",
)
"""The names under which the usual tools publish their DKIM keys."""

ABOUT = About(
    name="dns",
    title="What the DNS records of its domain say",
    needs=(frozenset({Clue.DOMAIN}),),
    gives=(
        "email_has_mx", "mail_suite", "mail_gateway", "spf_tools", "verified_tools", "dmarc_policy", "dns_host",
        "hosting", "domain_resolves", *(f"{kind}_tools" for kind in KINDS),
    ),
    licence="public records",
    requests=0,
)  # fmt: skip


class DnsSettings(Settings):
    """Own patterns, and how far records are followed."""

    tools: str | None = Field(None, description="a YAML file of own patterns in the shape of dns_tools.yaml")
    spf_steps: int = Field(6, ge=0, le=20, description="SPF records of others that are read to find tools, at most")
    selectors: bool = Field(False, description="ask for the usual DKIM keys too, which name more tools: 14 questions")
    reverse: bool = Field(
        True, description="ask for the name of the web site's address where nothing else names a host"
    )


class Dns:
    """Asks for the records of a domain, and says what is in them."""

    about = ABOUT

    def __init__(self, settings: DnsSettings, surroundings: Surroundings | None = None) -> None:
        self.settings = settings
        where = surroundings or Surroundings()
        self._patterns = shipped_patterns() if settings.tools is None else own_patterns(where.path(settings.tools))

    def key(self, query: Query) -> str | None:
        """Return the domain as DNS has it."""
        domain = (query.get(Clue.DOMAIN) or "")[:300]
        name = ascii_domain(domain) if len(domain) <= 253 else ""
        return name if "." in name and len(name) <= 245 and _HOST.fullmatch(name) else None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the records say. Raises NetworkError where the servers do not answer for mail or addresses."""
        domain = self.key(query)
        if domain is None:
            return ()
        records = await _records(domain, network)
        tasks = (
            _followed(records.spf, domain, network, self._patterns, self.settings.spf_steps),
            _keys(domain, network) if self.settings.selectors else _none(),
            _reverse(records, network, self._patterns) if self.settings.reverse else _none(),
        )
        included, keys, reverse = await asyncio.gather(*tasks)
        return facts(records, self._patterns, included=included, keys=keys, reverse=reverse)


# --- records ---

_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a domain, as they came."""

    domain: str
    mx: tuple[str, ...] = ()
    txt: tuple[str, ...] = ()
    dmarc: tuple[str, ...] = ()
    ns: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    www: tuple[str, ...] = ()
    """What www.DOMAIN stands for, by CNAME."""

    @property
    def spf(self) -> str | None:
        """The SPF record, in lower case."""
        return _spf(self.txt)


async def _records(domain: str, network: Network) -> Records:
    mx, a, *rest = await asyncio.gather(
        network.dns(domain, "MX"),
        network.dns(domain, "A"),
        _or_none(network, domain, "TXT"),
        _or_none(network, f"_dmarc.{domain}", "TXT"),
        _or_none(network, domain, "NS"),
        _or_none(network, f"www.{domain}", "CNAME"),
        return_exceptions=True,
    )
    mx, a = (_answer(answer) for answer in (mx, a))
    txt, dmarc, ns, www = (_answer(answer) for answer in rest)
    addresses = a or _answer(await _or_none(network, domain, "AAAA"))
    return Records(domain, mx, txt, dmarc, ns, addresses, www)


def _answer(answer: tuple[str, ...] | BaseException) -> tuple[str, ...]:
    """Return the records of an answer; a name that does not exist has none. Raises what else went wrong."""
    if isinstance(answer, NetworkError) and answer.why is Why.NO_SUCH_HOST:
        return ()
    if isinstance(answer, BaseException):
        raise answer
    return tuple(record for record in answer[:RECORDS] if len(record) <= 10_000)


async def _or_none(network: Network, name: str, kind: str) -> tuple[str, ...]:
    """Return records, none where the servers do not answer: what is less needed may be missing.

    A spent budget is no answer: it would look as if there were none.
    """
    try:
        return await network.dns(name, kind)
    except NetworkError as error:
        if error.why is Why.BUDGET:
            raise
        return ()


async def _none() -> tuple[str, ...]:
    return ()


async def _keys(domain: str, network: Network) -> tuple[str, ...]:
    """Return what the usual DKIM selectors point to."""
    names = (f"{selector}._domainkey.{domain}" for selector in SELECTORS)
    answers = await asyncio.gather(*(_or_none(network, name, "CNAME") for name in names))
    return tuple(target for answer in answers for target in answer[:3])


async def _reverse(records: Records, network: Network, patterns: Patterns) -> tuple[str, ...]:
    """Return the names of the first address, asked for only where the rest does not say who hosts the site."""
    if not records.addresses or hosting_of(records, patterns) is not None:
        return ()
    try:
        pointer = ip_address(records.addresses[0]).reverse_pointer
    except ValueError:
        return ()
    return await _or_none(network, pointer, "PTR")


# --- SPF ---

_MECHANISM = re.compile(r"[+?~-]?(include|redirect|exists|a|mx)[:=]([^\s/]{1,255})")


def _spf(texts: Iterable[str]) -> str | None:
    return next((text.lower() for text in texts if text.lower().startswith("v=spf1")), None)


def _names_in(spf: str | None) -> list[tuple[str, str]]:
    """Return what an SPF record names: (mechanism, host)."""
    return [(match[1], match[2].rstrip(".")) for match in _MECHANISM.finditer((spf or "")[:5000])][:50]


async def _followed(spf: str | None, domain: str, network: Network, patterns: Patterns, steps: int) -> tuple[str, ...]:
    """Return the names in SPF records that this one includes, and in those included there.

    Only records of no known tool are read: what is in HubSpot's own is not the company's doing.
    """
    seen, found = {domain}, []
    level = _unknown(spf, patterns)
    for _ in range(DEPTH):
        level = [name for name in dict.fromkeys(level) if name not in seen][:steps]
        if not level:
            break
        seen.update(level)
        steps -= len(level)
        answers = await asyncio.gather(*(_or_none(network, name, "TXT") for name in level))
        records = [_spf(answer[:RECORDS]) for answer in answers]
        found += [name for record in records for _, name in _names_in(record)]
        level = [name for record in records for name in _unknown(record, patterns)]
    return tuple(found)


def _unknown(spf: str | None, patterns: Patterns) -> list[str]:
    return [
        name
        for mechanism, name in _names_in(spf)
        if mechanism in ("include", "redirect")
        and "%" not in name
        and _HOST.fullmatch(name)
        and not patterns.spf.of(name)
    ]


# --- facts ---


def facts(
    records: Records,
    patterns: Patterns,
    *,
    included: tuple[str, ...] = (),
    keys: tuple[str, ...] = (),
    reverse: tuple[str, ...] = (),
) -> tuple[Fact, ...]:
    """Return what the records of a domain say.

    `included`: names in SPF records that its own one includes. `keys`: what its DKIM selectors point to. `reverse`: the
    names of its web site's address.
    """
    spf = _tools((name, patterns.spf.of(name)) for name in (*(n for _, n in _names_in(records.spf)), *included))
    verified = _tools((_start(text), verified_tool(text, patterns)) for text in records.txt)
    signed = _tools((name, patterns.dkim.of(name)) for name in keys)
    return (
        *_mail(records, patterns, spf),
        *_listed("spf_tools", spf, f"SPF of {records.domain}"),
        *_listed("verified_tools", verified, f"TXT of {records.domain}"),
        *_by_kind({**verified, **signed, **spf}, patterns, records.domain),
        *_dmarc(records),
        *_dns_host(records, patterns),
        *_hosting(records, patterns, reverse),
        Fact("domain_resolves", bool(records.addresses), origin=f"A of {records.domain}"),
    )


def _tools(found: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return tool → the words that name it, in alphabetical order."""
    named: dict[str, str] = {}
    for words, tool in found:
        if tool is not None:
            named.setdefault(tool, words)
    return dict(sorted(named.items()))


def _listed(attribute: str, tools: Mapping[str, str], origin: str, confidence: float = 1.0) -> list[Fact]:
    if not tools:
        return []
    return [Fact(attribute, ", ".join(tools), confidence, origin, "; ".join(clean_text(w, 80) for w in tools.values()))]


def _by_kind(tools: Mapping[str, str], patterns: Patterns, domain: str) -> list[Fact]:
    kinds = {
        kind: {tool: tools[tool] for tool in sorted(tools) if kind in patterns.kinds.get(tool, ())} for kind in KINDS
    }
    return [fact for kind, some in kinds.items() for fact in _listed(f"{kind}_tools", some, f"DNS of {domain}", 0.9)]


_STARTS = re.compile(r"[=:.\s]")
_GENERIC = re.compile(
    r"([a-z0-9][a-z0-9-]{1,30}?)[-_](?:(?:domain|site|website|domainkey)[-_])?(?:verification|verify|validation)(?:[-_](?:code|token|key))?[=:]"
)


def verified_tool(text: str, patterns: Patterns) -> str | None:
    """Return the tool that a verification record is for.

    The known ones by how they start, others by the form `NAME-domain-verification=`.

    >>> from leadlight.enrich.providers.dns_tools import PatternsSpec, ToolSpec
    >>> patterns = Patterns((PatternsSpec(tools={"zoom": ToolSpec(txt=["zoom_verify"])}),))
    >>> [verified_tool(t, patterns) for t in ("ZOOM_verify_x1", "acme-site-verification=x", "v=spf1 -all", "hello")]
    ['zoom', 'acme', None, None]
    """
    text = text[:200].strip().strip('"').lower()
    start = _STARTS.split(text, maxsplit=1)[0]
    known = next((patterns.txt[name] for name in _shorter(start) if name in patterns.txt), None)
    if known is not None:
        return known
    generic = _GENERIC.match(text)
    return generic[1].replace("-", "_") if generic else None


def _start(text: str) -> str:
    """Return what a verification record is for, without its token."""
    return re.split(r"[=:]", text[:80], maxsplit=1)[0].strip('"')


def _shorter(start: str) -> Iterable[str]:
    """Return the start of a record, then without what may be glued to it: pardot123456, zoom_verify_x1."""
    yield start
    yield start.rstrip("0123456789")
    parts = re.split(r"([-_])", start)
    for n in range(len(parts) - 2, 1, -2):
        yield "".join(parts[:n])


def _mail(records: Records, patterns: Patterns, spf: Mapping[str, str]) -> list[Fact]:
    hosts = mail_hosts(records.mx)
    origin = f"MX of {records.domain}"
    if not hosts:
        return [Fact("email_has_mx", False, 1.0 if records.mx else 0.9, origin, ", ".join(records.mx))]
    evidence = ", ".join(hosts)
    found = [Fact("email_has_mx", True, 1.0, origin, evidence)]
    gateway = next((name for host in hosts if (name := patterns.gateways.of(host))), None)
    if gateway is not None:
        found.append(Fact("mail_gateway", gateway, 1.0, origin, evidence))
    suite, confidence = _suite(records, patterns, hosts, spf, gateway)
    return [*found, Fact("mail_suite", suite, confidence, origin, evidence)] if suite else found


def mail_hosts(mx: tuple[str, ...]) -> list[str]:
    """Return the hosts of MX records, the preferred first; none for the record that says that no e-mail is taken.

    >>> mail_hosts(("20 b.example.", "10 a.example.")), mail_hosts(("0 .",))
    (['a.example', 'b.example'], [])
    """
    pairs = [record.split(None, 1) for record in mx]
    ranked = sorted((_rank(pair[0]), pair[1].strip().rstrip(".").lower()) for pair in pairs if len(pair) == 2)
    return [clean_text(host, 255) for _, host in ranked if host]


def _rank(text: str) -> int:
    return int(text[:6]) if text.isascii() and text.isdigit() else 99999


def _suite(
    records: Records, patterns: Patterns, hosts: list[str], spf: Mapping[str, str], gateway: str | None
) -> tuple[str | None, float]:
    """Return the mail suite, and how sure that is: behind a gateway, the SPF and TXT records say it."""
    named = next((name for host in hosts if (name := patterns.suites.of(host))), None)
    if named is not None and gateway is None:
        return named, 1.0
    if gateway is None and any(registrable(host) == records.domain for host in hosts[:3]):
        return "self_hosted", 0.7
    behind = named or next((name for name in BEHIND if name in spf), None)
    if behind is not None:
        return behind, 0.8 if gateway else 0.5
    return (None, 0.0) if gateway else ("other", 0.5)


_POLICY = re.compile(r"(?:^|;)\s*p\s*=\s*(none|quarantine|reject)\b")


def _dmarc(records: Records) -> list[Fact]:
    record = next((text for text in records.dmarc if text.lower().startswith("v=dmarc1")), "")
    policy = _POLICY.search(record[:2000].lower())
    return [Fact("dmarc_policy", policy[1], 1.0, f"TXT of _dmarc.{records.domain}", record)] if policy else []


_ROUTE53 = re.compile(r"\.awsdns-\d+\.")


def _dns_host(records: Records, patterns: Patterns) -> list[Fact]:
    servers = sorted(clean_text(server, 255).rstrip(".").lower() for server in records.ns)
    if not servers:
        return []
    named = next((name for server in servers if (name := patterns.dns_hosts.of(_plain(server)))), None)
    own = any(registrable(server) == records.domain for server in servers[:3])
    host = named or ("self_hosted" if own else "other")
    return [Fact("dns_host", host, 1.0 if named else 0.6, f"NS of {records.domain}", ", ".join(servers))]


def _plain(server: str) -> str:
    return "awsdns.com" if _ROUTE53.search(server) else server


def _hosting(records: Records, patterns: Patterns, reverse: tuple[str, ...]) -> list[Fact]:
    found = hosting_of(records, patterns)
    if found is not None:
        return [found]
    named = next(((name, host) for name in reverse[:5] if (host := patterns.hosts.of(name))), None)
    origin = f"PTR of {records.addresses[0]}" if records.addresses else ""
    return [Fact("hosting", named[1], 0.8, origin, named[0])] if named else []


def hosting_of(records: Records, patterns: Patterns) -> Fact | None:
    """Return where the web site is hosted, by the name that www stands for, else by its address."""
    for target in records.www:
        if (host := patterns.hosts.of(target)) is not None:
            return Fact("hosting", host, 0.95, f"CNAME of www.{records.domain}", target)
    for text in records.addresses:
        if (host := _network_of(text, patterns)) is not None:
            return Fact("hosting", host, 0.8, f"A of {records.domain}", text)
    return None


def _network_of(text: str, patterns: Patterns) -> str | None:
    try:
        return patterns.network_of(ip_address(text))
    except ValueError:
        return None


PROVIDER = Offer(ABOUT, DnsSettings, Dns)
