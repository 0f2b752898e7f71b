"""Structured data comes out the same, whichever way it is written."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.document import take_apart
from leadlight.enrich.extract.items import everything

JSON_LD = """<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [{"@type":
["Organization", "LocalBusiness"], "name": "Acme", "telephone": ["1", "2"], "address": {"@type": "PostalAddress",
"postalCode": 12207}}]}</script>"""
MICRODATA = """<div itemscope itemtype="http://schema.org/LocalBusiness"><b itemprop="name">Ac<i>me</i></b>
<a itemprop="telephone" href="javascript:x">1</a><meta itemprop="telephone" content="2">
<p itemprop="address" itemscope itemtype="http://schema.org/PostalAddress"><span itemprop="postalCode">12207</span></p>
</div>"""
RDFA = """<div vocab="http://schema.org/" typeof="LocalBusiness"><b property="name">Acme</b>
<i property="telephone">1</i><i property="telephone">2</i>
<p property="address" typeof="PostalAddress"><span property="postalCode">12207</span></p></div>"""
HCARD = """<div class="vcard"><b class="fn org">Acme</b><i class="tel">1</i><i class="tel">2</i>
<p class="adr"><span class="postal-code">12207</span></p></div>"""


@pytest.mark.parametrize("markup", [JSON_LD, MICRODATA, RDFA, HCARD], ids=["json-ld", "microdata", "rdfa", "hcard"])
def test_all_ways_say_the_same(markup):
    [item] = take_apart(markup, "http://a.com/").items
    assert item.text("name") == "Acme"
    assert item.texts("telephone") == ["1", "2"]
    assert item.inner("address")[0].text("postalCode") == "12207"
    assert len(list(everything([item]))) == 2


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[1]", '{"@type": 5, "name": {"@value": "x"}}', '{"@type": "A", "a": [[["b"]]]}', "[" * 100_000,
     '<!--\n{"@type": "A"}\n-->', '{"@graph": {"@type": "A"}}', '{"@type": "A", "name": null}'],
)  # fmt: skip
def test_odd_json_does_no_harm(text):
    page = take_apart(f'<script type="application/ld+json">{text}</script>', "http://a.com/")
    for item in everything(page.items):
        assert isinstance(item.text("name"), str)


def test_an_item_cannot_hold_itself():
    deep = '{"@type": "A", "a": ' * 60 + "1" + "}" * 60
    page = take_apart(f'<script type="application/ld+json">{deep}</script>', "http://a.com/")
    assert 1 < len(list(everything(page.items))) <= 32
