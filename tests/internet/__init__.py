"""A small internet on loopback: DNS, sites, APIs and bad hosts, for tests and benchmarks. Nothing real is asked.

A test takes the fixture `internet` (one for the whole session; use host names of your own):

    from internet import Answer, Internet, Page

    async def test_home_page(internet: Internet, tmp_path):
        internet.site("acme.example", pages={"/": "<title>Acme</title>", "/about": "<p>Since 1920</p>"})
        internet.records("acme.example", mx=["1 aspmx.l.google.com"], txt=["v=spf1 include:_spf.google.com -all"])
        internet.records("_dmarc.acme.example", txt=["v=DMARC1; p=reject"])
        internet.handle("api.github.example", "/users/*", lambda request: {"login": request.path.split("/")[-1]})
        async with open_network(internet.network(), tmp_path / "lookups.sqlite") as network:
            reply = await network.get("https://acme.example/about", crawl=True)
        assert internet.count("acme.example", "/about") == 1

* `internet.network(per_second=5)` is a NetworkSpec that reaches it (`dns`, `allow`, `authorities`, `ports`), as polite
  as told (50 pages a second per host unless told); `internet.settings(...)` is the same as plain values, to be written
  under `network:` in leadlight.yaml.
* `site(host, pages=…)`: path → text, bytes, a dict or list (JSON), `Answer`, `Page`, or a function of the `Request`.
  Pages have an ETag and answer 304. http and https are both served, and `www.` too; `https=False`, `http=False`,
  `tls="expired"|"wrong_name"|"unknown_authority"|"refused"`, `robots="…"`, `per_second=2` (more gets 429 and
  Retry-After), `delay=3` (seconds before each answer).
* `handle(host, pattern, function)`: an API; the pattern is a glob on the path, the function gets a `Request` (`method`,
  `host`, `path`, `query`, `headers`, `body`, `json()`) and returns what a page may be, a number being a bare status.
  An error in it answers 500 and stands in `internet.errors`.
* `records(name, mx=, txt=, ns=, a=, aaaa=, cname=, ptr=, soa=)`: DNS. Hosts of `site` and `handle` get an address of
  127.0.0.0/8 of their own; names without records do not exist. `dns_trouble(name, kind)`: see `names.TROUBLES`.
* `count(host, path)`, `begun(…)`, `questions(name, kind)`, `visits(host)` (each with its times, headers and status),
  `most_at_once(host)`, `least_pause(host)`: what was asked. `forget()` starts the counts again.
* `hostile.add(internet)` adds every bad host of `hostile.HOSTS` and returns their addresses by name.
* `latency`: seconds of a round trip: each answer waits one, the first on a connection two, three over TLS.
* `with apart(build, latency=0.05) as far` runs one in a process of its own: `far.network()`, `far.ask("count", host)`.
* `companies.add(internet, companies.make_companies(500))`: made companies whose traits show in DNS, sites and RDAP.
* `business_pages.add(internet)`: the real pages of ../shared/data under their own host names.

Hosts live on 127.x.y.z, which Linux has without being told. Addresses outside 127.0.0.0/8 in `records` are never
reached: the network's guard is meant to refuse private ones, and public ones must not be fetched in a test.
"""

from internet.answers import Answer, Page, Request, Stream, Visit
from internet.apart import apart
from internet.internet import Internet

__all__ = ["Answer", "Internet", "Page", "Request", "Stream", "Visit", "apart"]
