"""Which hosts belong together."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.hosts import registrable, same_site


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.acme.co.uk", "acme.co.uk"),
        ("ACME.com.", "acme.com"),
        ("127.0.0.1", ""),
        ("com", ""),
        ("", ""),
        ("x" * 300, ""),
    ],
)
def test_registrable(host, domain):
    assert registrable(host) == domain


def test_same_site():
    assert same_site("a.acme.com", "b.acme.com")
    assert same_site("localhost", "localhost")
    assert not same_site("acme.com", "acme.org")
    assert not same_site("a.localhost", "b.localhost")
