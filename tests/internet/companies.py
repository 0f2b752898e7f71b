"""Made companies whose traits show only in their DNS, on their sites and in the register of domains.

    companies = make_companies(500, seed=1)
    add(internet, companies)                    # DNS, sites, and an RDAP server with its bootstrap file
    companies.domain[7], companies.suite[7]     # arrays of what is true

Sites have the shape of real ones: a home page of 30 kB with menus, scripts and structured data, and up to four pages
that matter. Numbers of telephones are those reserved for fiction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from internet.answers import Answer, Page, Request
from internet.internet import Internet
from internet.web import Site
from leadlight.simulate.accounts import FIRST_WORDS, SECOND_WORDS
from leadlight.simulate.draws import Draws

SUITES = ("google_workspace", "microsoft_365", "zoho", "own")
TOOLS = ("hubspot", "salesforce", "zendesk", "mailchimp", "stripe")
TOOL_SHARE = (0.3, 0.25, 0.2, 0.25, 0.2)
CMS = ("wordpress", "shopify", "webflow", "none")
INDUSTRIES = {
    "software": "software for planning, sold by subscription to teams",
    "manufacturing": "machine parts in steel and aluminium, made in our own factory",
    "retail": "shoes and clothes, in our shops and online",
    "logistics": "freight, warehousing and transport for industry",
    "healthcare": "clinics and medical care for families",
    "agency": "marketing campaigns, design and advertising for brands",
}
TOPS = ("com", "net", "io", "de", "co.uk")
CITIES = (
    ("Albany", "NY", "12207", "US", "+1 518 555 01", "12 Broadway"),
    ("Austin", "TX", "78701", "US", "+1 512 555 01", "300 Congress Avenue"),
    ("Portland", "OR", "97204", "US", "+1 503 555 01", "77 SW Main Street"),
    ("Denver", "CO", "80202", "US", "+1 303 555 01", "1600 Larimer Street"),
)
RDAP_HOST = "rdap.registry.example"
WORDS = [
    "we",
    "help",
    "teams",
    "plan",
    "their",
    "work",
    "with",
    "care",
    "and",
    "deliver",
    "on",
    "time",
    "because",
    "customers",
    "count",
    "on",
    "what",
    "was",
    "promised",
    "every",
    "day",
    "our",
    "people",
    "know",
    "the",
    "field",
    "from",
    "long",
    "practice",
    "and",
    "explain",
    "each",
    "step",
    "in",
    "plain",
    "words",
    "so",
    "that",
    "nobody",
    "is",
    "surprised",
    "later",
]


@dataclass(frozen=True, slots=True)
class Companies:
    """Arrays by company; `number` is what a lead refers to."""

    name: Sequence[str]
    domain: Sequence[str]
    industry: np.ndarray
    employees: np.ndarray
    suite: np.ndarray
    tools: np.ndarray
    """One row per company, one column for each of TOOLS."""
    cms: np.ndarray
    openings: np.ndarray
    pricing: np.ndarray
    chat: np.ndarray
    parked: np.ndarray
    registered: np.ndarray
    """Year of registration of the domain."""
    city: np.ndarray
    https: np.ndarray

    def __len__(self) -> int:
        return len(self.name)


def make_companies(count: int, *, seed: int = 1) -> Companies:
    """Draw companies; the same number is the same company, however many there are."""
    draws, number = Draws(seed), np.arange(count)
    uniform = draws.uniform
    tools = np.column_stack(
        [uniform(f"tool/{tool}", number) < share for tool, share in zip(TOOLS, TOOL_SHARE, strict=True)]
    )
    age = np.floor(-9 * np.log(uniform("registered", number))).astype(int)
    return Companies(
        name=[_name(int(n)) for n in number],
        domain=[_domain(int(n)) for n in number],
        industry=np.array(list(INDUSTRIES))[np.floor(uniform("industry", number) * len(INDUSTRIES)).astype(int)],
        employees=np.clip(np.rint(np.exp(3.8 + 1.5 * draws.normal("employees", number))), 1, 50_000).astype(int),
        suite=np.array(SUITES)[draws.choice("suite", number, np.array([0.42, 0.38, 0.08, 0.12]))],
        tools=tools,
        cms=np.array(CMS)[draws.choice("cms", number, np.array([0.4, 0.2, 0.1, 0.3]))],
        openings=np.where(
            uniform("hiring", number) < 0.4, 1 + np.floor(8 * uniform("openings", number)), 0
        ).astype(int),
        pricing=uniform("pricing", number) < 0.4,
        chat=uniform("chat", number) < 0.3,
        parked=uniform("parked", number) < 0.06,
        registered=np.maximum(2025 - age, 1991),
        city=np.floor(uniform("city", number) * len(CITIES)).astype(int),
        https=uniform("https", number) < 0.9,
    )  # fmt: skip


def add(internet: Internet, companies: Companies, *, kilobytes: int = 30) -> None:
    """Add the names, sites and registrations of all; pages are made when first asked for."""
    by_domain = {domain: number for number, domain in enumerate(companies.domain)}
    for number, domain in enumerate(companies.domain):
        _add_names(internet, companies, number, domain)
        site = internet.site(domain, https=bool(companies.https[number]))
        _add_pages(site, companies, number, kilobytes)
    add_register(internet, {domain: int(companies.registered[number]) for domain, number in by_domain.items()})


def add_register(internet: Internet, registered: dict[str, int]) -> None:
    """Add an RDAP server that knows the domains' years of registration, and the list that leads to it."""
    tops = sorted({domain.rsplit(".", 1)[1] for domain in registered})
    bootstrap = {"version": "1.0", "services": [[tops, [f"https://{RDAP_HOST}/"]]]}
    internet.handle("data.iana.org", "/rdap/dns.json", bootstrap)
    internet.handle(RDAP_HOST, "/domain/*", lambda request: _registration(request, registered))


