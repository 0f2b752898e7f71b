"""Web sites over the small internet: which pages are read, what becomes of dead, parked and hostile ones."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from enrich.extract.hostile_pages import HOSTILE
from internet import Answer, Page, companies
from leadlight.enrich.net.net import open_network
from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.website import PROVIDER, Website, WebsiteSettings, further, host_of
from leadlight.enrich.sound import Sound
from leadlight.errors import SpecError

WORDS = "<p>" + "We make anvils and hammers for smiths who care about every single blow of theirs. " * 5 + "</p>"
NAV = (
    '<nav><a href="/about-us">About us</a><a href="/blog/1">Blog</a><a href="/contact">Contact</a>'
    '<a href="/preise">Preise</a><a href="/karriere/">Karriere</a><a href="/brochure-contact.pdf">Contact</a>'
    '<a href="https://elsewhere.example/contact">Contact</a></nav>'
)
SITE = {
    "/": f"<title>Anvil Works</title>{NAV}{WORDS}",
    "/about-us": f"<title>About us</title><p>Anvil Works Ltd, since 1920.</p>{WORDS}",
    "/contact": "<title>Contact</title><p>12 Main Street, Albany, NY 12207<br>518-555-0123<br>info@anvil-works.com",
    "/preise": "<title>Preise</title><p>19 € / Monat</p>",
    "/karriere/": '<title>Karriere</title><main><li><a href="/jobs/smith">Sales engineer (m/w/d)</a></main>',
    "/private/x": "<p>private",
}


def website(**settings):
    return Website(WebsiteSettings(**settings), Surroundings())


def read(internet, host):
    return [visit.path for visit in internet.visits(host) if visit.path != "/robots.txt"]


def test_home_and_the_pages_that_matter(internet, ask):
    internet.site("site-a.example", pages=SITE)
    found = ask(website(), domain="site-a.example")
    assert read(internet, "site-a.example") == ["/", "/contact", "/karriere/", "/preise"]
    assert found["website_status"].value == "live"
    assert found["website_pages"].value == 4
    assert found["company_address"].origin == "https://site-a.example/contact"
    assert found["company_email"].value == "info@anvil-works.com"
    assert found["open_positions"].value == 1
    assert found["hiring"].value is True
    assert found["has_pricing_page"].value is True


@pytest.mark.parametrize(("budget", "count"), [(1, 1), (2, 2), (10, 5)])
def test_the_budget_of_pages_is_kept(internet, ask, budget, count):
    host = f"budget-{budget}.example"
    internet.site(host, pages=SITE)
    assert ask(website(pages=budget), website=f"https://{host}/some/page")["website_pages"].value == count
    assert len(read(internet, host)) == count


def test_robots_are_honoured(internet, ask):
    internet.site("robots-a.example", pages=SITE, robots="User-agent: *\nDisallow: /contact\nDisallow: /karriere\n")
    found = ask(website(), domain="robots-a.example")
    assert set(read(internet, "robots-a.example")) == {"/", "/preise", "/about-us"}
    assert "company_address" not in found
    internet.site("robots-b.example", pages=SITE, robots="User-agent: *\nDisallow: /\n")
    with pytest.raises(NetworkError) as raised:
        ask(website(), domain="robots-b.example")
    assert raised.value.why is Why.NOT_ALLOWED
    assert read(internet, "robots-b.example") == []


def test_without_tls_and_with_www(internet, ask):
    internet.site("plain.example", pages=SITE, https=False)
    assert ask(website(pages=1), domain="plain.example")["website_title"].origin == "http://plain.example/"
    internet.site("www.only-www.example", pages=SITE, www=False)
    assert ask(website(pages=1), domain="only-www.example")["website_title"].origin == "https://www.only-www.example/"
    internet.site("expired.example", pages=SITE, tls="expired")
    assert ask(website(pages=1), domain="expired.example")["website_title"].origin == "http://expired.example/"


def test_absent(internet, ask):
    found = ask(website(), domain="no-such-site.example")
    assert {name: fact.value for name, fact in found.items()} == {"website_status": "absent"}


def test_parked(internet, ask):
    internet.site("parked.example", pages={"/": "<title>parked.example is for sale</title><p>Buy this domain"})
    found = ask(website(), domain="parked.example")
    assert {name: fact.value for name, fact in found.items()} == {"website_status": "parked"}


def test_redirects(internet, ask):
    internet.site("renamed.example", pages={"/": Answer(status=301, headers={"Location": "https://renamed.test/"})})
    internet.site("renamed.test", pages=SITE)
    assert ask(website(pages=1), domain="renamed.example")["website_status"].value == "live"
    internet.site("bought.example", pages={"/": Answer(status=302, headers={"Location": "https://renamed.test/"})})
    found = ask(website(), domain="bought.example")
    assert {name: fact.value for name, fact in found.items()} == {"website_status": "redirect_elsewhere"}
    assert found["website_status"].evidence == "https://renamed.test/"


def test_a_page_that_sends_on_is_followed(internet, ask):
    internet.site("entry.example", pages={"/": '<meta http-equiv="refresh" content="0;url=/en/">', "/en/": SITE["/"]})
    assert ask(website(pages=1), domain="entry.example")["website_title"].value == "Anvil Works"


def test_gone_and_refused(internet, ask):
    internet.site("gone.example", pages={"/": Answer(status=404)})
    assert ask(website(), domain="gone.example")["website_status"].value == "broken"
    internet.site("refused.example", pages={"/": Answer(status=403)})
    assert ask(website(), domain="refused.example") == {}


def test_what_is_no_page(internet, ask):
    internet.site("file.example", pages={"/": Answer(b"%PDF-1.4", kind="application/pdf")})
    found = ask(website(), domain="file.example")
    assert {name: fact.value for name, fact in found.items()} == {"website_status": "live"}


def test_a_page_that_fails_costs_only_itself(internet, ask):
    internet.site("half.example", pages={**SITE, "/contact": Answer(status=500), "/karriere/": Answer(status=404)})
    found = ask(website(), domain="half.example")
    assert found["website_pages"].value == 3
    assert found["website_status"].value == "live"


def test_headers_tell_technologies(internet, ask):
    headers = {"X-Powered-By": "Next.js", "Server": "nginx/1.2"}
    internet.site("heads.example", pages={"/": Answer(SITE["/"], headers=headers)})
    found = ask(website(pages=1), domain="heads.example")
    assert set(found["technologies"].value.split(", ")) >= {"next_js", "react", "nginx"}


def test_own_technologies(internet, ask, tmp_path):
    (tmp_path / "own.yaml").write_text("technologies:\n  forge: {categories: [crm], markup: [forge-widget]}\n")
    provider = PROVIDER.make(WebsiteSettings(technologies="own.yaml", pages=1), Surroundings(tmp_path))
    internet.site("own.example", pages={"/": SITE["/"] + "<i class=forge-widget>"})
    assert ask(provider, domain="own.example")["crm_tools"].value == "forge"
    (tmp_path / "own.yaml").write_text("technologies:\n  forge: {categories: [anvil], markup: [forge-widget]}\n")
    with pytest.raises(SpecError, match=r"own\.yaml:2"):
        PROVIDER.make(WebsiteSettings(technologies="own.yaml"), Surroundings(tmp_path))


def test_sitemap(internet, ask):
    sitemap = "<urlset><url><lastmod>2026-02-03</lastmod></url><url><lastmod>2031-01-01</lastmod></url></urlset>"
    internet.site("map.example", pages={**SITE, "/sitemap.xml": Answer(sitemap, kind="application/xml")})
    assert "website_changed_at" not in ask(website(pages=1), domain="map.example")
    found = ask(website(pages=1, sitemap=True), domain="map.example")
    assert found["website_changed_at"].value == datetime(2026, 2, 3)


def test_made_companies_show_their_traits(internet, ask):
    made = companies.make_companies(12, seed=3)
    companies.add(internet, made, kilobytes=8)
    for number in range(12):
        found = {name: fact.value for name, fact in ask(website(), domain=made.domain[number]).items()}
        if made.parked[number]:
            assert found == {"website_status": "parked"}
            continue
        tools = found.get("technologies", "").split(", ")
        assert found["company_name"] == made.name[number]
        assert found["employees"] == made.employees[number]
        assert found["has_pricing_page"] is bool(made.pricing[number])
        assert found["has_chat"] is bool(made.chat[number])
        assert found["hiring"] is bool(made.openings[number])
        assert found.get("open_positions", 0) == made.openings[number]
        assert found["company_email"] == f"info@{made.domain[number]}"
        assert found["company_address"].startswith(companies.CITIES[made.city[number]][5])
        assert ("hubspot" in tools) == bool(made.tools[number][companies.TOOLS.index("hubspot")])
        assert (made.cms[number] == "none") or made.cms[number] in (found.get("cms"), found.get("ecommerce_platform"))


HOSTILE_NAMES = sorted(HOSTILE)[::9]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_pages(internet, ask, name):
    host = f"hostile-{HOSTILE_NAMES.index(name)}.example"
    internet.site(host, pages={"/": HOSTILE[name].encode("utf-8", "surrogatepass")[:1_900_000]})
    ask(website(), domain=host)


BAD = (
    "empty", "nonsense", "short", "bomb", "bad-gzip", "loop", "to-private", "to-metadata", "to-file", "to-nothing",
    "image",
    "pdf-kind", "no-kind", "odd-charset", "wrong-charset", "utf-16", "fuzz", "deep", "long-line", "json-deep",
    "json-nan",
)  # fmt: skip


def test_bad_hosts_cost_one_look_up_at_most(internet, hostile_hosts, tmp_path):
    """They raise NetworkError or say little; nothing else comes through. Slow ones are for tests/enrich/net."""

    async def run():
        provider = Sound(website(pages=2), PROVIDER.about)
        async with open_network(internet.network(timeout="2s"), tmp_path / "l.sqlite") as network:
            asked = [provider.ask(Query({Clue.WEBSITE: hostile_hosts[name]}), network) for name in BAD]
            return dict(zip(BAD, await asyncio.gather(*asked, return_exceptions=True), strict=True))

    for name, outcome in asyncio.run(run()).items():
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, NetworkError), name
            assert "the answer to website" not in outcome.message, name  # what Sound says of our own faults
        else:
            assert all(fact.attribute in PROVIDER.about.gives for fact in outcome), name


@pytest.mark.parametrize(
    ("clues", "key"),
    [
        ({Clue.DOMAIN: "acme.com"}, "acme.com"),
        ({Clue.WEBSITE: "https://WWW.Acme.com/x?y#z", Clue.DOMAIN: "other.com"}, "acme.com"),
        ({Clue.WEBSITE: "shop.acme.com:8080"}, "shop.acme.com"),
        ({Clue.WEBSITE: "bücher.example"}, "xn--bcher-kva.example"),
        ({Clue.WEBSITE: "http://127.0.0.1/", Clue.DOMAIN: "acme.com"}, "acme.com"),
        ({Clue.WEBSITE: "javascript:alert(1)"}, None),
        ({Clue.WEBSITE: "http://[::1]/"}, None),
        ({Clue.WEBSITE: "a" * 600}, None),
        ({Clue.WEBSITE: "http://\u2488.\u2489/"}, None),
        ({}, None),
    ],
)
def test_key(clues, key):
    assert website().key(Query(clues)) == key


def test_key_is_idempotent():
    for host in ("https://www.acme.co.uk/x", "bücher.de", "A.B.C.Example."):
        assert host_of(host_of(host)) == host_of(host)


def test_further_pages_fill_gaps_first():
    from leadlight.enrich.extract.page import read_page

    home = read_page(SITE["/"] + SITE["/contact"], "https://acme.com/")
    assert [url.rpartition("com")[2] for url in further(home, 3)] == ["/karriere/", "/preise", "/about-us"]
    assert further(home, 0) == []


def test_the_same_pages_are_not_asked_twice(internet, ask, tmp_path):
    internet.site("twice.example", pages={"/": Page(SITE["/"]), "/contact": Page(SITE["/contact"])})
    first = ask(website(), domain="twice.example", cache=tmp_path / "c.sqlite")
    count = internet.count("twice.example")
    assert count >= 2
    assert ask(website(), website="http://www.twice.example/x", cache=tmp_path / "c.sqlite") == first
    assert internet.count("twice.example") == count
