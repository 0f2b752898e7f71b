"""The server that knows who people are (OpenID Connect Core 1.0): asking it, and believing what it has signed only.

Login is the authorization code flow with PKCE (RFC 7636), state and nonce. Tokens are believed when their signature is
by a key of the issuer, looked up there, in one of a few asymmetric algorithms; and when issuer, audience and times are
right. What a token's header says of keys is never followed.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from leadlight.errors import LeadlightError
from leadlight.spec.service import OidcSpec, web_address
from leadlight.spec.variables import expand

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""None of them takes a shared secret: a public key is no use to sign with."""
LEEWAY = 60
"""Seconds that clocks may differ by."""
TIMEOUT = 10.0
KEEP, AGAIN = 3600.0, 30.0
"""Seconds for which what the issuer says of itself is good; and after which it is asked again for a key not known."""
MAX_TOKEN = 16 * 1024


class IssuerError(LeadlightError):
    """The issuer cannot be asked, or says what makes no sense."""


class TokenError(LeadlightError):
    """A token that is not believed."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A login that has begun: what must come back, and what proves that it was begun here."""

    state: str
    nonce: str
    verifier: str
    then: str
    """Where to go afterwards."""

    def as_dict(self) -> dict[str, str]:
        """Return it as plain JSON values."""
        return asdict(self)


def begun(then: str) -> Pending:
    """Return a login that begins now."""
    return Pending(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), then)


class Issuer:
    """An issuer, and what it said of itself."""

    def __init__(self, spec: OidcSpec, *, now: Callable[[], datetime], clock: Callable[[], float] = time.monotonic):
        """`clock` counts seconds, for how long what was asked is kept."""
        self.spec, self.now, self.clock = spec, now, clock
        self._about: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._about_at = self._keys_at = float("-inf")
        self._lock = threading.Lock()

    # ------------------------------------------------------------------------------------------------------ asking

    def about(self) -> Mapping[str, Any]:
        """Return what the issuer says of itself. Raises IssuerError."""
        if self.clock() - self._about_at > KEEP:
            said = _asked("GET", f"{self.spec.issuer.rstrip('/')}/.well-known/openid-configuration")
            if said.get("issuer") != self.spec.issuer:
                raise IssuerError(f"the server at {self.spec.issuer} calls itself {str(said.get('issuer'))[:200]!r}",
                                  fix="Write under `issuer:` what it calls itself, to the letter.")  # fmt: skip
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _check_endpoint(name, said.get(name))
            self._about, self._about_at = said, self.clock()
        return self._about

    def _key_set(self, *, since: float) -> KeySet:
        """Return the keys that the issuer signs with, no older than so many seconds."""
        with self._lock:
            if self._keys is None or self.clock() - self._keys_at > since:
                said = _asked("GET", self.about()["jwks_uri"])
                self._keys, self._keys_at = _public(said), self.clock()
            return self._keys

    def login_page(self, pending: Pending, back: str) -> str:
        """Return the address at the issuer to send somebody to."""
        scopes = " ".join(dict.fromkeys(["openid", *self.spec.scopes]))
        query = {
            "response_type": "code", "client_id": self.spec.client_id, "redirect_uri": back, "scope": scopes,
            "state": pending.state, "nonce": pending.nonce, "code_challenge_method": "S256",
            "code_challenge": create_s256_code_challenge(pending.verifier),
        }  # fmt: skip
        page = str(self.about()["authorization_endpoint"])
        return f"{page}{'&' if '?' in page else '?'}{urlencode(query)}"

    def finish(self, code: str, pending: Pending, back: str) -> dict[str, Any]:
        """Return what the issuer says of who has logged in, for the code that they brought.

        Raises IssuerError, TokenError.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back,
                "code_verifier": pending.verifier, "client_id": self.spec.client_id}  # fmt: skip
        more = (
            {} if self.spec.client_secret is None else self._proven(form, expand(self.spec.client_secret, os.environ))
        )
        said = _asked("POST", self.about()["token_endpoint"], data=form, **more)
        token = said.get("id_token")
        if not isinstance(token, str):
            raise IssuerError("the issuer gave no id_token")
        return self._of_login(token, pending.nonce)

    def _proven(self, form: dict[str, str], secret: str) -> dict[str, Any]:
        """Return how to show the issuer that this is the service it knows: in the form where it says that it may be.

        (Servers differ in how they read odd characters of a secret in the header.)
        """
        if "client_secret_post" in self.about().get("token_endpoint_auth_methods_supported", ()):
            form["client_secret"] = secret
            return {}
        return {"auth": (self.spec.client_id, secret)}

    # --------------------------------------------------------------------------------------------------- believing

    def _of_login(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of a token that was given to this service for this login."""
        header, claims = self._believed(token, self.spec.client_id)
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise TokenError("the token belongs to another login")
        if str(header.get("typ", "JWT")).lower() not in ("jwt", "application/jwt"):
            raise TokenError("the token is not one to log in with")
        audience = claims["aud"]
        party = claims.get("azp", None if isinstance(audience, list) and len(audience) > 1 else self.spec.client_id)
        if party != self.spec.client_id:
            raise TokenError("the token was given to another service")
        return claims

    def of_machine(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that a machine shows. Raises IssuerError, TokenError."""
        if self.spec.audience is None:
            raise TokenError("tokens are not accepted here")
        _, claims = self._believed(token, self.spec.audience)
        if "nonce" in claims:
            raise TokenError("a token to log in with is not accepted here")
        return claims

    def _believed(self, token: str, audience: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return header and claims of a token that the issuer has signed for an audience, and that is good now."""
        if len(token) > MAX_TOKEN or not token.isascii():
            raise TokenError("the token is too large, or none")
        try:
            found = jwt.decode(token, self._keys_for(token), algorithms=list(ALGORITHMS))
            moment = int(self.now().replace(tzinfo=UTC).timestamp())
            jwt.JWTClaimsRegistry(
                now=moment, leeway=LEEWAY, exp={"essential": True}, iat={"essential": True}, sub={"essential": True},
                iss={"essential": True, "value": self.spec.issuer}, aud={"essential": True, "value": audience},
            ).validate(found.claims)  # fmt: skip
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise TokenError(f"the token is not believed: {type(error).__name__}") from None
        return dict(found.header), dict(found.claims)

    def _keys_for(self, token: str) -> KeySet:
        """Return the issuer's keys, asked for again where the token names one that is not among them."""
        name = jws.extract_compact(token.encode()).headers().get("kid")
        keys = self._key_set(since=KEEP)
        if name is not None and all(key.kid != name for key in keys):
            keys = self._key_set(since=AGAIN)
        return keys


def _public(said: Mapping[str, Any]) -> KeySet:
    """Return the keys of a set that are for signatures, and are no shared secrets."""
    listed = said.get("keys")
    fit = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"
    ]
    try:
        return KeySet.import_key_set({"keys": fit})
    except (JoseError, ValueError, TypeError, KeyError):
        raise IssuerError("the issuer has no keys that can be used") from None


