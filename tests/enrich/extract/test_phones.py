"""Phone numbers in international form; faxes, dates and other numbers are none."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.document import take_apart
from leadlight.enrich.extract.phones import phones
from leadlight.enrich.extract.regions import country_code, regions


def found(markup, url="https://acme.com/"):
    return [one.value for one in phones(take_apart(markup, url))]


@pytest.mark.parametrize(
    ("markup", "values"),
    [
        ("<p>(413) 732-8702", ["+14137328702"]),
        ("<p>413.732.8702 or 413-732-8703", ["+14137328702", "+14137328703"]),
        ("<p>(413) 732-8702 (401) 785-8906", ["+14137328702", "+14017858906"]),
        ("<p>Phone: 413 732 8702 x201", ["+14137328702"]),
        ("<p>Call us: 4137328702", ["+14137328702"]),
        ("<p>Phone: (413) 732-8702 Fax: (413) 732-8703", ["+14137328702"]),
        ("<p>T 413-732-8702 | F 413-732-8703", ["+14137328702"]),
        ("<p>Phone/Fax: (413) 732-8702", ["+14137328702"]),
        ("<p>Fax:<br>(413) 732-8703<br>Phone:<br>(413) 732-8702", ["+14137328702"]),
        ("<p>(413) 732-8703 (fax)", []),
        ("<p>1-800-FLOWERS", ["+18003569377"]),
        ('<a href="tel:+44-20-7946-0958">call</a>', ["+442079460958"]),
        ("<p>+44 (0) 20 7946 0958", ["+442079460958"]),
        ("<p>+49 30 901820", ["+4930901820"]),
        ('<p itemscope><i itemprop="telephone">413-732-8702</i><i itemprop="faxNumber">413-732-8703', ["+14137328702"]),
        ("<p>2013-05-06 and 2009 - 2014, 12345-6789, 1,234,567,890 or $2125550123", []),
        ("<p>VAT Reg. No. 413 732 8702", []),
        ("<p>192.168.100.200 and 4111 1111 1111 1111 and 978-3-16-148410-0", []),
        ('<a href="https://x.com/2125550123">x</a>', []),
    ],
)  # fmt: skip
def test_phones(markup, values):
    assert found(markup) == values


def test_the_country_is_that_of_the_page():
    assert found("<p>Tel 0191 276 3261", "https://acme.co.uk/") == ["+441912763261"]
    assert found("<p>Tel 0191 276 3261<br>Newcastle NE6 5ZH", "https://acme.com/") == ["+441912763261"]
    assert found('<html lang="de-DE"><p>Telefon 030 901820', "https://acme.de/") == ["+4930901820"]
    assert found("<p>(08) 9443 6444", "https://acme.com.au/") == ["+61894436444"]


def test_regions():
    assert regions(take_apart("<p>hello", "https://acme.com/"))[0] == "US"
    assert regions(take_apart("<p>hello", "https://acme.fr/"))[0] == "FR"
    assert regions(take_apart("<p>hello", "https://acme.io/"))[0] == "US"
    assert regions(take_apart('<html lang="fr-CH"><p>hello', "https://acme.com/"))[0] == "CH"
    assert country_code("UK") == "GB"
    assert country_code("") == ""
