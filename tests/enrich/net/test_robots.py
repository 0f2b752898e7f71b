"""What robots.txt says to us."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.net.robots import EVERYTHING, read
from leadlight.enrich.network import NetworkError, Reply, Why


def rules(text, status=200):
    body = text if isinstance(text, bytes) else text.encode()
    return read(Reply("https://a.example/robots.txt", status, {}, body, datetime(2026, 11, 28)), "a.example")


def test_our_own_group_comes_before_that_for_all():
    found = rules("User-agent: *\nDisallow: /\n\nUser-agent: Leadlight\nDisallow: /private\nCrawl-delay: 2\n")
    assert found.allows("https://a.example/")
    assert not found.allows("https://a.example/private/x")
    assert found.delay == 2.0


def test_groups_of_others_do_not_concern_us():
    found = rules("User-agent: Googlebot\nDisallow: /\nCrawl-delay: 50\n")
    assert found.allows("https://a.example/")
    assert found.delay == 0.0


def test_the_longest_match_wins():
    found = rules("User-agent: *\nDisallow: /a\nAllow: /a/b$\nDisallow: /*.pdf\n")
    assert found.allows("https://a.example/a/b")
    assert not found.allows("https://a.example/a/bc")
    assert not found.allows("https://a.example/x.pdf")


@pytest.mark.parametrize(
    ("said", "delay"),
    [
        ("Request-rate: 1/10", 10.0), ("Request-rate: 2/1m", 30.0), ("Request-rate: 1/" + "9" * 500, 0.0),
        ("Crawl-delay: 1e3", 1000.0), ("Crawl-delay: inf", 0.0), ("Crawl-delay: -5", 0.0), ("Crawl-delay: nan", 0.0),
        ("Crawl-delay: 5\nRequest-rate: 1/3", 5.0),
    ],
)  # fmt: skip
def test_delays_and_rates_are_seconds_between_pages(said, delay):
    assert rules(f"User-agent: *\n{said}\n").delay == delay


def test_hostile_rules_cost_little_time():
    begun = time.perf_counter()
    stars = rules("User-agent: *\nDisallow: /" + "*a" * 60 + "*b$\n")
    assert stars.allows("https://a.example/" + "a" * 3000)
    many = rules("User-agent: *\n" + "".join(f"Disallow: /{number}*x{number}\n" for number in range(20_000)))
    assert many.allows("https://a.example/a")
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204 + 200])
def test_none_there_allows_everything(status):
    assert rules("User-agent: *\nDisallow: /", status) is EVERYTHING
    assert EVERYTHING.allows("https://a.example/")


def test_one_that_fails_forbids_everything():
    with pytest.raises(NetworkError, match=r"its robots\.txt fails \(501\)") as caught:
        rules("", 501)
    assert caught.value.why is Why.NOT_ALLOWED


@given(st.binary(max_size=300), st.sampled_from([b"", b"User-agent: *\nDisallow: ", b"User-agent: *\nCrawl-delay: "]))
def test_any_bytes_are_rules(body, before):
    found = rules(before + body)
    assert found.allows("https://a.example/b") in (True, False)
    assert found.delay >= 0
