"""Hosts that misbehave, one of each kind, under `*.hostile.example`."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator
from functools import cache

from internet.answers import Answer, Content, Request, Stream
from internet.internet import Internet
from internet.names import TROUBLES

HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"
BITS = (
    "<", ">", "<!--", "<script>", "</div", "<a href=", "'", '"', "&#", "&#xFFFFFFFF;", "\0", "<![CDATA[", "\u202e",
    '<script type="application/ld+json">{"@type":', "mailto:", "tel:", "<svg><math>", "=", "]]>", "\ud83d", "%00",
    '<meta charset="utf-99">', "<base href='javascript:1'>", "http://[::", "<title>", "<form", "9" * 400,
)  # fmt: skip
MEGABYTE = b"x" * 1_000_000


def _silent(_: Request) -> Iterator[bytes | float | None]:
    yield 3600.0


def _drip(_: Request) -> Iterator[bytes | float | None]:
    yield HTML + b"content-length: 100000\r\n\r\n"
    for _ in range(100_000):
        yield b"<"
        yield 0.3


def _slow_head(_: Request) -> Iterator[bytes | float | None]:
    for byte in HTML * 100:
        yield bytes([byte])
        yield 0.3


def _reset(_: Request) -> Iterator[bytes | float | None]:
    yield HTML + b"content-length: 100000\r\n\r\n<html>"
    yield 0.01
    yield None


def _empty(_: Request) -> Iterator[bytes | float | None]:
    yield from ()


def _nonsense(_: Request) -> Iterator[bytes | float | None]:
    yield random.Random(5).randbytes(5000)


def _short(_: Request) -> Iterator[bytes | float | None]:
    yield HTML + b"content-length: 100000\r\n\r\n<html>half a page"


def _endless(_: Request) -> Iterator[bytes | float | None]:
    yield HTML + b"\r\n"
    while True:
        yield MEGABYTE


def _endless_chunks(_: Request) -> Iterator[bytes | float | None]:
    yield HTML + b"transfer-encoding: chunked\r\n\r\n"
    while True:
        yield b"f4240\r\n" + MEGABYTE + b"\r\n"


def _bad_chunks(_: Request) -> Iterator[bytes | float | None]:
    yield HTML + b"transfer-encoding: chunked\r\n\r\nzzz\r\nno number\r\n-5\r\n"


def _endless_headers(_: Request) -> Iterator[bytes | float | None]:
    yield HTML
    while True:
        yield b"x-more: " + b"y" * 1000 + b"\r\n"


def _two_lengths(_: Request) -> Iterator[bytes | float | None]:
    yield HTML + b"content-length: 5\r\ncontent-length: 500\r\n\r\nhello"


@cache
def _bomb() -> bytes:
    """A hundred megabytes of nothing in a hundred kilobytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b"\0" * 10_000_000) for _ in range(10)) + packer.flush()


@cache
def _bomb_twice() -> bytes:
    return gzip.compress(_bomb())


def _packed(body: bytes, encoding: str) -> Answer:
    return Answer(body, headers={"content-encoding": encoding})


def _to(target: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"location": target})


def _on(request: Request, host: str) -> Answer:
    step = int(request.query.get("n", "0")) + 1
    return _to(f"http://{host}/?n={step}")


def _fuzz(request: Request) -> Answer:
    """A page of broken markup, another one for each path."""
    source = random.Random(request.path)
    text = "".join(source.choice(BITS) + source.choice(["", " ", "a"]) for _ in range(3000))
    return Answer(text.encode("utf-8", "replace") + source.randbytes(500))


DEEP = "<div>" * 100_000 + "deep" + "</div>" * 1000
JSON_DEEP = b"[" * 200_000
LONG_LINE = b"<title>" + b"a" * 1_500_000

