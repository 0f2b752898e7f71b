"""Logging in and out: with a password, or with the issuer that leadlight.yaml names; and who is logged in."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, quote

import orjson
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from leadlight.errors import UsageError
from leadlight.service import login_pages
from leadlight.service.access import ASKER, NEEDED, PERSON, allowed, too_often
from leadlight.service.bodies import read_body
from leadlight.service.door import SESSION, is_from_here, person_id
from leadlight.service.keys import Key
from leadlight.service.oidc import IssuerError, Pending, TokenError, begun, scopes_of
from leadlight.service.operation import TEXT, Answer, Body, Operation, Parameter
from leadlight.service.problems import Problem
from leadlight.service.sessions import Session
from leadlight.service.state import State

MAX_FORM = 8 * 1024
PAGE = Body({"text/html": TEXT})
PENDING = "leadlight_login"
"""The cookie of a login that has begun at the issuer."""
SAFE_NEXT = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}")
"""A path of this service: no other host, no backslash, nothing that breaks a header."""


class Me(Answer):
    """Who asks, and what they may; `csrf` is what changes need in the header X-CSRF-Token."""

    id: str
    name: str
    scopes: list[str]
    csrf: str | None = None


_NEXT = Parameter("next", "where to go afterwards: a path of this service", example="/v1/docs")
_TOKEN = Parameter("token", "the token of the link that the service, or `leadlight keys link`, has shown", TEXT)
_BACK = (Parameter("code", "what the issuer gave"), Parameter("state", "what was sent to it"))

OPERATIONS = (
    Operation("GET", "/", "Who is logged in, and where things are", response=PAGE),
    Operation("GET", "/login", "The page to log in on", parameters=(_NEXT,), response=PAGE),
    Operation("POST", "/login", "Log in with a password", about="A form with `name`, `password` and `next`.",
              response=PAGE, status=303, refusals=(403, 429)),
    Operation("GET", "/login/oidc", "Go to the issuer to log in", parameters=(_NEXT,), status=303, refusals=(404, 503)),
    Operation("GET", "/login/callback", "Come back from the issuer", parameters=_BACK, response=PAGE, status=303,
              refusals=(403, 404)),
    Operation("GET", "/login/first", "The page to set the first password on", parameters=(_TOKEN,), response=PAGE,
              refusals=(403,)),
    Operation("POST", "/login/first", "Set the first password", about="A form with `token` and `password`.",
              response=PAGE, status=303, refusals=(403, 429)),
    Operation("POST", "/logout", "Log out", about="A form with `csrf`, that of /v1/me.", status=303, refusals=(403,)),
    Operation("GET", "/v1/me", "Who asks, and what they may", scope="any", response=Me),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes by which people come and go."""
    found = _Login(state)
    return [
        Route("/", found.home, methods=["GET"]),
        Route("/login", found.page, methods=["GET"]),
        Route("/login", found.password, methods=["POST"]),
        Route("/login/oidc", found.leave, methods=["GET"]),
        Route("/login/callback", found.back, methods=["GET"]),
        Route("/login/first", found.first_page, methods=["GET"]),
        Route("/login/first", found.first, methods=["POST"]),
        Route("/logout", found.logout, methods=["POST"]),
        Route("/v1/me", found.me, methods=["GET"]),
    ]


