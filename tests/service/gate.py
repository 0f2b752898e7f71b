"""The part of a service that says who may, without a store: keys, login, audit; a browser; and an issuer of our own."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette

from leadlight.service import audit_routes, key_routes, login_routes, people
from leadlight.service.admission import Admission, open_admission
from leadlight.service.app import behind_the_door
from leadlight.service.metrics import Metrics
from leadlight.service.state import State
from leadlight.workspace import utc_now


@dataclass
class Clock:
    """The real time, moved on by a test."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass
class Gate:
    """The application and what is behind it."""

    admission: Admission
    app: Starlette
    clock: Clock
    key: str

    def browser(self, host: str = "203.0.113.7") -> Browser:
        return Browser(self.app, host)


@dataclass
class Browser:
    """Somebody's browser: it keeps cookies, and follows nothing by itself."""

    app: Starlette
    host: str
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(self.host, 4711))
            address = "https://leads.example"
            async with httpx.AsyncClient(transport=transport, base_url=address, cookies=self.cookies) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        return asyncio.run(asked())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def send(self, path: str, **form: str) -> httpx.Response:
        return self.ask("POST", path, data=form)

    def log_in(self, gate: Gate, password: str = "a few words of mine") -> None:
        """Become the admin."""
        token = gate.admission.people.link().partition("token=")[2]
        assert self.send("/login/first", token=token, password=password).status_code == 303

    @property
    def me(self) -> Any:
        return self.get("/v1/me").json()


@contextmanager
def gate(folder: Path, spec: str = "") -> Iterator[Gate]:
    """Open the gate of a workspace; `spec` is its leadlight.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "leadlight.yaml").write_text(spec or "store: duckdb:leadlight.duckdb\n")
    clock = Clock()
    quick = mock.patch.dict(people.COST, {"n": 2**8})  # a password's hash is to take long, but not in tests
    with quick, open_admission(folder, now=clock, watch=False) as admission:
        state = cast(State, SimpleNamespace(admission=admission, keys=admission.keys, now=clock))
        routes = [route for module in (key_routes, login_routes, audit_routes) for route in module.routes(state)]
        key, _ = admission.keys.make("test", ["ingest", "read", "manage"])
        yield Gate(admission, behind_the_door(routes, admission, Metrics(lambda: 0)), clock, key)


OIDC = """
service:
  oidc:
    issuer: {issuer}
    client_id: leadlight
    audience: leadlight-api
    scopes: [openid, email, profile]
    roles:
      - {{claim: groups, has: lead-admins, may: [read, manage]}}
      - {{email_domain: acme.example, may: [read]}}
"""


@cache
def _signing() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}, private=True)


class Forger:
    """An issuer whose tokens a test makes, right or wrong."""

    def __init__(self) -> None:
        self.signing = _signing()
        self.published: list[dict[str, Any]] = [self.signing.as_dict(private=False)]
        self.asked: list[str] = []
        self.next_token = ""
        self.sent: dict[str, list[str]] = {}
        self.about: dict[str, Any] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.answer({"keys": outer.published} if self.path == "/jwks" else outer.document)

            def do_POST(self) -> None:
                outer.sent = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                self.answer({"id_token": outer.next_token, "access_token": "x", "token_type": "Bearer"})

            def answer(self, content: Any) -> None:
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.address, "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token", "jwks_uri": f"{self.address}/jwks", **self.about,
        }  # fmt: skip

    def claims(self, **other: Any) -> dict[str, Any]:
        """Claims that are right, but for what is told; None leaves one out."""
        now = int(time.time())
        right = {"iss": self.address, "aud": "leadlight-api", "sub": "robot", "iat": now, "exp": now + 300,
                 "groups": ["lead-admins"]}  # fmt: skip
        return {name: value for name, value in {**right, **other}.items() if value is not None}

    def token(self, claims: dict[str, Any], *, key: Any = None, **header: Any) -> str:
        signing = self.signing if key is None else key
        return jwt.encode({"alg": "RS256", "kid": "k1", **header}, claims, signing, algorithms=["RS256", "HS256"])

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def unsigned(claims: dict[str, Any], **header: Any) -> str:
    """A token that nobody has signed."""
    parts = [json.dumps({"alg": "none", **header}), json.dumps(claims)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
