"""The door: every request passes here, in and out.

In: who is logged in, or has a token of the issuer, is looked at (keys are looked at by the routes). Out: the answer is
counted, gets headers that keep browsers safe, is logged without anything of a person, and, where something was changed,
stands in the audit log before whoever asked hears of it.
"""

from __future__ import annotations

import hmac
import itertools
import re
import secrets
import time
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadlight.errors import LeadlightError
from leadlight.service import logs, traces
from leadlight.service.access import ASKER, NEEDED, PERSON, TOLD, UNPROVEN, count_request, too_often
from leadlight.service.admission import Admission
from leadlight.service.audit import Act
from leadlight.service.keys import Key
from leadlight.service.metrics import Metrics
from leadlight.service.oidc import Issuer, IssuerError, TokenError, scopes_of
from leadlight.service.pace import Paced
from leadlight.service.problems import Problem
from leadlight.service.sessions import Session

SESSION = "leadlight.session"
"""Where a request's scope keeps the session that its cookie is of."""
OBJECT = "leadlight.object"
"""Where a route may say what it changed, if that names nobody."""
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
NAMELESS = ("/v1/keys/", "/v1/scorecards/", "/v1/outbox/", "/v1/connections/")
"""Routes whose paths name no person: the audit log says which one."""
ORIGIN = {"Access-Control-Allow-Origin": "*"}
DISCLOSURES = frozenset(("/v1/leads/{id:path}/access", "/v1/access/{id:path}"))
"""Routes that tell all about a person: that somebody asked is in the audit log, too."""
MAX_HEADERS = 64 * 1024
GUARDS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
"""Headers of every answer; and, where people come over https, that they always do."""


PROCESS, _numbers = secrets.token_hex(4), itertools.count(1)
"""What requests of this process are called by: a name of it, and a number."""


class Door:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, *, admission: Admission, metrics: Metrics) -> None:
        self.app, self.admission, self.metrics, self.issuer = app, admission, metrics, admission.issuer
        self.guards = GUARDS
        if (admission.spec.address or "").startswith("https:"):
            self.guards += ((b"strict-transport-security", b"max-age=31536000"),)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, and its answer out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passing = _Passing(self, scope, receive, send)
        try:
            shown, cookie = _proofs(scope)
            if shown:
                if self._takes_tokens and _is_token(shown):
                    scope[PERSON] = await self._machine(shown[7:].strip().decode("latin-1"), scope)
            elif cookie:
                self._recognise(scope, cookie)
            if self.admission.keys.shared is not None:
                await count_request(self.admission.keys, Request(scope))
        except Problem as problem:
            await problem.response()(scope, receive, passing.send)
            return
        if not traces.are_made():
            await self._pass(passing)
            return
        with traces.request(scope) as span:
            try:
                await self._pass(passing)
            finally:
                span.end(passing.route, passing.status or 500, passing.key)

    async def _pass(self, passing: _Passing) -> None:
        try:
            await self.app(passing.scope, passing.receive, passing.send)
        except Exception as error:
            logs.fault("bug", error, passing.facts(500))
            if not passing.status:  # nothing was answered yet
                answer = Problem(500, "this is a bug in Leadlight; nothing was changed", headers=ORIGIN).response()
                await answer(passing.scope, passing.receive, passing.send)
            raise

    @property
    def _takes_tokens(self) -> bool:
        return self.issuer is not None and self.issuer.spec.audience is not None

    def _recognise(self, scope: Scope, cookie: bytes) -> None:
        """Look at the cookie of a session."""
        session = self._session(cookie)
        if session is None:
            return
        scope[SESSION] = session
        if scope["method"] in SAFE or _is_proven(scope, session):
            scope[PERSON] = session.person
        else:
            scope[UNPROVEN] = True

    async def _machine(self, token: str, scope: Scope) -> Key | None:
        """Return who an issuer's token is of."""
        assert self.issuer is not None
        misses, where = self.admission.keys.misses, (scope.get("client") or ("",))[0]
        if wait := misses.wait(where):
            raise too_often(wait)
        try:
            claims = await to_thread.run_sync(self.issuer.of_machine, token)
        except TokenError:
            misses.note(where)
            return None
        except IssuerError as error:
            raise Problem(503, error.message, headers={"Retry-After": "5"}) from None
        return Key(person_id(self.issuer, claims), "token", scopes_of(claims, self.issuer.spec), "", "")

    def _session(self, header: bytes) -> Session | None:
        sessions = self.admission.sessions
        if sessions.cookie.encode() not in header:
            return None
        try:
            cookie = SimpleCookie(header.decode("latin-1")).get(sessions.cookie)
        except CookieError:
            return None
        found = None if cookie is None else sessions.read(cookie.value)
        if found is not None and found.version and found.version != self.admission.people.version(found.person.name):
            return None
        return found


