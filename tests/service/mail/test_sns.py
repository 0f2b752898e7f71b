"""Amazon SNS: signatures, certificates, and nothing fetched that is not Amazon's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.service.mail.letters import CERTIFICATE_AT, TOPIC, certificate, sns_body

from leadlight.service.mail import sns
from leadlight.service.mail.signatures import Forged, Stale, Window


def window(**later: int) -> Window:
    return Window(datetime.now(UTC).replace(tzinfo=None) + timedelta(**later), timedelta(hours=1))


class Amazon:
    """Stands for what lies at Amazon's addresses; notes what is asked for."""

    def __init__(self, content: bytes) -> None:
        self.content, self.asked = content, list[str]()

    def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        return self.content


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_that_is_signed(version: str) -> None:
    amazon = Amazon(certificate())
    certificates = sns.Certificates(amazon)
    for subject in ({}, {"Subject": "hello"}):
        envelope = sns.check(sns_body("said", version=version, **subject), certificates, window())
        assert envelope == sns.Envelope("Notification", "n1", TOPIC, "said", "")
    assert amazon.asked == [CERTIFICATE_AT]  # once


STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    "change",
    [{"Message": "other"}, {"MessageId": "n2"}, {"TopicArn": TOPIC + "x"}, {"Subject": "added"}, {"Signature": "%"},
     {"Signature": ""}, {"Signature": None}, {"SignatureVersion": "3"}, {"Type": "Other"}, {"Message": 7},
     {"Timestamp": "2026-01-01T00:00:00Z"}],
    ids=str,
)  # fmt: skip
def test_a_message_that_was_changed(change: dict[str, Any]) -> None:
    certificates = sns.Certificates(Amazon(certificate()))
    with pytest.raises(Forged):
        sns.check({**sns_body("said"), **change}, certificates, window())


@pytest.mark.parametrize("body", [[], None, "x", {}, {"Type": "Notification"}], ids=str)
def test_what_is_no_message_at_all(body: Any) -> None:
    with pytest.raises(Forged):
        sns.check(body, sns.Certificates(Amazon(certificate())), window())


def test_messages_of_a_stranger_s_key_or_too_old() -> None:
    certificates = sns.Certificates(Amazon(certificate()))
    with pytest.raises(Forged, match="signature"):
        sns.check(sns_body("said", key=STRANGER), certificates, window())
    with pytest.raises(Stale):
        sns.check(sns_body("said"), certificates, window(hours=2))


HOSTILE = [
    "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
    "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem",
    "https://evil.example/SimpleNotificationService-0.pem",
    "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0.pem",
    "https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-0.pem",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem?x=1",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem\n",
    "https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-0.pem",
    "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-0.pem",
    "https://evilsns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
    "https://bucket.s3.amazonaws.com/SimpleNotificationService-0.pem",
    "https://sns.amazonaws.com/SimpleNotificationService-0.pem",
    "https://169.254.169.254/SimpleNotificationService-0.pem", "file:///etc/passwd", "", None, 7,
]  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_is_fetched_that_is_not_amazon_s(address: Any) -> None:
    amazon = Amazon(certificate())
    with pytest.raises(Forged, match="SigningCertURL"):
        sns.check(sns_body("said", SigningCertURL=address), sns.Certificates(amazon), window())
    assert amazon.asked == []


@pytest.mark.parametrize("content", [b"", b"<html>", certificate(days=-1)], ids=["empty", "page", "expired"])
def test_certificates_that_are_none(content: bytes) -> None:
    with pytest.raises(Forged, match="certificate"):
        sns.check(sns_body("said"), sns.Certificates(Amazon(content)), window())


def test_a_subscription_is_confirmed_at_amazon_s_address() -> None:
    said = sns_body("confirm", Type="SubscriptionConfirmation", Token="t1", SubscribeURL="https://evil.example/")
    envelope = sns.check(said, sns.Certificates(Amazon(certificate())), window())
    address = sns.confirmation(envelope)
    assert address.startswith("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&")
    assert "evil" not in address
    china = sns.Envelope("SubscriptionConfirmation", "1", "arn:aws-cn:sns:cn-north-1:123456789012:mail", "", "t")
    assert sns.confirmation(china).startswith("https://sns.cn-north-1.amazonaws.com.cn/?")
    for topic in ("", "arn:aws:sns:evil.example/:123456789012:mail", "arn:aws:sqs:eu-west-1:123456789012:mail"):
        with pytest.raises(Forged):
            sns.confirmation(sns.Envelope("SubscriptionConfirmation", "1", topic, "", "t"))
