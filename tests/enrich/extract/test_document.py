"""A page taken apart: lines, areas, links, metadata, scripts."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.document import Line, absolute, take_apart, tidy

PAGE = """<!doctype html><html lang="en-GB"><head><title>Acme &amp; Co</title>
<meta name="Description" content="We make anvils."><meta property="og:site_name" content="Acme">
<meta name="generator" content="WordPress 6.8"><base href="/shop/">
<link rel="alternate" type="application/rss+xml" href="/feed"><script src="a.js"></script>
<script>var x = "<p>not text</p>";</script><style>p {color: red}</style></head>
<body><header><a href="/about" title="About us"><img alt="Acme logo" src="logo.png"></a></header>
<h1>Anvils<br>and more</h1><p>Call <b>us</b> now</p><div id="footer">© Acme</div>
<a href="#top">up</a><a href="Contact.html">Contact</a><a href="mailto:info@acme.com">mail</a>
<form action="/login"><input type=password name=pw></form><iframe src="//video.example/1"></iframe>
<svg><title>picture</title></svg><noscript>no script</noscript><time datetime="2026-01-02">then</time></body></html>"""


@pytest.fixture
def page():
    return take_apart(PAGE, "https://acme.com/index.html")


def test_head(page):
    assert (page.title, page.language) == ("Acme & Co", "en-gb")
    assert page.metas["description"] == "We make anvils."
    assert page.metas["og:site_name"] == "Acme"
    assert page.generators == ("wordpress 6.8",)
    assert page.resources == (("alternate", "https://acme.com/feed", "application/rss+xml"),)


def test_lines_follow_blocks_and_breaks(page):
    assert Line("Anvils", "", 1) in page.lines
    assert Line("and more", "", 1) in page.lines
    assert Line("Call us now") in page.lines
    assert Line("© Acme", "footer") in page.lines
    texts = page.text
    assert not any(word in texts for word in ("not text", "color", "picture", "no script"))


def test_links_are_absolute_and_have_words(page):
    found = {link.url: (link.text, link.area) for link in page.links}
    assert found["https://acme.com/about"] == ("About us Acme logo", "header")
    assert found["https://acme.com/shop/Contact.html"][0] == "Contact"
    assert found["mailto:info@acme.com"][0] == "mail"
    hosts = {link.host for link in page.links}
    assert hosts == {"acme.com", ""}


def test_what_the_page_loads(page):
    assert set(page.scripts) == {"https://acme.com/shop/a.js", "https://video.example/1", "https://acme.com/login"}
    assert page.inputs == ("password pw",)
    assert page.times == ("2026-01-02",)


def test_hidden_addresses_are_kept():
    page = take_apart('<a href="/cdn-cgi/l/email-protection#42"><span data-cfemail="43">x</span></a>', "http://a.com/")
    assert page.protected == ("42", "43")


@pytest.mark.parametrize(
    ("base", "reference", "url"),
    [
        ("http://a.com/b/c", "d", "http://a.com/b/d"),
        ("http://a.com", "/d", "http://a.com/d"),
        ("http://a.com/b/", "../d?x=1#y", "http://a.com/d?x=1"),
        ("http://a.com/b/", "//c.com/x", "http://c.com/x"),
        ("https://a.com/", "https://b.com/x y", "https://b.com/x y"),
        ("https://a.com/b?x=/y", "c.html", "https://a.com/c.html"),
        ("http://a.com/", "javascript:void(0)", "javascript:void(0)"),
        ("http://a.com/", "http://[", ""),
        ("http://a.com/", "", ""),
        ("http://a.com/", None, ""),
        ("http://a.com/", "x" * 3_000, ""),
    ],
)
def test_absolute(base, reference, url):
    assert absolute(base, reference) == url


def test_tidy():
    assert tidy("a\u00a0\n\tb\u200bc\x01d") == "a b c d"
    assert tidy(None) == ""
    assert len(tidy("x" * 10_000)) == 500
