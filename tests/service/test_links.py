"""Signed links: nobody else makes them, and they lead only out into the web."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from leadlight.service.links import TOGETHER, Link, Links, leads_out

NOW = datetime(2026, 1, 31, 10)


def test_a_token_that_was_changed_is_none() -> None:
    links = Links(b"secret")
    token = links.sign(Link("crm-1", "https://acme.example/x", "spring", "m1"))
    assert links.read(token) == Link("crm-1", "https://acme.example/x", "spring", "m1")
    other = Links(b"secret").sign(Link("crm-2", "https://acme.example/x", "spring", "m1"))
    body, _, signature = other.rpartition(".")
    for forged in ("", ".", token[:-1], token + "x", f"{body}.{token.rpartition('.')[2]}", f"x{token}", "ä" * 20,
                   "a" * 10_000, f"{body}.{signature}."):  # fmt: skip
        assert links.read(forged) is None
    assert Links(b"other").read(token) is None


@pytest.mark.parametrize(
    "url", ["", "/pricing", "//evil.example", "javascript:alert(1)", "data:text/html,x", "ftp://a.example", "https://",
            "https://a b.example", "https://a.example/\r\nSet-Cookie: x", "https://user@a.example", "http://[::1",
            "https://a.example:port/", "https:\\\\evil.example", "https://a.example/" + "x" * 3000, "https://ä.example"],
    ids=range(15),
)  # fmt: skip
def test_addresses_a_click_may_not_lead_to(url: str) -> None:
    assert not leads_out(url)


def test_a_hit_is_an_event_at_its_moment() -> None:
    click = Link("crm-1", "https://a.example", "spring", None).call("token", NOW, "Googlebot/2.1")
    assert (click.event, click.at, click.user_id) == ("email_click", NOW, "crm-1")
    assert click.properties == {"provider": "leadlight", "url": "https://a.example", "campaign": "spring"}
    opened = Link("crm-1").call("token", NOW, "via ggpht.com GoogleImageProxy")
    assert (opened.event, opened.agent, click.agent) == ("email_open", None, "Googlebot/2.1")


def test_hits_together_are_one_and_later_ones_are_not() -> None:
    link = Link("crm-1")
    ids = [link.call("t", NOW + timedelta(seconds=after), "").message_id for after in (0, TOGETHER - 1, TOGETHER)]
    assert ids[0] == ids[1] != ids[2]
    assert link.call("other", NOW, "").message_id != ids[0]
