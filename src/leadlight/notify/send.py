"""One try to send one message, whatever its kind."""

from __future__ import annotations

import asyncio
from datetime import datetime

import httpx

from leadlight.errors import UsageError
from leadlight.notify import email, http, slack, webhook
from leadlight.notify.destination import Answer, Destination
from leadlight.notify.message import Message


async def send(client: httpx.AsyncClient, message: Message, to: Destination, at: datetime) -> Answer:
    """Try once; whatever goes wrong is the answer."""
    try:
        return await _send(client, message, to, at)
    except Exception as error:  # one message that cannot be written must not stop all others
        return Answer(f"{type(error).__name__}: {str(error)[:200]}", is_final=True)


async def _send(client: httpx.AsyncClient, message: Message, to: Destination, at: datetime) -> Answer:
    if to.spec.kind == "email":
        return await _mail(message, to, at)
    if to.spec.kind == "slack":
        return await http.post(client, to, slack.body(message), {}, at)
    try:
        body, headers = webhook.signed(message, to.secrets, at)
    except UsageError as error:
        return Answer(error.message, is_down=True)
    return await http.post(client, to, body, headers, at)


async def _mail(message: Message, to: Destination, at: datetime) -> Answer:
    """Talk SMTP in a thread; after twice the time it is given up, whatever the server does."""
    try:
        async with asyncio.timeout(2 * to.spec.seconds):
            return await asyncio.to_thread(email.send, email.written(message, to, at), to)
    except TimeoutError:
        return Answer(f"no answer within {2 * to.spec.seconds:g} s", is_down=True)
