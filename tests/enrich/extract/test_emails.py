"""E-mail addresses, plain and hidden; what only looks like one is none."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.document import take_apart
from leadlight.enrich.extract.emails import addresses_in, emails, normal


def found(markup):
    return [one.value for one in emails(take_apart(markup, "https://acme.com/"))]


@pytest.mark.parametrize(
    ("markup", "values"),
    [
        ("<p>info@acme.com.", ["info@acme.com"]),
        ("<p>E-Mail:Info@ACME.com", ["info@acme.com"]),
        ('<a href="mailto:%20Sales@acme.com?subject=Hi">write</a>', ["sales@acme.com"]),
        ('<a href="MAILTO:a@acme.com,b@acme.com">write</a>', ["a@acme.com", "b@acme.com"]),
        ('<a href="mailto:old@acme.comnew@acme.com">new@acme.com</a>', ["new@acme.com"]),
        ("<p>info&#64;acme.com", ["info@acme.com"]),
        ("<p>info<!-- x -->@acme.com", ["info@acme.com"]),
        ("<p>info [at] acme [dot] com", ["info@acme.com"]),
        ("<p>info (at) acme.com", ["info@acme.com"]),
        ("<p>info(AT)acme(DOT)co(DOT)uk", ["info@acme.co.uk"]),
        ('<span data-cfemail="422b2c242d0223212f276c212d2f">[email protected]</span>', ["info@acme.com"]),
        ('<script type="application/ld+json">{"@type":"Store","email":"mailto:hi@acme.com"}</script>', ["hi@acme.com"]),
        ("<p>a@acme.com a@acme.com b@acme.com", ["a@acme.com", "b@acme.com"]),
        ("<p>logo@2x.png, @acme, a@b, x@y.notasuffix, you@example.com", []),
        ("<script>var mail = 'info@acme.com'</script><!-- b@acme.com --><input type=hidden value=c@acme.com>", []),
        ('<img src="x" alt="a@acme.com"><a href="/x?to=b@acme.com">x</a>', []),
        ("<p>we meet at noon (at) the office", []),
        ("<p>0123456789abcdef0123456789abcdef@sentry.acme.com", []),
    ],
)  # fmt: skip
def test_emails(markup, values):
    assert found(markup) == values


def test_an_address_in_several_ways_is_surer():
    [one] = emails(take_apart('<a href="mailto:a@acme.com">a@acme.com</a>', "https://acme.com/"))
    [other] = emails(take_apart("<p>a@acme.com", "https://acme.com/"))
    assert one.confidence > other.confidence
    assert "a@acme.com" in other.evidence


def test_places():
    text = "x a@acme.com y"
    [(address, start, end)] = addresses_in(text)
    assert text[start:end] == address


@pytest.mark.parametrize(
    "text", ["", "@", "a@", "@a.com", "a..b@acme.com", "a@-acme.com", "a@acme", "a" * 70 + "@acme.com"]
)
def test_no_address(text):
    assert normal(text) == ""
