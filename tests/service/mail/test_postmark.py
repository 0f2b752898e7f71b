"""Postmark: which records count, ids of those that have none, and what stands in for a signature."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from leadlight.service.mail import postmark
from leadlight.service.mail.signatures import Forged

OPEN = {
    "RecordType": "Open", "MessageStream": "outbound", "FirstOpen": True, "UserAgent": "Mozilla/5.0",
    "Metadata": {"user_id": "crm-1"}, "Tag": "spring", "MessageID": "m1", "ReceivedAt": "2026-01-31T10:00:00Z",
    "Recipient": "ann@acme.example",
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "event"),
    [({"RecordType": "Delivery", "DeliveredAt": "2026-01-31T10:00:00Z"}, "email_delivered"), ({}, "email_open"),
     ({"RecordType": "Click", "OriginalLink": "https://a.example"}, "email_click"),
     ({"RecordType": "Bounce", "Email": "x@y.example", "BouncedAt": "2026-01-31T10:00:00Z", "ID": 7}, "email_bounce"),
     ({"RecordType": "SpamComplaint", "Email": "x@y.example", "BouncedAt": "2026-01-31T10:00:00Z"}, "email_complaint"),
     ({"RecordType": "SubscriptionChange", "SuppressSending": True, "ChangedAt": "2026-01-31T10:00:00Z",
       "SuppressionReason": "ManualSuppression"}, "email_unsubscribe")],
)  # fmt: skip
def test_the_records_that_count(more: dict[str, Any], event: str) -> None:
    read = postmark.read({**OPEN, **more}, "user_id")
    assert read is not None
    assert (read[0].event, read[0].user, read[0].at) == (event, "crm-1", "2026-01-31T10:00:00Z")


@pytest.mark.parametrize("more", [{"RecordType": "Inbound"}, {"RecordType": None},
                                  {"RecordType": "SubscriptionChange", "SuppressSending": False},
                                  {"RecordType": "SubscriptionChange", "SuppressSending": True,
                                   "SuppressionReason": "HardBounce"}])  # fmt: skip
def test_those_that_do_not(more: dict[str, Any]) -> None:
    assert postmark.read({**OPEN, **more}, "user_id") is None


def test_the_same_open_told_again_has_the_same_id_and_another_one_has_not() -> None:
    def id_of(**more: Any) -> str:
        read = postmark.read({**OPEN, **more}, "user_id")
        assert read is not None
        return read[0].id

    assert id_of() == id_of(Geo={"City": "Ulm"})
    others = [
        id_of(ReceivedAt="2026-01-31T10:00:01Z"), id_of(Recipient="b@x.example"), id_of(RecordType="Click"),
        id_of(RecordType="Click", OriginalLink="https://b.example"),
    ]  # fmt: skip
    assert len({id_of(), *others}) == 5


def test_bounces_that_may_pass() -> None:
    kinds = [
        postmark.read({**OPEN, "RecordType": "Bounce", "Type": kind}, "user_id") for kind in ("HardBounce", "Transient")
    ]
    assert [kind and kind[0].properties["bounce"] for kind in kinds] == ["hard", "soft"]


def test_passwords_and_tokens() -> None:
    basic = f"Basic {base64.b64encode(b'pm:secret').decode()}"
    postmark.check_password("pm", "secret", {"authorization": basic})
    for header in ("", "Basic", "Basic %%", f"Basic {base64.b64encode(b'pm:guess').decode()}", f"Bearer {basic[6:]}"):
        with pytest.raises(Forged):
            postmark.check_password("pm", "secret", {"authorization": header})
    postmark.check_token("X-Ours", "secret", {"x-ours": "secret"})
    for headers in ({}, {"x-ours": "guess"}, {"x-ours": "ä"}):
        with pytest.raises(Forged):
            postmark.check_token("X-Ours", "secret", headers)
