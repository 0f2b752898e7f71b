"""Signed JSON, as Standard Webhooks has it: https://www.standardwebhooks.com."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from leadlight.errors import UsageError
from leadlight.notify.message import Message


def signed(message: Message, secrets: Sequence[str], at: datetime) -> tuple[bytes, Mapping[str, str]]:
    """Return the body, and the headers that sign it: one signature for each secret.

    Raises UsageError where a secret is none.
    """
    body = json.dumps(message.as_dict(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        signatures = [Webhook(secret).sign(message.id, at, body) for secret in secrets]
    except (binascii.Error, ValueError, RuntimeError, EmptyWebhookSecretError) as error:
        raise UsageError(
            f"the secret cannot be used: {error}", fix="It is base64, mostly behind `whsec_`: take it as it was given."
        ) from None
    stamp = str(int((at - datetime(1970, 1, 1)).total_seconds()))  # noqa: DTZ001 - all our times are naive UTC
    headers = {"webhook-id": message.id, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}
    return body.encode(), headers
