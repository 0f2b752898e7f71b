"""Postal addresses of several countries, over line breaks and in structured data."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.addresses import addresses
from leadlight.enrich.extract.document import take_apart


def found(markup, url="https://acme.com/"):
    return [one.text for one in addresses(take_apart(markup, url))]


@pytest.mark.parametrize(
    ("url", "markup", "values"),
    [
        ("", "<p>12 Main St, Albany, NY 12207", ["12 Main St, Albany, NY 12207"]),
        ("", "<p>Visit us:<br>12 Main St.<br>Suite 4<br>Albany, New York 12207-1234<br>USA",
         ["12 Main St., Suite 4, Albany, New York 12207-1234"]),
        ("", "<p>Acme Inc.<br>P.O. Box 291<br>Albany NY 12207", ["P.O. Box 291, Albany NY 12207"]),
        ("", "<p>N112 W16700 Mequon Road, Germantown, WI 53022", ["N112 W16700 Mequon Road, Germantown, WI 53022"]),
        ("", "<p>555 N Commons Drive, Aurora, IL", ["555 N Commons Drive, Aurora, IL"]),
        ("", "<p>99 Hereford Street<br>Brampton, Ontario L6Y 0R3", ["99 Hereford Street, Brampton, Ontario L6Y 0R3"]),
        (".co.uk", "<p>Unit 12 Admiral Court<br>Nelson Road<br>Dartmouth<br>Devon<br>TQ6 9HU",
         ["Unit 12 Admiral Court, Nelson Road, Dartmouth, Devon, TQ6 9HU"]),
        (".co.uk", "<p>6-8 Hazelwood Rd, Cudham, Sevenoaks, Kent TN14 7QU",
         ["6-8 Hazelwood Rd, Cudham, Sevenoaks, Kent TN14 7QU"]),
        (".com.au", "<p>493 Charles Street North<br>Perth WA 6006", ["493 Charles Street North, Perth WA 6006"]),
        (".de", "<p>Musterstraße 12<br>10115 Berlin", ["Musterstraße 12, 10115 Berlin"]),
        (".fr", "<p>12 rue de la Paix, 75002 Paris", ["12 rue de la Paix, 75002 Paris"]),
        (".nl", "<p>Keizersgracht 123, 1015 CJ Amsterdam", ["Keizersgracht 123, 1015 CJ Amsterdam"]),
        ("", "<p>We have 12 offices in Albany and 5 more in Boston. Founded in 1920, CA 90210 people like us.", []),
        ("", "<p>Version 12.5 OR later; see section 3, IN 2019 we grew", []),
        ("", "<p>(413) 732-8702, Springfield, MA 01089", []),
    ],
)  # fmt: skip
def test_addresses(url, markup, values):
    assert found(markup, f"https://acme{url or '.com'}/") == values


def test_structured_data_has_parts():
    [one] = addresses(take_apart(
        '<div itemscope itemtype="http://schema.org/PostalAddress"><i itemprop="streetAddress">12 Main St</i>'
        '<i itemprop="addressLocality">Albany</i><i itemprop="addressRegion">NY</i><i itemprop="postalCode">12207</i>'
        '<i itemprop="addressCountry">United States</i></div>', "https://acme.com/"))  # fmt: skip
    assert (one.city, one.region, one.postal_code, one.country) == ("Albany", "NY", "12207", "US")
    assert one.text == "12 Main St, Albany, NY 12207"


def test_an_address_that_stands_twice_is_one_and_surer():
    line = "<p>12 Main St, Albany, NY 12207</p>"
    data = ('<script type="application/ld+json">{"@type":"PostalAddress","streetAddress":"12 Main St",'
            '"addressLocality":"Albany","addressRegion":"NY","postalCode":"12207"}</script>')  # fmt: skip
    [one] = addresses(take_apart(data + line * 3, "https://acme.com/"))
    assert one.confidence > 0.95


def test_several_addresses_of_a_page_stay_apart():
    markup = "".join(f"<div>{number} Main Street<br>Albany, NY 1220{number}</div>" for number in range(1, 6))
    assert len(found(markup)) == 5