def _registration(request: Request, registered: dict[str, int]) -> Any:
    domain = request.path.rsplit("/", 1)[1].lower()
    if domain not in registered:
        return 404
    registrar = [["version", {}, "text", "4.0"], ["fn", {}, "text", "Example Registrar"]]
    return Answer(
        json.dumps(
            {
                "objectClassName": "domain",
                "ldhName": domain,
                "rdapConformance": ["rdap_level_0"],
                "status": ["active"],
                "events": [
                    {"eventAction": "registration", "eventDate": f"{registered[domain]}-03-01T00:00:00Z"},
                    {"eventAction": "expiration", "eventDate": "2027-03-01T00:00:00Z"},
                ],
                "entities": [{"objectClassName": "entity", "roles": ["registrar"], "vcardArray": ["vcard", registrar]}],
            }
        ),
        kind="application/rdap+json",
    )


def _name(number: int) -> str:
    first, second, again = number % len(FIRST_WORDS), number % len(SECOND_WORDS), number // 1517
    return f"{FIRST_WORDS[first]}{SECOND_WORDS[second]}" + (f" {again + 1}" if again else "")


def _domain(number: int) -> str:
    word = _name(number).lower().replace(" ", "-")
    return f"{word}-made.{TOPS[number % len(TOPS)]}"


