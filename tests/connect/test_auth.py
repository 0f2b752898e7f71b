"""Tokens are got, used until they nearly run out, renewed when refused; and nobody sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from connect.stand_in import Call, Kind, Reply, Schema, StandIn, route
from leadlight.connect.auth import Basic, Bearer, Key, OAuth2
from leadlight.connect.http import Http, Way
from leadlight.connect.protocol import About, Limits
from leadlight.errors import RemoteError

ABOUT = About("acme", "Acme", (), Limits(per_second=100), "https://acme.example")
SECRET = "client-secret-9"


class Acme(StandIn):
    system = "acme"
    people = Kind("leads", text="title")
    lasts: Any = 3600

    def schema(self) -> Schema:
        return {"leads": {}}

    @route("POST", "/oauth/token", open=True)
    def token(self, call: Call) -> Reply:
        form = call.form()
        if self.revoked or SECRET not in (form.get("client_secret"), form.get("refresh_token"), form.get("password")):
            return Reply(
                {"error": "invalid_grant", "error_description": f"bad secret {form.get('client_secret')}"}, 400
            )
        made = f"access-token-{len(self.calls)}"
        self.tokens.add(made)
        more = {"refresh_token": SECRET} if form["grant_type"] == "refresh_token" else {}
        return Reply({"access_token": made, "expires_in": self.lasts, **more})

    @route("GET", "/oauth/token", open=True)
    def token_by_query(self, call: Call) -> Reply:
        self.tokens.add("query-token-1")
        return Reply({"access_token": "query-token-1", "asked": call.params})

    @route("GET", "/me")
    def me(self, call: Call) -> Reply:
        signed = call.headers.get("authorization", "")
        if signed.partition(" ")[2] not in self.tokens:
            return Reply({"message": f"expired: {signed}"}, 401)
        return Reply({"signed": signed})


@pytest.fixture(scope="module")
def serving() -> Iterator[Acme]:
    with Acme().serving() as made:
        yield made


@pytest.fixture
def acme(serving: Acme) -> Acme:
    serving.reset()
    serving.lasts = 3600
    return serving


Connect = Callable[..., Http]


@pytest.fixture
def connect(acme: Acme) -> Iterator[Connect]:
    made: list[Http] = []

    def connect(grant: Any = "client_credentials", **more: Any) -> Http:
        secrets = {"secret": SECRET}
        told = {"client_id": "client-1", "client_secret": SECRET, "clock": acme.clock.clock(), **more}
        sign = OAuth2("/oauth/token", grant, fix="Look at Acme, apps, secrets.", **told)
        made.append(Http(Way(acme.url, sign), ABOUT, secrets=secrets, clock=acme.clock.clock()))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def asked(acme: Acme) -> list[str]:
    return [call.url for call in acme.calls]


@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token", "password"])
def test_a_token_is_got_once_and_used_until_it_nearly_runs_out(acme: Acme, connect: Connect, grant: str) -> None:
    http = connect(grant, refresh_token=SECRET, username="ann", password=SECRET)
    for _ in range(3):
        assert http.get("/me")["signed"].startswith("Bearer access-token")
    assert asked(acme) == ["/oauth/token", "/me", "/me", "/me"]
    acme.clock.advance(3550)
    http.get("/me")
    assert asked(acme)[4:] == ["/oauth/token", "/me"]


def test_a_token_of_a_short_life_is_not_got_for_each_request(acme: Acme, connect: Connect) -> None:
    acme.lasts = 30
    http = connect()
    http.get("/me")
    http.get("/me")
    assert asked(acme).count("/oauth/token") == 1


@pytest.mark.parametrize("lasts", [None, "soon", [], {}])
def test_a_token_that_does_not_say_how_long_it_lasts_is_used(acme: Acme, connect: Connect, lasts: Any) -> None:
    acme.lasts = lasts
    assert connect().get("/me")


def test_a_token_that_is_refused_is_renewed_once(acme: Acme, connect: Connect) -> None:
    http = connect()
    http.get("/me")
    acme.expire()
    http.get("/me")
    assert asked(acme) == ["/oauth/token", "/me", "/me", "/oauth/token", "/me"]


def test_who_is_not_let_in_is_told_where_to_look_and_no_secret(acme: Acme, connect: Connect) -> None:
    http = connect()
    http.get("/me")
    acme.expire()
    acme.revoked = True
    with pytest.raises(RemoteError, match=r"bad secret …") as caught:
        http.get("/me")
    assert caught.value.trouble == "sign_in"
    assert "Look at Acme, apps, secrets." in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("fault", ["numbers", "html", "empty"])
def test_an_answer_without_a_token_is_an_error(acme: Acme, connect: Connect, fault: str) -> None:
    http = connect()
    acme.fail(fault)
    with pytest.raises(RemoteError, match=r"does not let us in|no JSON"):
        http.get("/me")


def test_a_client_may_sign_by_a_header_or_in_the_query(acme: Acme, connect: Connect) -> None:
    http = connect(query=True)
    http.get("/me")
    assert acme.calls[0].params["client_id"] == "client-1"
    http = connect("refresh_token", basic=True, refresh_token=SECRET, scheme="Acme-token")
    assert http.get("/me")["signed"].startswith("Acme-token access-token")
    token = next(call for call in acme.calls if call.method == "POST")
    assert token.headers["authorization"].startswith("Basic ")
    assert "client_secret" not in token.form()


def test_vendors_may_say_otherwise_that_a_token_ran_out(acme: Acme, connect: Connect) -> None:
    http = connect(over=lambda answer: b"expired" in answer.body)
    http.get("/me")
    acme.expire()
    assert http.get("/me")


@pytest.mark.parametrize(
    ("sign", "headers"),
    [
        (Bearer("abc-1"), {"Authorization": "Bearer abc-1"}),
        (Key("X-Api-Key", "abc-1"), {"X-Api-Key": "abc-1"}),
        (Basic("ann", "abc-1"), {"Authorization": "Basic YW5uOmFiYy0x"}),
    ],
)
def test_fixed_keys_are_what_they_are(sign: Key, headers: Mapping[str, str]) -> None:
    assert sign.headers(None) == headers  # type: ignore[arg-type]
    assert "abc-1" not in repr(sign)
    assert "YW5u" not in repr(sign)
