"""Our own resolver, against a real name server and against one that answers anything."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager

import dns.message
import dns.rrset
import pytest

from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.failures import Passing
from leadlight.enrich.net.resolve import MOST_RECORDS, Resolver, system_servers
from leadlight.enrich.network import NetworkError, Why
from leadlight.spec.addresses import name_server


def asked(internet, name, kind, *, patience=0.3):
    async def go():
        resolver = Resolver([("127.0.0.1", internet.dns_port)], patience=patience)
        return await resolver.ask(name, kind)

    return asyncio.run(go())


def test_records_are_plain_text_in_order(internet):
    internet.records(
        "rr.example", mx=["20 MX2.rr.example", "5 mx1.rr.example", "100 a.rr.example"],
        txt=["v=spf1 -all", "x" * 600], ns=["NS1.rr.example"], a=["127.1.2.4", "127.1.2.3"], aaaa=["::1"],
        soa=["ns1.rr.example hostmaster.rr.example 1 2 3 4 5"],
    )  # fmt: skip
    assert asked(internet, "RR.example", "mx").records == ("5 mx1.rr.example", "20 mx2.rr.example", "100 a.rr.example")
    assert asked(internet, "rr.example.", "TXT").records == ("v=spf1 -all", "x" * 600)
    assert asked(internet, "rr.example", "NS").records == ("ns1.rr.example",)
    assert asked(internet, "rr.example", "A").records == ("127.1.2.3", "127.1.2.4")
    assert asked(internet, "rr.example", "SOA").records[0].startswith("ns1.rr.example hostmaster.rr.example 1 ")


def test_names_without_records_and_names_that_are_none(internet):
    internet.records("only-mx.example", mx=["1 mx.only-mx.example"])
    assert asked(internet, "only-mx.example", "TXT").records == ()
    assert asked(internet, "only-mx.example", "TXT").exists
    assert not asked(internet, "nobody-here.example", "A").exists


def test_aliases_are_followed(internet):
    internet.records("alias.example", cname="www.target.example")
    internet.records("www.target.example", cname="target.example")
    internet.records("target.example", a=["127.4.4.4"])
    assert asked(internet, "alias.example", "A").records == ("127.4.4.4",)


def test_long_answers_come_over_tcp_and_are_bounded(internet):
    internet.records("truncated.example", txt=["hello"])
    internet.dns_trouble("truncated.example", "truncated")
    internet.records("huge.example", txt=["x"])
    internet.dns_trouble("huge.example", "huge")
    assert asked(internet, "truncated.example", "TXT").records == ("hello",)
    assert 0 < len(asked(internet, "huge.example", "TXT").records) <= MOST_RECORDS


@pytest.mark.parametrize("trouble", ["servfail", "refused", "silent", "garbage", "wrong-id", "cname-loop"])
def test_name_servers_in_trouble_are_unreachable(internet, trouble):
    internet.records(f"{trouble}.resolve.example", a=["127.3.3.3"])
    internet.dns_trouble(f"{trouble}.resolve.example", trouble.replace("-", "_"))
    with pytest.raises(NetworkError) as caught:
        asked(internet, f"{trouble}.resolve.example", "A", patience=0.1)
    assert caught.value.why is Why.UNREACHABLE
    assert isinstance(caught.value, Passing) == (trouble in ("silent", "garbage", "wrong-id"))


def test_the_next_server_is_asked_where_one_is_silent(internet):
    internet.records("second.example", a=["127.3.3.4"])

    async def go():
        resolver = Resolver([("127.0.0.1", 1), ("127.0.0.1", internet.dns_port)], patience=0.2)
        return [(await resolver.addresses(f"{name}second.example")) for name in ("", "www.", "")]

    internet.records("www.second.example", a=["127.3.3.5"])
    assert asyncio.run(go()) == [("127.3.3.4",), ("127.3.3.5",), ("127.3.3.4",)]


def test_the_same_question_is_asked_once(internet):
    internet.records("once.example", a=["127.3.3.6"])
    counts = Counts()

    async def go():
        resolver = Resolver([("127.0.0.1", internet.dns_port)], counts)
        await asyncio.gather(*(resolver.ask("once.example", "A") for _ in range(20)))
        await resolver.ask("ONCE.example", "A")

    asyncio.run(go())
    assert internet.questions("once.example", "A") == counts.dns == 1


def test_hosts_that_are_addresses_or_this_machine_are_not_asked_about():
    async def go():
        resolver = Resolver([])
        return [await resolver.addresses(host) for host in ("::1", "192.0.2.1", "localhost", "a.localhost")]

    assert asyncio.run(go()) == [("::1",), ("192.0.2.1",), ("127.0.0.1",), ("127.0.0.1",)]


def test_hosts_without_addresses_are_none(internet):
    internet.records("mail-only.example", mx=["1 x.example"])
    for host in ("mail-only.example", "nothing.example"):
        with pytest.raises(NetworkError, match=f"{host} has no address") as caught:
            asyncio.run(Resolver([("127.0.0.1", internet.dns_port)]).addresses(host))
        assert caught.value.why is Why.NO_SUCH_HOST


def test_ipv6_is_asked_for_where_there_is_no_ipv4(internet):
    internet.records("six.example", aaaa=["2606:4700::1111"])
    found = asyncio.run(Resolver([("127.0.0.1", internet.dns_port)]).addresses("six.example"))
    assert found == ("2606:4700::1111",)


def test_without_name_servers_nothing_is_found():
    with pytest.raises(Passing, match="name some with `dns` in enrich.network"):
        asyncio.run(Resolver([]).ask("acme.example", "A"))


def test_unknown_kinds_are_a_mistake_of_ours():
    with pytest.raises(ValueError, match="'AXFR' is no kind"):
        asyncio.run(Resolver([]).ask("acme.example", "axfr"))


def test_the_systems_servers_are_addresses():
    for address, port in system_servers():
        assert name_server(f"[{address}]:{port}" if ":" in address else f"{address}:{port}") == (address, port)


class Anything(asyncio.DatagramProtocol):
    """Answers each question with the right answer, damaged in another way each time."""

    def __init__(self):
        self.source = random.Random(7)

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, client):
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        name = query.question[0].name
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "MX", "5 mx.example.", "10 mx2.example."))
        wire = bytearray(answer.to_wire())
        for _ in range(self.source.randint(1, 6)):
            wire[self.source.randrange(2, len(wire))] = self.source.randrange(256)
        cut = self.source.choice([len(wire), self.source.randrange(len(wire))])
        self.transport.sendto(bytes(wire[:cut]) + self.source.randbytes(self.source.choice([0, 0, 20])), client)


@asynccontextmanager
async def server_of_anything():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Anything, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        await asyncio.sleep(0)


def test_damaged_answers_never_raise_anything_else():
    async def one(resolver, number):
        try:
            return (await resolver.ask(f"n{number}.example", "MX")).records
        except NetworkError as error:
            return error

    async def go():
        async with server_of_anything() as port:
            resolver = Resolver([("127.0.0.1", port)], patience=0.2, _slots=asyncio.Semaphore(30))
            return await asyncio.gather(*(one(resolver, number) for number in range(150)))

    begun = time.perf_counter()
    found = asyncio.run(go())
    assert any(isinstance(item, tuple) for item in found)
    assert {item.why for item in found if isinstance(item, NetworkError)} == {Why.UNREACHABLE}
    assert time.perf_counter() - begun < 20
