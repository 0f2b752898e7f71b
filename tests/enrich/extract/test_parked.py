"""Parked, for sale or empty; pages with a life of their own are not, whatever they talk about."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.page import read_page


@pytest.mark.parametrize(
    "markup",
    [
        "<title>acme.com is for sale</title>",
        "<p>This domain may be for sale. Buy this domain",
        "<p>The domain acme.com is available for purchase",
        "<p>This domain is parked free, courtesy of a registrar",
        "<p>Diese Domain steht zum Verkauf",
        '<script src="https://www.sedoparking.com/frmpark/x.js"></script><p>acme',
        "<title>Apache2 Ubuntu Default Page: It works</title>",
        "<h1>Welcome to nginx!</h1>",
        "<title>Index of /</title>",
    ],
)
def test_parked(markup):
    assert read_page(markup, "http://acme.com/").parked is not None


@pytest.mark.parametrize(
    "markup",
    [
        "<h1>Acme</h1><p>We make anvils. Houses near our domain are for sale too.",
        "<p>It is easy to welcome you at our nginx training.",
        "<p>We help you buy and sell: this domain is for sale." + "<p>Our service for sellers of names is long." * 100,
    ],
)
def test_alive(markup):
    assert read_page(markup, "http://acme.com/").parked is None
