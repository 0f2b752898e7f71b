"""One request on the wire: what it is made with, how long its answer may be, when it may be made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from leadlight.errors import RemoteError

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS, READ_SECONDS = 10, 120
"""Until there is a connection, and between two bytes of an answer."""
ANSWER_SECONDS = 600
"""Until an answer has ended."""
BODY_MOST = 64 << 20
"""Bytes of an answer."""
CHUNK = 1 << 20
KEPT = "What was read so far is kept; the next sync goes on."


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was asked for: see `Http.ask`."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    json: Any = None
    form: Mapping[str, Any] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    expect: tuple[int, ...] = ()
    retry: bool = True


def session_for(base: str) -> requests.Session:
    """Return a session that takes proxies and certificates from the environment once, and passwords never."""
    import os
    from importlib.metadata import version

    import requests

    from leadlight.connect.deadline import Adapter

    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    session.proxies.update(requests.utils.get_environ_proxies(base))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.trust_env = False  # or a .netrc would sign requests in our place
    session.headers["User-Agent"] = f"leadlight/{version('leadlight')}"
    session.headers["Accept"] = "application/json"
    return session


@contextmanager
def in_time(system: str, request: str) -> Iterator[None]:
    """Let the answer to a request come to an end in `ANSWER_SECONDS`. Raises RemoteError where it does not."""
    from leadlight.connect.deadline import Deadline

    deadline = Deadline(ANSWER_SECONDS)
    try:
        with deadline:
            yield
    except Exception:
        if not deadline.passed:
            raise
    if deadline.passed:  # whatever it looked like when it was cut
        message = f"the answer to {request} has not ended after {ANSWER_SECONDS:,} s, though something of it comes"
        fix = f"{KEPT} If it stays so, ask for smaller pages, or for fewer fields."
        raise RemoteError(system, "unreachable", message, fix=fix)


def bounded(response: requests.Response, system: str, request: str) -> bytes:
    """Return the body, as long as it is no longer than it may be. Raises RemoteError."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(CHUNK):
        size += len(part)
        if size > BODY_MOST:
            message = f"the answer to {request} is longer than {BODY_MOST >> 20} MB"
            raise RemoteError(system, "trouble", message, fix="Ask for smaller pages, or for fewer fields.")
        parts.append(part)
    return b"".join(parts)


def retry_after(told: str, now: datetime) -> float | None:
    """Return the seconds of a Retry-After, which says seconds or a time."""
    from email.utils import parsedate_to_datetime

    told = told.strip()
    if told.replace(".", "", 1).isdecimal():
        return float(told[:12])
    try:
        at = parsedate_to_datetime(told)
    except ValueError:
        return None
    at = at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    return max(0.0, (at - now).total_seconds())
