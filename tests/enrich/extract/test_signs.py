"""Signs of hiring, prices, trials, demos and log-ins, in several languages; and what is no sign."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.document import link_to, take_apart
from leadlight.enrich.extract.signs import (
    demo,
    hiring,
    is_page_of,
    kinds_of,
    login,
    open_positions,
    pricing,
    trial,
)


def page(markup, path=""):
    return take_apart(markup, f"https://acme.com/{path}")


def value(found):
    return found and found.value


@pytest.mark.parametrize(
    ("markup", "path", "expected"),
    [
        ('<script type="application/ld+json">{"@type":"JobPosting","title":"Smith"}</script>', "", "true"),
        ('<a href="https://boards.greenhouse.io/acme">Jobs</a>', "", "true"),
        ('<a href="/karriere">Karriere</a>', "", "true"),
        ("<p>We’re hiring! Join our team.", "", "true"),
        ("<p>Wir stellen ein: Schmiede", "", "true"),
        ("<p>There are currently no open positions.", "careers", "false"),
        ("<p>We have no vacancies at the moment", "jobs", "false"),
        ('<a href="https://other.com/careers">Careers</a><p>Anvils', "", None),
        ('<a href="/blog/how-careers-in-smithing-have-changed">A long story about careers of smiths</a>', "", None),
    ],
)  # fmt: skip
def test_hiring(markup, path, expected):
    assert value(hiring(page(markup, path))) == expected


def test_open_positions_are_counted():
    jobs = "".join(f'<li><a href="/careers/{n}">Engineer {n} (m/w/d)</a>' for n in range(7))
    assert value(open_positions(page(f"<main>{jobs}", "careers"))) == "7"
    assert value(open_positions(page(f"<main>{jobs}", "blog"))) is None
    posted = "".join(
        f'<script type="application/ld+json">{{"@type":"JobPosting","title":"Smith {n}"}}</script>' for n in range(3)
    )
    assert value(open_positions(page(posted))) == "3"
    assert value(open_positions(page("<p>No open positions.", "careers"))) == "0"
    assert value(open_positions(page("<p>We are nice.", "careers"))) is None


@pytest.mark.parametrize(
    ("markup", "path", "expected"),
    [
        ("<td>$19</td><td>$49 per month</td>", "pricing", "true"),
        ("<td>19 € / Monat</td>", "preise", "true"),
        ('<a href="/tarifs">Nos tarifs</a>', "", "true"),
        ('<a href="/pricing">Pricing</a>', "", "true"),
        ('<a href="/blog/7">how teams plan their prices and plans together</a><p>$5 and $6', "", None),
        ('<a href="https://other.com/pricing">Pricing</a>', "", None),
        ('<a href="/guarantee">Low prices, guaranteed!</a>', "", None),
    ],
)
def test_pricing(markup, path, expected):
    assert value(pricing(page(markup, path))) == expected


@pytest.mark.parametrize(
    "text", ["Start your free trial", "14-day trial", "Jetzt kostenlos testen", "Essai gratuit", "Try it for free"]
)
def test_trial(text):
    assert trial(page(f"<a href=/x>{text}</a>")).evidence == text


@pytest.mark.parametrize(
    "text", ["Request a demo", "Book your free demo", "Demo anfordern", "Solicitar una demo", "Demander une démo"]
)
def test_demo(text):
    assert demo(page(f"<a href=/x>{text}</a>")).evidence == text


@pytest.mark.parametrize(
    "markup",
    ['<a href="/x">Log in</a>', '<a href="/x">Anmelden</a>', '<a href="/users/sign_in">x</a>', "<input type=password>"],
)
def test_login(markup):
    assert login(page(markup)) is not None


def test_nothing_is_a_sign_of_nothing():
    plain = page("<p>We make anvils. Our demonstration of trials in freedom was logged.")
    assert [sign(plain) for sign in (hiring, open_positions, pricing, trial, demo, login)] == [None] * 6


def test_kinds():
    assert kinds_of("https://acme.de/unternehmen/ueber-uns", "Acme") == {"about"}
    assert kinds_of("https://acme.com/", "Contact Acme") == {"contact"}
    assert is_page_of(link_to("https://acme.com/", "/contact-us.html", ""), "contact")
    assert not is_page_of(link_to("https://acme.com/", "/contactless-payment", ""), "contact")
