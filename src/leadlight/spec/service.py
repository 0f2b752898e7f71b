"""What leadlight.yaml says about the service: how it is reached, and who may log in to it."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from leadlight.spec.base import Spec

Scope = Literal["read", "manage"]
"""What a person may: see scores and reasons; change things."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def web_address(text: str) -> str:
    """Return the address of a server without a slash at its end; http is for this machine alone.

    >>> web_address("https://login.acme.example/")
    'https://login.acme.example'

    Raises ValueError.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("write an address such as https://login.acme.example")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError(f"write https://{parts.hostname}…: over http anybody on the way could log in")
    return text.rstrip("/")


class RoleSpec(Spec):
    """Who may what: by a claim's value, or by the domain of an e-mail address that the issuer has verified."""

    claim: str | None = Field(None, min_length=1, max_length=200, description="the claim to look at, as in groups")
    has: str | None = Field(None, min_length=1, max_length=500, description="the value it is, or has among others")
    email_domain: str | None = Field(None, description="the domain of the person's verified e-mail address")
    may: list[Scope] = Field(min_length=1, description="read, manage")

    @model_validator(mode="after")
    def _check(self) -> RoleSpec:
        if (self.claim is None) != (self.has is None):
            raise ValueError("a role names a claim and what it has, as in {claim: groups, has: sales, may: [read]}")
        if (self.claim is None) == (self.email_domain is None):
            raise ValueError("a role is given by {claim, has} or by email_domain, one of them")
        return self

    @field_validator("email_domain")
    @classmethod
    def _check_domain(cls, told: str | None) -> str | None:
        if told is not None and not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", told):
            raise ValueError("write a domain, as in acme.example")
        return told


class OidcSpec(Spec):
    """The server that knows who people are (OpenID Connect), and what they may here."""

    issuer: str = Field(description="its address, as it stands in its tokens")
    client_id: str = Field(min_length=1, max_length=500, description="what it calls this service")
    client_secret: str | None = Field(None, description="${VARIABLE} with the secret that it gave; none for PKCE alone")
    audience: str | None = Field(
        None, min_length=1, description="machines' tokens of this audience are accepted; none without it"
    )
    scopes: list[str] = Field(
        default_factory=lambda: ["openid", "email"], description="what is asked of it; openid is always"
    )
    roles: list[RoleSpec] = Field(min_length=1, description="who may what; who has no role may nothing")

    @field_validator("issuer")
    @classmethod
    def _check_issuer(cls, told: str) -> str:
        web_address(told)
        return told

    @field_validator("client_secret")
    @classmethod
    def _check_secret(cls, told: str | None) -> str | None:
        if told is not None and not re.fullmatch(r"\$\{[A-Za-z_]\w*\}", told):
            raise ValueError("write ${NAME}, and set NAME in the environment: a secret has no place in this file")
        return told

    @model_validator(mode="after")
    def _check(self) -> OidcSpec:
        if self.audience == self.client_id:
            raise ValueError("audience is another than client_id: else a token to log in with would open the API too")
        return self


class ServiceSpec(Spec):
    """How `leadlight serve` is reached, and by whom."""

    address: str | None = Field(
        None, description="how people reach it where a proxy stands before it, as in https://leads.acme.example"
    )
    metrics: Literal["open", "key"] = Field("open", description="whether /metrics needs a key that may read")
    oidc: OidcSpec | None = Field(None, description="the server that people log in with")

    @field_validator("address")
    @classmethod
    def _check_address(cls, told: str | None) -> str | None:
        return None if told is None else web_address(told)
