"""What leadlight.yaml says of an API: how requests are signed, where records are, and how pages follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from leadlight.connect.auth import Basic, Bearer, Key, OAuth2
from leadlight.connect.http import Sign, Way
from leadlight.connect.protocol import About, Limits, Secret, Settings
from leadlight.errors import UsageError
from leadlight.expr.types import Type

PAGE = 1_000

ABOUT = About(
    name="rest",
    title="REST API",
    secrets=(
        Secret("token", "LEADLIGHT_REST_TOKEN", "the API's key or token (sign: bearer, header, query)", needed=False),
        Secret("user", "LEADLIGHT_REST_USER", "the user's name (sign: basic)", needed=False),
        Secret("password", "LEADLIGHT_REST_PASSWORD", "the user's password (sign: basic)", needed=False),
        Secret("client_id", "LEADLIGHT_REST_CLIENT_ID", "the client's id (sign: oauth2)", needed=False),
        Secret("client_secret", "LEADLIGHT_REST_CLIENT_SECRET", "the client's secret (sign: oauth2)", needed=False),
    ),
    limits=Limits(per_second=5, page=PAGE),
    documentation="https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic",
    writes=False,
)

Kind = Literal["text", "number", "bool", "time"]
SinceFormat = Literal["iso", "date", "unix", "unix_ms"]


class SignSettings(BaseModel):
    """How requests are signed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["nothing", "bearer", "header", "query", "basic", "oauth2"] = Field(
        "bearer", description="what signs: nothing, bearer, header, query, basic, oauth2"
    )
    name: str | None = Field(None, description="the header's or the parameter's name (X-Api-Key, api_key)")
    token_url: str | None = Field(None, description="where tokens are got (oauth2, client credentials)")
    scope: str | None = Field(None, description="what the token shall be allowed (oauth2)")


class EndpointSettings(BaseModel):
    """An endpoint that lists records."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = Field(None, description="the path behind `url`; the endpoint's own name unless told")
    params: dict[str, str | int | float | bool] = Field(default_factory=dict, description="what stands in the query")
    records: str | None = Field(None, description="where in the answer the list is, as JSONPath: data.items")
    paginator: str | dict[str, Any] | None = Field(None, description="how pages follow each other, in dlt's words")
    id: str = Field("id", description="the field that tells records apart")
    created_at: str | None = Field(None, description="the field that says when a record came to exist")
    modified_at: str | None = Field(None, description="the field that says when a record last changed")
    deleted: str | None = Field(None, description="the field that is true (or a time) for records that are deleted")
    since: str | None = Field(None, description="the parameter that asks for what changed since; without it, all")
    since_format: SinceFormat = Field("iso", description="how that says times: iso, date, unix, unix_ms")
    ordered: bool = Field(False, description="whether the oldest change comes first, so that a kill costs less")
    fields: dict[str, Kind] = Field(
        default_factory=dict, description="fields and their types; those of the first page unless told"
    )


class RestSettings(Settings):
    """Settings of rest."""

    url: str = Field(description="where the API is: https://shop.example/api/v1")
    sign: SignSettings = Field(default_factory=SignSettings, description="how requests are signed; bearer unless told")
    headers: dict[str, str] = Field(default_factory=dict, description="headers of every request; no secrets")
    paginator: str | dict[str, Any] = Field(
        "auto", description="how pages follow each other: {type: page_number, base_page: 1, total_path: null} …"
    )
    overlap_seconds: int = Field(300, ge=0, description="so far back is asked again, since changes may come late")
    endpoints: dict[str, EndpointSettings] = Field(
        default_factory=dict, description="name → where and how: {customers: {records: data, since: updated_after}}"
    )


def way_of(settings: RestSettings, secrets: Mapping[str, str]) -> Way:
    """Return where the API is and how requests are signed. Raises UsageError naming secrets that are missing."""
    sign, told = settings.sign, settings.sign.token_url
    hosts = (urlsplit(told).netloc,) if told and "://" in told else ()
    params = {}
    if sign.by == "query":
        params = {sign.name or "api_key": _secret(secrets, "token")}
    return Way(settings.url, _sign(settings, secrets), hosts=hosts, headers=settings.headers, params=params)


def kind_of(kind: Kind) -> Type:
    """Return a type by its word."""
    return Type(kind)


def _sign(settings: RestSettings, secrets: Mapping[str, str]) -> Sign:
    sign = settings.sign
    if sign.by == "bearer":
        return Bearer(_secret(secrets, "token"))
    if sign.by == "header":
        return Key(sign.name or "X-Api-Key", _secret(secrets, "token"))
    if sign.by == "basic":
        return Basic(_secret(secrets, "user"), _secret(secrets, "password"))
    if sign.by == "oauth2":
        if sign.token_url is None:
            raise UsageError(
                "sign: oauth2 needs `token_url`", fix="Write where tokens are got: `token_url: https://…`."
            )
        return OAuth2(
            sign.token_url,
            "client_credentials",
            client_id=_secret(secrets, "client_id"),
            client_secret=_secret(secrets, "client_secret"),
            more={"scope": sign.scope} if sign.scope else None,
            fix="Look at client_id and client_secret (LEADLIGHT_REST_CLIENT_ID, LEADLIGHT_REST_CLIENT_SECRET).",
        )
    return Key("Accept", "application/json")


def _secret(secrets: Mapping[str, str], name: str) -> str:
    if name in secrets:
        return secrets[name]
    secret = next(one for one in ABOUT.secrets if one.name == name)
    raise UsageError(
        f"the connection wants {secret.variable} in the environment", fix=f"{secret.variable}: {secret.where}"
    )
