"""Profiles in one form, and feeds."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.document import take_apart
from leadlight.enrich.extract.profiles import feeds, profile, profiles


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://www.linkedin.com/company/acme-inc/?trk=x", "https://linkedin.com/company/acme-inc"),
        ("https://uk.linkedin.com/company/123/jobs", "https://linkedin.com/company/123"),
        ("https://twitter.com/#!/acme", None),
        ("https://x.com/acme", "https://twitter.com/acme"),
        ("https://twitter.com/@Acme", "https://twitter.com/Acme"),
        ("https://mobile.twitter.com/acme/", "https://twitter.com/acme"),
        ("https://www.facebook.com/AcmeInc?fref=ts", "https://facebook.com/AcmeInc"),
        ("https://www.youtube.com/@acme", "https://youtube.com/@acme"),
        ("https://www.youtube.com/channel/UC123/videos", "https://youtube.com/channel/UC123"),
        ("https://github.com/acme", "https://github.com/acme"),
        ("https://bsky.app/profile/acme.com", "https://bsky.app/profile/acme.com"),
        ("https://mastodon.social/@acme", "https://mastodon.social/@acme"),
        ("https://www.linkedin.com/in/ada", None),
        ("https://www.linkedin.com/shareArticle?url=x", None),
        ("https://www.facebook.com/sharer/sharer.php?u=x", None),
        ("https://www.facebook.com/sharer.php", None),
        ("https://twitter.com/intent/tweet", None),
        ("https://twitter.com/share", None),
        ("https://github.com/acme/anvil", None),
        ("https://acme.com/@acme", None),
        ("https://evil-facebook.com/acme", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_profile(url, normal):
    found = profile(url)
    assert (found and found[1]) == normal


def test_of_several_that_of_the_company_is_taken():
    markup = (
        '<p><a href="https://twitter.com/webdesigner">by</a></p><footer><a href="https://twitter.com/acme">us</a></footer>'
        '<script type="application/ld+json">{"@type":"Organization","sameAs":["https://www.facebook.com/acme"]}</script>'
    )
    assert set(profiles(take_apart(markup, "https://acme.com/"))) == {
        "https://twitter.com/acme",
        "https://facebook.com/acme",
    }


def test_feeds():
    markup = (
        '<link rel="alternate" type="application/rss+xml" href="/comments/feed/">'
        '<link rel="alternate" type="application/atom+xml" href="/feed/">'
        '<link rel="alternate" hreflang="de" href="/de/">'
    )
    assert feeds(take_apart(markup, "https://acme.com/")) == (
        "https://acme.com/feed/",
        "https://acme.com/comments/feed/",
    )
    assert feeds(take_apart('<a href="/rss.xml">RSS</a>', "https://acme.com/")) == ("https://acme.com/rss.xml",)
    assert feeds(take_apart("", "https://acme.com/")) == ()
