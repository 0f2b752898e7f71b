"""Mailgun: which events count, whom they are of, and its signature."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.service.mail.letters import mailgun_body, mailgun_event, seconds

from leadlight.service.mail import mailgun
from leadlight.service.mail.signatures import Forged, Stale, Window


def window() -> Window:
    return Window(datetime.now(UTC).replace(tzinfo=None), timedelta(hours=1))


@pytest.mark.parametrize(
    ("said", "event"),
    [("delivered", "email_delivered"), ("opened", "email_open"), ("clicked", "email_click"), ("failed", "email_bounce"),
     ("complained", "email_complaint"), ("unsubscribed", "email_unsubscribe")],
)  # fmt: skip
def test_the_events_that_count(said: str, event: str) -> None:
    read = mailgun.read(mailgun_event(said, "e1", url="https://a.example"), "user_id")
    assert read is not None
    assert (read[0].event, read[0].id, read[0].properties["message"]) == (event, "mailgun:e1", "m1@acme.example")
    assert read[0].properties["campaign"] == "spring"
    assert mailgun.read({"event": "accepted"}, "user_id") is None


def test_what_is_told_besides() -> None:
    event = mailgun_event("opened", "e", campaigns=[{"id": "c", "name": "Fall"}],
                          **{"client-info": {"bot": "apple"}, "user-variables": {"user_id": "crm-1"}})  # fmt: skip
    read = mailgun.read(event, "user_id")
    assert read is not None
    assert (read[0].user, read[0].properties["campaign"]) == ("crm-1", "Fall")
    assert (read[0].properties["machine"], read[0].properties["bot"]) == (True, "apple")
    odd = mailgun.read({"event": "opened", "client-info": "x", "message": [], "user-variables": 3}, "user_id")
    assert odd is not None
    assert odd[0].id == ""


def test_its_signature() -> None:
    assert mailgun.check("k", mailgun_body({}, key="k", token="abc"), window()) == "abc"
    with pytest.raises(Stale):
        mailgun.check("k", mailgun_body({}, key="k", at=seconds() - 4000), window())
    good = mailgun_body({}, key="k")["signature"]
    forged: list[Any] = [
        mailgun_body({}, key="other"), {}, [], {"signature": 7}, {"signature": {**good, "token": "t2"}},
        {"signature": {**good, "token": "x" * 300}}, {"signature": {**good, "signature": "ä\ud800"}},
        {"signature": {**good, "timestamp": None}}, {"signature": {**good, "timestamp": [1]}},
    ]  # fmt: skip
    for body in forged:
        with pytest.raises(Forged):
            mailgun.check("k", body, window())
