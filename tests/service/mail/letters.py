"""What providers send, in the shapes they document, and signatures made as they make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from leadlight.service.mail.sns import signed_text

TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
CERTIFICATE_AT = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
SNS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def seconds(at: datetime | None = None) -> int:
    return int((at or datetime.now(UTC)).timestamp())


def public_key(key: ec.EllipticCurvePrivateKey = SENDGRID_KEY) -> str:
    """A key as SendGrid shows it."""
    made = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(made).decode()


def sendgrid_headers(
    body: bytes, *, at: int | None = None, key: ec.EllipticCurvePrivateKey = SENDGRID_KEY
) -> dict[str, str]:
    told = str(seconds() if at is None else at)
    made = key.sign(told.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(made).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": told,
    }


def sendgrid_event(event: str, id: str, **more: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "email": "ann@acme.example", "timestamp": 1769853600, "smtp-id": "<a@b>", "event": event,
        "category": ["spring", "all"], "sg_event_id": id, "sg_message_id": "m1.filter", "useragent": "Mozilla/5.0",
        "ip": "192.0.2.1", **more,
    }  # fmt: skip


def mailgun_body(
    event: dict[str, Any], *, key: str = "mailgun-key", at: int | None = None, token: str = "t1"
) -> dict[str, Any]:
    told = str(seconds() if at is None else at)
    signature = hmac.new(key.encode(), f"{told}{token}".encode(), hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": told, "token": token, "signature": signature}, "event-data": event}


def mailgun_event(event: str, id: str, **more: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "event": event, "id": id, "timestamp": 1769853600.25, "recipient": "ann@acme.example", "tags": ["spring"],
        "message": {"headers": {"message-id": "m1@acme.example", "from": "us@ours.example"}}, "campaigns": [],
        "user-variables": {}, "client-info": {"user-agent": "Mozilla/5.0", "client-type": "browser"}, **more,
    }  # fmt: skip


def certificate(*, days: int = 30, key: rsa.RSAPrivateKey = SNS_KEY) -> bytes:
    """A certificate of the key's, as lies at Amazon's address."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days)).sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM)


def sns_body(
    message: Any,
    *,
    id: str = "n1",  # noqa: A002
    version: str = "2",
    key: rsa.RSAPrivateKey = SNS_KEY,
    **more: Any,
) -> dict[str, Any]:
    """A message of SNS, signed."""
    body: dict[str, Any] = {
        "Type": "Notification", "MessageId": id, "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": version, "SigningCertURL": CERTIFICATE_AT, **more,
    }  # fmt: skip
    made = {"1": hashes.SHA1, "2": hashes.SHA256}[version]()
    body["Signature"] = base64.b64encode(key.sign(signed_text(body), padding.PKCS1v15(), made)).decode()
    return body


def ses_event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "mail": {"messageId": "m1", "timestamp": "2026-01-31T10:00:00.000Z", "destination": ["ann@acme.example"],
                 "tags": {"campaign": ["spring"], "ses:configuration-set": ["main"]}},
        kind.lower(): {"timestamp": "2026-01-31T10:00:05.123Z", "userAgent": "Mozilla/5.0", **more},
    }  # fmt: skip
