from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.service.gate import OIDC, Browser, Forger, Gate, gate, query

from leadlight.errors import UsageError
from leadlight.service.audit import audited

WORDS = "a few words of mine"
ASK = httpx.Client(verify=False, limits=httpx.Limits(max_keepalive_connections=0))
"""One for all: making one takes longer than what it asks here."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A service without an issuer."""
    with gate(tmp_path_factory.mktemp("alone")) as found:
        yield found


@pytest.fixture
def admin(alone: Gate) -> Browser:
    found = alone.browser()
    found.log_in(alone, WORDS)
    return found


def test_the_first_person_sets_a_password_by_a_link_that_is_good_once(tmp_path: Path) -> None:
    with gate(tmp_path) as new:
        browser, link = new.browser(), new.admission.people.link()
        assert "Nobody can log in yet" in browser.get("/login").text
        form = browser.get(link)
        token = link.partition("token=")[2]
        assert form.status_code == 200
        assert f'value="{token}"' in form.text
        short = browser.send("/login/first", token=token, password="short")
        assert (short.status_code, "12 to 200 characters" in short.text) == (400, True)
        done = browser.send("/login/first", token=token, password=WORDS)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert "You are <b>admin</b>" in browser.get("/").text
        assert WORDS not in (tmp_path / ".leadlight" / "people.json").read_text()
        assert token not in (tmp_path / ".leadlight" / "people.json").read_text()
        other = new.browser()
        assert other.get(link).status_code == 403
        assert other.send("/login/first", token=token, password="another long one").status_code == 403
        assert other.get("/v1/keys").status_code == 401


def test_a_link_ends_after_a_day_and_when_another_is_made(tmp_path: Path) -> None:
    with gate(tmp_path) as new:
        first, second = new.admission.people.link(), new.admission.people.link()
        assert new.browser().get(first).status_code == 403
        assert new.browser().get(second).status_code == 200
        new.clock.ahead = timedelta(days=1)
        assert new.browser().get(second).status_code == 403


def test_a_person_logs_in_and_out(alone: Gate, admin: Browser) -> None:
    browser = alone.browser()
    said = browser.send("/login", name="admin", password=WORDS, next="/v1/keys")
    assert (said.status_code, said.headers["location"]) == (303, "/v1/keys")
    cookie = said.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    assert "SameSite=lax" in cookie
    assert browser.get("/v1/keys").status_code == 200
    assert browser.me["scopes"] == ["read", "manage"]
    kept = dict(browser.cookies)
    out = browser.send("/logout", csrf=browser.me["csrf"])
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert browser.get("/v1/keys").status_code == 401
    again = Browser(alone.app, "203.0.113.8", httpx.Cookies(kept))
    assert again.get("/v1/keys").status_code == 401, "the cookie is nothing any more, whoever shows it"


def test_a_wrong_password_says_no_more_than_that(alone: Gate, admin: Browser) -> None:
    browser = alone.browser("203.0.113.9")
    texts = [browser.send("/login", name=name, password="not this one") for name in ("admin", "nobody", "\0", "é" * 99)]
    assert {answer.status_code for answer in texts} == {403}
    assert len({answer.text for answer in texts}) == 1
    assert "set-cookie" not in texts[0].headers


def test_who_guesses_has_to_wait(tmp_path: Path) -> None:
    with gate(tmp_path) as new:
        new.admission.keys.misses.free = 3
        new.browser().log_in(new, WORDS)
        guesser = new.browser("198.51.100.1")
        codes = [guesser.send("/login", name="admin", password=str(guess)).status_code for guess in range(4)]
        assert codes == [403, 403, 403, 429]
        late = guesser.send("/login", name="admin", password=WORDS)
        assert (late.status_code, late.headers["retry-after"]) == (429, "2")
        assert new.browser("198.51.100.2").send("/login", name="admin", password=WORDS).status_code == 303


