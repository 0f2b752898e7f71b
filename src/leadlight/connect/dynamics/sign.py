"""How requests to Dataverse are signed: a token of Microsoft Entra for the app itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadlight.connect.auth import OAuth2
from leadlight.connect.dynamics.refusals import REGISTRATION, not_let_in
from leadlight.connect.http import Answer


class Token:
    """OAuth 2 by client credentials, in Microsoft's own words when it refuses."""

    def __init__(self, url: str, base: str, secrets: Mapping[str, str]) -> None:
        """`url` is where tokens are got, `base` the environment they are for."""
        self._oauth = OAuth2(
            url,
            "client_credentials",
            fix=f"Look at {REGISTRATION} > Overview and Certificates & secrets.",
            client_id=secrets.get("client_id", ""),
            client_secret=secrets.get("client_secret", ""),
            more={"scope": f"{base}/.default"},
        )

    def headers(self, ask: Callable[..., Answer]) -> Mapping[str, str]:
        """Return the header that signs. Raises RemoteError (sign_in) where no token is given."""

        def asked(*args: Any, **more: Any) -> Answer:
            answer = ask(*args, **more)
            refused = not_let_in(answer)
            if refused is not None:
                raise refused
            return answer

        return self._oauth.headers(asked)

    def expired(self, answer: Answer) -> bool:
        """Say whether the token has run out: after an hour or so."""
        return self._oauth.expired(answer)

    def forget(self) -> None:
        """Drop the token."""
        self._oauth.forget()
