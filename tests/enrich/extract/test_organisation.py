"""The organisation's name, from whatever hints at it."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.document import take_apart
from leadlight.enrich.extract.organisation import domain_label, host_of, likeness, name_key, organisation


def name(markup, url="https://www.acme.com/"):
    found = organisation(take_apart(markup, url))
    return found and found.value


@pytest.mark.parametrize(
    ("markup", "value"),
    [
        ('<meta property="og:site_name" content="Acme Tools"><title>Home</title>', "Acme Tools"),
        ('<script type="application/ld+json">{"@type":"Store","name":"Acme Tools"}</script>', "Acme Tools"),
        ("<title>About us | Acme</title>", "Acme"),
        ("<p>Copyright © 2009-2014 Acme Tools, Inc. All rights reserved.", "Acme Tools, Inc."),
        ("<p>© Acme Tools 2014", "Acme Tools"),
        ('<div id="logo"><img src="x.png" alt="Acme Tools logo"></div>', "Acme Tools"),
        ("<p>Welcome to Acme. At Acme we care.", "Acme"),
        ("<title>Home</title><h1>Contact us</h1>", None),
        ("", None),
    ],
)  # fmt: skip
def test_organisation(markup, value):
    assert name(markup) == value


def test_the_domain_is_found_as_it_is_written():
    assert name("<p>At Home Decor Hut you find it all", "http://homedecorhut.com/") == "Home Decor Hut"
    assert name("<p>Home &amp; Office Makeovers", "http://homeandofficemakeovers.com/") == "Home & Office Makeovers"


def test_a_name_like_the_domain_wins_over_the_makers_of_the_site():
    markup = "<title>Acme Anvils</title><p>© 2014 Acme Anvils. Site by Rocket Web Design Ltd"
    assert name(markup, "http://acmeanvils.com/") == "Acme Anvils"


def test_a_longer_name_has_the_votes_of_its_beginning():
    assert (
        name("<title>Callows Audio</title><p>Callows is old. Callows is good.", "http://callows.com/")
        == "Callows Audio"
    )


def test_likeness():
    assert likeness("better builders", "betterbuilders") == 1.0
    assert likeness("international business machines", "ibm") >= 0.8
    assert likeness("rocket design", "acme") < 0.5
    assert likeness("anything", "") == 0.5


def test_keys_and_hosts():
    assert name_key("Acme, S.r.l.") == name_key("ACME") == "acme"
    assert domain_label("shop.acme-tools.co.uk") == "acmetools"
    assert host_of("https://user@WWW.Acme.com:80/x") == "www.acme.com"
