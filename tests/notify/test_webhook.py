"""Signatures, checked by the library that receivers use."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from tests.notify.receivers import SECRET
from tests.notify.test_message import change, said

from leadlight.errors import UsageError
from leadlight.notify.webhook import signed
from leadlight.workspace import utc_now


def test_the_library_verifies_what_we_sign_and_nothing_else() -> None:
    body, headers = signed(said(change(who="zoë ☃")), [SECRET], utc_now())
    assert Webhook(SECRET).verify(body, dict(headers))["data"]["id"] == "zoë ☃"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b'"A"', b'"B"'), dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, {**headers, "webhook-id": "msg_2"})
    _, old = signed(said(change()), [SECRET], utc_now() - timedelta(hours=1))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, dict(old))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_ä"])
def test_a_secret_that_is_none_is_named(secret: str) -> None:
    with pytest.raises(UsageError, match="the secret cannot be used"):
        signed(said(change()), [secret], datetime(2026, 1, 1))
