"""What is known of the tools behind DNS records."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.provider import Surroundings
from leadlight.enrich.providers.dns import KINDS, Dns, DnsSettings, Records, facts
from leadlight.enrich.providers.dns_tools import Names, shipped_patterns
from leadlight.enrich.providers.lists import shipped
from leadlight.errors import NotFoundError, UsageError

PATTERNS = shipped_patterns()


@given(st.text(max_size=60))
def test_any_text_is_somebodys_host_or_nobodys(host):
    assert Names({"b.com": "b"}).of(host) in (None, "b")


def test_the_longest_known_name_decides():
    names = Names({"b.com": "b", "a.b.com": "a"})
    assert [names.of(host) for host in ("x.a.b.com", "A.B.COM.", "c.b.com", "ab.com", "com")] == [
        "a",
        "a",
        "b",
        None,
        None,
    ]


@given(st.ip_addresses())
def test_the_network_of_an_address_is_found_as_by_looking_through_all(address):
    nets = [
        (net.prefixlen, name)
        for spec in PATTERNS.specs
        for name, some in spec.hosting.ranges.items()
        for net in some
        if net.version == address.version and address in net
    ]
    assert PATTERNS.network_of(address) == (max(nets)[1] if nets else None)


def test_networks_within_networks():
    assert PATTERNS.network_of(ip_address("75.2.60.5")) == "netlify"  # one address of a network of AWS
    assert PATTERNS.network_of(ip_address("75.2.60.6")) == "aws"


def test_what_ships_is_sound():
    tools = shipped("dns_tools.yaml")["tools"]
    assert {kind for tool in tools.values() for kind in tool.get("kinds", ())} == set(KINDS)
    assert len(tools) >= 200
    names = [host for tool in tools.values() for host in (*tool.get("spf", ()), *tool.get("dkim", ()))]
    assert all(host == host.lower() and "." in host for host in names)
    assert all(start == start.lower() for tool in tools.values() for start in tool.get("txt", ()))


def test_own_patterns_come_first(tmp_path):
    (tmp_path / "ours.yaml").write_text(
        "tools:\n  anvil_mail: {kinds: [marketing], spf: [anvil.net], txt: [anvil]}\n"
        "  gmail: {kinds: [crm], spf: [_spf.google.com]}\nmail_suites: {our_suite: [mx.other.net]}\n"
    )
    provider = Dns(DnsSettings(tools="ours.yaml"), Surroundings(folder=tmp_path))
    records = Records(
        "acme.com", mx=("1 mx.other.net",), txt=("v=spf1 include:x.anvil.net include:_spf.google.com", "anvil=1")
    )
    found = {fact.attribute: fact.value for fact in facts(records, provider._patterns)}
    assert found["mail_suite"] == "our_suite"
    assert (found["spf_tools"], found["verified_tools"]) == ("anvil_mail, gmail", "anvil_mail")
    assert (found["marketing_tools"], found["crm_tools"]) == ("anvil_mail", "gmail")


@pytest.mark.parametrize(
    ("text", "said"), [("tools: {x: {smtp: [a.b]}}", "tools.x.smtp"), ("- a", "ours.yaml"), ("a: [", "no YAML")]
)
def test_a_wrong_file_is_a_users_mistake(tmp_path, text, said):
    (tmp_path / "ours.yaml").write_text(text)
    with pytest.raises(UsageError, match=said):
        Dns(DnsSettings(tools="ours.yaml"), Surroundings(folder=tmp_path))
    with pytest.raises(NotFoundError, match="missing"):
        Dns(DnsSettings(tools="missing.yaml"), Surroundings(folder=tmp_path))
