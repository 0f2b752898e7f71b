"""Amazon SES: which events count, one for each recipient, and tags."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from tests.service.mail.letters import ses_event

from leadlight.service.mail import ses

read = partial(ses.read, notification="n1")


@pytest.mark.parametrize(
    ("kind", "more", "event"),
    [("Delivery", {"recipients": ["ann@acme.example"]}, "email_delivered"), ("Open", {}, "email_open"),
     ("Click", {"link": "https://a.example"}, "email_click"),
     ("Bounce", {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ann@acme.example"}]},
      "email_bounce"),
     ("Complaint", {"complainedRecipients": [{"emailAddress": "ann@acme.example"}]}, "email_complaint"),
     ("Subscription", {"newTopicPreferences": {"unsubscribeAll": True}}, "email_unsubscribe")],
)  # fmt: skip
def test_the_events_that_count(kind: str, more: dict[str, Any], event: str) -> None:
    said = read(ses_event(kind, **more), "user_id")
    assert said is not None
    (one,) = said
    assert (one.event, one.id, one.address) == (event, "ses:n1:ann@acme.example", "ann@acme.example")
    assert (one.at, one.properties["campaign"]) == ("2026-01-31T10:00:05.123Z", "spring")


def test_those_that_do_not() -> None:
    assert read(ses_event("Send"), "user_id") is None
    assert read(ses_event("Subscription", newTopicPreferences={"unsubscribeAll": False}), "user_id") is None


def test_feedback_without_a_configuration_set_is_the_same() -> None:
    said = ses_event("Bounce", bounceType="Transient", bouncedRecipients=[{"emailAddress": "a@x.example"}])
    said["notificationType"] = said.pop("eventType")
    del said["mail"]["tags"]
    found = read(said, "user_id")
    assert found is not None
    assert (found[0].properties["bounce"], found[0].properties["campaign"]) == ("soft", None)


def test_a_user_of_a_message_to_several_is_nobody_s() -> None:
    said = ses_event("Delivery", recipients=["a@x.example", "b@x.example"])
    said["mail"]["tags"]["user_id"] = ["crm-1"]
    found = read(said, "user_id")
    assert found is not None
    assert [(one.address, one.user) for one in found] == [("a@x.example", None), ("b@x.example", None)]
    said = ses_event("Open")
    said["mail"]["tags"]["user_id"] = ["crm-1"]
    alone = read(said, "user_id")
    assert alone is not None
    assert alone[0].user == ["crm-1"]
