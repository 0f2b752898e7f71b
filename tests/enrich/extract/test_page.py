"""A whole page: all that is read from it; and no page, however hostile, makes reading fail or slow."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.extract.hostile_pages import HOSTILE
from leadlight.enrich.extract.page import PageFacts, read_page

PAGE = """<!doctype html><html lang="en"><head><title>Contact | Acme Tools</title>
<meta name="description" content="We make anvils."><meta name="generator" content="WordPress 6.8">
<script type="application/ld+json">{"@type":"Organization","name":"Acme Tools","legalName":"Acme Tools Inc.",
"foundingDate":"1920-05-01","numberOfEmployees":{"@type":"QuantitativeValue","minValue":100,"maxValue":200},
"sameAs":["https://www.linkedin.com/company/acme-tools"]}</script>
<link rel="alternate" type="application/rss+xml" href="/feed"></head><body>
<nav><a href="/careers">Careers</a><a href="/login">Log in</a></nav>
<p>12 Main Street<br>Albany, NY 12207<br>Phone: (518) 555-0123<br><a href="mailto:info@acme-tools.com">write</a></p>
<p>Start your free trial or request a demo.</p><time datetime="2026-03-12">12 March</time></body></html>"""
LIMIT = 4.0
"""Seconds of CPU that the worst page may take."""


def test_all_facts():
    page = read_page(PAGE, "https://acme-tools.com/contact", fetched_at=datetime(2026, 11, 1))
    assert page.names[0].value == "Acme Tools"
    assert (page.organisation.legal_name, page.organisation.founded, page.organisation.employees) == (
        "Acme Tools Inc.",
        "1920",
        "150",
    )
    assert [one.value for one in page.emails] == ["info@acme-tools.com"]
    assert [one.value for one in page.phones] == ["+15185550123"]
    assert [one.text for one in page.addresses] == ["12 Main Street, Albany, NY 12207"]
    assert page.profiles == ("https://linkedin.com/company/acme-tools",)
    assert page.feeds == ("https://acme-tools.com/feed",)
    assert {one.name for one in page.technologies} == {"wordpress", "php"}
    assert page.kinds == {"contact"}
    assert all((page.hiring, page.trial, page.demo, page.login))
    assert (page.pricing, page.parked) == (None, None)
    assert page.changed_at == (datetime(2026, 3, 12), "time")
    assert page.language.value == "en"


def test_refresh():
    assert (
        read_page('<meta http-equiv="refresh" content="0; url=/en/">', "http://acme.com/").refresh
        == "http://acme.com/en/"
    )
    assert read_page('<meta http-equiv="refresh" content="600">', "http://acme.com/").refresh == ""
    assert read_page('<meta http-equiv="refresh" content="600;url=/x">', "http://acme.com/").refresh == ""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_read_in_time(name):
    began = time.process_time()
    page = read_page(HOSTILE[name], "https://acme.com/careers")
    assert isinstance(page, PageFacts)
    assert time.process_time() - began < LIMIT


PIECES = st.sampled_from(
    ["<p>", "</p>", "<div class='vcard'>", "<b itemprop='name'>",
    "<i itemscope itemtype='http://schema.org/Store'>", "</i>",
     "<a href='mailto:", "<a href='tel:", "<a href='http://[", "'>", '">', "<script type='application/ld+json'>",
     "</script>",
     '{"@type":"Organization","name":', '"Acme"}', "[", "]", "{", "}", "info@acme.com", "(at)", "+1 (212) 555-0123",
     "fax",
     "12 Main St", ", Albany, NY 12207", "TN14 7QU", "© 2020 ", "Acme Ltd", "<title>", "<meta name='",
     "' content='", "\0", "\ufffd",
     "&#0;", "&#x110000;", "<!--", "-->", "<![CDATA[", "<svg>", "<select><option>", "<template>",
     "<time datetime='", "2026-01-01T",
     "99999999999999999999", " ", "\n", "\u202e", "𝟙𝟚𝟛", "١٢٣", "ß", "ﬁ", "data-cfemail='ff", "<base href='", "//",
     "?", "#", "%zz"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=8), max_size=60).map("".join))
def test_no_page_makes_reading_fail(markup):
    page = read_page(markup, "https://acme.com/")
    for one in (*page.emails, *page.phones, *page.names):
        assert one.value
        assert 0 <= one.confidence <= 1
        assert len(one.value) <= 500
        assert len(one.evidence) <= 300


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_pages(data):
    """Cut, doubled and overwritten pieces of a good page."""
    start = data.draw(st.integers(0, len(PAGE)))
    end = data.draw(st.integers(start, len(PAGE)))
    put = data.draw(PIECES | st.just(PAGE[start:end] * 3))
    page = read_page(
        PAGE[:start] + put + PAGE[end:], data.draw(st.sampled_from(["https://acme-tools.com/", "", "http://[", "x"]))
    )
    assert isinstance(page, PageFacts)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["utf-8", "latin-1", "utf-16", "cp1252", "shift_jis"]))
def test_bytes_in_the_wrong_encoding(data, encoding):
    page = read_page(PAGE[:800] + data.decode(encoding, "replace") + PAGE[800:], "https://acme-tools.com/")
    assert isinstance(page, PageFacts)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["set-cookie", "server", "last-modified", "link"]), st.text(max_size=100)))
def test_headers_of_strangers(headers):
    assert isinstance(read_page("<p>x", "https://acme.com/", headers=headers), PageFacts)
