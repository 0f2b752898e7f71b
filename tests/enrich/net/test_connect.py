"""Connections go to the address that was checked, under the name that was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import httpcore
import pytest

from leadlight.enrich.net.addresses import Guard
from leadlight.enrich.net.connect import HIGH_WATER, Connector, Stream, tls_context
from leadlight.enrich.net.resolve import Resolver
from leadlight.enrich.network import NetworkError, Why


class Told:
    """A resolver that says what it is told, another answer each time."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    async def addresses(self, _):
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


async def served(handle, work):
    """Serve connections while a piece of work goes on, and let them end."""
    over = []

    async def whole(reader, writer):
        over.append(asyncio.get_running_loop().create_future())
        done = over[-1]
        with contextlib.suppress(ConnectionError):
            await handle(reader, writer)
        writer.transport.abort()
        await asyncio.sleep(0)
        done.set_result(None)

    server = await asyncio.start_server(whole, "127.0.0.1", 0)
    try:
        return await work(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*over), 5)
        await server.wait_closed()


async def echo(reader, writer):
    writer.write(await reader.read(100))
    await writer.drain()


ALLOW = Guard.of(["127.0.0.0/8"])


def test_the_checked_address_is_connected_to_whatever_the_name_says_next():
    told = Told(("127.0.0.1",), ("169.254.169.254",))

    async def work(port):
        stream = await Connector(told, ALLOW, {80: port}).connect_tcp("a.example", 80, timeout=2)
        await stream.write(b"hello")
        got = await stream.read(10, timeout=2)
        await stream.aclose()
        return got

    assert asyncio.run(served(echo, work)) == b"hello"
    assert told.asked == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_nothing_is_connected_to_that_is_not_public(address):
    connected = []

    async def note(_, writer):
        connected.append(writer)

    async def work(port):
        with pytest.raises(NetworkError) as caught:
            await Connector(Told((address,)), Guard(), {80: port}).connect_tcp("a.example", 80, timeout=2)
        return caught.value.why

    assert asyncio.run(served(note, work)) is Why.NOT_PUBLIC
    assert connected == []


def test_the_next_address_is_tried_where_one_refuses():
    async def work(port):
        told = Told(("127.77.0.1", "127.0.0.1"))
        stream = await Connector(told, ALLOW, {80: port}).connect_tcp("a.example", 80, timeout=2)
        await stream.aclose()
        return True

    assert asyncio.run(served(echo, work))


def test_hosts_that_refuse_say_so():
    with pytest.raises(httpcore.ConnectError, match=r"a\.example refuses connections"):
        asyncio.run(Connector(Told(("127.0.0.1",)), ALLOW, {80: 1}).connect_tcp("a.example", 80, timeout=2))


def test_sockets_of_this_machine_are_refused():
    with pytest.raises(NetworkError) as caught:
        asyncio.run(Connector(Resolver([]), ALLOW).connect_unix_socket("/var/run/docker.sock"))
    assert caught.value.why is Why.NOT_ALLOWED


def test_the_other_side_waits_until_what_it_sent_is_read():
    sent = 0

    async def flood(_, writer):
        nonlocal sent
        while sent < 100 * HIGH_WATER:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async def work(port):
        stream = await Connector(Told(("127.0.0.1",)), ALLOW, {80: port}).connect_tcp("a.example", 80, timeout=2)
        await asyncio.sleep(0.2)
        held, before = len(stream._buffer), sent
        got = 0
        while got < 10 * HIGH_WATER:
            got += len(await stream.read(65536, timeout=2))
        await stream.aclose()
        return held, before

    held, before = asyncio.run(served(flood, work))
    assert held < 3 * HIGH_WATER
    assert before < 100 * HIGH_WATER


def test_reading_and_writing_end_in_time():
    async def silent(reader, _):
        await reader.read()

    async def work(port):
        stream = await Connector(Told(("127.0.0.1",)), ALLOW, {80: port}).connect_tcp("a.example", 80, timeout=2)
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(10, timeout=0.05)
        await stream.aclose()
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x")
        return True

    assert asyncio.run(served(silent, work))


def test_what_is_said_before_tls_does_not_count_as_secure(internet):
    async def hasty(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        await reader.read()

    async def work(port):
        stream = await Connector(Told(("127.0.0.1",)), ALLOW, {443: port}).connect_tcp("a.example", 443, timeout=2)
        await asyncio.sleep(0.1)
        with pytest.raises(httpcore.ConnectError, match="TLS could not be agreed on"):
            await stream.start_tls(tls_context(internet.certificates.file), "a.example", timeout=2)
        await stream.aclose()
        return True

    assert asyncio.run(served(hasty, work))


def test_a_stream_without_connection_has_nothing():
    stream = Stream()
    assert stream.get_extra_info("is_readable")
    assert stream.get_extra_info("ssl_object") is None


def test_tls_hears_no_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = tls_context()
    assert len(context.get_ca_certs()) > 0 or Path(ssl.get_default_verify_paths().openssl_capath).is_dir()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.keylog_filename is None


def test_without_authorities_of_the_system_those_of_certifi_are_taken(monkeypatch, tmp_path):
    there = ssl.get_default_verify_paths()._replace(openssl_cafile=str(tmp_path / "a"), openssl_capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: there)
    assert len(tls_context().get_ca_certs()) > 50


def test_ones_own_authorities_come_besides(internet):
    before, after = tls_context(), tls_context(internet.certificates.file)
    assert len(after.get_ca_certs()) == len(before.get_ca_certs()) + 1


def test_authorities_that_are_not_there_are_an_os_error(tmp_path):
    with pytest.raises(OSError):
        tls_context(tmp_path / "none.pem")
