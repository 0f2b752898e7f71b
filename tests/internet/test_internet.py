"""The internet itself: answers of DNS over UDP and TCP, sites, certificates, counts, hosts that misbehave."""

from __future__ import annotations

import asyncio
import ssl
import time

import dns.exception
import dns.message
import dns.query
import dns.rcode
import httpx
import numpy as np
import pytest

from internet import Answer, Internet, apart, business_pages, companies, hostile


@pytest.fixture(scope="module")
def internet():
    with Internet() as running:
        running.site("acme.example", {"/": "<title>Acme</title>", "/a": {"b": 1}, "/f": lambda r: r.query["q"]})
        running.records("acme.example", mx=["5 mx2.example", "1 mx1.example"], txt=["v=spf1 -all", "x" * 300])
        yield running


def ask(internet, name, kind, *, tcp=False, timeout=1.0):
    question = dns.message.make_query(name, kind)
    return (dns.query.tcp if tcp else dns.query.udp)(question, "127.0.0.1", timeout, internet.dns_port)


def texts(reply):
    return [record.to_text() for answer in reply.answer for record in answer]


def get(internet, url, **more):
    """Fetch by Host header and server name, as the guarded door will do."""
    address = httpx.URL(url)
    port = internet.https_port if address.scheme == "https" else internet.http_port
    context = ssl.create_default_context(cafile=str(internet.certificates.file))
    with httpx.Client(verify=context, trust_env=False, timeout=2) as client:
        return client.get(
            address.copy_with(host="127.0.0.1", port=port), headers={"host": address.raw_host.decode(), **more},
            extensions={"sni_hostname": address.raw_host.decode()},
        )  # fmt: skip


def test_names_have_the_records_they_were_given(internet):
    assert sorted(texts(ask(internet, "ACME.example", "MX"))) == ["1 mx1.example.", "5 mx2.example."]
    assert len("".join(texts(ask(internet, "acme.example", "TXT")))) > 300
    assert texts(ask(internet, "acme.example", "A"))[0].startswith("127.1.")
    assert texts(ask(internet, "www.acme.example", "A"))[0] == "acme.example."
    assert ask(internet, "acme.example", "AAAA").rcode() == dns.rcode.NOERROR
    assert ask(internet, "nobody.example", "A").rcode() == dns.rcode.NXDOMAIN


def test_international_names_are_asked_in_ascii(internet):
    internet.site("bücher.example", {"/": "Bücher"})
    assert texts(ask(internet, "xn--bcher-kva.example", "A"))
    assert get(internet, "http://xn--bcher-kva.example/").text == "Bücher"


def test_names_misbehave_as_told(internet):
    addresses = hostile.add(internet)
    assert ask(internet, "dns-servfail.hostile.example", "A").rcode() == dns.rcode.SERVFAIL
    assert ask(internet, "dns-huge.hostile.example", "TXT").flags & dns.flags.TC
    assert len(texts(ask(internet, "dns-huge.hostile.example", "TXT", tcp=True))) == 60
    assert ask(internet, "dns-truncated.hostile.example", "A").flags & dns.flags.TC
    for name in ("dns-silent", "dns-garbage"):
        with pytest.raises(dns.exception.DNSException):
            ask(internet, f"{name}.hostile.example", "A", timeout=0.2)
    first, second = (texts(ask(internet, "dns-rebinding.hostile.example", "A"))[0] for _ in range(2))
    assert first.startswith("127.")
    assert second == "169.254.169.254"
    assert set(addresses) > set(hostile.HOSTS)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_sites_answer_on_both_ports(internet, scheme):
    assert get(internet, f"{scheme}://acme.example/").text == "<title>Acme</title>"
    assert get(internet, f"{scheme}://www.acme.example/a").json() == {"b": 1}
    assert get(internet, f"{scheme}://acme.example/f?q=7").text == "7"
    assert get(internet, f"{scheme}://acme.example/none").status_code == 404
    assert get(internet, f"{scheme}://other.example/").status_code == 421 if scheme == "http" else True


def test_pages_know_whether_they_have_changed(internet):
    tag = get(internet, "http://acme.example/").headers["etag"]
    assert get(internet, "http://acme.example/", **{"if-none-match": tag}).status_code == 304


