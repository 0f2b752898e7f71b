"""How a request ends that cannot be answered: one envelope for every way to fail, RFC 9457's.

`code` and `message` stand in it too: RudderStack's clients take a refusal for final only where they find both.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from leadlight.errors import (
    DataError,
    LeadlightError,
    NotFoundError,
    RemoteError,
    SpecError,
    StoreError,
    TooFewOutcomes,
    UsageError,
)
from leadlight.service.inbox import InboxFull

STATUS: Mapping[type[LeadlightError], int] = {
    NotFoundError: 404,
    UsageError: 400,
    SpecError: 400,
    DataError: 400,
    TooFewOutcomes: 409,
    InboxFull: 429,
    StoreError: 503,
    RemoteError: 502,
}
"""The first that an error is one of says its status; 500 for any other."""

RETRY_AFTER = 5
"""Seconds after which to try again what the store could not do."""
QUOTA_RETRY_AFTER = 3600
"""The same, where our share of another system's quota is used up."""


class Problem(Exception):
    """A request that is answered by its fault."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more

    def response(self) -> Response:
        """Return the answer."""
        title = HTTPStatus(self.status).phrase
        content = {
            "type": "about:blank", "title": title, "status": self.status, "detail": self.detail,
            "code": title.lower().replace(" ", "_"), "message": self.detail, **self.more,
        }  # fmt: skip
        return Response(orjson.dumps(content), self.status, self.headers, "application/problem+json")


def problem_of(error: LeadlightError) -> Problem:
    """Return what an error of the library is over HTTP.

    >>> problem_of(NotFoundError("there is no lead 'x'")).status
    404
    """
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
    used_up = isinstance(error, RemoteError) and error.trouble == "quota"
    status = 503 if used_up else status
    told = {"remote_status" if name == "status" else name: value for name, value in error.as_dict().items()}
    facts = {name: value for name, value in told.items() if name != "message" and value is not None}
    headers: dict[str, str] = {}
    if status in (429, 503):
        wait = QUOTA_RETRY_AFTER if used_up else RETRY_AFTER
        headers["Retry-After"] = str(error.retry_after if isinstance(error, InboxFull) else wait)
    return Problem(status, error.message, headers=headers, **facts)
