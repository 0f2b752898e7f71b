"""One request, one answer, whatever the host does."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

import pytest

from internet import Answer, Stream
from leadlight.enrich.net.addresses import target
from leadlight.enrich.net.body import MOST_PIECES
from leadlight.enrich.net.failures import Cut
from leadlight.enrich.net.net import make_door
from leadlight.enrich.net.transport import Sending, header_map
from leadlight.enrich.network import NetworkError, Why
from leadlight.spec.enrich import NetworkSpec


def send(internet, *urls, limit=100_000, timeout="1s", **more):
    """Send requests one after the other through one transport; answers or errors."""

    async def go():
        door = make_door(internet.network(timeout=timeout), None)
        found = []
        for url in urls:
            try:
                found.append(await door.transport.send(Sending(target(url), "GET", [], None, limit, **more)))
            except NetworkError as error:
                found.append(error)
        await door.aclose()
        return found

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("silent", Why.UNREACHABLE), ("drip", Why.UNREACHABLE), ("slow-head", Why.UNREACHABLE),
        ("nonsense", Why.UNREACHABLE), ("bad-chunks", Why.UNREACHABLE), ("endless-headers", Why.UNREACHABLE),
        ("two-lengths", Why.UNREACHABLE), ("endless", Why.TOO_LARGE), ("endless-chunks", Why.TOO_LARGE),
        ("bad-gzip", Why.BROKEN), ("odd-encoding", Why.BROKEN), ("tls-expired", Why.UNREACHABLE),
        ("tls-wrong-name", Why.UNREACHABLE), ("tls-unknown-authority", Why.UNREACHABLE),
        ("tls-refused", Why.UNREACHABLE), ("dns-servfail", Why.UNREACHABLE), ("dns-silent", Why.UNREACHABLE),
        ("dns-private", Why.NOT_PUBLIC), ("dns-garbage", Why.UNREACHABLE),
    ],
)  # fmt: skip
def test_bad_hosts_cost_one_request_and_little_time(internet, hostile_hosts, host, why):
    begun = time.perf_counter()
    (error,) = send(internet, hostile_hosts[host])
    assert isinstance(error, NetworkError)
    assert error.why is why
    assert f"{host}.hostile.example" in error.message
    assert time.perf_counter() - begun < 1.5


@pytest.mark.parametrize("host", ["reset", "empty", "short"])
def test_what_breaks_off_may_be_asked_again(internet, hostile_hosts, host):
    (error,) = send(internet, hostile_hosts[host])
    assert isinstance(error, Cut)


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("tls-expired", "certificate has expired"),
        ("tls-wrong-name", "certificate is not valid for 'tls-wrong-name.hostile.example'"),
        ("tls-unknown-authority", "unable to get local issuer certificate"),
        ("tls-refused", "TLS could not be agreed on"),
    ],
)
def test_why_tls_is_refused_is_said(internet, hostile_hosts, host, says):
    (error,) = send(internet, hostile_hosts[host])
    assert says in error.message


def test_connections_are_used_again(internet):
    internet.site("again.example", {"/": "one", "/b": "two"})
    before = internet.web.connections
    answers = send(internet, *["https://again.example/", "https://again.example/b"] * 3)
    assert [answer.body for answer in answers] == [b"one", b"two"] * 3
    assert internet.web.connections == before + 1


def test_a_connection_that_the_host_closed_is_made_anew():
    served = []

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        served.append(1)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        await writer.drain()
        if len(served) % 2:
            await reader.read(10)  # stays until it is asked again, and goes then
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def go():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        spec = NetworkSpec.model_validate({"allow": ["127.0.0.0/8"], "ports": {"http": port}})
        door = make_door(spec, None)
        sending = Sending(target("http://127.0.0.1/"), "GET", [], None, 100)
        found = [(await door.transport.send(sending)).body for _ in range(4)]
        await door.aclose()
        server.close()
        await server.wait_closed()
        return found

    assert asyncio.run(go()) == [b"hi"] * 4


def test_what_is_beyond_the_limit_is_refused_or_left(internet):
    internet.site("big.example", {"/": Answer("a" * 5000)})
    assert send(internet, "http://big.example/", limit=4999)[0].why is Why.TOO_LARGE
    assert send(internet, "http://big.example/", limit=5000)[0].body == b"a" * 5000
    assert send(internet, "http://big.example/", limit=100, cut=True)[0].body == b"a" * 100
    assert send(internet, "http://endless.hostile.example/", limit=100, cut=True)[0].body == b"x" * 100


def test_many_tiny_pieces_are_refused(internet):
    def pieces(_):
        yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        for _ in range(100):
            yield b"1\r\na\r\n" * (MOST_PIECES // 50)

    internet.handle("pieces.example", "/", Stream(pieces))
    assert send(internet, "http://pieces.example/", timeout="5s")[0].why is Why.TOO_LARGE


def test_secrets_are_sent_in_the_path(internet):
    internet.handle("secret.example", "/*", lambda request: {"query": dict(request.query)})
    (answer,) = send(internet, "http://secret.example/a?b=1", path="/a?b=1&key=s3cret")
    assert answer.body == b'{"query": {"b": "1", "key": "s3cret"}}'


def test_headers_are_plain_text():
    found = header_map([(b"X", b"a\r\nb\x00c"), (b"x", "ü".encode()), (b"Y", b"\xff")])
    assert found == {"x": "a  b c, ü", "y": "\ufffd"}


def test_damaged_answers_never_raise_anything_else(internet):
    whole = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"15\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03KLJ\x06\x00\xc2A$5\x03\r\n0\r\n\r\n"
    )

    def damaged(request):
        source = random.Random(request.path)
        wire = bytearray(whole)
        for _ in range(source.randint(1, 5)):
            place = source.randrange(len(wire))
            wire[place : place + source.randint(0, 2)] = source.randbytes(source.randint(0, 3))
        yield bytes(wire)

    internet.handle("damaged.example", "/*", Stream(damaged))
    found = send(internet, *(f"http://damaged.example/{number}" for number in range(150)), timeout="2s")
    whys = {item.why for item in found if isinstance(item, NetworkError)}
    assert whys <= {Why.UNREACHABLE, Why.BROKEN, Why.TOO_LARGE}
    assert len(whys) > 1
    assert any(not isinstance(item, NetworkError) for item in found)
