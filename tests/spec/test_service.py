from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from leadlight.spec.service import OidcSpec, ServiceSpec

OIDC: dict[str, Any] = {
    "issuer": "https://login.acme.example", "client_id": "leadlight", "client_secret": "${SECRET}",
    "roles": [{"claim": "groups", "has": "sales", "may": ["read"]}],
}  # fmt: skip


def test_what_is_right_is_taken() -> None:
    told = {"address": "https://leads.acme.example/", "metrics": "key", "oidc": {**OIDC, "audience": "api"}}
    spec = ServiceSpec.model_validate(told)
    assert spec.address == "https://leads.acme.example"
    assert spec.oidc is not None
    assert spec.oidc.scopes == ["openid", "email"]
    assert OidcSpec.model_validate({**OIDC, "issuer": "http://127.0.0.1:9000"}).issuer == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "http://login.acme.example"}, "over http anybody on the way could log in"),
        ({"issuer": "login.acme.example"}, "write an address such as"),
        ({"issuer": "https://a:b@login.acme.example"}, "write an address such as"),
        ({"issuer": "https://login.acme.example?x=1"}, "write an address such as"),
        ({"client_secret": "s3cret"}, "a secret has no place in this file"),
        ({"audience": "leadlight"}, "audience is another than client_id"),
        ({"roles": []}, "at least 1 item"),
        ({"roles": [{"may": ["read"]}]}, "one of them"),
        ({"roles": [{"claim": "groups", "may": ["read"]}]}, "names a claim and what it has"),
        ({"roles": [{"claim": "a", "has": "b", "email_domain": "acme.example", "may": ["read"]}]}, "one of them"),
        ({"roles": [{"email_domain": "@acme", "may": ["read"]}]}, "write a domain"),
        ({"roles": [{"email_domain": "acme.example", "may": ["ingest"]}]}, "'read' or 'manage'"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ServiceSpec.model_validate({"oidc": {**OIDC, **change}})


def test_an_address_over_http_is_this_machines() -> None:
    with pytest.raises(ValidationError, match="https://leads"):
        ServiceSpec.model_validate({"address": "http://leads.acme.example"})
