"""IP addresses in files of MaxMind's format, written here by the format's specification (version 2.0)."""

from __future__ import annotations

import asyncio
import struct
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.enrich.network import NetworkError
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.ip import ABOUT, Ip, IpSettings, address_of
from leadlight.enrich.sound import sound
from leadlight.errors import NotFoundError, UsageError

CITY = {
    "country": {"iso_code": "US", "names": {"en": "United States"}},
    "city": {"geoname_id": 5106834, "names": {"en": "Albany", "de": "Albany"}},
    "location": {"latitude": 42.65, "longitude": -73.75, "time_zone": "America/New_York"},
    "registered_country": {"iso_code": "CA"},
}
NETWORKS = {
    "8.8.8.0/24": CITY,
    "1.1.0.0/16": {"registered_country": {"iso_code": "AU"}},
    "2001:4860::/32": {
        "country": "US",
        "as_name": "Google LLC",
        "city": "Mountain View",
        "timezone": "America/Los_Angeles",
    },
    "9.9.9.9/32": {},
}


# --- a writer of the format ---


def encoded(value) -> bytes:
    """Encode a value as the data section has it."""
    if isinstance(value, bool):
        return control(14, int(value))
    if isinstance(value, str):
        raw = value.encode()
        return control(2, len(raw)) + raw
    if isinstance(value, float):
        return control(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):
        raw = value.to_bytes(4, "big")
        return control(6, 4) + raw
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encoded(name) + encoded(item) for name, item in value.items())
    return control(11, len(value)) + b"".join(map(encoded, value))


def control(kind: int, size: int) -> bytes:
    rest = b""
    if size >= 285:
        size, rest = 30, (size - 285).to_bytes(2, "big")
    elif size >= 29:
        size, rest = 29, bytes([size - 29])
    return (bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])) + rest


def mmdb(networks: dict[str, dict], *, version: int = 6) -> bytes:
    """Return a file that holds the networks; IPv4 ones lie under ::/96."""
    nodes: list[list[tuple[str, int] | None]] = [[None, None]]
    data = b""
    for text, record in networks.items():
        net = ip_network(text)
        if net.version == 6 and version == 4:
            continue
        shift = 96 if net.version == 4 and version == 6 else 0
        bits = [0] * shift + [int(net.network_address) >> (net.max_prefixlen - 1 - n) & 1 for n in range(net.prefixlen)]
        at = 0
        for bit in bits[:-1]:
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = ("node", len(nodes) - 1)
            at = nodes[at][bit][1]
        nodes[at][bits[-1]] = ("data", len(data))
        data += encoded(record)
    count = len(nodes)
    numbers = {None: lambda _: count, "node": lambda n: n, "data": lambda n: count + 16 + n}
    tree = b"".join(numbers[side and side[0]](side and side[1]).to_bytes(3, "big") for node in nodes for side in node)
    about = {
        "node_count": count, "record_size": 24, "ip_version": version, "database_type": "Made-Up", "languages": ["en"],
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1_700_000_000,
        "description": {"en": "made up"},
    }  # fmt: skip
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encoded(about)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mmdb")
    (folder / "city.mmdb").write_bytes(mmdb(NETWORKS))
    (folder / "asn.mmdb").write_bytes(
        mmdb(
            {"8.8.0.0/16": {"autonomous_system_number": 15169, "autonomous_system_organization": "Comcast Cable"}},
            version=4,
        )
    )
    return folder


def provider(folder, *files):
    return Ip(IpSettings(files=list(files)), Surroundings(folder=folder))


def says(folder, ip, *files):
    facts = asyncio.run(provider(folder, *files).ask(Query({Clue.IP: ip}), None))
    assert sound(facts, ABOUT) == facts
    return {fact.attribute: fact.value for fact in facts}


# --- tests ---


def test_several_files_complete_one_another(folder):
    assert says(folder, "8.8.8.8", "city.mmdb", "asn.mmdb") == {
        "ip_country": "US",
        "ip_city": "Albany",
        "time_zone": "America/New_York",
        "ip_organisation": "Comcast Cable",
        "ip_kind": "isp",
    }


def test_other_shapes(folder):
    assert says(folder, "2001:4860::1", "asn.mmdb", "city.mmdb") == {
        "ip_country": "US", "ip_city": "Mountain View", "time_zone": "America/Los_Angeles",
        "ip_organisation": "Google LLC", "ip_kind": "hosting",
    }  # fmt: skip
    assert says(folder, "1.1.1.1", "city.mmdb") == {"ip_country": "AU"}


@pytest.mark.parametrize(
    "ip", ["9.9.9.9", "100.1.2.3", "10.0.0.1", "127.0.0.1", "::1", "", "no address", "1.2.3", "fe80::1"]
)
def test_nothing_known(folder, ip):
    assert says(folder, ip, "city.mmdb") == {}


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"traits": {"user_type": "hosting"}}, "hosting"),
        ({"connection_type": "Cellular"}, "mobile"),
        ({"connection_type": "Corporate"}, "business"),
        ({"is_hosting_provider": True, "organization": "Acme GmbH"}, "hosting"),
        ({"organization": "Hetzner Online GmbH"}, "hosting"),
        ({"organization": "T-Mobile USA, Inc."}, "mobile"),
        ({"organization": "Deutsche Telekom AG"}, "isp"),
        ({"organization": "Acme GmbH"}, "business"),
        ({"organization": "Somebody"}, None),
    ],
)
def test_kinds(tmp_path, record, kind):
    (tmp_path / "x.mmdb").write_bytes(mmdb({"8.8.8.8/32": record}))
    assert says(tmp_path, "8.8.8.8", "x.mmdb").get("ip_kind") == kind


def test_without_files_there_is_nothing_to_ask(folder):
    assert Ip(IpSettings()).key(Query({Clue.IP: "8.8.8.8"})) is None
    assert provider(folder, "city.mmdb").key(Query({Clue.IP: " 8.8.8.8:80"})) == "8.8.8.8"


def test_wrong_files_are_a_users_mistake(tmp_path):
    (tmp_path / "text.mmdb").write_text("no database")
    with pytest.raises(UsageError, match="text.mmdb"):
        provider(tmp_path, "text.mmdb")
    with pytest.raises(NotFoundError, match="missing.mmdb"):
        provider(tmp_path, "missing.mmdb")


@given(st.text(max_size=50) | st.ip_addresses().map(str))
def test_any_text_names_an_address_or_none(text):
    address = address_of(text)
    assert address is None or address_of(str(address)) == address


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_file_costs_one_lead_at_most(tmp_path_factory, data):
    whole = bytearray(mmdb({"8.8.8.8/32": CITY, "8.8.9.0/24": {"city": ["x", {"names": 7}], "country": 3.5}}))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.getbasetemp()
    (folder / "damaged.mmdb").write_bytes(whole)
    try:
        facts = asyncio.run(provider(folder, "damaged.mmdb").ask(Query({Clue.IP: "8.8.8.8"}), None))
    except (NetworkError, UsageError):
        return
    assert len(sound(facts, ABOUT)) <= len(facts)
