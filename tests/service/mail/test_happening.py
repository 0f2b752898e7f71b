"""From what happened to a call: users, addresses, and items that are faulty by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from leadlight.service.mail.happening import OPEN, Happening, address_of, call_of, read_items
from leadlight.service.mail.sendgrid import read
from leadlight.service.segment import CallFault

NOW = datetime(2026, 1, 31, 12)


def test_a_user_s_id_comes_before_the_address() -> None:
    assert call_of(Happening(OPEN, "e", NOW.isoformat(), "ann@acme.example", ["crm-1"]), NOW).user_id == "crm-1"
    assert call_of(Happening(OPEN, "e", NOW.isoformat(), "Ann@Acme.example", " "), NOW).user_id == (
        "email:ann@acme.example"
    )


@pytest.mark.parametrize(
    "address", ["", "ann", "@acme.example", "ann@", 7, None, "a b@c.example", "a@b.example\n\x00", "a" * 400 + "@b.c",
                'a"b@c.example', "a\\b@c.example"], ids=repr
)  # fmt: skip
def test_addresses_that_are_none(address: Any) -> None:
    with pytest.raises(CallFault, match="e-mail address"):
        address_of(address)


@pytest.mark.parametrize(
    "said", [Happening(OPEN, "", 1, "a@b.example"), Happening(OPEN, "e", None, "a@b.example"),
             Happening(OPEN, "e", "soon", "a@b.example"), Happening(OPEN, "e" * 2000, 1, "a@b.example"),
             Happening(OPEN, "e", 1e300, "a@b.example")]
)  # fmt: skip
def test_what_cannot_be_counted(said: Happening) -> None:
    with pytest.raises(CallFault):
        call_of(said, NOW)


def test_properties_are_what_is_told() -> None:
    said = Happening(OPEN, "e", NOW.isoformat(), "a@b.example", None, {"url": "", "campaign": None, "machine": True})
    assert call_of(said, NOW).properties == {"machine": True}


@pytest.mark.parametrize(
    ("client", "agent"),
    [("Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)", None),
     ("YahooMailProxy; https://help.yahoo.com", None), ("Microsoft Office/16.0 (Microsoft Outlook 16.0; Pro)", None),
     ("python-requests/2.3", "python-requests/2.3"), ("a\x00b\ud800", "ab"), ("", None), (7, None), (None, None)],
    ids=range(8),
)  # fmt: skip
def test_what_a_client_calls_itself_unless_it_is_where_mail_is_read(client: Any, agent: str | None) -> None:
    assert call_of(Happening(OPEN, "e", NOW.isoformat(), "a@b.example", agent=client), NOW).agent == agent


def test_items_count_each_by_itself() -> None:
    good = {"event": "open", "email": "a@b.example", "timestamp": 1769853600, "sg_event_id": "e1"}
    heard = read_items([good, {"event": "processed"}, 7, {**good, "email": "nobody"}], read, NOW, "user_id")
    assert len(heard.batch.calls) == 1
    assert heard.ignored == 1
    assert [fault.index for fault in heard.batch.rejected] == [2, 3]
