"""Which addresses are read, and which IP addresses are public."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.net.addresses import (
    METADATA_ADDRESSES,
    Guard,
    ascii_name,
    followed,
    host_name,
    is_public,
    target,
    within,
)
from leadlight.enrich.network import NetworkError, Why

PUBLIC = ["93.184.215.14", "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "11.0.0.1",
          "192.0.3.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8",
          "64:ff9b::8.8.8.8", "2002:808:808::1"]  # fmt: skip
PRIVATE = ["10.0.0.0", "127.0.0.1", "169.254.169.254", "192.168.0.1", "172.16.0.1", "100.64.0.1", "0.0.0.0",
           "255.255.255.255", "224.0.0.251", "198.19.255.255", "168.63.129.16", "192.0.0.192"]  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_asked(text):
    assert is_public(ip_address(text))
    assert Guard().check("a.example", [text], 443) == (str(ip_address(text)),)


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_not_public_however_they_are_carried(text):
    number = int(IPv4Address(text))
    carried = [
        IPv4Address(text), IPv6Address(0xFFFF << 32 | number), IPv6Address(0x0064FF9B << 96 | number),
        IPv6Address(0x0064FF9B0001 << 80 | number), IPv6Address(0x2002 << 112 | number << 80 | 1),
        IPv6Address(0x26064700 << 96 | 0x5EFE << 32 | number),
        IPv6Address(0x26064700 << 96 | 0x02005EFE << 32 | number),
    ]  # fmt: skip
    assert [str(address) for address in carried if is_public(address)] == []


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_holds_for_private(address):
    if is_public(address):
        assert (within(address) or address).is_global


@given(st.ip_addresses(v=4), st.integers(0, 2**80 - 1))
def test_what_carries_an_address_is_as_public_as_that(address, rest):
    number = int(address)
    assert is_public(IPv6Address(0xFFFF << 32 | number)) == is_public(address)
    assert is_public(IPv6Address(0x2002 << 112 | number << 80 | rest)) == is_public(address)


@pytest.mark.parametrize("text", ["fe80::1%eth0", "nonsense", "", "1.2.3", "::1%1"])
def test_addresses_that_cannot_be_read_are_refused(text):
    with pytest.raises(NetworkError, match=r"public|read") as caught:
        Guard().check("a.example", [text], 80)
    assert caught.value.why is Why.NOT_PUBLIC


def test_one_private_address_among_public_ones_refuses_the_host():
    with pytest.raises(NetworkError, match=r"a\.example \(10\.0\.0\.1\) is not public; `allow` in enrich\.network"):
        Guard().check("a.example", ["93.184.215.14", "10.0.0.1"], 80)


def test_allowed_networks_may_be_asked_and_metadata_services_never():
    guard = Guard.of(["10.0.0.0/8", "fd00::/8", "169.254.0.0/16", "0.0.0.0/0"])
    assert guard.check("intra.example", ["10.1.2.3"], 80) == ("10.1.2.3",)
    assert guard.check("intra.example", ["::ffff:10.1.2.3"], 80) == ("::ffff:a01:203",)
    for address in METADATA_ADDRESSES:
        with pytest.raises(NetworkError) as caught:
            guard.check("meta.example", [str(address)], 80)
        assert caught.value.why is Why.NOT_PUBLIC


def test_ports_are_the_webs_unless_one_says_so_oneself_of_an_allowed_network():
    guard = Guard.of(["10.0.0.0/8"], ports=[8100])
    for port in (80, 443, 8080, 8443, 8100):
        guard.port(port, stranger=True)
    guard.port(11434, stranger=False)
    assert guard.check("llm.intra.example", ["10.0.0.9"], 11434)
    with pytest.raises(NetworkError, match="port 11434 is none of the web's"):
        guard.check("public.example", ["93.184.215.14"], 11434)
    with pytest.raises(NetworkError, match="port 11434"):
        guard.port(11434, stranger=True)
    with pytest.raises(NetworkError, match="port 11434"):
        Guard().port(11434, stranger=False)


def test_settings_that_are_no_networks_are_a_value_error():
    with pytest.raises(ValueError, match="is no network"):
        Guard.of(["intranet"])


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://Acme.Example", "http://acme.example/"),
        (" https://acme.example:443/a?b=c#d ", "https://acme.example/a?b=c"),
        ("http://acme.example:8080/", "http://acme.example:8080/"),
        ("http://münchen.example/straße", "http://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("http://acme.example./", "http://acme.example/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("http://acme.example/a%2Fb?x=%20y", "http://acme.example/a%2Fb?x=%20y"),
        ("http://a_b.example/", "http://a_b.example/"),
        ("http://acme.example/<a>'\"", "http://acme.example/%3Ca%3E'%22"),
    ],
)
def test_addresses_have_one_normal_form(url, normal):
    assert target(url).url == normal
    assert target(normal) == target(url)


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,30}/?.{0,20}", fullmatch=True))
def test_any_text_is_refused_or_read_as_others_read_it(text):
    try:
        found = target(text)
    except NetworkError:
        return
    assert target(found.url) == found
    assert found.url.isascii()
    parts = urlsplit(found.url)
    assert (parts.scheme, parts.hostname, parts.username) == (found.scheme, found.host, None)


@given(st.text(max_size=80))
def test_any_name_is_refused_or_becomes_ascii(text):
    for read in (ascii_name, host_name):
        try:
            host = read(text)
        except NetworkError:
            continue
        assert host.isascii()
        assert host == host.lower()
        assert read(host) == host


def test_international_names_are_mapped_as_browsers_do():
    assert ascii_name("FAß.example") == "xn--fa-hia.example"
    assert ascii_name("ＡＣＭＥ.example") == "acme.example"
    assert ascii_name("例え.テスト") == "xn--r8jz45g.xn--zckzah"


def test_parameters_are_added_to_those_that_are_there():
    assert target("https://api.example/v1?a=1", {"q": "a b&c", "ü": "ß"}).path == "/v1?a=1&q=a+b%26c&%C3%BC=%C3%9F"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://acme.example/b"),
        ("?q", "https://acme.example/a?q"),
        ("//other.example/c", "https://other.example/c"),
        ("HTTP://other.example", "http://other.example/"),
        ("/with space", "https://acme.example/with%20space"),
        ("/ü", "https://acme.example/%C3%BC"),
        ("../../../x", "https://acme.example/x"),
    ],
)
def test_redirects_may_be_relative(location, url):
    assert followed(target("https://acme.example/a"), location).url == url


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://[", "/a\r\nb", "\\\\evil.example", "http://a@b/"])
def test_redirects_are_read_as_strictly(location):
    with pytest.raises(NetworkError):
        followed(target("https://acme.example/a"), location)
