"""Webhooks of mail providers over HTTP: who is let in, what is kept, and of whom it is."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service.mail.letters import (
    CERTIFICATE_AT,
    TOPIC,
    certificate,
    mailgun_body,
    mailgun_event,
    public_key,
    seconds,
    sendgrid_event,
    sendgrid_headers,
    ses_event,
    sns_body,
)
from tests.service.shop import Inside, inside, make_shop

from leadlight.cli.app import main
from leadlight.errors import UsageError
from leadlight.service.mail import sns
from leadlight.service.mail_routes import OPERATIONS, read_secrets, routes
from leadlight.spec.mail import MailSpec

MAIL = f"""
mail:
  sendgrid: {{public_key: "{public_key()}"}}
  mailgun: {{signing_key: "${{MAILGUN_KEY}}"}}
  postmark: {{user: pm, password: "${{POSTMARK_PASSWORD}}"}}
  ses: {{topics: ["{TOPIC}"]}}
"""
ASKED: list[str] = []


def amazon(address: str) -> bytes:
    ASKED.append(address)
    return certificate() if address == CERTIFICATE_AT else b"confirmed"


def with_mail(folder: Path) -> Path:
    shop = make_shop(folder)
    with (shop / "leadlight.yaml").open("a") as file:
        file.write(MAIL)
    return shop


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """One service with all secrets, for all tests of this file that use one; Amazon is here too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILGUN_KEY", "mailgun-key")
        patch.setenv("POSTMARK_PASSWORD", "secret")
        with inside(with_mail(tmp_path_factory.mktemp("mail") / "shop")) as found:
            ours = {operation.path for operation in OPERATIONS}
            kept = [route for route in found.app.router.routes if getattr(route, "path", "") not in ours]
            found.app.router.routes[:] = [*routes(found.state, fetch=amazon), *kept]
            yield found


