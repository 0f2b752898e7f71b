"""How requests to an org are signed: a token by client credentials, or by a refresh token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from leadlight.connect.auth import OAuth2
from leadlight.connect.http import Answer
from leadlight.connect.salesforce.refusals import KEYS, not_let_in
from leadlight.connect.salesforce.soql import TITLE
from leadlight.errors import RemoteError

TOKEN = "/services/oauth2/token"
COMMON = frozenset({"login.salesforce.com", "test.salesforce.com"})
"""Addresses that sign everybody in, and hold nobody's records."""


class Token:
    """OAuth 2 as Salesforce has it: its own words when it refuses, and it tells where the org's records are."""

    def __init__(self, base: str, secrets: Mapping[str, str]) -> None:
        refresh = secrets.get("refresh_token", "")
        self._base = base
        self._oauth = OAuth2(
            TOKEN,
            "refresh_token" if refresh else "client_credentials",
            fix=KEYS,
            client_id=secrets.get("client_id", ""),
            client_secret=secrets.get("client_secret", ""),
            refresh_token=refresh,
        )

    def headers(self, ask: Callable[..., Answer]) -> Mapping[str, str]:
        """Return the header that signs. Raises RemoteError (sign_in) where no token is given."""

        def asked(*args: Any, **more: Any) -> Answer:
            answer = ask(*args, **more)
            refused = not_let_in(answer)
            if refused is not None:
                raise refused
            self._look_where(answer)
            return answer

        return self._oauth.headers(asked)

    def expired(self, answer: Answer) -> bool:
        """Say whether the session has ended: it does after hours without use, and whenever somebody ends it."""
        return self._oauth.expired(answer)

    def forget(self) -> None:
        """Drop the token."""
        self._oauth.forget()

    def _look_where(self, answer: Answer) -> None:
        """Refuse to go on where the address signs in only: the records are elsewhere, and tokens go nowhere unasked."""
        told = answer.json()
        where = told.get("instance_url") if isinstance(told, dict) else None
        if urlsplit(self._base).hostname in COMMON and isinstance(where, str):
            host = urlsplit(where).hostname or "COMPANY.my.salesforce.com"
            message = f"the org's records are at {host}, and not where it signs in"
            raise RemoteError(TITLE, "sign_in", message, fix=f"Write `url: https://{host}` into the connection.")
