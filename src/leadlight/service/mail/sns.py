"""Amazon SNS's envelope: the message, and a signature by a key whose certificate lies at an address of Amazon's.

That address comes with the message, so it is looked at before anything is fetched: https, the host
`sns.REGION.amazonaws.com` (or `.com.cn`), a file `SimpleNotificationService-….pem`, nothing else in it; no redirect is
followed. A subscription is confirmed at an address made here of the topic's own region, not at the one that came.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from leadlight.service.mail.signatures import Forged, Stale, Window
from leadlight.service.segment import read_time

CERTIFICATE = re.compile(
    r"https://sns\.[a-z]{2,3}(-[a-z]{3,12}){1,3}-[0-9]{1,2}\.amazonaws\.com(\.cn)?/"
    r"SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem"
)
TOPIC = re.compile(
    r"arn:aws(?:-cn|-us-gov)?:sns:(?P<region>[a-z]{2,3}(?:-[a-z]{3,12}){1,3}-[0-9]{1,2}):[0-9]{12}:[A-Za-z0-9_.-]{1,256}"
)
MESSAGE = "Notification"
CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
SIGNED = {
    MESSAGE: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(CONFIRMATIONS, ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")),
}  # fmt: skip
HASHES = {"1": SHA1, "2": SHA256}
MAX_FETCHED = 64 * 1024
SECONDS = 5.0
MAX_KEPT = 16

Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What SNS sends, as far as it is signed."""

    type: str
    id: str
    topic: str
    message: str
    token: str


def fetch(address: str) -> bytes:
    """Fetch something small of Amazon's, following nothing.

    Raises Forged where it does not come.
    """
    import httpx

    try:
        with httpx.stream("GET", address, timeout=SECONDS, follow_redirects=False) as answer:
            if answer.status_code != 200:
                raise Forged(f"{address} answers {answer.status_code}")
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > MAX_FETCHED:
                    raise Forged(f"{address} sends too much")
            return body
    except httpx.HTTPError as error:
        raise Unreachable(f"{address} cannot be reached: {type(error).__name__}") from None


class Unreachable(Exception):
    """Amazon's certificate cannot be had at present: the sender has to try again."""


class Certificates:
    """The certificates of SNS, each fetched once."""

    def __init__(self, fetch: Fetch = fetch) -> None:
        self._fetch, self._kept = fetch, dict[str, Certificate]()

    def find(self, address: Any, now: datetime) -> RSAPublicKey:
        """Return the key of the certificate at an address.

        Raises Forged where it is none of Amazon's, Unreachable where it cannot be fetched.
        """
        if not isinstance(address, str) or not CERTIFICATE.fullmatch(address):
            raise Forged("SigningCertURL is no address of Amazon SNS's certificates")
        found = self._kept.get(address) or self._load(address)
        if not found.not_valid_before_utc <= now.replace(tzinfo=UTC) <= found.not_valid_after_utc:
            raise Forged("the certificate does not hold at present")
        key = found.public_key()
        if not isinstance(key, RSAPublicKey):
            raise Forged("the certificate is not one of RSA")
        return key

    def _load(self, address: str) -> Certificate:
        try:
            found = load_pem_x509_certificate(self._fetch(address))
        except ValueError:
            raise Forged("what lies at SigningCertURL is no certificate") from None
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[address] = found
        return found


def signed_text(body: Mapping[str, Any]) -> bytes:
    """Return what the signature is of: names and values, a line each.

    >>> signed_text({"Type": "Notification", "MessageId": "1", "Message": "hi", "Timestamp": "t", "TopicArn": "a"})
    b'Message\\nhi\\nMessageId\\n1\\nTimestamp\\nt\\nTopicArn\\na\\nType\\nNotification\\n'
    """
    names = SIGNED[str(body.get("Type"))]
    said = {name: body.get(name) for name in names if not (name == "Subject" and body.get(name) is None)}
    for name, value in said.items():
        if not isinstance(value, str):
            raise Forged(f"{name} is missing")
    return "".join(f"{name}\n{value}\n" for name, value in said.items()).encode("utf-8", "surrogatepass")


def check(body: Any, certificates: Certificates, window: Window) -> Envelope:
    """Look whether SNS signed this, and lately.

    Raises Forged, Stale or Unreachable.
    """
    if not isinstance(body, Mapping) or body.get("Type") not in SIGNED:
        raise Forged("it is no message of SNS: turn raw message delivery off")
    made = HASHES.get(str(body.get("SignatureVersion")))
    if made is None:
        raise Forged("SignatureVersion has to be 1 or 2")
    text = signed_text(body)
    key = certificates.find(body.get("SigningCertURL"), window.now)
    try:
        key.verify(base64.b64decode(str(body.get("Signature")), validate=True), text, PKCS1v15(), made())
    except (InvalidSignature, ValueError, binascii.Error):
        raise Forged("the signature is not that of SNS for this message") from None
    at = read_time(body["Timestamp"])
    if at is None or not window.holds_time(at):
        raise Stale("the message's time is too far from now")
    return Envelope(body["Type"], body["MessageId"], body["TopicArn"], body["Message"], str(body.get("Token", "")))


def confirmation(envelope: Envelope) -> str:
    """Return the address that confirms a subscription: of the topic's region, and nothing of what came but the token.

    Raises Forged for a topic that is none.

    >>> confirmation(Envelope("SubscriptionConfirmation", "1", "arn:aws:sns:eu-west-1:123456789012:mail", "", "t&x"))
    'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Amail&Token=t%26x'
    """
    found = TOPIC.fullmatch(envelope.topic)
    if found is None:
        raise Forged("TopicArn is no topic")
    end = ".cn" if found["region"].startswith("cn-") else ""
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": envelope.topic, "Token": envelope.token})
    return f"https://sns.{found['region']}.amazonaws.com{end}/?{query}"