def send(service: Inside, provider: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return service.request("POST", f"/v1/mail/{provider}", content=raw, headers=headers or {})


def by_sendgrid(service: Inside, *events: Any) -> httpx.Response:
    raw = json.dumps(events).encode()
    return send(service, "sendgrid", raw, sendgrid_headers(raw))


def stored(service: Inside, sql: str) -> list[tuple[Any, ...]]:
    service.settle()
    return service.state.readers.ask_long(lambda workspace: workspace.engine.rows(sql))


# ------------------------------------------------------------------------------------------------------ providers


def test_sendgrid_item_by_item_and_again(service: Inside) -> None:
    events = [sendgrid_event("open", "sg1"), sendgrid_event("processed", "sg2"), {"event": "open"},
              sendgrid_event("click", "sg3", url="https://a.example/pricing", user_id="crm-2")]  # fmt: skip
    said = by_sendgrid(service, *events).json()
    assert (said["accepted"], said["ignored"], [fault["index"] for fault in said["rejected"]]) == (2, 1, [2])
    said = by_sendgrid(service, *events).json()
    assert (said["accepted"], said["repeated"]) == (0, 2)
    rows = stored(service, "SELECT i.id, e.type, e.url, e.campaign, e.provider FROM events e JOIN leads i USING (lead) "
                  "WHERE e.message LIKE 'm1.filter' ORDER BY e.type")  # fmt: skip
    assert rows == [("crm-2", "email_click", "https://a.example/pricing", "spring", "sendgrid"),
                    ("crm-1", "email_open", None, "spring", "sendgrid")]  # fmt: skip


def test_mailgun_and_its_token(service: Inside) -> None:
    body = mailgun_body(mailgun_event("opened", "mg1", **{"client-info": {"bot": "apple"}}), token="once")
    assert send(service, "mailgun", body).json()["accepted"] == 1
    # The signature does not cover the event: whoever saw one request cannot make another of it.
    for event in ("mg1", "mg2"):
        again = send(service, "mailgun", {**body, "event-data": mailgun_event("clicked", event)})
        assert again.status_code == 406
        assert "used before" in again.json()["detail"]
    later = mailgun_body(mailgun_event("opened", "mg1"), token="another")
    assert send(service, "mailgun", later).json()["repeated"] == 1
    said = stored(service, "SELECT type, machine, bot FROM events WHERE provider = 'mailgun'")
    assert said == [("email_open", True, "apple")]


def test_a_token_whose_event_could_not_be_counted_is_not_used_up(service: Inside) -> None:
    bad = mailgun_body({"event": "opened"}, token="twice")
    assert send(service, "mailgun", bad).status_code == 400
    good = mailgun_body(mailgun_event("opened", "mg9"), token="twice")
    assert send(service, "mailgun", good).json()["accepted"] == 1


def test_postmark_by_its_password(service: Inside) -> None:
    record = {"RecordType": "Open", "MessageID": "pm1", "Recipient": "bob@acme.example",
              "ReceivedAt": "2026-03-01T10:00:00Z"}  # fmt: skip
    basic = {"Authorization": f"Basic {base64.b64encode(b'pm:secret').decode()}"}
    assert send(service, "postmark", record, basic).json()["accepted"] == 1
    assert send(service, "postmark", record, basic).json()["repeated"] == 1
    for headers in ({}, {"Authorization": f"Bearer {service.key}"}):
        assert send(service, "postmark", record, headers).status_code == 401


def test_ses_by_sns(service: Inside) -> None:
    body = sns_body(ses_event("Click", link="https://a.example/x"), id="sns1")
    assert send(service, "ses", body).json()["accepted"] == 1
    assert send(service, "ses", body).json()["repeated"] == 1
    ASKED.clear()
    confirm = sns_body(
        "?", id="sns2", Type="SubscriptionConfirmation", Token="tok", SubscribeURL="https://evil.example"
    )
    assert send(service, "ses", confirm).json()["ignored"] == 1
    assert len(ASKED) == 1
    assert ASKED[0].startswith("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription")
    gone = sns_body("?", id="sns3", Type="UnsubscribeConfirmation", Token="tok", SubscribeURL="https://x.example")
    assert send(service, "ses", gone).json()["ignored"] == 1
    foreign = sns_body(ses_event("Open"), id="sns4", TopicArn="arn:aws:sns:eu-west-1:210987654321:mail")
    assert send(service, "ses", foreign).status_code == 403
    assert len(ASKED) == 1


# ------------------------------------------------------------------------------------------------------- let in


def test_forged_and_stale_change_nothing(service: Inside) -> None:
    service.settle()
    before = stored(service, "SELECT count(*) FROM events")
    raw = json.dumps([sendgrid_event("open", "forged")]).encode()
    good = sendgrid_headers(raw)
    refused = [
        ("sendgrid", raw, {}, 401), ("sendgrid", raw + b" ", good, 401),
        ("sendgrid", raw, {"Authorization": f"Bearer {service.key}"}, 401),
        ("sendgrid", raw, sendgrid_headers(raw, at=seconds() - 200_000), 406),
        ("mailgun", mailgun_body(mailgun_event("opened", "f"), key="guess", token="f"), {}, 401),
        ("mailgun", mailgun_body(mailgun_event("opened", "f"), at=seconds() - 200_000, token="f"), {}, 406),
        ("mailgun", [], {}, 401), ("mailgun", b"{", {}, 400), ("sendgrid", b"{", sendgrid_headers(b"{"), 400),
        ("ses", {**sns_body(ses_event("Open"), id="f"), "MessageId": "g"}, {}, 401),
        ("ses", sns_body(ses_event("Open"), id="f", SigningCertURL="https://evil.example/x.pem"), {}, 401),
        ("ses", sns_body(ses_event("Open"), id="f", Timestamp="2026-01-01T00:00:00Z"), {}, 406),
        ("ses", sns_body("no json", id="f"), {}, 400), ("ses", b"\xff", {}, 400),
        ("sendgrid", b"x" * 1_100_000, {}, 413),
    ]  # fmt: skip
    for provider, body, headers, status in refused:
        answer = send(service, provider, body, headers)
        assert answer.status_code == status, (provider, body, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    assert stored(service, "SELECT count(*) FROM events") == before


def test_amazon_that_does_not_answer_is_a_503(service: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(_: str) -> bytes:
        raise sns.Unreachable("no answer")

    (route,) = (one for one in routes(service.state, fetch=dead) if one.path == "/v1/mail/ses")
    service.app.router.routes.insert(0, route)
    try:
        answer = send(service, "ses", sns_body(ses_event("Open"), id="u1"))
    finally:
        service.app.router.routes.remove(route)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_secrets_that_are_none_are_said() -> None:
    for told, said in (
        ({"mailgun": {"signing_key": "${NOT_SET}"}}, "NOT_SET"), ({"sendgrid": {"public_key": "x"}}, "public_key"),
        ({"postmark": {"user": "x", "password": "${NOT_SET}"}}, "NOT_SET"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            read_secrets(MailSpec.model_validate(told))


def test_they_are_read_at_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = make_shop(tmp_path / "shop")
    with (shop / "leadlight.yaml").open("a") as file:
        file.write("\nmail: {mailgun: {signing_key: '${NOT_SET}'}}\n")
    assert main(["serve", "-w", str(shop), "--port", "0", "--for", "1s"]) == 2
    assert "NOT_SET" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------ addresses


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """One without any secret; its tests build on each other's people."""
    with inside(make_shop(tmp_path_factory.mktemp("plain") / "shop")) as found:
        yield found


def test_without_a_secret_a_write_key_in_the_address_lets_in(plain: Inside) -> None:
    key, _ = plain.state.keys.make("mail", ["ingest"], at=plain.state.now())
    event = sendgrid_event("open", "k1", email="cyd@solo.example")
    assert send(plain, "sendgrid", [event]).status_code == 401
    assert send(plain, "sendgrid?key=guess", [event]).status_code == 401
    assert send(plain, f"sendgrid?key={key}", [event]).json()["accepted"] == 1
    body = mailgun_body(mailgun_event("opened", "k2", recipient="cyd@solo.example"))
    assert send(plain, f"mailgun?key={key}", body).json()["accepted"] == 1
    reader, _ = plain.state.keys.make("reader", ["read"], at=plain.state.now())
    assert send(plain, f"sendgrid?key={reader}", [event]).status_code == 403


def test_an_address_is_who_has_it(plain: Inside) -> None:
    """The CRM's Ann, a stranger, and a stranger who says later who he is."""

    def opened(id: str, address: str) -> None:  # noqa: A002
        answer = send(plain, f"sendgrid?key={plain.key}", [sendgrid_event("open", id, email=address)])
        assert answer.json()["accepted"] == 1

    opened("1", "ANN@acme.example ")
    opened("2", "new@x.example")
    opened("3", "later@x.example")
    plain.settle()
    assert plain.get("/v1/leads").json()["total"] == 5
    assert plain.get("/v1/leads/email:ann@acme.example").json()["id"] == "crm-1"
    assert plain.get("/v1/leads/email:new@x.example").json()["id"] == "email:new@x.example"
    plain.send({"type": "identify", "userId": "u9", "traits": {"email": "Later@x.example", "job": "vp"}})
    opened("4", "later@x.example")
    plain.settle()
    assert plain.get("/v1/leads").json()["total"] == 5
    kept = plain.get("/v1/leads/u9").json()
    assert kept["id"] == plain.get("/v1/leads/email:later@x.example").json()["id"]
    count = "SELECT count(*) FROM events e JOIN ids i ON i.lead = e.lead WHERE i.id = 'u9' AND type = 'email_open'"
    assert stored(plain, count) == [(2,)]


def test_an_address_is_who_has_it_on_postgresql_too(tmp_path: Path, postgres_store: str) -> None:
    shop = make_shop(tmp_path / "shop", store=postgres_store)
    (shop / "scorecards" / "mail.yaml").write_text(
        "groups: {mail: {criteria: [{name: Opens, event: email_open, where: machine is null, points: 1}]}}"
    )
    with inside(shop) as service:
        events = [sendgrid_event("open", "1"), sendgrid_event("open", "2", email="new@x.example"),
                  sendgrid_event("open", "3", sg_machine_open=True)]  # fmt: skip
        assert send(service, f"sendgrid?key={service.key}", events).json()["accepted"] == 3
        service.send({"type": "identify", "userId": "u9", "traits": {"email": "new@x.example"}})
        service.settle()
        assert service.get("/v1/leads").json()["total"] == 4
        for one, lead in (("email:ann@acme.example", "crm-1"), ("u9", "email:new@x.example")):
            found = service.get(f"/v1/leads/{one}", scorecard="mail").json()
            assert (found["id"], found["score"]) == (lead, 1)


def test_mail_to_an_old_address_changes_nobody_s_address_back(plain: Inside) -> None:
    plain.send({"type": "identify", "userId": "crm-2", "traits": {"email": "bob@new.example"}})
    plain.settle()
    event = sendgrid_event("open", "old", email="bob@acme.example", timestamp=seconds())
    assert send(plain, f"sendgrid?key={plain.key}", [event]).json()["accepted"] == 1
    plain.settle()
    told = stored(plain, "SELECT a.email FROM attributes a JOIN ids i ON i.lead = a.lead "
                  "WHERE i.id = 'crm-2' ORDER BY a.known_at DESC LIMIT 1")  # fmt: skip
    assert told == [("bob@new.example",)]
    assert plain.get("/v1/leads/email:bob@acme.example").json()["id"] == "crm-2"


def test_who_was_erased_does_not_come_back_and_a_source_that_merges_by_no_address_has_no_say(shop: Path) -> None:
    text = (shop / "leadlight.yaml").read_text().replace("account: account}", "account: account, merge_by: null}")
    (shop / "leadlight.yaml").write_text(text)
    assert main(["ingest", "-w", str(shop)]) == 0
    assert main(["erase", "crm-1", "-w", str(shop), "--yes"]) == 0
    with inside(shop) as service:
        events = [sendgrid_event("open", "1"), sendgrid_event("open", "2", email="bob@acme.example")]
        send(service, f"sendgrid?key={service.key}", events)
        service.settle()
        assert service.get("/v1/leads").json()["total"] == 3
        assert service.get("/v1/leads/email:ann@acme.example").status_code == 404
        assert service.get("/v1/leads/email:bob@acme.example").json()["id"] == "email:bob@acme.example"