def test_a_session_ends_by_itself_and_with_a_new_password(tmp_path: Path) -> None:
    with gate(tmp_path) as new:
        browser = new.browser()
        browser.log_in(new)
        new.clock.ahead = timedelta(hours=7, minutes=59)
        assert browser.get("/v1/keys").status_code == 200
        new.clock.ahead = timedelta(hours=8, seconds=2)
        assert browser.get("/v1/keys").status_code == 401
        browser.log_in(new)
        assert browser.get("/v1/keys").status_code == 200
        new.browser().log_in(new, "another long password")
        assert browser.get("/v1/keys").status_code == 401


# ------------------------------------------------------------------------------------------------------------ forgery


def test_a_change_needs_the_proof_of_its_session(alone: Gate, admin: Browser) -> None:
    wanted = {"name": "from a page", "scopes": ["browser"]}
    proof = admin.me["csrf"]
    bare = admin.ask("POST", "/v1/keys", json=wanted)
    assert (bare.status_code, "X-CSRF-Token" in bare.json()["detail"]) == (403, True)
    for headers in (
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": proof, "Origin": "https://evil.example"},
        {"X-CSRF-Token": proof, "Origin": "null"},
        {"X-CSRF-Token": proof, "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": proof, "Sec-Fetch-Site": "cross-site", "Origin": "https://leads.example"},
        {"X-CSRF-Token": proof, "Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
        {"X-CSRF-Token": proof, "Sec-Fetch-Site": "same-site"},
    ):
        assert admin.ask("POST", "/v1/keys", json=wanted, headers=headers).status_code == 403, headers
    assert not [key for key in alone.admission.keys.all() if key.name == "from a page"]
    right = {"X-CSRF-Token": proof, "Origin": "https://leads.example", "Sec-Fetch-Site": "same-origin"}
    assert admin.ask("POST", "/v1/keys", json=wanted, headers=right).status_code == 201
    other = alone.browser()
    other.log_in(alone, WORDS)
    assert other.me["csrf"] != proof


def test_forms_of_other_sites_are_refused(alone: Gate, admin: Browser) -> None:
    browser = alone.browser()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        form = {"name": "admin", "password": WORDS}
        assert browser.ask("POST", "/login", data=form, headers=headers).status_code == 403
    assert admin.send("/logout", csrf="0").status_code == 403
    assert admin.get("/v1/keys").status_code == 200


@pytest.mark.parametrize(
    "body", [b"a=1&" * 11, b"\xff\xfe=%ff", b"{}", b"name", b"=" * 5000, b"name=a;password=b", b"&"], ids=repr
)
def test_odd_forms_are_no_logins(alone: Gate, body: bytes) -> None:
    browser = alone.browser("203.0.113.78")
    for path in ("/login", "/login/first", "/logout"):
        answer = browser.ask("POST", path, content=body)
        assert answer.status_code in ((400, 403) if path != "/logout" else (303, 400)), path
    alone.admission.keys.misses.forgive("203.0.113.78")


@pytest.mark.parametrize(
    "then",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
     "javascript:x", "/a\r\nSet-Cookie: a=b", "", "/" * 600, " /a", "/%0d%0a\\"],
)  # fmt: skip
def test_a_login_ends_here_wherever_it_is_told_to(alone: Gate, admin: Browser, then: str) -> None:
    session = alone.browser()
    said = session.send("/login", name="nobody", password="x", next=then)
    assert 'name="next" value="/"' in said.text
    alone.admission.keys.misses.forgive("203.0.113.7")
    assert session.get("/login", params={"next": then}).text.count('value="/"') == 1


