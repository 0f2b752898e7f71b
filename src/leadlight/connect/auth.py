"""How requests are signed: a token, a key, a name and password, OAuth 2, or a sign-in of the vendor's own."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from leadlight.connect.pace import Clock
from leadlight.connect.refusals import said
from leadlight.connect.secrets import without
from leadlight.connect.way import Answer
from leadlight.errors import RemoteError

Ask = Callable[..., Answer]

SKEW = timedelta(seconds=60)
"""How long before its end a token counts as run out: clocks differ, and requests take time."""
UNAUTHORIZED = 401
REFUSED = (400, UNAUTHORIZED, 403)


@dataclass(frozen=True, slots=True)
class Key:
    """A header of a fixed value: `Key("x-api-token", token)`. (In a query: `Way.params`.)"""

    name: str
    value: str = field(repr=False)

    def headers(self, _: Ask) -> Mapping[str, str]:
        """Return that header."""
        return {self.name: self.value}

    def expired(self, _: Answer) -> bool:
        """Say no: there is no other to be got."""
        return False

    def forget(self) -> None:
        """Keep it."""


def Bearer(token: str) -> Key:  # noqa: N802 - reads as one of the kinds of signing
    """Return the signing by a token that does not run out.

    >>> dict(Bearer("abc").headers(None))
    {'Authorization': 'Bearer abc'}
    """
    return Key("Authorization", f"Bearer {token}")


def Basic(user: str, password: str) -> Key:  # noqa: N802
    """Return the signing by a name and a password (or a key in one's place).

    >>> dict(Basic("anystring", "key").headers(None))
    {'Authorization': 'Basic YW55c3RyaW5nOmtleQ=='}
    """
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Key("Authorization", f"Basic {pair}")


class SignIn:
    """A session: `start` signs in and returns the headers that sign; when they are refused, it is started again.

    `start` takes `ask`, makes what requests it needs, and raises RemoteError where it is not let in. `over` says
    whether an answer means that the session has ended; usually 401 does.
    """

    def __init__(
        self, start: Callable[[Ask], Mapping[str, str]], *, over: Callable[[Answer], bool] | None = None
    ) -> None:
        self._start, self._over = start, over
        self._headers: Mapping[str, str] | None = None

    def headers(self, ask: Ask) -> Mapping[str, str]:
        """Return the headers of the session, signing in where there is none. Raises RemoteError."""
        if self._headers is None:
            self._headers = self._start(ask)
        return self._headers

    def expired(self, answer: Answer) -> bool:
        """Say whether the session has ended."""
        return self._over(answer) if self._over is not None else answer.status == UNAUTHORIZED

    def forget(self) -> None:
        """End it on our side."""
        self._headers = None


class OAuth2:
    """OAuth 2: an access token, got by a refresh token, by the client itself, or by a name and a password.

    `url` is where tokens are got (a path, or a whole address on one of `Way.hosts`). A refresh token that the system
    replaces is used from then on as long as the process lives; `kept` is told, should the connector wish to keep it.
    `fix` says what to do in the vendor's settings where the system does not let us in.
    """

    def __init__(
        self,
        url: str,
        grant: Literal["refresh_token", "client_credentials", "password"],
        *,
        fix: str,
        client_id: str = "",
        client_secret: str = "",
        refresh_token: str = "",
        username: str = "",
        password: str = "",
        basic: bool = False,
        query: bool = False,
        more: Mapping[str, str] | None = None,
        scheme: str = "Bearer",
        over: Callable[[Answer], bool] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`basic`: the client signs by a header, not in the form; `query`: all stands in the query of a GET.

        `more` are further fields (`scope`, `resource`); `scheme` is the word before the token (`Zoho-oauthtoken`).
        """
        self._url, self._fix, self._scheme, self._basic, self._query = url, fix, scheme, basic, query
        self._client_id, self._client_secret = client_id, client_secret
        self._over, self._clock = over, clock or Clock()
        form = {"grant_type": grant, **(more or {})}
        if grant == "refresh_token":
            form["refresh_token"] = refresh_token
        elif grant == "password":
            form |= {"username": username, "password": password}
        if client_id and not basic:
            form |= {"client_id": client_id} | ({"client_secret": client_secret} if client_secret else {})
        self._form = form
        self._headers: Mapping[str, str] | None = None
        self._until: float | None = None

    def headers(self, ask: Ask) -> Mapping[str, str]:
        """Return the header that signs; a token is got where there is none, or it has nearly run out.

        Raises RemoteError (sign_in) where none is given.
        """
        if self._headers is None or (self._until is not None and self._clock.monotonic() >= self._until):
            self._headers = {"Authorization": f"{self._scheme} {self._token(ask)}"}
        return self._headers

    def expired(self, answer: Answer) -> bool:
        """Say whether the token was refused: 401 unless the vendor says it otherwise."""
        return self._over(answer) if self._over is not None else answer.status == UNAUTHORIZED

    def forget(self) -> None:
        """Drop the token, so that the next request gets another."""
        self._headers = None

    def _token(self, ask: Ask) -> str:
        headers = Basic(self._client_id, self._client_secret).headers(ask) if self._basic else {}
        how: dict[str, Any] = {"params": self._form} if self._query else {"form": self._form}
        answer = ask("GET" if self._query else "POST", self._url, headers=headers, expect=REFUSED, **how)
        told = answer.json() if answer.status not in REFUSED else None
        token = told.get("access_token") if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(token, str) or not token:
            own = said(answer)
            message = "does not let us in" + (f": {own}" if own else "")
            error = RemoteError(answer.system, "sign_in", message, fix=self._fix, status=answer.status)
            secret = {self._client_secret, *(self._form.get(name, "") for name in ("refresh_token", "password"))}
            raise without(error, secret - {""})
        if isinstance(told.get("refresh_token"), str) and "refresh_token" in self._form:
            self._form["refresh_token"] = told["refresh_token"]
        self._until = self._ends(told.get("expires_in"))
        return token

    def _ends(self, seconds: Any) -> float | None:
        try:
            lasts = float(seconds)
        except (TypeError, ValueError):
            return None
        return self._clock.monotonic() + max(lasts - SKEW.total_seconds(), lasts / 2)