HOSTS: dict[str, Content] = {
    "silent": Stream(_silent),
    "drip": Stream(_drip),
    "slow-head": Stream(_slow_head),
    "reset": Stream(_reset),
    "empty": Stream(_empty),
    "nonsense": Stream(_nonsense),
    "short": Stream(_short),
    "endless": Stream(_endless),
    "endless-chunks": Stream(_endless_chunks),
    "bad-chunks": Stream(_bad_chunks),
    "endless-headers": Stream(_endless_headers),
    "two-lengths": Stream(_two_lengths),
    "bomb": lambda _: _packed(_bomb(), "gzip"),
    "bomb-twice": lambda _: _packed(_bomb_twice(), "gzip, gzip"),
    "bad-gzip": lambda _: _packed(b"\x1f\x8b\x08\0 not at all", "gzip"),
    "cut-gzip": lambda _: _packed(gzip.compress(b"<html>" * 5000)[:-40], "gzip"),
    "odd-encoding": lambda _: _packed(b"<html>", "x-unknown"),
    "loop": lambda request: _to(f"http://{request.host}/"),
    "long-way": lambda request: _on(request, request.host),
    "to-private": _to("http://10.0.0.1/"),
    "to-metadata": _to("http://169.254.169.254/latest/meta-data/", 307),
    "to-loopback-v6": _to("http://[::1]/"),
    "to-mapped": _to("http://[::ffff:169.254.169.254]/"),
    "to-file": _to("file:///etc/passwd", 301),
    "to-gopher": _to("gopher://127.0.0.1:6379/_INFO"),
    "to-javascript": _to("javascript:alert(1)"),
    "to-port": _to("http://127.0.0.1:22/"),
    "to-userinfo": _to("http://acme.example@169.254.169.254/"),
    "to-nowhere": _to("http://no-such-host.invalid/"),
    "to-nothing": Answer(status=302),
    "to-bad": _to("http://[not an address/"),
    "image": Answer(b"\x89PNG\r\n\x1a\n" + b"\0" * 500),
    "pdf-kind": Answer("<title>It is HTML</title>", kind="application/pdf"),
    "no-kind": Answer("<title>No kind</title>", headers={"content-type": None}),
    "odd-charset": Answer(b"<title>\xff\xfe\xfa</title>", kind="text/html; charset=klingon"),
    "wrong-charset": Answer("<title>Zürich</title>".encode("latin-1"), kind="text/html; charset=utf-8"),
    "utf-16": Answer("<title>Zürich</title>".encode("utf-16"), kind="text/html; charset=utf-16"),
    "fuzz": _fuzz,
    "deep": DEEP,
    "long-line": LONG_LINE,
    "json-deep": Answer(JSON_DEEP, kind="application/json"),
    "json-broken": Answer(b'{"a": [1, 2', kind="application/json"),
    "json-nan": Answer(b'{"a": NaN, "b": 1e999, "c": "\\ud800"}', kind="application/json"),
    "server-error": 500,
    "unavailable": Answer("later", status=503, headers={"retry-after": "3600"}),
    "too-many": Answer("later", status=429, headers={"retry-after": "3600"}),
    "too-many-date": Answer("later", status=429, headers={"retry-after": "Wed, 21 Oct 2037 07:28:00 GMT"}),
    "too-many-nonsense": Answer("later", status=429, headers={"retry-after": "soon\u00a0"}),
    "forbidden": 403,
    "teapot": 418,
    "unheard-status": 799,
    "no-content": 204,
    "gone": 410,
}
"""What each answers, whatever the path (its robots.txt included)."""
TLS = ("expired", "wrong_name", "unknown_authority", "refused")


def add(internet: Internet, *, form: str = "{}.hostile.example") -> dict[str, str]:
    """Add all of them; returns addresses by name: those of HOSTS, `tls-…` and `dns-…` (of `names.TROUBLES`).

    `form` is what the host of a name is called: `bad-{}.com` makes a registrable domain of each.
    """
    _bomb_twice()  # made beforehand, or the servers would stand still meanwhile
    addresses = {}
    for name, content in HOSTS.items():
        internet.handle(form.format(name), "*", content)
        addresses[name] = f"http://{form.format(name)}/"
    for kind in TLS:
        name = f"tls-{kind.replace('_', '-')}"
        internet.site(form.format(name), {"/": "secret"}, tls=kind, https=kind != "refused", www=False)
        addresses[name] = f"https://{form.format(name)}/"
    for trouble in TROUBLES:
        name = f"dns-{trouble.replace('_', '-')}"
        internet.site(form.format(name), {"/": "hello"}, www=False)
        internet.dns_trouble(form.format(name), trouble)
        addresses[name] = f"http://{form.format(name)}/"
    return addresses