def test_a_cookie_of_another_workspace_or_changed_is_nothing(alone: Gate, admin: Browser, tmp_path: Path) -> None:
    [(name, value)] = admin.cookies.items()
    with gate(tmp_path) as other:
        assert other.admission.sessions.cookie != name
        for shown in (name, other.admission.sessions.cookie):
            stranger = Browser(other.app, "203.0.113.7", httpx.Cookies({shown: value}))
            assert stranger.get("/v1/keys").status_code == 401
        assert other.browser().get("/v1/keys", headers={"Authorization": f"Bearer {alone.key}"}).status_code == 401
    for changed in (value[:-1], value + "A", value.partition(".")[0], "." + value, "a" * 5000, "\u00ff"):
        cookie = f"{name}={changed}".encode("latin-1")
        assert alone.browser().get("/v1/keys", headers={b"cookie": cookie}).status_code == 401
    elsewhere = alone.admission.sessions.seal("login", {"i": "x"})
    assert Browser(alone.app, "203.0.113.7", httpx.Cookies({name: elsewhere})).get("/v1/keys").status_code == 401


def test_pages_run_nothing_and_stand_in_no_frame(alone: Gate) -> None:
    for path in ("/", "/login", "/login/first?token=%3Cscript%3E"):
        said = alone.browser("203.0.113.77").get(path)
        policy = said.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.headers["cache-control"] == "no-store"
        assert "<script" not in said.text


# ------------------------------------------------------------------------------------------------------------- issuer


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A real server of OpenID Connect, in a process of its own."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "-n", "true"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address, end = f"http://localhost:{port}", time.monotonic() + 60
        while True:
            try:
                ASK.get(f"{address}/.well-known/openid-configuration")
                break
            except httpx.HTTPError:
                assert time.monotonic() < end
                time.sleep(0.05)
        yield address
        process.kill()


