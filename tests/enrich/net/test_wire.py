"""DNS messages as bytes, held against dnspython."""

from __future__ import annotations

from ipaddress import ip_address

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.enrich.net.wire import KINDS, Malformed, answers, question, read

LABEL = st.binary(min_size=1, max_size=12) | st.from_regex(rb"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
NAME = st.lists(LABEL, min_size=0, max_size=5).map(lambda labels: dns.name.Name([*labels, b""]))
NUMBER = st.integers(0, 65535)
TEXT = st.lists(st.binary(max_size=255), min_size=1, max_size=4)


def quoted(parts):
    return " ".join('"' + "".join(f"\\{byte:03d}" for byte in part) + '"' for part in parts)


DATA = {
    "A": st.ip_addresses(v=4).map(str),
    "AAAA": st.ip_addresses(v=6).map(str),
    "MX": st.tuples(NUMBER, NAME).map(lambda both: f"{both[0]} {both[1].to_text()}"),
    "NS": NAME.map(lambda name: name.to_text()),
    "CNAME": NAME.map(lambda name: name.to_text()),
    "PTR": NAME.map(lambda name: name.to_text()),
    "SRV": st.tuples(NUMBER, NUMBER, NUMBER, NAME).map(
        lambda all4: f"{all4[0]} {all4[1]} {all4[2]} {all4[3].to_text()}"
    ),
    "SOA": st.tuples(NAME, NAME, st.integers(0, 2**31 - 1)).map(
        lambda zone: f"{zone[0].to_text()} {zone[1].to_text()} {zone[2]} 2 3 4 5"
    ),
    "TXT": TEXT.map(quoted),
    "CAA": st.just('0 issue "ca.example"'),
}


def expected(record):
    """What a record says, by dnspython."""
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings).decode("utf-8", "replace")[:4096]
    if record.rdtype == dns.rdatatype.AAAA:
        return str(ip_address(record.address))  # the same address, in Python's way of writing mapped ones
    return " ".join(word if word == "." else word.removesuffix(".") for word in record.to_text().lower().split(" "))


def owner(name):
    """Whose a record is, by dnspython."""
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()


@st.composite
def responses(draw):
    query = dns.message.make_query(draw(NAME), draw(st.sampled_from(sorted(KINDS))))
    response = dns.message.make_response(query)
    for kind in draw(st.lists(st.sampled_from(sorted(DATA)), max_size=5)):
        owner, ttl, data = draw(NAME), draw(st.integers(0, 2**31 - 1)), draw(DATA[kind])
        response.answer.append(dns.rrset.from_text(owner, ttl, "IN", kind, data))
    response.set_rcode(draw(st.integers(0, 15)))
    return response


@settings(max_examples=60, deadline=None)
@given(responses())
def test_records_are_read_as_dnspython_reads_them(response):
    found = read(response.to_wire(max_size=65535))
    assert (found.code, found.truncated) == (response.rcode(), False)
    assert [(record.owner, record.kind, record.ttl, record.text) for record in found.records] == [
        (owner(rrset.name), rrset.rdtype, rrset.ttl, expected(record))
        for rrset in response.answer
        for record in rrset
        if rrset.rdtype in KINDS.values()
    ]


@settings(max_examples=60, deadline=None)
@given(responses(), st.data())
def test_damaged_messages_are_read_or_malformed(response, data):
    wire = bytearray(response.to_wire(max_size=65535))
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(wire[: data.draw(st.integers(0, len(wire)))])
    try:
        found = read(cut)
    except Malformed:
        return
    assert all(len(record.text) <= 4096 and len(record.owner) < 1100 for record in found.records)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(message):
    try:
        read(message)
    except Malformed:
        return


@given(
    st.from_regex(r"[a-z0-9_-]{1,63}(\.[a-z0-9-]{1,40}){0,3}", fullmatch=True), st.sampled_from(sorted(KINDS)), NUMBER
)
def test_questions_are_read_by_dnspython(name, kind, number):
    asked = question(number, name, kind)
    query = dns.message.from_wire(asked)
    assert query.id == number
    assert query.question[0].to_text() == f"{name}. IN {kind}"
    assert (query.edns, query.payload) == (0, 1232)
    assert query.flags == dns.flags.RD
    response = dns.message.make_response(query)
    assert answers(response.to_wire(), asked)


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64, "a.", "."])
def test_names_that_are_none_are_not_asked_for(name):
    with pytest.raises(Malformed):
        question(1, name, "A")


def test_what_answers_another_question_is_no_answer():
    asked = question(7, "acme.example", "MX")
    answer = dns.message.make_response(dns.message.from_wire(asked)).to_wire()
    assert answers(answer, asked)
    assert answers(answer.replace(b"acme", b"AcMe"), asked)
    assert not answers(asked, asked)
    for other in (
        question(8, "acme.example", "MX"),
        question(7, "acme.example", "A"),
        question(7, "bcme.example", "MX"),
    ):
        assert not answers(answer, other)
    assert not answers(b"", asked)


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # points at itself
        b"\x01a\xc0\x0c",  # points at what points at it
        b"\xc0\xff",  # points beyond the end
        b"\x40abc\0",  # a part of a kind that there is not
        b"\x3fabc",  # longer than the message
        b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 4 + b"\0",  # longer than names are
    ],
)
def test_names_that_do_not_end_are_malformed(name):
    with pytest.raises(Malformed):
        read(b"\0\1\x81\x80\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1")


def test_what_was_cut_off_says_so():
    response = dns.message.make_response(dns.message.make_query("acme.example", "TXT"))
    response.flags |= dns.flags.TC
    assert read(response.to_wire()).truncated
