"""One message over HTTP: sent once, within a time, to that address and no other."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import httpx

from leadlight.notify.backoff import retry_after
from leadlight.notify.destination import Answer, Destination

SAID = 200
"""Bytes of an answer that are looked at."""
AGENT = "Leadlight (notifications)"


def client() -> httpx.AsyncClient:
    """Return a client that follows no redirects: a message goes where leadlight.yaml says."""
    return httpx.AsyncClient(follow_redirects=False, headers={"User-Agent": AGENT}, verify=_trust())


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Return whom we trust: reading all certificates takes a while."""
    return httpx.create_ssl_context()


async def post(
    client: httpx.AsyncClient, to: Destination, body: bytes, headers: Mapping[str, str], now: datetime
) -> Answer:
    """Post a body, and say how that ended."""
    try:
        async with asyncio.timeout(to.spec.seconds):
            request = client.stream(
                "POST", to.address, content=body, headers={"Content-Type": "application/json", **headers},
                timeout=to.spec.seconds,
            )  # fmt: skip
            async with request as response:
                said = b"" if response.is_success else await _beginning(response)
                return answer(response.status_code, said, response.headers.get("retry-after"), now)
    except (TimeoutError, httpx.TimeoutException):
        return Answer(f"no answer within {to.spec.seconds:g} s", is_down=True)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Answer(f"{type(error).__name__}: {str(error).replace(to.address, to.name)[:SAID]}", is_down=True)


async def _beginning(response: httpx.Response) -> bytes:
    async for part in response.aiter_raw():
        return part[:SAID]
    return b""


def answer(status: int, said: bytes, told: str | None, now: datetime) -> Answer:
    """Say what a status means.

    >>> answer(204, b"", None, datetime(2026, 1, 1)).error
    >>> answer(302, b"", None, datetime(2026, 1, 1)).error
    '302: redirects are not followed'
    """
    if 200 <= status < 300:
        return Answer()
    words = " ".join(said.decode("utf-8", "replace").split())
    words = "redirects are not followed" if 300 <= status < 400 else "".join(c for c in words if c.isprintable())
    return Answer(
        f"{status}: {words}" if words else str(status),
        is_gone=status == httpx.codes.GONE,
        is_busy=status == httpx.codes.TOO_MANY_REQUESTS,
        is_down=status >= httpx.codes.INTERNAL_SERVER_ERROR,
        retry_after=retry_after(told, now),
    )
