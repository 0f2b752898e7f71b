from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import OctKey, RSAKey
from tests.service.gate import OIDC, Forger, Gate, gate, unsigned


@pytest.fixture(scope="module")
def forger() -> Iterator[Forger]:
    found = Forger()
    yield found
    found.close()


@pytest.fixture(scope="module")
def house(forger: Forger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with gate(tmp_path_factory.mktemp("house"), OIDC.format(issuer=forger.address)) as found:
        found.admission.keys.misses.free = 10_000
        yield found


def shown(house: Gate, token: str) -> tuple[int, Any]:
    answer = house.browser().get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()


def test_a_machine_is_let_in_by_its_role(house: Gate, forger: Forger) -> None:
    status, me = shown(house, forger.token(forger.claims()))
    assert (status, me["scopes"]) == (200, ["read", "manage"])
    assert me["id"].startswith("person:")
    assert me["csrf"] is None
    assert shown(house, forger.token(forger.claims(), typ="at+jwt"))[0] == 200
    assert shown(house, forger.token(forger.claims(aud=["x", "leadlight-api"])))[0] == 200
    bearer = {"Authorization": f"Bearer {forger.token(forger.claims())}"}
    made = house.browser().ask("POST", "/v1/keys", headers=bearer, json={"name": "a", "scopes": ["read"]})
    assert made.status_code == 201, "no cookie, no forgery: a token needs no proof of a page"
    no_role = forger.token(forger.claims(groups=["others"]))
    assert house.browser().get("/v1/keys", headers={"Authorization": f"Bearer {no_role}"}).status_code == 403


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def hs256(claims: dict[str, Any], secret: bytes) -> str:
    """A token signed with a shared secret; the library would not make some of them."""
    text = f"{encoded(json.dumps({'alg': 'HS256', 'kid': 'k1'}).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def rs256(forger: Forger, header: dict[str, Any]) -> str:
    """A token with any header under the issuer's signature."""
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(forger.claims()).encode())}"
    private = cast(RSAPrivateKey, forger.signing.private_key)
    return f"{text}.{encoded(private.sign(text.encode(), PKCS1v15(), SHA256()))}"


def test_the_forgers_own_tokens_are_right_but_for_what_is_wrong(house: Gate, forger: Forger) -> None:
    assert shown(house, rs256(forger, {"alg": "RS256", "kid": "k1"}))[0] == 200


OTHER = RSAKey.generate_key(2048, {"kid": "k1"}, private=True)

FORGED: dict[str, Callable[[Forger], str]] = {
    "nobody has signed it": lambda f: unsigned(f.claims()),
    "alg None": lambda f: unsigned(f.claims(), alg="None", kid="k1"),
    "alg nOnE": lambda f: unsigned(f.claims(), alg="nOnE", kid="k1"),
    "no alg": lambda f: unsigned(f.claims(), alg=None),
    "alg is a list": lambda f: unsigned(f.claims(), alg=["RS256"], kid="k1"),
    "HS256 with the public key": lambda f: hs256(f.claims(), f.signing.as_pem(private=False)),
    "HS256 with the public key as JSON": lambda f: f.token(
        f.claims(), key=OctKey.import_key(json.dumps(f.published[0]).encode()), alg="HS256"
    ),
    "HS256 with nothing": lambda f: hs256(f.claims(), b""),
    "another's key under this name": lambda f: f.token(f.claims(), key=OTHER),
    "another's key in the header": lambda f: f.token(f.claims(), key=OTHER, jwk=OTHER.as_dict(private=False)),
    "another's keys at an address": lambda f: f.token(f.claims(), key=OTHER, jku="http://127.0.0.1:9/jwks", kid="evil"),
    "a certificate at an address": lambda f: f.token(f.claims(), key=OTHER, x5u="http://127.0.0.1:9/cert"),
    "a name that leads elsewhere": lambda f: f.token(f.claims(), key=OTHER, kid="../../../../dev/null"),
    "a name that is SQL": lambda f: f.token(f.claims(), key=OTHER, kid="k1' UNION SELECT 'x"),
    "another audience": lambda f: f.token(f.claims(aud="another")),
    "the audience of logins": lambda f: f.token(f.claims(aud="leadlight")),
    "no audience": lambda f: f.token(f.claims(aud=None)),
    "an audience like it": lambda f: f.token(f.claims(aud="leadlight-api2")),
    "another issuer": lambda f: f.token(f.claims(iss="https://evil.example")),
    "the issuer with a slash": lambda f: f.token(f.claims(iss=f.address + "/")),
    "no issuer": lambda f: f.token(f.claims(iss=None)),
    "it has expired": lambda f: f.token(f.claims(exp=int(time.time()) - 61)),
    "it never expires": lambda f: f.token(f.claims(exp=None)),
    "it expires at a text": lambda f: f.token(f.claims(exp="never")),
    "it expires at no number": lambda f: f.token({**f.claims(), "exp": True}),
    "it is not good yet": lambda f: f.token(f.claims(nbf=int(time.time()) + 120)),
    "it was issued in the future": lambda f: f.token(f.claims(iat=int(time.time()) + 120)),
    "nobody's": lambda f: f.token(f.claims(sub=None)),
    "a login's token": lambda f: f.token(f.claims(nonce="n")),
    "a header that must be understood": lambda f: rs256(f, {"alg": "RS256", "kid": "k1", "crit": ["x"], "x": 1}),
    "claims that are a list": lambda f: resigned(f, "[]"),
    "claims that are no JSON": lambda f: resigned(f, "{"),
    "other claims under a signature": lambda f: changed(f.token(f.claims()), f.claims(sub="admin")),
    "half a signature": lambda f: f.token(f.claims())[:-40],
    "no signature": lambda f: f.token(f.claims()).rpartition(".")[0] + ".",
    "a header that is no JSON": lambda f: "eyJ." + f.token(f.claims()).partition(".")[2],
    "nothing": lambda _: "..",
    "bytes": lambda _: "\x00.\xff.\x00",
    "very deep": lambda _: encoded(b"[" * 9000) + ".e30.x",
    "very large": lambda f: f.token(f.claims(x="a" * 20_000)),
}