class _Passing:
    """One request on its way."""

    def __init__(self, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        self.door, self.scope, self._send = door, scope, send
        self._receive = Paced(receive).receive
        self.began, self.id, self.status = time.perf_counter(), f"{PROCESS}{next(_numbers):08x}", 0
        self.parts: list[bytes] = []

    @property
    def route(self) -> str:
        """The template of the path; no path itself is written down."""
        return getattr(self.scope.get("route"), "path", "other")

    async def receive(self) -> Message:
        """Keep what comes in until it is known whether it is audited; who is answered already is not waited for."""
        try:
            message = await self._receive()
        except Problem:
            if self.status:
                return {"type": "http.disconnect"}
            raise
        if message["type"] == "http.request":
            self.parts.append(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Let the answer out."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.door.metrics.answers.labels(self.route, str(self.status)).inc()
            message["headers"] = [
                *message["headers"],
                *self.door.guards,
                (b"x-request-id", self.id.encode()),
                *self._told(),
            ]
            if self._is_audited():
                await self._audit()
            if logs.REQUESTS.isEnabledFor(logs.INFO):
                logs.asked(self.facts(self.status))
        await self._send(message)

    def _told(self) -> list[tuple[bytes, bytes]]:
        told = self.scope.get(TOLD)
        return [(name.lower().encode(), value.encode()) for name, value in told.items()] if told else []

    def _is_audited(self) -> bool:
        """Say whether it goes into the audit log: what was changed or may not be, all about a person, tries to log in.

        Not what nobody was let in for, or was told to wait: it changes nothing, and could fill the disk.
        """
        needed = self.scope.get(NEEDED)
        if needed == "login":
            return self.status != 429
        changes = self.scope["method"] not in SAFE or self.route in DISCLOSURES
        return needed == "manage" and changes and ASKER in self.scope

    async def _audit(self) -> None:
        """Put it into the audit log; where that fails, the answer says what is so, and the log of faults why."""
        asker = self.scope.get(ASKER)
        try:
            body = "" if self.scope[NEEDED] == "login" else self.door.admission.digest(self.parts)
            act = Act(asker.id if asker else "nobody", f"{self.scope['method']} {self.route}", self._object(),
                      str(self.status), body)  # fmt: skip
            await to_thread.run_sync(self.door.admission.audit.append, self.door.admission.now(), act)
        except LeadlightError as error:
            self.door.metrics.unaudited.inc()
            logs.fault("audit", error, self.facts(self.status))

    def _object(self) -> str:
        """Return what was changed, where that names nobody."""
        if OBJECT in self.scope:
            return str(self.scope[OBJECT])[:100]
        if not self.route.startswith(NAMELESS):
            return "a lead" if self.scope.get("path_params") else ""
        named = " ".join(str(value) for value in self.scope.get("path_params", {}).values())
        return named if re.fullmatch(r"[\w. -]{1,100}", named, re.ASCII) else ""

    def facts(self, status: int) -> dict[str, Any]:
        """Return what is logged of it."""
        return {"request": self.id, "method": self.scope["method"], "route": self.route, "status": status,
                "ms": round((time.perf_counter() - self.began) * 1000, 2), "key": self.key}  # fmt: skip

    @property
    def key(self) -> str | None:
        """The id of who was let in."""
        asker = self.scope.get(ASKER)
        return asker.id if asker else None


def _proofs(scope: Scope) -> tuple[bytes, bytes]:
    """Return what a request shows: its authorization, and its cookies. Raises Problem 431 where it shows too much."""
    size, shown, cookie = 0, b"", b""
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        if name == b"authorization":
            shown = value
        elif name == b"cookie":
            cookie = value
    if size > MAX_HEADERS:
        raise Problem(431, f"the headers are larger than {MAX_HEADERS // 1024} KB")
    return shown, cookie


def _is_token(authorization: bytes) -> bool:
    """Say whether a header brings a signed token and not a key."""
    return (
        authorization[:7].lower() == b"bearer " and authorization.count(b".") == 2 and b"ll_" not in authorization[:10]
    )


def person_id(issuer: Issuer, claims: dict[str, Any]) -> str:
    """Return the id of somebody that an issuer knows: the same every time, and no name."""
    known_as = f"{issuer.spec.issuer}\0{claims['sub']}".encode()
    return f"person:{hmac.digest(b'leadlight', known_as, 'sha256').hex()[:16]}"


def _is_proven(scope: Scope, session: Session) -> bool:
    """Say whether a change was asked for by a page of ours: it shows the session's proof, and comes from here."""
    headers = {name: value for name, value in scope["headers"] if name in (b"x-csrf-token", b"origin", b"host")}
    if not hmac.compare_digest(headers.get(b"x-csrf-token", b""), session.proof.encode()):
        return False
    return is_from_here(scope)


def is_from_here(scope: Scope) -> bool:
    """Say whether a browser sent this from a page of ours, as far as it says where it is from.

    `Sec-Fetch-Site` is the browser's own word, sent over https and on this machine; else `Origin` has to be ours.
    """
    headers: dict[bytes, bytes] = {
        name: value for name, value in scope["headers"] if name in (b"origin", b"host", b"sec-fetch-site")
    }
    site = headers.get(b"sec-fetch-site", b"none")
    if site != b"none":
        return site == b"same-origin"
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin.decode("latin-1")).netloc == headers.get(b"host", b"").decode("latin-1")
