"""SendGrid: which events count, whom they are of, and its signature."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.service.mail.letters import SENDGRID_KEY, public_key, seconds, sendgrid_event, sendgrid_headers

from leadlight.errors import UsageError
from leadlight.service.mail import sendgrid
from leadlight.service.mail.signatures import Forged, Stale, Window

BODY = b'[{"event":"open"}]'


@pytest.mark.parametrize(
    ("said", "event"),
    [("delivered", "email_delivered"), ("open", "email_open"), ("click", "email_click"), ("bounce", "email_bounce"),
     ("spamreport", "email_complaint"), ("unsubscribe", "email_unsubscribe"),
     ("group_unsubscribe", "email_unsubscribe")],
)  # fmt: skip
def test_the_events_that_count(said: str, event: str) -> None:
    read = sendgrid.read(sendgrid_event(said, "e1"), "user_id")
    assert read is not None
    (one,) = read
    assert (one.event, one.id, one.address) == (event, "sendgrid:e1", "ann@acme.example")
    assert (one.properties["campaign"], one.properties["message"]) == ("spring", "m1.filter")


@pytest.mark.parametrize("said", ["processed", "deferred", "dropped", "group_resubscribe", None, 7])
def test_those_that_do_not(said: object) -> None:
    assert sendgrid.read({"event": said}, "user_id") is None


def test_what_is_told_of_opens_clicks_and_bounces() -> None:
    def properties(event: str, **more: object) -> Mapping[str, Any]:
        read = sendgrid.read(sendgrid_event(event, "e", **more), "user_id")
        assert read is not None
        return read[0].properties

    opened = properties("open", sg_machine_open=True, marketing_campaign_name="Spring sale")
    assert (opened["machine"], opened["campaign"]) == (True, "Spring sale")
    assert properties("open", sg_machine_open=False)["machine"] is None
    assert properties("click", url="https://a.example/pricing")["url"] == "https://a.example/pricing"
    assert [properties("bounce", type=kind)["bounce"] for kind in ("bounce", "blocked")] == ["hard", "soft"]


def test_a_custom_argument_is_the_user() -> None:
    read = sendgrid.read(sendgrid_event("open", "e", contact="crm-1"), "contact")
    assert read is not None
    assert read[0].user == "crm-1"


def test_keys_as_sendgrid_shows_them_and_as_pem() -> None:
    pem = SENDGRID_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for text in (public_key(), pem.decode(), f" {public_key()}\n"):
        key = sendgrid.public_key(text)
        sendgrid.check(key, _lower(sendgrid_headers(BODY)), BODY, _window())
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    no_curve = other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    for text in ("", "nonsense", "-----BEGIN PUBLIC KEY-----\nxx\n-----END PUBLIC KEY-----", no_curve):
        with pytest.raises(UsageError, match=r"mail\.sendgrid\.public_key"):
            sendgrid.public_key(text)


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _window(max_age: timedelta = timedelta(hours=1)) -> Window:
    return Window(datetime.now(UTC).replace(tzinfo=None), max_age)


def test_forged_and_stale_signatures() -> None:
    key, good = sendgrid.public_key(public_key()), _lower(sendgrid_headers(BODY))
    stranger = ec.generate_private_key(ec.SECP256R1())
    later = str(seconds() + 1)
    for headers, body in (
        (good, BODY + b" "), ({}, BODY), (_lower(sendgrid_headers(BODY, key=stranger)), BODY),
        ({**good, sendgrid.TIME: later}, BODY), ({**good, sendgrid.SIGNATURE: "Zm9v"}, BODY),
        ({**good, sendgrid.SIGNATURE: "%%"}, BODY), ({**good, sendgrid.SIGNATURE: "ä"}, BODY),
    ):  # fmt: skip
        with pytest.raises(Forged):
            sendgrid.check(key, headers, body, _window())
    for at in (seconds() - 4000, seconds() + 4000):
        with pytest.raises(Stale):
            sendgrid.check(key, _lower(sendgrid_headers(BODY, at=at)), BODY, _window())
