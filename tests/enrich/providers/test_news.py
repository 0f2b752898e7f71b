"""News: feeds of RSS and Atom, of the company's own site and of the trade."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.news import MOST_ITEMS, News, NewsSettings, _items

NOW = datetime(2026, 11, 28, 12)


def rss(*items, head=""):
    entries = "".join(
        f"<item><title>{title}</title><link>https://news.example/{n}</link><description>{summary}</description>"
        f"<pubDate>{(NOW - timedelta(days=days)).strftime('%a, %d %b %Y %H:%M:%S')} GMT</pubDate></item>"
        for n, (title, summary, days) in enumerate(items)
    )
    body = f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>News</title>{entries}</channel></rss>'
    return Answer(body, kind="application/rss+xml")


ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Anvil Works</title>
<entry><title>We open a new office in York</title><link href="https://anvil-news.example/york"/>
<id>urn:1</id><updated>2026-11-20T10:00:00+02:00</updated></entry>
<entry><title>Undated</title><id>urn:2</id></entry>
<entry><title>From the future</title><id>urn:3</id><updated>2027-01-01T00:00:00Z</updated></entry>
</feed>"""


def made(**settings):
    return News(NewsSettings(**settings), Surroundings())


def values(found):
    return {name: fact.value for name, fact in found.items()}


def test_own_feed(internet, ask):
    internet.handle("anvil-news.example", "/feed", Answer(ATOM, kind="application/atom+xml"))
    found = ask(made(), attributes={"website_feed": "https://anvil-news.example/feed"}, domain="anvil-news.example")
    assert values(found) == {
        "news_30d": 1, "news_last_at": datetime(2026, 11, 20, 8), "news_headline": "We open a new office in York",
        "news_topics": "expansion",
    }  # fmt: skip
    assert found["news_headline"].origin == "https://anvil-news.example/york"
    assert internet.begun("anvil-news.example", "/robots.txt") == 1


def test_feeds_of_the_trade_count_where_the_name_stands(internet, ask):
    internet.handle("trade.example", "/rss", rss(
        ("Anvil Works raises $10M in Series B", "…", 3),
        ("Globex buys a rival", "After ANVIL WORKS LTD. did the same &lt;b&gt;last year&lt;/b&gt;", 5),
        ("Anvil Workshops of the world", "nothing to do with it", 1),
        ("Anvil Works lays off 20", "…", 45),
        ("Hammer", "no", 1),
    ))  # fmt: skip
    found = ask(made(feeds=["https://trade.example/rss"]), company="Anvil Works GmbH")
    assert values(found) == {
        "news_30d": 2, "news_last_at": NOW - timedelta(days=3), "news_headline": "Anvil Works raises $10M in Series B",
        "news_topics": "funding, acquisition",
    }  # fmt: skip
    assert values(ask(made(feeds=["https://trade.example/rss"]), company="Nobody & Sons")) == {"news_30d": 0}


def test_search_by_name_is_encoded(internet, ask):
    seen = []
    internet.handle("find.example", "*", lambda request: seen.append(dict(request.query)) or rss(("A & B: hi", "", 1)))
    ask(made(search="https://find.example/rss?q={company}&hl=en"), company="A & B?c=d#e")
    assert seen == [{"q": "A & B?c=d#e", "hl": "en"}]


def test_one_feed_that_fails_is_left_out_and_all_raise(internet, ask):
    internet.handle("trade.example", "/rss", rss(("Anvil Works launches", "", 1)))
    down = "https://down-for-good.example/rss"
    assert values(ask(made(feeds=[down, "https://trade.example/rss"]), company="Anvil Works"))["news_30d"] == 1
    with pytest.raises(NetworkError):
        ask(made(feeds=[down]), company="Anvil Works")


BOMB = "<!DOCTYPE rss [" + '<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        "", "<html><p>No feed", "{}", "<rss><channel><item><pubDate>Tue, 99 Foo 2026</pubDate></item>", "\x00" * 1000,
        "<?xml version='1.0' encoding='utf-99'?><rss/>", "<rss>" * 5000,
        BOMB + "<rss><channel><item><title>Anvil Works &i;</title></item></channel></rss>",
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>Anvil Works &x;</title>'
        "<pubDate>Fri, 27 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>",
    ],
)  # fmt: skip
def test_what_is_no_feed(body, internet, ask):
    internet.handle("odd-feed.example", "/rss", Answer(body, kind="application/xml"))
    found = ask(made(feeds=["https://odd-feed.example/rss"]), company="Anvil Works")
    assert "root:" not in repr(found)
    assert found["news_30d"].value in (0, 1)


def test_of_a_long_feed_the_first_items_are_read(internet, ask):
    internet.handle("trade.example", "/rss", rss(*((f"Anvil Works {n}", "", 1) for n in range(3000))))
    began = time.process_time()
    assert values(ask(made(feeds=["https://trade.example/rss"]), company="Anvil Works"))["news_30d"] == MOST_ITEMS
    assert time.process_time() - began < 2


@pytest.mark.parametrize("body", [b"<a>" * 300_000, b"<" * 900_000, b"&" * 900_000, b"<rss>" + b"<item>" * 100_000])
def test_nonsense_is_put_aside_before_it_takes_seconds(body):
    began = time.process_time()
    assert _items(body, None, NOW) == []
    assert time.process_time() - began < 4


def test_a_feed_is_read_from_what_came_never_from_a_file(internet, ask, tmp_path):
    file = tmp_path / "feed.xml"
    file.write_text(ATOM)
    internet.handle("odd-feed.example", "/rss", Answer(str(file)))
    assert values(ask(made(feeds=["https://odd-feed.example/rss"]), company="Anvil Works")) == {"news_30d": 0}


def test_key():
    feed = {"website_feed": "https://a.example/feed"}
    assert made().key(Query({Clue.COMPANY: "Anvil"})) is None
    assert made().key(Query({Clue.DOMAIN: "a.example"}, {"website_feed": "file:///etc/passwd"})) is None
    assert made().key(Query({Clue.DOMAIN: "a.example"}, feed)) is not None
    assert made(own=False).key(Query({Clue.DOMAIN: "a.example"}, feed)) is None
    assert made(feeds=["https://t.example"]).key(Query({Clue.COMPANY: "Anvil Ltd"})) == "anvil||"


@pytest.mark.parametrize("search", ["ftp://x/{company}", "https://{company}.example/", "https://x.example/{nobody}"])
def test_search_that_is_none(search):
    with pytest.raises(ValueError, match="address|host|clue"):
        NewsSettings(search=search)