def _add_names(internet: Internet, companies: Companies, number: int, domain: str) -> None:
    suite, tools = str(companies.suite[number]), companies.tools[number]
    google = "1 aspmx.l.google.com", "5 alt1.aspmx.l.google.com"
    exchange = {
        "google_workspace": google,
        "microsoft_365": (f"0 {domain.replace('.', '-')}.mail.protection.outlook.com",),
        "zoho": ("10 mx.zoho.com", "20 mx2.zoho.com"),
        "own": (f"10 mail.{domain}",),
    }
    include = {
        "google_workspace": "_spf.google.com", "microsoft_365": "spf.protection.outlook.com", "zoho": "zoho.com",
    }  # fmt: skip
    senders = {"hubspot": f"{number}.spf04.hubspotemail.net", "salesforce": "_spf.salesforce.com",
               "zendesk": "mail.zendesk.com", "mailchimp": "servers.mcsv.net"}  # fmt: skip
    theirs = [senders[tool] for tool, used in zip(TOOLS, tools, strict=True) if used and tool in senders]
    spf = " ".join(["v=spf1", *(f"include:{name}" for name in [include.get(suite), *theirs] if name), "~all"])
    texts = [spf, f"google-site-verification={number:043d}"]
    if tools[TOOLS.index("stripe")]:
        texts.append(f"stripe-verification={number:064x}")
    hosts = ("ada", "bob", "ns.cloudflare.com") if number % 3 == 0 else ("ns1", "ns2", "domaincontrol.com")
    internet.records(
        domain, mx=exchange[suite], txt=texts,
        ns=[f"{host}.{hosts[2]}" for host in hosts[:2]],
    )  # fmt: skip
    if number % 2 == 0:
        internet.records(f"_dmarc.{domain}", txt=[f"v=DMARC1; p={('none', 'quarantine', 'reject')[number % 3]}"])


