"""Requests to a system: what is tried again, what is not, and what an error may say."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import trustme

from connect.stand_in import RETRY_AFTER, START, Call, Kind, Reply, Schema, StandIn, route
from leadlight.connect.auth import Bearer, SignIn
from leadlight.connect.http import ATTEMPTS, Answer, Http, Way
from leadlight.connect.protocol import About, Limits, Secret
from leadlight.errors import RemoteError

TOKEN = "acme-secret-token-1"
ABOUT = About(
    "acme",
    "Acme",
    (Secret("token", "ACME_TOKEN", "Settings, API keys"),),
    Limits(per_second=10, page=50),
    "https://acme.example/reference",
    scopes=("leads.read",),
)


class Acme(StandIn):
    system = "acme"
    people = Kind("leads", text="title")
    secrets: Mapping[str, str] = {"token": TOKEN}

    def schema(self) -> Schema:
        return {"leads": {"title": "string"}}

    def authorised(self, call: Call) -> Reply | None:
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in {TOKEN, *self.tokens}:
            return Reply({"message": f"the token {call.headers.get('authorization')} is not known"}, 401)
        return None

    @route("GET", "/leads")
    def leads(self, call: Call) -> Reply:
        return Reply({"leads": sorted(self.records["leads"]), "agent": call.headers["user-agent"]})

    @route("POST", "/leads")
    def make(self, call: Call) -> Reply:
        return Reply({"id": self.add("leads", **call.json())}, 201)

    @route("POST", "/session", open=True)
    def session(self, call: Call) -> Reply:
        token = f"session-token-{len(self.calls)}"
        self.tokens.add(token)
        return Reply({"token": token, "of": call.form()["user"]})

    @route("GET", "/status/{status:int}")
    def status(self, call: Call) -> Reply:
        return Reply({"errors": [{"detail": f"no: {call.params.get('key')}"}]}, int(call.path["status"]))

    @route("GET", "/later")
    def later(self, call: Call) -> Reply:
        return Reply({}, 429, {"Retry-After": call.params["after"]})

    @route("GET", "/busy")
    def busy(self, _: Call) -> Reply:
        return Reply({"busy": len([one for one in self.calls if one.url == "/busy"]) < 3})

    @route("GET", "/old")
    def old(self, call: Call) -> Reply:
        return Reply({}, 301, {"Location": call.params["to"]})

    @route("POST", "/old")
    def moved(self, _: Call) -> Reply:
        return Reply({}, 308, {"Location": "/leads"})

    @route("GET", "/big")
    def big(self, _: Call) -> Reply:
        return Reply(b"[" + b"1," * (33 << 20) + b"1]")


@pytest.fixture(scope="module")
def serving() -> Iterator[Acme]:
    with Acme().serving() as made:
        yield made


@pytest.fixture
def acme(serving: Acme) -> Acme:
    serving.reset()
    return serving


Connect = Callable[..., Http]


@pytest.fixture
def connect(acme: Acme) -> Iterator[Connect]:
    made: list[Http] = []

    def connect(**way: Any) -> Http:
        told = {"base": acme.url, "sign": Bearer(TOKEN), **way}
        made.append(Http(Way(**told), ABOUT, secrets={"token": TOKEN}, clock=acme.clock.clock()))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def test_an_answer_is_json_and_says_who_asked(acme: Acme, connect: Connect) -> None:
    acme.add("leads", title="Buyer")
    answer = connect().get("/leads")
    assert answer["leads"] == ["1001"]
    assert answer["agent"].startswith("leadlight/")


@pytest.mark.parametrize("fault", ["unavailable", "broken", "cut"])
def test_what_passes_by_is_tried_again(acme: Acme, connect: Connect, fault: str) -> None:
    acme.fail(fault, fault)
    assert connect().get("/leads")["leads"] == []
    assert len(acme.calls) == 3
    assert acme.clock.slept == pytest.approx([0.5, 1.0])


def test_retry_after_is_obeyed(acme: Acme, connect: Connect) -> None:
    acme.fail("too_many")
    connect().get("/leads")
    assert acme.clock.slept == [RETRY_AFTER]


def test_retry_after_may_be_a_time(acme: Acme, connect: Connect) -> None:
    with pytest.raises(RemoteError) as caught:
        connect().get("/later", after=f"{START:%a, %d %b %Y} 09:00:09 GMT")
    assert caught.value.trouble == "quota"
    assert acme.clock.slept[0] == 9


def test_who_asks_to_wait_for_hours_is_told_of(acme: Acme, connect: Connect) -> None:
    with pytest.raises(RemoteError, match="until 2026-03-02 10:00 UTC") as caught:
        connect().get("/later", after="3600")
    assert (caught.value.trouble, acme.clock.slept) == ("quota", [])


def test_what_does_not_pass_by_is_told_after_some_tries(acme: Acme, connect: Connect) -> None:
    acme.fail(*["broken"] * ATTEMPTS)
    with pytest.raises(RemoteError, match="Acme: is ill: it answers 500 to GET http") as caught:
        connect().get("/leads")
    assert (caught.value.trouble, len(acme.calls)) == ("trouble", ATTEMPTS)


def test_what_could_be_done_twice_is_not_tried_again(acme: Acme, connect: Connect) -> None:
    http = connect()
    acme.fail("cut")
    with pytest.raises(RemoteError, match="breaks off") as caught:
        http.ask("POST", "/leads", json={"title": "Buyer"}, retry=False)
    assert (caught.value.trouble, len(acme.records["leads"])) == ("unreachable", 1)
    acme.fail("broken")
    with pytest.raises(RemoteError, match="is ill"):
        http.ask("POST", "/leads", json={"title": "Buyer"}, retry=False)
    acme.fail("too_many")  # refused for sure, so nothing was done
    assert http.ask("POST", "/leads", json={"title": "Buyer"}, retry=False).status == 201


def test_busy_in_the_vendors_own_words(acme: Acme, connect: Connect) -> None:
    http = connect(busy=lambda answer: 4.0 if b'"busy":true' in answer.body else None)
    assert http.get("/busy") == {"busy": False}
    assert acme.clock.slept == [4.0, 4.0]


def test_a_session_that_ended_is_begun_anew_in_flight(acme: Acme, connect: Connect) -> None:
    def start(ask: Callable[..., Answer]) -> Mapping[str, str]:
        told = ask("POST", "/session", form={"user": "ann", "password": "pass-word-1"}).json()
        return {"Authorization": f"Bearer {told['token']}"}

    http = connect(sign=SignIn(start))
    http.get("/leads")
    acme.expire()
    assert http.get("/leads")["leads"] == []
    assert [call.url for call in acme.calls] == ["/session", "/leads", "/leads", "/session", "/leads"]


@pytest.mark.parametrize(
    ("status", "trouble", "says"),
    [
        (400, "invalid", "does not take what it was asked"),
        (402, "quota", "plan"),
        (403, "scope", "leads.read"),
        (404, "absent", "knows no such object"),
        (405, "disabled", "does not offer"),
        (410, "absent", "gone"),
        (413, "invalid", "too large"),
        (415, "invalid", "JSON"),
        (422, "invalid", "no: None"),
        (418, "trouble", "not understood"),
    ],
)
def test_refusals_have_words_and_say_what_to_do(connect: Connect, status: int, trouble: str, says: str) -> None:
    with pytest.raises(RemoteError) as caught:
        connect().get(f"/status/{status}")
    assert (caught.value.trouble, caught.value.status) == (trouble, status)
    assert says in str(caught.value)
    assert caught.value.fix


def test_a_wrong_key_names_its_setting_and_never_itself(acme: Acme, connect: Connect) -> None:
    with pytest.raises(RemoteError, match="ACME_TOKEN") as caught:
        connect(sign=Bearer("wrong-token-9")).get("/leads")
    assert "Settings, API keys" in str(caught.value)
    assert "wrong-token-9" not in str(caught.value)
    assert "the token … is not known" in str(caught.value)


def test_a_key_in_the_query_is_not_shown(connect: Connect) -> None:
    with pytest.raises(RemoteError) as caught:
        connect(params={"key": "query-key-1"}).get("/status/400")
    assert "query-key-1" not in str(caught.value)
    assert "no: …" in str(caught.value)


def test_a_vendors_own_words_go_first(connect: Connect) -> None:
    def refusal(answer: Answer) -> RemoteError | None:
        return RemoteError("Acme", "disabled", f"is switched off, says {TOKEN}") if answer.status == 403 else None

    with pytest.raises(RemoteError, match="is switched off, says …"):
        connect(refusal=refusal).get("/status/403")


def test_an_expected_status_is_an_answer(connect: Connect) -> None:
    assert connect().ask("GET", "/status/404", expect=(404,)).status == 404


@pytest.mark.parametrize("fault", ["html", "empty"])
def test_what_is_no_json_is_an_error(acme: Acme, connect: Connect, fault: str) -> None:
    http = connect()
    acme.fail(fault)
    with pytest.raises(RemoteError, match="no JSON to GET http") as caught:
        http.get("/leads")
    assert caught.value.trouble == "trouble"


def test_a_redirect_on_the_same_host_is_followed_and_no_other(acme: Acme, connect: Connect) -> None:
    http = connect()
    assert http.get("/old", to="/leads")["leads"] == []
    with pytest.raises(RemoteError, match=r"another host, 'elsewhere.example'"):
        http.get("/old", to="https://elsewhere.example/leads")
    with pytest.raises(RemoteError, match="leads elsewhere"):
        http.ask("POST", "/old")


@pytest.mark.parametrize(
    "path",
    ["https://elsewhere.example/leads", "http://127.0.0.1:1/leads", "//elsewhere.example/x", "ftp://127.0.0.1/x"],
)
def test_no_request_goes_to_another_host(acme: Acme, connect: Connect, path: str) -> None:
    with pytest.raises(RemoteError, match="another host"):
        connect().get(path)
    assert acme.calls == []


def test_a_next_page_on_the_same_host_is_asked(acme: Acme, connect: Connect) -> None:
    assert connect().get(f"{acme.url}/leads?page=2")["leads"] == []
    assert acme.calls[0].params == {"page": "2"}


@pytest.mark.parametrize(
    "base", ["http://crm.example", "ftp://crm.example", "crm.example", "https://ann:x@crm.example"]
)
def test_only_https_but_on_this_machine(connect: Connect, base: str) -> None:
    with pytest.raises(RemoteError, match="https") as caught:
        connect(base=base)
    assert caught.value.trouble == "invalid"
    assert "ann" not in str(caught.value)


def test_a_body_has_an_end(connect: Connect) -> None:
    with pytest.raises(RemoteError, match="longer than 64 MB"):
        connect().get("/big")


def test_nobody_listens(connect: Connect) -> None:
    with pytest.raises(RemoteError, match="nothing listens at 127.0.0.1:1") as caught:
        connect(base="http://127.0.0.1:1").get("/leads")
    assert caught.value.trouble == "unreachable"


def test_no_such_host(connect: Connect) -> None:
    with pytest.raises(RemoteError, match=r"there is no host crm\.invalid"):
        connect(base="https://crm.invalid").get("/leads")


def test_requests_are_evenly_paced(acme: Acme, connect: Connect) -> None:
    http = connect()
    for _ in range(25):
        http.get("/leads")
    assert acme.fastest() == 10
    assert acme.clock.seconds == pytest.approx(2.4)
    assert http.requests == 25


def test_a_netrc_signs_nothing(acme: Acme, connect: Connect, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login ann password netrc-1\n")
    monkeypatch.setenv("NETRC", str(file))
    connect().get("/leads")
    assert acme.calls[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_limits_may_be_told(acme: Acme) -> None:
    limits = replace(ABOUT.limits, per_second=2)
    with Http(Way(acme.url, Bearer(TOKEN)), ABOUT, limits=limits, clock=acme.clock.clock()) as http:
        for _ in range(5):
            http.get("/leads")
    assert acme.fastest() == 2


def test_threads_share_a_token_and_renew_it_once(acme: Acme) -> None:
    def start(ask: Callable[..., Answer]) -> Mapping[str, str]:
        told = ask("POST", "/session", form={"user": "ann"}).json()
        return {"Authorization": f"Bearer {told['token']}"}

    limits = replace(ABOUT.limits, per_second=1e6, at_once=4)
    with (
        Http(Way(acme.url, SignIn(start)), ABOUT, limits=limits, clock=acme.clock.clock()) as http,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(http.get, ["/leads"] * 16))
        acme.expire()
        assert all(answer["leads"] == [] for answer in pool.map(http.get, ["/leads"] * 16))
    assert [call.url for call in acme.calls].count("/session") == 2


def test_a_certificate_of_nobody_is_not_accepted(connect: Connect) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_shake_hands, args=(listening, context))
        thread.start()
        with pytest.raises(RemoteError, match=r"the certificate of 127.0.0.1:\d+ is not accepted") as caught:
            connect(base=f"https://127.0.0.1:{listening.getsockname()[1]}").get("/leads")
        thread.join()
    assert caught.value.trouble == "trouble"
    assert "REQUESTS_CA_BUNDLE" in str(caught.value)


def _shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    taken, _ = listening.accept()
    with taken, suppress(OSError), context.wrap_socket(taken, server_side=True):
        pass
