"""What a host is asked and what it answers."""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

BLOCK = 65536


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked; header names are in lower case, `query` has the last value of each key."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    secure: bool

    def json(self) -> Any:
        """Return the body as JSON values."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with its times: seconds since 1970; `ended` when the answer was given to the connection whole."""

    host: str
    path: str
    method: str
    headers: Mapping[str, str]
    secure: bool
    begun: float
    ended: float
    status: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of known length. A header given here replaces the one that would be sent; None leaves it out."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str | None] = field(default_factory=dict)
    kind: str = "text/html; charset=utf-8"
    delay: float = 0.0

    def head(self) -> bytes:
        """Return the status line and the headers."""
        told = {name.lower(): value for name, value in self.headers.items()}
        length = str(len(self.content()))
        headers = {"content-type": self.kind, "content-length": length, "date": formatdate(usegmt=True), **told}
        if self.status in (204, 304):
            headers.pop("content-length")
        lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
        return f"HTTP/1.1 {self.status} {_phrase(self.status)}\r\n{''.join(lines)}\r\n".encode("latin-1")

    def content(self) -> bytes:
        """Return the body as bytes."""
        return self.body.encode() if isinstance(self.body, str) else self.body


@dataclass(frozen=True, slots=True)
class Stream:
    """Raw bytes on the connection, as they come, no length known; a number is a pause in seconds, None a reset."""

    parts: Callable[[Request], Iterable[bytes | float | None]]


class Page:
    """A page with an ETag, compressed for those who accept it where `compress` says so."""

    __slots__ = ("answer", "compress", "tag")

    def __init__(
        self, body: bytes | str, *, kind: str = "text/html; charset=utf-8", changed: str | None = None,
        headers: Mapping[str, str] | None = None, compress: bool = False,
    ) -> None:  # fmt: skip
        content = body.encode() if isinstance(body, str) else body
        self.tag = f'"{hashlib.blake2b(content, digest_size=8).hexdigest()}"'
        self.compress = gzip.compress(content, 6) if compress else None
        self.answer = Answer(
            content, headers={"etag": self.tag, "last-modified": changed, **(headers or {})}, kind=kind
        )

    def __call__(self, request: Request) -> Answer:
        """Return the page, 304 when it is known already."""
        same = request.headers.get("if-none-match") == self.tag
        changed = self.answer.headers["last-modified"]
        if same or (changed is not None and request.headers.get("if-modified-since") == changed):
            return Answer(status=304, headers=self.answer.headers)
        if self.compress is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers = {**self.answer.headers, "content-encoding": "gzip"}
            return Answer(self.compress, headers=headers, kind=self.answer.kind)
        return self.answer


Content = Any
"""Text, bytes, a dict or list (JSON), a number (a bare status), None (404), Answer, Stream, Page or a function."""


def as_page(content: Content, path: str) -> Content:
    """Make text and bytes a Page of the kind that the path says."""
    if isinstance(content, str | bytes):
        kind = mimetypes.guess_type(path)[0] or "text/html"
        return Page(content, kind=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    return content


def answer_of(content: Content, request: Request) -> Answer | Stream:
    """Return what is sent."""
    if callable(content):
        content = content(request)
    if isinstance(content, Answer | Stream):
        return content
    if isinstance(content, Page):
        return content(request)
    if content is None or isinstance(content, int):
        return Answer(_phrase(content or 404), status=content or 404, kind="text/plain")
    if isinstance(content, str | bytes):
        return Answer(content)
    return Answer(json.dumps(content), kind="application/json")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unheard Of"