def _check_endpoint(name: str, address: object) -> None:
    try:
        if not isinstance(address, str):
            raise ValueError("none")
        web_address(address.partition("?")[0])
    except ValueError:
        raise IssuerError(f"the issuer names no {name} that could be used") from None


def _asked(method: str, address: str, **more: Any) -> dict[str, Any]:
    """Ask the issuer something, and return its JSON. Raises IssuerError; nothing that was sent is said in it."""
    try:
        # Over http, which is this machine alone, no certificates are read: that takes longer than the question.
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False, verify=address.startswith("https:")) as client:
            answer = client.request(method, address, headers={"Accept": "application/json"}, **more)
        said = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError) as error:
        raise IssuerError(f"the issuer cannot be asked: {type(error).__name__}") from None
    if not isinstance(said, dict):
        raise IssuerError(f"the issuer answered {answer.status_code} to {method} {address.partition('?')[0][:200]}")
    return said


# ------------------------------------------------------------------------------------------------------------ roles


def scopes_of(claims: Mapping[str, Any], spec: OidcSpec) -> tuple[str, ...]:
    """Return what somebody may by what the issuer says of them; nothing where no role is theirs.

    >>> told = {"issuer": "https://a.example", "client_id": "x", "roles": [
    ...     {"claim": "groups", "has": "sales", "may": ["read"]}, {"email_domain": "acme.example", "may": ["read"]}]}
    >>> spec = OidcSpec.model_validate(told)
    >>> scopes_of({"groups": ["sales", "all"]}, spec), scopes_of({"email": "a@acme.example"}, spec)
    (('read',), ())
    >>> scopes_of({"email": "a@acme.example", "email_verified": True}, spec)
    ('read',)
    """
    found = [
        scope for role in spec.roles if _has(claims, role.claim, role.has, role.email_domain) for scope in role.may
    ]
    return tuple(dict.fromkeys(found))


def _has(claims: Mapping[str, Any], claim: str | None, has: str | None, domain: str | None) -> bool:
    if domain is not None:
        email = claims.get("email")
        if claims.get("email_verified") is not True or not isinstance(email, str):
            return False
        return email.rpartition("@")[2].lower() == domain.lower()
    said = claims.get(claim or "")
    values = said if isinstance(said, list) else str(said).split() if claim == "scope" else [said]
    return has in values