class _Login:
    """The routes, over who may."""

    def __init__(self, state: State) -> None:
        self.admission, self.issuer = state.admission, state.admission.issuer
        self._used: dict[str, None] = {}
        """States of logins that have come back: each does once."""

    async def home(self, request: Request) -> Response:
        """Say who is logged in, and where things are."""
        session: Session | None = request.scope.get(SESSION)
        if session is None:
            return login_pages.home(None, (), "")
        return login_pages.home(session.person.name, session.person.scopes, session.proof)

    async def me(self, request: Request) -> Response:
        """Say who asks, and what they may."""
        session: Session | None = request.scope.get(SESSION)
        who: Key = request.scope.get(PERSON) or allowed(self.admission.keys, request, "any")
        content = {"id": who.id, "name": who.name, "scopes": who.scopes, "csrf": session.proof if session else None}
        return Response(orjson.dumps(content), 200, {"Cache-Control": "no-store"}, "application/json")

    async def page(self, request: Request) -> Response:
        """Show the ways to log in."""
        return self._page(_next(request.query_params.get("next")))

    def _page(self, then: str, *, fault: str = "", status: int = 200) -> Response:
        issuer = self.issuer.spec.issuer if self.issuer else None
        known = self.admission.people.any
        return login_pages.login(quote(then, safe="/?&=%"), password=known, issuer=issuer, fault=fault, status=status)

    # ---------------------------------------------------------------------------------------------------- password

    async def password(self, request: Request) -> Response:
        """Log in with a name and a password."""
        form = await self._form(request)
        where = self._patient(request)
        found = await to_thread.run_sync(self.admission.people.who, form.get("name", ""), form.get("password", ""))
        if found is None:
            self.admission.keys.misses.note(where)
            return self._page(_next(form.get("next")), fault="There is nobody of that name and password.", status=403)
        self.admission.keys.misses.forgive(where)
        return self._in(request, found.key, _next(form.get("next")), version=found.version)

    async def first_page(self, request: Request) -> Response:
        """Show the form for the first password."""
        token = request.query_params.get("token", "")
        where = self._patient(request)
        if not await to_thread.run_sync(self.admission.people.is_link, token):
            self.admission.keys.misses.note(where)
            return login_pages.sorry("Set a password", LINK_IS_NONE, 403)
        return login_pages.first(token)

    async def first(self, request: Request) -> Response:
        """Set the first password, and log in."""
        form = await self._form(request)
        where, token = self._patient(request), form.get("token", "")
        try:
            made = await to_thread.run_sync(self.admission.people.set_by_link, token, form.get("password", ""))
        except UsageError as error:
            return login_pages.first(token, fault=error.message, status=400)
        if made is None:
            self.admission.keys.misses.note(where)
            return login_pages.sorry("Set a password", LINK_IS_NONE, 403)
        return self._in(request, made.key, "/", version=made.version)

    async def _form(self, request: Request) -> Mapping[str, str]:
        """Return what a page of ours sent."""
        request.scope[NEEDED] = "login"
        if not is_from_here(request.scope):
            raise Problem(403, "this comes from a page of somebody else")
        body = (await read_body(request, MAX_FORM)).decode("utf-8", "replace")
        try:
            found = parse_qs(body, max_num_fields=10, errors="replace")
        except ValueError:
            raise Problem(400, "a form with more fields than it has here") from None
        return {name: values[0] for name, values in found.items()}

    def _patient(self, request: Request) -> str:
        """Return where a request is from. Raises Problem 429 where too many wrong ones came from there."""
        where = request.client.host if request.client else ""
        if wait := self.admission.keys.misses.wait(where):
            raise too_often(wait)
        return where

    # ------------------------------------------------------------------------------------------------------ issuer

    async def leave(self, request: Request) -> Response:
        """Go to the issuer."""
        if self.issuer is None:
            raise Problem(404, "leadlight.yaml names no issuer to log in with")
        pending = begun(_next(request.query_params.get("next")))
        try:
            there = await to_thread.run_sync(self.issuer.login_page, pending, self._back(request))
        except IssuerError as error:
            raise Problem(503, error.message, headers={"Retry-After": "5"}) from None
        answer = RedirectResponse(there, 303, {"Cache-Control": "no-store"})
        self._set(request, answer, PENDING, self.admission.sessions.seal("login", pending.as_dict()), 600)
        return answer

    async def back(self, request: Request) -> Response:
        """Come back from the issuer."""
        request.scope[NEEDED] = "login"
        if self.issuer is None:
            raise Problem(404, "leadlight.yaml names no issuer to log in with")
        pending, code = self._pending(request), request.query_params.get("code", "")
        if pending is None or not code:
            return login_pages.sorry("Log in", "This login was not begun here, or it took too long.", 403)
        try:
            claims = await to_thread.run_sync(self.issuer.finish, code, pending, self._back(request))
        except (IssuerError, TokenError) as error:
            return login_pages.sorry("Log in", f"It did not work: {error.message}", 403)
        scopes = scopes_of(claims, self.issuer.spec)
        who = Key(person_id(self.issuer, claims), _name(claims), scopes, "", "")
        request.scope[ASKER] = who
        if not scopes:
            return login_pages.sorry("Log in", "You have no role here: ask who keeps leadlight.yaml.", 403)
        answer = self._in(request, who, pending.then)
        answer.delete_cookie(PENDING, path="/login")
        return answer

    def _pending(self, request: Request) -> Pending | None:
        """Return the login that this browser has begun here, once."""
        found = self.admission.sessions.unseal("login", request.cookies.get(PENDING, ""))
        shown = request.query_params.get("state", "").encode()
        if found is None or not hmac.compare_digest(found["state"].encode(), shown) or found["state"] in self._used:
            return None
        self._used[found["state"]] = None
        while len(self._used) > 10_000:
            del self._used[next(iter(self._used))]
        return Pending(found["state"], found["nonce"], found["verifier"], found["then"])

    def _back(self, request: Request) -> str:
        here = self.admission.spec.address or f"{request.url.scheme}://{request.url.netloc}"
        return f"{here}/login/callback"

    # ----------------------------------------------------------------------------------------------------- sessions

    def _in(self, request: Request, person: Key, then: str, *, version: str = "") -> Response:
        """Begin a session."""
        request.scope[NEEDED], request.scope[ASKER] = "login", person
        answer = RedirectResponse(then, 303, {"Cache-Control": "no-store"})
        sessions = self.admission.sessions
        self._set(request, answer, sessions.cookie, sessions.start(person, version=version), None)
        return answer

    async def logout(self, request: Request) -> Response:
        """End the session."""
        session: Session | None = request.scope.get(SESSION)
        form = await self._form(request)
        answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        if session is not None:
            request.scope[ASKER] = session.person
            if not hmac.compare_digest(form.get("csrf", "").encode(), session.proof.encode()):
                raise Problem(403, "this comes from a page of somebody else")
            await to_thread.run_sync(self.admission.sessions.end, session)
            answer.delete_cookie(self.admission.sessions.cookie)
        return answer

    def _set(self, request: Request, answer: Response, name: str, value: str, seconds: int | None) -> None:
        """Give the browser a cookie that no script reads and that no other site's form brings along."""
        secure = (self.admission.spec.address or str(request.url)).startswith("https:")
        path = "/login" if name == PENDING else "/"
        answer.set_cookie(name, value, max_age=seconds, path=path, secure=secure, httponly=True, samesite="lax")


LINK_IS_NONE = "This link is not good, or not any more. `leadlight keys link` makes another."


def _next(told: str | None) -> str:
    """Return where to go after a login: a path of this service, the first page for anything else.

    >>> [_next(told) for told in ("/v1/docs?a=b", "//evil.example", "https://evil.example", "/\\\\evil.example", None)]
    ['/v1/docs?a=b', '/', '/', '/', '/']
    """
    return told if told is not None and SAFE_NEXT.fullmatch(told) else "/"


def _name(claims: Mapping[str, object]) -> str:
    found = next((claims[name] for name in ("name", "email", "preferred_username") if claims.get(name)), "you")
    return str(found)[:100]