def resigned(forger: Forger, claims: str) -> str:
    from joserfc import jws

    return jws.serialize_compact({"alg": "RS256", "kid": "k1"}, claims.encode(), forger.signing)


def changed(token: str, claims: dict[str, Any]) -> str:
    head, _, signature = token.split(".")
    return ".".join((head, encoded(json.dumps(claims).encode()), signature))


@pytest.mark.parametrize("why", sorted(FORGED))
def test_a_token_that_is_not_right_is_nothing(house: Gate, forger: Forger, why: str) -> None:
    header = b"Bearer " + FORGED[why](forger).encode("latin-1")
    answer = house.browser().get("/v1/me", headers={b"authorization": header})
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not [path for path in forger.asked if path not in ("/jwks", "/.well-known/openid-configuration")]


def test_a_new_key_of_the_issuer_is_looked_up_once_in_a_while(forger: Forger, house: Gate) -> None:
    shown(house, forger.token(forger.claims()))
    issuer = house.admission.issuer
    assert issuer is not None
    at = [issuer.clock()]
    issuer.clock = lambda: at[0]
    fresh = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"}, private=True)
    token = forger.token(forger.claims(), key=fresh, kid="k2")
    before, old = len(forger.asked), forger.published
    try:
        at[0] += 31
        assert [shown(house, token)[0] for _ in range(3)] == [401] * 3
        assert len(forger.asked) == before + 1, (
            "a name that is not known asks the issuer no more than every half minute"
        )
        forger.published = [fresh.as_dict(private=False)]
        at[0] += 31
        assert shown(house, token)[0] == 200
        assert shown(house, forger.token(forger.claims()))[0] == 401, "the key that was taken back"
    finally:
        forger.published = old
        at[0] += 4000
    assert shown(house, forger.token(forger.claims()))[0] == 200


@pytest.mark.parametrize(
    "published",
    [[], [{"kty": "oct", "k": encoded(b"x" * 32), "kid": "k1"}], [{"kty": "RSA", "kid": "k1"}], "none", [1], None],
    ids=["none", "a shared secret", "half a key", "text", "numbers", "null"],
)
def test_keys_that_are_none_let_nobody_in(forger: Forger, tmp_path: Any, published: Any) -> None:
    old, forger.published = forger.published, published
    try:
        with gate(tmp_path, OIDC.format(issuer=forger.address)) as house:
            assert shown(house, hs256(forger.claims(), b"x" * 32))[0] == 503
    finally:
        forger.published = old


def test_without_an_audience_no_token_is_looked_at(forger: Forger, tmp_path: Any) -> None:
    spec = OIDC.format(issuer=forger.address).replace("    audience: leadlight-api\n", "")
    with gate(tmp_path, spec) as house:
        asked = len(forger.asked)
        assert shown(house, forger.token(forger.claims()))[0] == 401
        assert len(forger.asked) == asked


def test_who_shows_many_wrong_tokens_has_to_wait(forger: Forger, house: Gate) -> None:
    house.admission.keys.misses.free = 3
    try:
        guesser = house.browser("198.51.100.33")
        wrong = {"Authorization": f"Bearer {forger.token(forger.claims(aud='x'))}"}
        assert [guesser.get("/v1/me", headers=wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
    finally:
        house.admission.keys.misses.free = 10_000
