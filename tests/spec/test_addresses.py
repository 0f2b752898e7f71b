"""Networks and name servers as users write them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from leadlight.spec.addresses import name_server, network
from leadlight.spec.enrich import NetworkSpec


@pytest.mark.parametrize(
    "text", ["ns1.example", "1.2.3.4:x", "", "1.2.3.4:53:53", "[::1", "1.2.3.4:0", "1.2.3.4:99999"]
)
def test_name_servers_are_addresses(text):
    with pytest.raises(
        ValueError, match=r"is no name server: write an IP address, as in 9\.9\.9\.9 or 127\.0\.0\.1:5353"
    ):
        name_server(text)


@pytest.mark.parametrize("text", ["intranet", "10.0.0.0/33", "", "10.0.0"])
def test_networks_are_addresses(text):
    with pytest.raises(ValueError, match=r"is no network: write addresses as in 10\.0\.0\.0/8 or fd00::/8"):
        network(text)


def test_settings_say_all_that_is_wrong_with_them():
    with pytest.raises(ValidationError) as caught:
        NetworkSpec(dns=["9.9.9.9", "ns1.example"], allow=["10.0.0.0/8", "intranet"], ports={"http": 0}, contact="a\nb")
    assert {fault["loc"][0] for fault in caught.value.errors()} == {"dns", "allow", "ports", "contact"}
    assert "'ns1.example' is no name server" in str(caught.value)


def test_settings_keep_what_was_written():
    spec = NetworkSpec(dns=["9.9.9.9", "[::1]:5353"], allow=["10.1.2.3/8"])
    assert (spec.dns, spec.allow) == (["9.9.9.9", "[::1]:5353"], ["10.1.2.3/8"])
