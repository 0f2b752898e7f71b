"""The guarded door as a whole, against a small internet on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import tracemalloc
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from internet import Answer
from leadlight.enrich.net.net import HOLDS, NOTHING, open_network, user_agent
from leadlight.enrich.network import NetworkError, Reply, Why
from leadlight.errors import UsageError
from leadlight.spec.enrich import NetworkSpec

DAY = timedelta(days=1)
REFUSED = [
    # loopback and this host, in every spelling
    "http://127.0.0.1/", "http://127.0.0.1:80/", "http://127.1/", "http://127.0.1/", "http://127.255.255.254/",
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0x7f.1/", "http://0177.0.0.1/",
    "http://017700000001/", "http://00000177.0.0.1/", "http://127.0.0.01/", "http://127.0.0.1./", "http://0/",
    "http://0.0.0.0/", "http://0x0/", "http://localhost/", "http://LOCALHOST./", "http://a.localhost/",
    "http://127.0.0.1.:80/", "https://127.0.0.1/",
    # private networks, link-local, carrier networks, tests, multicast, reserved
    "http://10.0.0.1/", "http://10.1.2.3/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/",
    "http://169.254.1.1/", "http://100.64.0.1/", "http://100.127.255.254/", "http://198.18.0.1/", "http://192.0.2.1/",
    "http://198.51.100.7/", "http://203.0.113.9/", "http://192.88.99.1/", "http://192.0.0.8/", "http://224.0.0.1/",
    "http://239.255.255.255/", "http://240.0.0.1/", "http://255.255.255.255/",
    # metadata services of clouds
    "http://169.254.169.254/latest/meta-data/", "http://169.254.169.254./", "http://2852039166/",
    "http://0xA9FEA9FE/", "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.0376.0251.0376/", "http://169.254.43518/",
    "http://169.16689662/", "http://169.254.170.2/v2/credentials", "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/", "http://192.0.0.192/", "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./", "http://metadata/", "http://instance-data/", "http://[fd00:ec2::254]/",
    # IPv6: loopback, unspecified, mapped, compatible, NAT64, 6to4, Teredo, link-local, unique local, multicast
    "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[::FFFF:169.254.169.254]/", "http://[::127.0.0.1]/", "http://[::a00:1]/",
    "http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::10.0.0.1]/",
    "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/", "http://[2002:c0a8:101::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/", "http://[fec0::1]/", "http://[fc00::1]/", "http://[fd12:3456::1]/", "http://[ff02::1]/",
    "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[100::1]/", "http://[2606:4700::5efe:10.0.0.1]/",
    "http://[2606:4700::200:5efe:127.0.0.1]/", "http://[::ffff:0:127.0.0.1]/", "http://[4000::1]/",
    # names that hide a number, or another host
    "http://①②⑦.⓪.⓪.①/", "http://１２７.0.0.1/", "http://127。0。0。1/", "http://127．0．0．1/",
    "http://%31%32%37.0.0.1/", "http://%6c%6f%63alhost/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://loc\u00adalhost/",
    "http://example.com@10.0.0.1/", "http://user:password@10.0.0.1/", "http://10.0.0.1@example.com/",
    "http://example.com:80@10.0.0.1/", "http://example.com%40@10.0.0.1/", "http://example.com\\@10.0.0.1/",
    "http://10.0.0.1\\@example.com/", "http://10.0.0.1#@example.com/", "http://10.0.0.1?@example.com/",
    "http://10.0.0.1;example.com/", "http://10.0.0.1,example.com/", "http://example.com /", "http://exa mple.com/",
    "http://[::1", "http://::1/", "http://[::1]example.com/", "http://[127.0.0.1]/", "http://[v1.a]/",
    "http://10.0.0.1\t/", "http://10.0.0.1\n/", "http://example.com/\r\nHost: 10.0.0.1", "http://10.0.0.1\x00.example/",
    "http://-example.com/", "http://example..com/", "http://.example.com/", "http:///", "http://", "http:", "",
    "//10.0.0.1/", "/etc/passwd", "http:10.0.0.1/", "http:/10.0.0.1/", "http:///10.0.0.1/", "http://*/", "http://a b/",
    "http://" + "a" * 64 + ".example/", "http://" + "a." * 130 + "example/", "http://x.example/" + "a" * 5000,
    # what is no web
    "file:///etc/passwd", "file://localhost/etc/passwd", "gopher://127.0.0.1:6379/_INFO", "ftp://example.com/",
    "dict://127.0.0.1:11211/stat", "ldap://127.0.0.1/", "sftp://example.com/", "tftp://example.com/", "jar:http://x!/",
    "data:text/html,hello", "javascript:alert(1)", "unix:/var/run/docker.sock", "http+unix://%2Fvar%2Frun/",
    "ws://example.com/", "view-source:http://example.com/", "about:blank", "HTTPX://example.com/", "netdoc:///etc/passwd",
    # ports of other services
    "http://93.184.215.14:22/", "http://93.184.215.14:25/", "http://93.184.215.14:3306/", "http://93.184.215.14:6379/",
    "http://93.184.215.14:11211/", "http://93.184.215.14:2375/", "http://93.184.215.14:0/",
    "http://93.184.215.14:65536/", "http://93.184.215.14:-80/", "http://93.184.215.14:80a/", "http://93.184.215.14:８0/x",
]  # fmt: skip
"""Addresses of which none may be asked. 93.184.215.14 is public; it is never connected to here."""


class Clock:
    """A clock that is set."""

    def __init__(self):
        self.at = datetime(2026, 11, 28, 12)

    def __call__(self):
        return self.at


# --- only public addresses ---


@pytest.mark.parametrize("crawl", [True, False])
def test_no_address_of_the_corpus_is_asked(ask, crawl):
    async def all_of_them(door):
        found = []
        for url in REFUSED:
            try:
                await door.get(url, crawl=crawl)
                found.append((url, "answered"))
            except NetworkError as error:
                found.append((url, error.why))
        return found, door.counts

    found, counts = ask(NetworkSpec(dns=["127.0.0.1:1"], timeout="1s"), all_of_them)
    assert [(url, why) for url, why in found if why not in (Why.NOT_PUBLIC, Why.NOT_ALLOWED)] == []
    assert (counts.requests, counts.bytes) == (0, 0)


def test_no_redirect_leads_to_an_address_of_the_corpus(internet, ask):
    follow = [url for url in REFUSED if "://" in url and url.isascii() and url.isprintable()]
    internet.handle("redirects.example", "/*", lambda request: Answer(
        status=302, headers={"location": follow[int(request.path[1:])]}) if request.path != "/robots.txt" else 404
    )  # fmt: skip
    before = internet.count("redirects.example")

    async def all_of_them(door):
        found = []
        for number, url in enumerate(follow):
            try:
                await door.get(f"http://redirects.example/{number}", crawl=number % 2 == 0)
                found.append((url, "answered"))
            except NetworkError as error:
                found.append((url, error.why))
        return found

    spec = internet.network(allow=["127.1.0.0/16"], per_second=100)  # its own hosts, and not 127.0.0.1
    found = ask(spec, all_of_them)
    wrong = [(url, why) for url, why in found if why not in (Why.NOT_PUBLIC, Why.NOT_ALLOWED)]
    assert wrong == []
    assert internet.count("redirects.example") == before + len(follow) + 1
    assert len(follow) > 100


@pytest.mark.parametrize(
    "records",
    [
        {"a": ["127.0.0.1"]}, {"a": ["10.0.0.1"]}, {"a": ["169.254.169.254"]}, {"a": ["100.64.0.1"]},
        {"a": ["93.184.215.14", "192.168.0.1"]}, {"aaaa": ["::1"]}, {"aaaa": ["::ffff:10.0.0.1"]},
        {"aaaa": ["64:ff9b::a9fe:a9fe"]}, {"aaaa": ["fd00:ec2::254"]}, {"aaaa": ["2002:7f00:1::"]},
        {"cname": ["inner.rebound.example"]},
    ],
)  # fmt: skip
def test_names_of_private_addresses_are_refused(internet, ask, records):
    internet.records("inner.rebound.example", a=["10.9.9.9"])
    host = f"n{abs(hash(json.dumps(records)))}.rebound.example"
    internet.records(host, **records)
    for url in (f"http://{host}/", f"https://{host}/"):
        assert ask(internet.network(allow=[]), url).why is Why.NOT_PUBLIC


def test_a_name_that_changes_its_mind_is_refused_when_it_is_asked_again(internet, ask):
    internet.site("changes.example", {"/": "hello", "/b": "again"})
    internet.dns_trouble("changes.example", "rebinding")

    async def twice(door):
        first = await door.get("http://changes.example/")
        door.resolver._known.clear()
        await door.transport.aclose()
        try:
            await door.get("http://changes.example/b")
        except NetworkError as error:
            return first.body, error.why

    assert ask(internet.network(), twice) == (b"hello", Why.NOT_PUBLIC)


def test_the_settings_of_the_system_are_not_heard(internet, ask, monkeypatch):
    internet.site("proxied.example", {"/": "straight"})
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert ask(internet.network(), "http://proxied.example/").text() == "straight"
    assert ask(internet.network(), "https://proxied.example/").text() == "straight"


# --- what is sent ---


def test_who_asks_is_said(internet, ask):
    internet.handle("who.example", "/*", lambda request: dict(request.headers))
    found = ask(internet.network(contact="https://acme.example/bot"), "http://who.example/").json()
    assert found["user-agent"].startswith("Leadlight/")
    assert found["user-agent"].endswith(" (+https://acme.example/bot)")
    assert found["host"] == "who.example"
    assert found["accept-encoding"] == "gzip, deflate"
    assert set(found) == {"host", "user-agent", "accept", "accept-encoding"}


def test_of_cookies_the_names_are_kept_and_nothing_is_sent_back(internet, ask, tmp_path):
    cookies = "PHPSESSID=v4lue; expires=Wed, 21 Oct 2026 07:28:00 GMT; path=/, _shop_y=v4lue; path=/"
    seen = []
    internet.handle(
        "cookies.example", "/*", lambda request: seen.append(request) or Answer(headers={"Set-Cookie": cookies})
    )

    async def work(door):
        return [await door.get(f"http://cookies.example/{page}") for page in "ab"]

    for reply in ask(internet.network(), work):
        assert reply.headers["set-cookie"] == "PHPSESSID=, _shop_y="
    assert not any("cookie" in request.headers for request in seen)
    assert b"v4lue" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_contact_cannot_add_headers():
    assert "\n" not in user_agent("x)\r\nX-Evil: 1")


def test_secrets_reach_the_host_and_stay_nowhere(internet, ask, tmp_path):
    seen = []
    internet.handle("api.secret.example", "/*", lambda request: seen.append(request) or {"ok": True})

    async def work(door):
        more = {"headers": {"Authorization": "Bearer s3cret-1"}, "secrets": {"k": "s3cret-2"}}
        got = await door.get("http://api.secret.example/a", params={"api_key": "s3cret-3", "q": "x"}, **more)
        posted = await door.post("http://api.secret.example/b", json={"q": "x"}, **more)
        again = await door.get("http://api.secret.example/a", params={"api_key": "s3cret-3", "q": "x"})
        return got, posted, again

    got, posted, again = ask(internet.network(), work)
    assert [dict(request.query) for request in seen] == [
        {"api_key": "s3cret-3", "q": "x", "k": "s3cret-2"},
        {"k": "s3cret-2"},
    ]
    assert {request.headers["authorization"] for request in seen} == {"Bearer s3cret-1"}
    assert (got.cached, again.cached) == (False, True)
    assert got.url == "http://api.secret.example/a?api_key=***&q=x"
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir()) + repr((got, posted)).encode()
    assert b"s3cret" not in kept


def test_secrets_do_not_travel_with_redirects(internet, ask):
    seen = []
    internet.handle("from.example", "/*", Answer(status=307, headers={"location": "http://to.example/x"}))
    internet.handle("to.example", "/*", lambda request: seen.append(request) or {})
    ask(
        internet.network(),
        lambda door: door.get("http://from.example/", headers={"X-Key": "s3cret"}, secrets={"k": "s3cret"}),
    )
    assert "s3cret" not in repr(seen)
    assert len(seen) == 1


def test_secrets_are_not_in_errors(internet, ask):
    for status in (401, 404, 429, 500):
        internet.handle("err.example", f"/{status}", Answer("no", status=status, headers={"retry-after": "90"}))
    for status in (401, 429, 500):
        error = ask(internet.network(), lambda door, status=status: door.get(
            f"http://err.example/{status}", headers={"X-Key": "s3cret"}, secrets={"k": "s3cret"}))  # fmt: skip
        assert isinstance(error, NetworkError)
        assert "s3cret" not in error.message + repr(error)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "ü\x00"])
def test_headers_cannot_carry_other_headers(internet, ask, value):
    internet.site("inject.example", {"/": "x"})
    error = ask(internet.network(), lambda door: door.get("http://inject.example/", headers={"X-Key": value}))
    assert error.why is Why.NOT_ALLOWED


def test_json_is_posted_once(internet, ask):
    bodies = []
    internet.handle("post.example", "/find", lambda request: bodies.append(request.json()) or {"n": len(bodies)})

    async def work(door):
        first = await door.post("http://post.example/find", json={"b": 1, "a": "ü"})
        same = await door.post("http://post.example/find", json={"a": "ü", "b": 1})
        other = await door.post("http://post.example/find", json={"a": "u"})
        return first.json(), same.json(), same.cached, other.json()

    assert ask(internet.network(), work) == ({"n": 1}, {"n": 1}, True, {"n": 2})
    assert bodies == [{"a": "ü", "b": 1}, {"a": "u"}]


def test_what_is_posted_follows_no_redirect(internet, ask):
    internet.handle("moved.example", "/*", Answer(status=307, headers={"location": "http://who.example/"}))
    assert ask(internet.network(), lambda door: door.post("http://moved.example/", json={})).why is Why.BROKEN


# --- what comes back ---


def test_redirects_are_followed_to_where_they_end(internet, ask):
    internet.site("old.example", {"/": Answer(status=301, headers={"location": "https://new.example/a"})})
    internet.site("new.example", {"/a": Answer(status=308, headers={"location": "b?x=1"}), "/b": "here"})
    reply = ask(internet.network(), "http://old.example/")
    assert (reply.url, reply.text(), reply.ok) == ("https://new.example/b?x=1", "here", True)


@pytest.mark.parametrize("name", ["loop", "long-way"])
def test_redirects_that_do_not_end_are_left(internet, ask, hostile_hosts, name):
    before = internet.count(f"{name}.hostile.example")
    assert ask(internet.network(), hostile_hosts[name]).why is Why.TOO_MANY_REDIRECTS
    assert internet.count(f"{name}.hostile.example") == before + 6


@pytest.mark.parametrize(
    ("status", "crawl", "why"),
    [
        (401, False, Why.DENIED), (402, False, Why.DENIED), (403, False, Why.DENIED), (401, True, 401),
        (403, True, 403), (404, False, 404), (410, True, 410), (418, False, 418), (400, False, 400), (204, False, 204),
        (429, False, Why.RATE_LIMITED), (501, True, Why.BROKEN), (505, False, Why.BROKEN),
    ],
)  # fmt: skip
def test_statuses_are_answers_or_failures(internet, ask, monkeypatch, status, crawl, why):
    monkeypatch.setattr("leadlight.enrich.net.net.pause", lambda _: 0.01)
    host = f"s{status}{crawl}.example".lower()
    internet.handle(host, "/robots.txt", 404)
    internet.handle(host, "/x", status)
    found = ask(internet.network(), lambda door: door.get(f"http://{host}/x", crawl=crawl))
    assert (found.status if isinstance(found, Reply) else found.why) == why


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_busy_hosts_are_asked_again_twice(internet, ask, monkeypatch, status):
    monkeypatch.setattr("leadlight.enrich.net.net.pause", lambda _: 0.01)
    host = f"busy{status}.example"
    answers = iter([status, status, {"at": "last"}])
    internet.handle(host, "/x", lambda _: next(answers))
    internet.handle(host, "/always", status)
    assert ask(internet.network(), f"http://{host}/x").json() == {"at": "last"}
    error = ask(internet.network(), f"http://{host}/always")
    assert error.why is (Why.RATE_LIMITED if status == 429 else Why.BROKEN)
    assert internet.count(host, "/always") == 3


def test_a_post_is_not_repeated_where_it_may_have_been_done(internet, ask, monkeypatch):
    monkeypatch.setattr("leadlight.enrich.net.net.pause", lambda _: 0.01)
    internet.handle("paid.example", "/500", 500)
    internet.handle("paid.example", "/503", 503)
    for status, times in ((500, 1), (503, 3)):
        error = ask(internet.network(), lambda door, s=status: door.post(f"http://paid.example/{s}", json={}))
        assert isinstance(error, NetworkError)
        assert internet.count("paid.example", f"/{status}") == times


def test_retry_after_is_waited_for_where_it_is_short(internet, ask, monkeypatch):
    monkeypatch.setattr("leadlight.enrich.net.net.pause", lambda _: 0.01)
    answers = iter([Answer("later", status=429, headers={"retry-after": "1"}), {"ok": 1}])
    internet.handle("short-wait.example", "/", lambda _: next(answers))
    begun = time.perf_counter()
    assert ask(internet.network(), "http://short-wait.example/").json() == {"ok": 1}
    assert time.perf_counter() - begun > 0.95


def test_a_host_that_wants_quiet_is_left_alone_and_asked_again_then(internet, ask, tmp_path):
    clock = Clock()
    internet.handle("quiet.example", "/*", Answer("later", status=503, headers={"retry-after": "3600"}))

    async def work(door):
        errors = []
        for path in ("a", "b", "a"):
            try:
                await door.get(f"http://quiet.example/{path}")
            except NetworkError as error:
                errors.append((error.why, error.retry_at))
        return errors

    expected = [(Why.RATE_LIMITED, clock.at + timedelta(hours=1))] * 3
    assert ask(internet.network(), work, now=clock) == expected
    assert internet.count("quiet.example") == 1
    assert ask(internet.network(), lambda door: door.get("http://quiet.example/a"), now=clock).why is Why.RATE_LIMITED
    assert internet.count("quiet.example") == 1
    internet.handle("quiet.example", "/*", {"ok": 1})
    clock.at += timedelta(hours=1)
    assert ask(internet.network(), "http://quiet.example/a", now=clock).json() == {"ok": 1}


def test_every_bad_host_costs_one_look_up(internet, hostile_hosts, ask):
    async def all_of_them(door):
        async def one(url):
            try:
                reply = await door.get(url, crawl=True)
                return len(reply.text())
            except NetworkError as error:
                return error

        names = [name for name in hostile_hosts if not name.startswith("bomb")]
        found = await asyncio.gather(*(one(hostile_hosts[name]) for name in names))
        assert door.counts.unforeseen == 0
        return dict(zip(names, found, strict=True))

    begun = time.perf_counter()
    found = ask(internet.network(timeout="1s"), all_of_them)
    assert time.perf_counter() - begun < 20
    assert {type(item) for item in found.values()} <= {int, NetworkError} | set(NetworkError.__subclasses__())
    assert isinstance(found["deep"], int)


def test_a_bomb_is_left_before_it_grows(internet, ask):
    bomb = gzip.compress(bytes(50_000_000), 1)
    internet.handle("own-bomb.example", "/*", Answer(bomb, headers={"content-encoding": "gzip"}))
    tracemalloc.start()
    error = ask(internet.network(), "http://own-bomb.example/")
    grown = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.why is Why.TOO_LARGE
    assert error.message == "own-bomb.example sent more than 2,000,000 bytes"
    assert grown < 10_000_000


def test_an_error_of_our_own_costs_one_look_up(internet, ask, monkeypatch):
    internet.site("unforeseen.example", {"/": "x"})

    async def work(door):
        monkeypatch.setattr("leadlight.enrich.net.net.Reply", lambda *_: 1 / 0)
        with pytest.raises(NetworkError, match=r"what was answered cannot be read \(ZeroDivisionError\)"):
            await door.get("http://unforeseen.example/")
        return door.counts.unforeseen

    assert ask(internet.network(), work) == 1


def test_unknown_kinds_of_records_are_a_mistake_of_ours(internet, ask):
    with pytest.raises(ValueError, match="'AXFR' is no kind of record"):
        ask(internet.network(), lambda door: door.dns("acme.example", "axfr"))


# --- robots.txt and pace ---


def test_pages_are_read_as_robots_txt_says(internet, ask):
    robots = "User-agent: *\nDisallow: /private\n\nUser-agent: Leadlight\nDisallow: /own\n"
    internet.site("rules.example", {"/": "home", "/own/x": "no", "/private": "yes"}, robots=robots)

    async def work(door):
        found = []
        for path in ("/", "/private", "/own/x"):
            try:
                found.append((await door.get(f"https://rules.example{path}", crawl=True)).text())
            except NetworkError as error:
                found.append((error.why, error.message))
        found.append((await door.get("https://rules.example/own/x")).text())
        return found

    refused = (Why.NOT_ALLOWED, "robots.txt of rules.example does not allow /own/x")
    assert ask(internet.network(), work) == ["home", "yes", refused, "no"]
    assert internet.count("rules.example", "/robots.txt") == 1


def test_robots_txt_is_kept_for_a_day(internet, ask):
    clock = Clock()
    internet.site("kept-rules.example", {"/": "a", "/b": "b", "/c": "c"}, robots="User-agent: *\nDisallow:\n")
    for path, hours, asked in (("/", 0, 1), ("/b", 23, 1), ("/c", 2, 2)):
        clock.at += timedelta(hours=hours)
        ask(internet.network(), lambda door, p=path: door.get(f"http://kept-rules.example{p}", crawl=True), now=clock)
        assert internet.count("kept-rules.example", "/robots.txt") == asked


def test_rules_in_memory_are_bounded(internet, ask, monkeypatch):
    monkeypatch.setattr("leadlight.enrich.net.net.RULES_BYTES", 500)
    for number in range(8):
        rules = "User-agent: *\nDisallow: /x\n" + "#" * 170
        internet.site(f"bounded{number}.example", {"/": "x", "/b": "x"}, robots=rules)

    async def work(door):
        for path in ("/", "/b"):
            for number in range(8):
                await door.get(f"http://bounded{number}.example{path}", crawl=True)
        return len(door._rules)

    assert ask(internet.network(), work) == 2
    assert internet.count("bounded0.example", "/robots.txt") == 1


def test_a_redirect_hears_the_rules_of_where_it_leads(internet, ask):
    internet.site("leads.example", {"/": Answer(status=302, headers={"location": "http://closed.example/"})})
    internet.site("closed.example", {"/": "closed"}, robots="User-agent: *\nDisallow: /\n")
    error = ask(internet.network(), lambda door: door.get("http://leads.example/", crawl=True))
    assert error.message == "robots.txt of closed.example does not allow /"
    assert internet.count("closed.example", "/") == 0


def test_rules_that_cannot_be_had_forbid(internet, ask, monkeypatch):
    monkeypatch.setattr("leadlight.enrich.net.net.pause", lambda _: 0.01)
    internet.site("no-rules.example", {"/": "x", "/robots.txt": Answer(status=500)})
    error = ask(internet.network(), lambda door: door.get("http://no-rules.example/", crawl=True))
    assert isinstance(error, NetworkError)
    assert internet.count("no-rules.example", "/") == 0


@pytest.mark.parametrize(
    "robots", [Answer("x" * 700_000), Answer(status=302, headers={"location": "/robots.txt"}), 403]
)
def test_rules_that_are_none_allow(internet, ask, robots):
    host = f"odd{abs(hash(str(robots)))}.example"
    internet.handle(host, "/robots.txt", robots)
    internet.handle(host, "/", "home")
    assert ask(internet.network(), lambda door: door.get(f"http://{host}/", crawl=True)).text() == "home"


def test_of_hosts_that_ask_for_long_pauses_one_page_is_read(internet, ask):
    internet.site(
        "slowly.example",
        {"/": Answer(status=302, headers={"location": "https://slowly.example/en"}), "/en": "home", "/b": "b"},
        robots="User-agent: *\nCrawl-delay: 600\n",
    )

    async def work(door):
        home = await door.get("http://slowly.example/", crawl=True)
        try:
            await door.get("https://slowly.example/b", crawl=True)
        except NetworkError as error:
            return home.text(), error.why, error.message

    assert ask(internet.network(), work) == (
        "home", Why.NOT_ALLOWED, "slowly.example asks for 600 s between two pages, and was read just now"
    )  # fmt: skip


def test_hosts_are_asked_at_their_pace_one_thing_at_a_time(internet, ask):
    pages = {f"/{number}": "x" for number in range(5)}
    internet.site("pace.example", pages, delay=0.02)
    internet.site("delay.example", pages, robots="User-agent: *\nCrawl-delay: 0.2\n")
    internet.site("api-pace.example", pages, delay=0.1)

    async def work(door):
        quick = door.asked_by("api", per_second=50)
        await asyncio.gather(
            *(door.get(f"http://pace.example{path}", crawl=True) for path in pages),
            *(door.get(f"http://delay.example{path}", crawl=True) for path in list(pages)[:3]),
            *(quick.get(f"http://api-pace.example{path}") for path in pages),
        )

    ask(internet.network(per_second=10), work)
    assert internet.most_at_once("pace.example") == internet.most_at_once("delay.example") == 1
    for host, least in (("pace.example", 0.06), ("delay.example", 0.12)):
        begun = sorted(visit.begun for visit in internet.visits(host) if visit.path != "/robots.txt")
        assert min(later - earlier for earlier, later in pairwise(begun)) > least
    assert internet.most_at_once("api-pace.example") > 1


# --- the cache ---


def test_the_same_thing_is_asked_once_at_a_time_and_once_in_a_month(internet, ask):
    clock = Clock()
    internet.site("same.example", {"/": "x"}, https=True)

    async def many(door):
        replies = await asyncio.gather(*(door.get("https://same.example/") for _ in range(20)))
        return {reply.cached for reply in replies}, door.counts

    assert ask(internet.network(), many, now=clock)[0] == {False}
    clock.at += timedelta(days=29)
    found, counts = ask(internet.network(), many, now=clock)
    assert found == {True}
    assert (counts.requests, counts.cached) == (0, 20)
    assert internet.count("same.example", "/") == 1


def test_what_is_stale_is_asked_about_with_its_tag(internet, ask):
    clock = Clock()
    internet.site("stale.example", {"/": "old"})
    internet.site("stale-way.example", {"/": Answer(status=302, headers={"location": "http://stale.example/"})})

    def get(ttl, host="stale.example"):
        return ask(internet.network(), lambda door: door.get(f"http://{host}/", ttl=ttl), now=clock)

    first = get(DAY)
    get(DAY, "stale-way.example")
    clock.at += timedelta(days=2)
    second = get(DAY)
    assert internet.visits("stale.example")[-1].status == 304
    assert get(DAY, "stale-way.example").text() == "old"
    assert internet.visits("stale.example")[-1].status == 304
    assert (second.body, second.fetched_at, second.cached) == (first.body, clock.at, False)
    internet.site("stale.example", {"/": "new"})
    assert get(DAY).text() == "old"
    clock.at += timedelta(days=2)
    assert get(DAY).text() == "new"
    assert get(timedelta()).text() == "new"


def test_what_has_no_tag_is_asked_about_with_its_date(internet, ask):
    clock = Clock()
    changed = "Sat, 28 Nov 2026 08:00:00 GMT"
    seen = []

    def page(request):
        seen.append(request.headers.get("if-modified-since"))
        return Answer(status=304) if seen[-1] == changed else Answer("dated", headers={"last-modified": changed})

    internet.handle("dated.example", "/", page)
    for _ in range(2):
        reply = ask(internet.network(), lambda door: door.get("http://dated.example/", ttl=DAY), now=clock)
        assert reply.text() == "dated"
        clock.at += timedelta(days=2)
    assert seen == [None, changed]


@pytest.mark.parametrize(
    ("content", "holds"),
    [(404, NOTHING), (410, NOTHING), (501, HOLDS[Why.BROKEN]), (Answer("x" * 100), HOLDS[Why.TOO_LARGE])],
)
def test_that_there_is_nothing_is_kept_for_a_while(internet, ask, content, holds):
    clock = Clock()
    host = f"nothing{abs(hash(str(content)))}.example"
    internet.handle(host, "/", content)
    for after, asked in ((timedelta(), 1), (holds - timedelta(seconds=1), 1), (timedelta(seconds=1), 2)):
        clock.at += after
        ask(internet.network(), lambda door: door.get(f"http://{host}/", limit=50), now=clock)
        assert internet.count(host) == asked


def test_what_was_too_large_is_asked_for_again_with_a_larger_limit(internet, ask):
    internet.handle("larger.example", "/", Answer("x" * 100))
    assert ask(internet.network(), lambda door: door.get("http://larger.example/", limit=50)).why is Why.TOO_LARGE
    assert ask(internet.network(), lambda door: door.get("http://larger.example/", limit=100)).ok
    error = ask(internet.network(), lambda door: door.get("http://larger.example/", limit=50))
    assert error.why is Why.TOO_LARGE
    assert internet.count("larger.example") == 2


def test_hosts_that_are_none_and_keys_that_are_wrong(internet, ask):
    internet.handle("denies.example", "/", 401)
    for _ in range(2):
        assert ask(internet.network(), "http://no-host-at-all.example/").why is Why.NO_SUCH_HOST
        assert ask(internet.network(), "http://denies.example/").why is Why.DENIED
    assert internet.questions("no-host-at-all.example", "A") == 1
    assert internet.count("denies.example") == 2  # the key may have been put right since


def test_silent_name_servers_are_not_held_against_a_host(internet, ask):
    internet.site("patience.example", {"/": "x"})
    silent = internet.network(dns=["127.0.0.1:1"], timeout="10s")
    error = ask(
        silent, lambda door: (setattr(door.resolver, "patience", 0.05), door.get("http://patience.example/"))[1]
    )
    assert error.why is Why.UNREACHABLE
    assert ask(internet.network(), "http://patience.example/").text() == "x"


def test_dns_answers_are_kept(internet, ask):
    clock = Clock()
    internet.records("kept-dns.example", mx=["10 mx.kept-dns.example"])

    async def work(door):
        return [await door.dns("Kept-DNS.example", kind) for kind in ("MX", "mx", "TXT")]

    for after, asked in ((timedelta(), 1), (timedelta(days=6), 1), (timedelta(days=25), 2)):
        clock.at += after
        assert ask(internet.network(), work, now=clock) == [("10 mx.kept-dns.example",)] * 2 + [()]
        assert internet.questions("kept-dns.example", "MX") == asked


@pytest.mark.parametrize("name", ["", "a b.example", "-a.example", "x" * 300, "a..example", "\ud800.example"])
def test_names_that_are_none_are_not_asked_about(internet, ask, name):
    assert ask(internet.network(), lambda door: door.dns(name, "MX")).why is Why.NOT_ALLOWED


def test_dns_failures_are_network_errors_and_counted(internet, ask):
    internet.records("fails.example", a=["127.3.3.3"])
    internet.dns_trouble("fails.example", "servfail")

    async def work(door):
        for _ in range(2):
            try:
                await door.dns("fails.example", "MX")
            except NetworkError as error:
                assert error.why is Why.UNREACHABLE  # noqa: PT017
        return door.counts

    counts = ask(internet.network(), work)
    assert counts.failed == {Why.UNREACHABLE: 2}
    assert counts.cached == 1


# --- budget, counts, ends ---


def test_the_budget_of_requests_is_kept(internet, ask):
    internet.site("budget.example", {f"/{number}": "x" for number in range(9)})

    async def work(door):
        found = []
        for number in range(5):
            try:
                found.append((await door.get(f"http://budget.example/{number}", crawl=True)).status)
            except NetworkError as error:
                found.append(error.why)
        return found, door.counts.left

    assert ask(internet.network(), work, requests=3) == ([200, 200, Why.BUDGET, Why.BUDGET, Why.BUDGET], 0)
    assert internet.count("budget.example") == 3
    assert ask(internet.network(), work, requests=0) == ([200, 200, Why.BUDGET, Why.BUDGET, Why.BUDGET], 0)


def test_what_went_through_is_counted(internet, ask):
    internet.site("counted.example", {"/": "x" * 1000})
    internet.records("counted.example", mx=["1 mx.example"])

    async def work(door):
        await door.get("http://counted.example/", crawl=True)
        await door.get("http://counted.example/", crawl=True)
        await door.dns("counted.example", "MX")
        return door.counts.as_dict()

    found = ask(internet.network(), work)
    assert found["hosts"] == {"counted.example": 2}
    assert (found["requests"], found["dns"], found["cached"]) == (2, 2, 1)
    assert found["bytes"] >= 1000


def test_one_who_stops_waiting_does_not_stop_others(internet, ask):
    internet.site("shared.example", {"/": "x"}, delay=0.2)

    async def work(door):
        first = asyncio.ensure_future(door.get("http://shared.example/"))
        second = asyncio.ensure_future(door.get("http://shared.example/"))
        await asyncio.sleep(0.05)
        first.cancel()
        return (await second).text()

    assert ask(internet.network(), work) == "x"
    assert internet.count("shared.example") == 1


def test_nothing_runs_on_when_the_door_closes(internet, tmp_path):
    internet.site("closing.example", {"/": "x"}, delay=5)

    async def go():
        async with open_network(internet.network(), tmp_path / "l.sqlite") as door:
            waiting = asyncio.ensure_future(door.get("http://closing.example/"))
            await asyncio.sleep(0.1)
        await asyncio.gather(waiting, return_exceptions=True)
        return waiting.cancelled(), len(asyncio.all_tasks())

    begun = time.perf_counter()
    assert asyncio.run(go()) == (True, 1)
    assert time.perf_counter() - begun < 2


def test_authorities_that_cannot_be_read_are_a_mistake_of_the_user(ask, tmp_path):
    (tmp_path / "no.pem").write_text("no certificate")
    for name in ("none.pem", "no.pem"):
        with pytest.raises(UsageError, match=f"authorities: '{name}' cannot be read as certificates"):
            ask(NetworkSpec(authorities=name), "http://a.example/", base=tmp_path)


RUN = textwrap.dedent("""
    import asyncio, json, sys
    from pathlib import Path
    from leadlight.enrich.net.net import open_network
    from leadlight.spec.enrich import NetworkSpec

    async def main():
        spec = NetworkSpec.model_validate(json.loads(sys.argv[1]))
        async with open_network(spec, Path(sys.argv[2])) as door:
            async def one(host, path):
                await door.get(f"https://{host}/{path}", crawl=True)
                print(host, path, flush=True)
            await asyncio.gather(*(one(f"k{host}.killed.example", path) for host in range(40) for path in range(10)))

    asyncio.run(main())
""")


def test_a_kill_in_the_middle_repeats_no_finished_request(internet, tmp_path):
    for number in range(40):
        internet.site(f"k{number}.killed.example", {f"/{path}": f"page {path}" for path in range(10)}, www=False)
    argv = [sys.executable, "-c", RUN, json.dumps(internet.settings(per_second=20)), str(tmp_path / "l.sqlite")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as first:
        said = [first.stdout.readline() for _ in range(150)]
        os.kill(first.pid, signal.SIGKILL)
        said += first.stdout.read().splitlines(keepends=True)
    done = {tuple(line.split()) for line in said if line.endswith("\n")}
    assert 150 <= len(done) < 400
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout.count("\n") == 400
    counts = {
        (f"k{host}.killed.example", str(path)): internet.begun(f"k{host}.killed.example", f"/{path}")
        for host in range(40)
        for path in range(10)
    }
    assert [page for page in done if counts[page] != 1] == []
    repeated = sum(count > 1 for count in counts.values())
    assert repeated <= 64  # those that were under way when it was killed
    assert set(counts.values()) <= {1, 2}
    with sqlite3.connect(tmp_path / "l.sqlite") as kept:
        assert kept.execute("SELECT count(*) FROM answers").fetchone()[0] == 440
    kept.close()