@pytest.fixture(scope="module")
def house(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A service whose people the issuer knows."""
    spec = OIDC.format(issuer=issuer).replace("    audience:", "    client_secret: ${SECRET_OF_TESTS}\n    audience:")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_OF_TESTS", "a secret")
        with gate(tmp_path_factory.mktemp("house"), spec) as found:
            yield found


def told(issuer: str, sub: str, **claims: object) -> None:
    """Let the issuer know a person."""
    assert ASK.put(f"{issuer}/users/{sub}", json=claims).status_code < 300


def agree(there: str, sub: str) -> str:
    """Log in at the issuer, and return where it sends the browser back to."""
    back = ASK.post(there, data={"sub": sub})
    assert back.status_code == 302, back.text
    return back.headers["location"].removeprefix("https://leads.example")


def test_a_person_logs_in_with_the_issuer(issuer: str, house: Gate) -> None:
    told(issuer, "ann", email="ann@acme.example", email_verified=True, name="Ann")
    browser = house.browser()
    assert f"Log in with {issuer}" in browser.get("/login", params={"next": "/v1/docs"}).text
    there = browser.get("/login/oidc", params={"next": "/v1/docs"}).headers["location"]
    asked = query(there)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["redirect_uri"] == "https://leads.example/login/callback"
    back = browser.get(agree(there, "ann"))
    assert (back.status_code, back.headers["location"]) == (303, "/v1/docs")
    assert browser.me["scopes"] == ["read"]
    assert browser.me["name"] == "Ann"
    assert re.fullmatch(r"person:[0-9a-f]{16}", browser.me["id"])
    assert browser.get("/v1/keys").status_code == 403


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"groups": ["x", "lead-admins"]}, ["read", "manage"]),
        ({"groups": "lead-admins", "email": "b@acme.example", "email_verified": True}, ["read", "manage"]),
        ({"groups": ["admins"], "email": "b@acme.example"}, None),
        ({"email": "b@acme.example", "email_verified": "true"}, None),
        ({"email": "b@acme.example.evil.example", "email_verified": True}, None),
        ({"email": "b@evil.example@acme.example", "email_verified": True}, ["read"]),
    ],
    ids=["group", "both", "not verified", "verified is no text", "another domain", "the last domain counts"],
)
def test_roles_say_what_a_person_may(
    issuer: str, house: Gate, claims: dict[str, object], scopes: list[str] | None
) -> None:
    told(issuer, "bob", **claims)
    browser = house.browser()
    back = browser.get(agree(browser.get("/login/oidc").headers["location"], "bob"))
    if scopes is None:
        assert (back.status_code, "no role here" in back.text) == (403, True)
        assert browser.get("/v1/me").status_code == 401
    else:
        assert browser.me["scopes"] == scopes


def test_a_login_comes_back_once_and_to_who_began_it(issuer: str, house: Gate) -> None:
    told(issuer, "ann", email="ann@acme.example", email_verified=True)
    browser = house.browser()
    back = agree(browser.get("/login/oidc").headers["location"], "ann")
    victim = house.browser()
    assert victim.get(back).status_code == 403, "a login that somebody else began"
    victim.get("/login/oidc")
    assert victim.get(back).status_code == 403, "the state of another login"
    assert browser.get(re.sub("state=[^&]*", "state=x", back)).status_code == 403
    kept = httpx.Cookies(browser.cookies)
    assert browser.get(back).status_code == 303
    assert Browser(house.app, browser.host, kept).get(back).status_code == 403, "the same answer again"


def test_a_login_that_takes_too_long_begins_again(issuer: str, house: Gate) -> None:
    browser = house.browser()
    back = agree(browser.get("/login/oidc").headers["location"], "ann")
    house.clock.ahead = timedelta(minutes=10, seconds=1)
    try:
        assert browser.get(back).status_code == 403
    finally:
        house.clock.ahead = timedelta(0)


def test_a_login_with_another_codes_token_is_refused(tmp_path: Path) -> None:
    forger = Forger()
    try:
        with gate(tmp_path, OIDC.format(issuer=forger.address)) as house:
            for changed, why in (
                ({"nonce": "another"}, "another login"),
                ({"nonce": None}, "another login"),
                ({"aud": "another"}, "not believed"),
                ({"aud": ["leadlight", "another"]}, "another service"),
                ({"aud": ["leadlight", "another"], "azp": "another"}, "another service"),
                ({"iss": "https://evil.example"}, "not believed"),
                ({"sub": None}, "not believed"),
                ({}, None),
            ):
                browser = house.browser()
                begun = query(browser.get("/login/oidc").headers["location"])
                claims = forger.claims(**{"aud": "leadlight", "nonce": begun["nonce"], **changed})
                forger.next_token = forger.token(claims)
                back = browser.get("/login/callback", params={"code": "c", "state": begun["state"]})
                assert forger.sent["code_verifier"][0]
                assert (back.status_code, why is None or why in back.text) == (403 if why else 303, True), changed
            tried = [(entry.who[:7], entry.outcome) for entry in audited(house.admission.audit).entries]
            assert tried == [("nobody", "403")] * 7 + [("person:", "303")]
    finally:
        forger.close()


def test_an_issuer_that_is_not_there_or_somebody_else(tmp_path: Path) -> None:
    forger = Forger()
    try:
        with gate(tmp_path / "a", OIDC.format(issuer=forger.address)) as house:
            forger.about = {"issuer": "https://evil.example"}
            assert house.browser().get("/login/oidc").status_code == 503
            forger.about = {"token_endpoint": "http://evil.example/token"}
            assert "token_endpoint" in house.browser().get("/login/oidc").json()["detail"]
    finally:
        forger.close()
    with gate(tmp_path / "b", OIDC.format(issuer=forger.address)) as house:
        said = house.browser().get("/login/oidc")
        assert (said.status_code, "cannot be asked" in said.json()["detail"]) == (503, True)


def test_a_secret_that_is_not_set_is_said_at_the_start(tmp_path: Path) -> None:
    spec = OIDC.format(issuer="https://login.acme.example").replace(
        "audience:", "client_secret: ${NOT_SET_ANYWHERE}\n    audience:"
    )
    with pytest.raises(UsageError, match="NOT_SET_ANYWHERE is not set"), gate(tmp_path, spec):
        pass
