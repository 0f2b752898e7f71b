"""The pace at which a request's body has to come: who sends a byte a minute would keep a connection for ever.

Whoever makes progress is never cut off, however long that takes: each byte that came earns time for the next ones. Only
the time for which the body is waited for counts, not that of whoever reads it.
"""

from __future__ import annotations

import asyncio
import time

from starlette.types import Message, Receive

from leadlight.service.problems import Problem

PATIENCE = 30.0
"""Seconds for which is waited whatever has come."""
SLOWEST = 500.0
"""Bytes a second that are enough for ever, on the average since the body began."""


class Paced:
    """The messages of a request, as long as its body comes at a bearable pace.

    >>> async def receive() -> Message:
    ...     return {"type": "http.request", "body": b"{}", "more_body": False}
    >>> asyncio.run(Paced(receive).receive())["body"]
    b'{}'
    """

    def __init__(self, receive: Receive) -> None:
        self._receive, self._size, self._waited, self._whole = receive, 0, 0.0, False

    async def receive(self) -> Message:
        """Return the next part. Raises Problem 408 where it does not come in time."""
        if self._whole:
            return await self._receive()
        began, earned = time.monotonic(), PATIENCE + self._size / SLOWEST
        try:
            async with asyncio.timeout(earned - self._waited):
                message = await self._receive()
        except TimeoutError:
            self._whole = True  # there is no more to wait for
            detail = f"the body came too slowly: {self._size} bytes of it in {earned:.0f} s"
            raise Problem(408, detail, headers={"Connection": "close"}) from None
        self._waited += time.monotonic() - began
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        return message