@pytest.mark.parametrize("name", [f"tls-{kind.replace('_', '-')}" for kind in hostile.TLS])
def test_bad_certificates_are_refused_by_clients(internet, name):
    with pytest.raises(httpx.ConnectError):
        get(internet, hostile.add(internet)[name])


@pytest.mark.parametrize("name", ["reset", "empty", "nonsense", "short", "bad-chunks", "silent", "endless-headers"])
def test_broken_hosts_break(internet, name):
    with pytest.raises(httpx.TransportError):
        get(internet, hostile.add(internet)[name])


def test_a_stub_gets_the_request_and_its_fault_is_kept(internet):
    internet.handle("api.example", "/users/*", lambda request: {"id": request.path, "key": request.headers["x-key"]})
    assert get(internet, "https://api.example/users/3", **{"x-key": "k"}).json() == {"id": "/users/3", "key": "k"}
    assert get(internet, "https://api.example/users/3").status_code == 500
    assert isinstance(internet.errors.pop(), KeyError)


def test_too_many_in_a_second_are_told_to_wait(internet):
    internet.site("busy.example", {"/": "hello"}, per_second=2)
    replies = [get(internet, "http://busy.example/") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[-1].headers["retry-after"] == "1"


def test_requests_are_counted(internet):
    internet.site("counted.example", {"/": "hello", "/slow": Answer("later", delay=0.2)})
    for path in ("/", "/", "/slow"):
        get(internet, f"http://counted.example{path}")
    assert internet.count("counted.example") == 3
    assert internet.count("counted.example", "/") == internet.begun("counted.example", "/") == 2
    visits = internet.visits("counted.example")
    assert visits[-1].ended - visits[-1].begun >= 0.2
    assert internet.most_at_once("counted.example") == 1
    assert internet.least_pause("counted.example") < 1


def test_latency_is_one_round_trip_and_one_more_for_a_connection(internet):
    internet.latency = 0.1
    try:
        began = time.perf_counter()
        get(internet, "http://acme.example/")
        assert 0.2 <= time.perf_counter() - began < 0.5
    finally:
        internet.latency = 0.0


def build(internet, names):
    for name in names:
        internet.site(name, {"/": name})


def test_an_internet_apart_is_counted_the_same_way():
    with apart(build, ["far.example"], latency=0.01) as far:
        port = far.network().ports["http"]
        assert httpx.get(f"http://127.0.0.1:{port}/", headers={"host": "far.example"}, trust_env=False).text
        until = time.monotonic() + 5  # the client can have the answer before its sender has counted it
        while not far.ended() and time.monotonic() < until:
            time.sleep(0.01)
        assert far.ended() == {("far.example", "/"): 1}
        assert far.ask("count", "far.example") == 1
        assert far.cpu() > 0


async def _many(internet, number):
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        sent = (
            client.get(f"http://127.0.0.1:{internet.http_port}/", headers={"host": "acme.example"})
            for _ in range(number)
        )
        return await asyncio.gather(*sent)


def test_many_at_once_are_served(internet):
    assert {reply.status_code for reply in asyncio.run(_many(internet, 200))} == {200}


@pytest.mark.data
@pytest.mark.skipif(business_pages.ABSENT is not None, reason=str(business_pages.ABSENT))
def test_real_pages_stand_under_their_own_hosts(internet):
    by_host = business_pages.add(internet)
    assert sum(map(len, by_host.values())) >= 190
    host = next(iter(by_host))
    assert get(internet, f"http://{host}/").content == by_host[host][0].html
    assert len(business_pages.saved(annotated=True)) >= 140


def test_made_companies_show_their_traits_outside_only(internet):
    made = companies.make_companies(40, seed=3)
    companies.add(internet, made)
    number = int(np.flatnonzero(~made.parked & (made.openings > 0) & made.https)[0])
    home = get(internet, f"https://{made.domain[number]}/").text
    assert f'"value": {made.employees[number]}' in home
    assert 20_000 < len(home) < 40_000
    assert "Open positions" in get(internet, f"https://{made.domain[number]}/careers").text
    registered = get(internet, f"https://{companies.RDAP_HOST}/domain/{made.domain[number]}").json()["events"][0]
    assert registered["eventDate"].startswith(str(made.registered[number]))
    assert list(companies.make_companies(10, seed=3).domain) == list(made.domain[:10])