def _add_pages(site: Site, companies: Companies, number: int, kilobytes: int) -> None:
    def later(path: str, kilo: int) -> Any:
        return lambda request: Page(page(companies, number, path, kilo))(request)

    if companies.parked[number]:
        site.pages["/"] = lambda _: Answer(_parked(companies.domain[number]))
        return
    site.pages["/robots.txt"] = Answer("User-agent: *\nDisallow: /private/\n", kind="text/plain")
    for path in paths(companies, number):
        site.pages[path] = later(path, kilobytes if path == "/" else kilobytes // 2)


def paths(companies: Companies, number: int) -> list[str]:
    """Return the pages that a company has."""
    found = ["/", "/about", "/contact"]
    if companies.pricing[number]:
        found.append("/pricing")
    if companies.openings[number]:
        found.append("/careers")
    return found


def page(companies: Companies, number: int, path: str, kilobytes: int) -> str:
    """Return a page as a site builder would make it."""
    body = {
        "/": _home, "/about": _about, "/contact": _contact, "/pricing": _pricing, "/careers": _careers,
    }[path](companies, number)  # fmt: skip
    links = "".join(
        f'<li class="menu-item"><a href="{to}">{to.strip("/").title() or "Home"}</a></li>'
        for to in paths(companies, number)
    )
    head = _head(companies, number, path)
    start = f'<!doctype html><html lang="en"><head>{head}</head><body><nav><ul>{links}</ul></nav><main>{body}'
    end = f"</main><footer><p>© 2026 {companies.name[number]}</p></footer></body></html>"
    return start + _filler(number, kilobytes * 1024 - len(start) - len(end)) + end


def _filler(number: int, length: int) -> str:
    """Sections of text, lists and pictures, as many as fill the page."""
    sentence = " ".join(WORDS[(number + i) % len(WORDS)] for i in range(30))
    section = (
        f'<section class="wp-block-group has-background"><div class="row"><h2 class="title">{sentence[:40]}</h2>'
        f'<p>{sentence}.</p><ul><li><a href="/blog/{number}">{sentence[:30]}</a></li><li>{sentence[30:60]}</li></ul>'
        f'<img src="/img/{number}.jpg" alt="{sentence[:20]}" width="640" height="480"></div></section>'
    )
    return section * max(0, length // len(section))


def _head(companies: Companies, number: int, path: str) -> str:
    name, sector = companies.name[number], companies.industry[number]
    tags = [
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{name}{'' if path == '/' else ' – ' + path.strip('/').title()}</title>",
        f'<meta name="description" content="{name}: {INDUSTRIES[sector]}.">',
        f'<meta property="og:site_name" content="{name}"><meta property="og:type" content="website">',
        *_scripts(companies, number),
    ]
    if path == "/":
        tags.append(f'<script type="application/ld+json">{json.dumps(_organisation(companies, number))}</script>')
    return "\n".join(tags)


def _scripts(companies: Companies, number: int) -> list[str]:
    cms, used = str(companies.cms[number]), dict(zip(TOOLS, companies.tools[number], strict=True))
    found = {
        "wordpress": '<meta name="generator" content="WordPress 6.8.1"><link rel="icon" href="/wp-content/x.png">',
        "shopify": '<script src="https://cdn.shopify.com/s/files/1/0001/theme.js"></script>',
        "webflow": '<meta name="generator" content="Webflow">', "none": "",
    }[cms]  # fmt: skip
    tags = [found, '<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABC123DEF4"></script>']
    if used["hubspot"]:
        tags.append(f'<script id="hs-script-loader" src="https://js.hs-scripts.com/{number + 1000}.js"></script>')
    if used["stripe"]:
        tags.append('<script src="https://js.stripe.com/v3/"></script>')
    if used["zendesk"]:
        tags.append('<script src="https://static.zdassets.com/ekr/snippet.js?key=0000"></script>')
    if companies.chat[number]:
        tags.append('<script src="https://widget.intercom.io/widget/abc123"></script>')
    return tags


def _organisation(companies: Companies, number: int) -> dict[str, Any]:
    city, region, code, country, _, street = CITIES[companies.city[number]]
    return {
        "@context": "https://schema.org", "@type": "Organization", "name": companies.name[number],
        "url": f"https://{companies.domain[number]}/", "telephone": phone(companies, number),
        "foundingDate": str(companies.registered[number]),
        "numberOfEmployees": {"@type": "QuantitativeValue", "value": int(companies.employees[number])},
        "address": {"@type": "PostalAddress", "streetAddress": street, "addressLocality": city,
                    "addressRegion": region, "postalCode": code, "addressCountry": country},
        "sameAs": [f"https://www.linkedin.com/company/{companies.domain[number].split('.')[0]}"],
    }  # fmt: skip


def phone(companies: Companies, number: int) -> str:
    """Return the number of a company's switchboard."""
    return f"{CITIES[companies.city[number]][4]}{number % 100:02d}"


def _home(companies: Companies, number: int) -> str:
    call = '<a class="button" href="/demo">Request a demo</a>' if number % 4 == 0 else ""
    return f"<h1>{companies.name[number]}</h1><p>{INDUSTRIES[companies.industry[number]]}.</p>{call}"


def _about(companies: Companies, number: int) -> str:
    return (
        f"<h1>About us</h1><p>{companies.name[number]} makes {INDUSTRIES[companies.industry[number]]}. "
        f"Our team of {companies.employees[number]} employees works since {companies.registered[number]}.</p>"
    )


def _contact(companies: Companies, number: int) -> str:
    city, region, code, _, _, street = CITIES[companies.city[number]]
    domain, call = companies.domain[number], phone(companies, number)
    return (
        f"<h1>Contact</h1><address>{companies.name[number]}<br>{street}<br>{city}, {region} {code}</address>"
        f'<p>Phone: <a href="tel:{call.replace(" ", "")}">{call}</a><br>'
        f'E-mail: <a href="mailto:info@{domain}">info@{domain}</a></p>'
    )


def _pricing(*_: Any) -> str:
    plans = {"Starter": 19, "Team": 49}
    rows = "".join(f"<tr><td>{plan}</td><td>${price} per month</td></tr>" for plan, price in plans.items())
    return f"<h1>Pricing</h1><table>{rows}</table>"


def _careers(companies: Companies, number: int) -> str:
    jobs = "".join(
        f'<li class="job"><h3><a href="/careers/{job}">Engineer, team {job} (f/m/x)</a></h3><p>Full-time</p></li>'
        for job in range(1, int(companies.openings[number]) + 1)
    )
    return f"<h1>Careers</h1><h2>Open positions</h2><ul>{jobs}</ul>"


def _parked(domain: str) -> str:
    return (
        f"<html><head><title>{domain} is for sale</title></head><body><h1>{domain}</h1><p>This domain is for sale. "
        '<a href="https://sedo.com/search">Buy this domain</a>. This domain is parked.</p></body></html>'
    )
