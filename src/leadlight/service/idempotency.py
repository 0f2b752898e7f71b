"""The same answer for the same request: a POST with an `Idempotency-Key` is done once, however often it is sent.

Its answer is kept for a day, on the shelf that all processes of a service share, and readable only to who has both the
key of the request and the secret it was sent with: what it is encrypted with follows from them, and is kept nowhere.
(An answer may hold a secret itself, as that of a new API key.) Keys that browsers show are everybody's to see: nothing
is kept for them, so that nobody fills the disk with it; calls have message ids.

Requests that failed on our side are not kept: sending them again tries again. (After draft-ietf-httpapi-idempotency-
key-header: 422 for another body under the same key, 409 while the first is still worked on.)
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadlight.service.access import PERSON, secrets_of
from leadlight.service.keys import Keys
from leadlight.service.problems import Problem
from leadlight.service.shelf import Shelf

KEPT = timedelta(days=1)
VOID = timedelta(minutes=10)
"""After so long a request that never ended counts as not done: its process is gone."""
LONGEST = 255
MAX_BODY = 10 * 1024 * 1024
PARTS = 256
"""Documents that answers are spread over."""
COPIED = ("content-type", "location", "etag")
"""Headers of an answer that are given again with it."""
ANSWERED = "idempotency-replayed"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is to be done once: where its answer is kept, what opens it, what was sent."""

    name: str
    place: str
    secret: bytes
    body: str


class Idempotency:
    """Middleware: lets each such request through once."""

    def __init__(self, app: ASGIApp, *, keys: Keys, now: Callable[[], datetime]) -> None:
        self.app, self._keys, self._shelf, self._now = app, keys, keys.shelf, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that was done before, or do it and keep the answer."""
        key = Headers(scope=scope).get("idempotency-key") if scope["type"] == "http" else None
        if key is None or scope["method"] != "POST" or not self._knows(scope):
            await self.app(scope, receive, send)
            return
        try:
            if not 0 < len(key) <= LONGEST or not key.isprintable():
                raise Problem(400, f"Idempotency-Key is 1 to {LONGEST} printable characters")
            await self._once(scope, key, await _body(receive), send)
        except Problem as problem:
            await problem.response()(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        """Return whether who asks is somebody: who is nobody any more gets no answer of before, and fills no shelf."""
        if PERSON in scope:
            return True
        found = filter(None, map(self._keys.find, secrets_of(Request(scope))))
        return any(set(key.scopes) - {"browser"} for key in found)

    async def _once(self, scope: Scope, key: str, body: bytes, send: Send) -> None:
        asked = _asked(scope, key, body)
        kept = await to_thread.run_sync(self._reserve, asked)
        if kept is not None:
            await _again(kept, send)
            return
        answer = _Answer(send)
        try:
            await self.app(scope, _given(body), answer.take)
        finally:
            done = answer.status is not None and answer.status not in (401, 403, 409, 412, 429) and answer.status < 500
            token = _sealed(asked.secret, answer.plain()) if done else None
            await to_thread.run_sync(self._settle, asked, token)

    def _reserve(self, asked: _Asked) -> Mapping[str, Any] | None:
        """Return the answer that is kept, or note that the request is being worked on.

        Raises Problem: 422 for another body, 409 where the first is still worked on.
        """
        now, found = self._now(), list[Mapping[str, Any]]()

        def change(entries: Any) -> Any:
            fresh = _fresh(entries, now)
            if asked.place in fresh:
                found.append(fresh[asked.place])
                return fresh
            return {**fresh, asked.place: {"at": now.isoformat(), "body": asked.body, "answer": None}}

        self._shelf.change(asked.name, change)
        if not found:
            return None
        if found[0]["body"] != asked.body:
            raise Problem(422, "this Idempotency-Key was used for another request: take a new one")
        if found[0]["answer"] is None:
            raise Problem(409, "the first request with this Idempotency-Key is still worked on",
                          headers={"Retry-After": "1"})  # fmt: skip
        return _opened(asked.secret, found[0]["answer"])

    def _settle(self, asked: _Asked, token: str | None) -> None:
        def change(entries: Any) -> Any:
            others = {name: one for name, one in (entries or {}).items() if name != asked.place}
            if token is None:
                return others
            return {**others, asked.place: {"at": self._now().isoformat(), "body": asked.body, "answer": token}}

        self._shelf.change(asked.name, change)


def forget_old(shelf: Shelf, now: datetime) -> None:
    """Forget the answers that were kept long enough, though nobody sends anything that would be kept beside them."""
    for part in range(PARTS):
        name = f"once-{part:02x}"
        if not all(_is_fresh(one, now) for one in (shelf.read(name) or {}).values()):
            shelf.change(name, lambda found: _fresh(found, now))


def _fresh(entries: Any, now: datetime) -> dict[str, Any]:
    return {name: one for name, one in (entries or {}).items() if _is_fresh(one, now)}


def _is_fresh(entry: Mapping[str, Any], now: datetime) -> bool:
    return now - datetime.fromisoformat(entry["at"]) < (VOID if entry["answer"] is None else KEPT)


def _asked(scope: Scope, key: str, body: bytes) -> _Asked:
    headers = Headers(scope=scope)
    shown = "\x00".join([key, *(headers.get(name, "") for name in ("authorization", "cookie", "x-write-key"))])
    secret = hashlib.sha256(b"seal\x00" + shown.encode("utf-8", "replace")).digest()
    place = hashlib.sha256(b"place\x00" + shown.encode("utf-8", "replace")).hexdigest()
    what = [scope["path"].encode(), scope.get("query_string", b""), body]
    return _Asked(f"once-{place[:2]}", place, secret, hashlib.sha256(b"\x00".join([secret, *what])).hexdigest())


def _sealed(secret: bytes, content: bytes) -> str:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(secret)).encrypt(content).decode()


def _opened(secret: bytes, token: str) -> Mapping[str, Any]:
    from cryptography.fernet import Fernet

    found: Mapping[str, Any] = orjson.loads(Fernet(base64.urlsafe_b64encode(secret)).decrypt(token.encode()))
    return found


class _Answer:
    """Sends an answer on, and remembers it."""

    def __init__(self, send: Send) -> None:
        self._send, self._parts = send, list[bytes]()
        self.status: int | None = None
        self._headers: dict[str, str] = {}

    async def take(self, message: Message) -> None:
        """Send a part of the answer on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            told = Headers(raw=message["headers"])
            self._headers = {name: told[name] for name in COPIED if name in told}
        else:
            self._parts.append(message.get("body", b""))
        await self._send(message)

    def plain(self) -> bytes:
        """Return the answer as it is kept."""
        body = base64.b64encode(b"".join(self._parts)).decode()
        return orjson.dumps({"status": self.status, "headers": self._headers, "body": body})


async def _again(kept: Mapping[str, Any], send: Send) -> None:
    body = base64.b64decode(kept["body"])
    told = {**kept["headers"], "content-length": str(len(body)), ANSWERED: "true"}
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
    await send({"type": "http.response.start", "status": kept["status"], "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    parts, more, size = list[bytes](), True, 0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "the request ended before its body did")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise Problem(413, f"with an Idempotency-Key, a body has at most {MAX_BODY // 1024 // 1024} MB")
        more = message.get("more_body", False)
    return b"".join(parts)


def _given(body: bytes) -> Receive:
    """Return a body that was read, to be read again."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    return receive
