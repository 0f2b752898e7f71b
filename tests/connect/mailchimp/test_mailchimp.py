"""What is Mailchimp's own: its client, audiences, batches that touch nobody's status, tags, archives, webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from connect.mailchimp.stand_in import AUDIENCE, CAMPAIGN, StandIn
from leadlight.connect.mailchimp import CONNECTOR
from leadlight.connect.mailchimp.rows import member_id
from leadlight.connect.protocol import Note, PushField, Write
from leadlight.errors import NotFoundError, UsageError
from leadlight.expr.types import Type

DAY = 86_400
SCORE = PushField("leadlight_score", Type.NUMBER, "Leadlight score", "…")
AT = PushField("leadlight_scored_at", Type.TIME, "Leadlight scored at", "…")


@pytest.fixture(scope="module")
def served() -> Iterator[StandIn]:
    with StandIn().serving() as serving:
        yield serving


@pytest.fixture
def mailchimp(served: StandIn) -> StandIn:
    served.reset()
    return served


def test_the_vendors_client_finds_its_way_about_the_stand_in(mailchimp: StandIn) -> None:
    from mailchimp_marketing import Client
    from mailchimp_marketing.api_client import ApiClientError

    client = Client({"api_key": mailchimp.secrets["api_key"]})
    assert client.api_client.server == "us6"
    client.api_client.host = f"{mailchimp.url}/3.0"
    one, two = mailchimp.add("members", JOB="Buyer"), mailchimp.add("members", JOB="Chef")
    assert client.ping.get()["health_status"]
    (audience,) = client.lists.get_all_lists()["lists"]
    assert {field["tag"] for field in client.lists.get_list_merge_fields(audience["id"])["merge_fields"]} >= {"FNAME"}
    client.lists.add_list_merge_field(audience["id"], {"tag": "LL_SCORE", "name": "Score", "type": "number"})
    found = client.lists.get_list_members_info(audience["id"], count=1, offset=1, sort_field="last_changed")
    assert (found["total_items"], [member["id"] for member in found["members"]]) == (2, [two])
    answer = client.lists.batch_list_members(
        audience["id"],
        {
            "members": [{"email_address": mailchimp.emails[one], "merge_fields": {"LL_SCORE": 12.5}}],
            "update_existing": True,
        },
    )
    assert (answer["error_count"], answer["updated_members"][0]["merge_fields"]["LL_SCORE"]) == (0, 12.5)
    client.lists.update_list_member(audience["id"], two, {"merge_fields": {"LL_SCORE": 3}})
    assert client.lists.get_list_member(audience["id"], two)["merge_fields"]["LL_SCORE"] == 3
    client.lists.create_list_member_note(audience["id"], two, {"note": "Call"})
    assert client.lists.get_list_member_notes(audience["id"], two)["total_items"] == 1
    mailchimp.add("activity", member=one, url="https://x.example/pricing")
    emails = client.reports.get_email_activity_for_campaign(CAMPAIGN)["emails"]
    assert emails[0]["activity"][0]["action"] == "click"
    assert client.reports.get_unsubscribed_list_for_campaign(CAMPAIGN)["total_items"] == 0
    with pytest.raises(ApiClientError):
        client.lists.get_list_member(audience["id"], "nobody")


def test_the_key_says_where_the_account_is() -> None:
    settings = CONNECTOR.settings()
    assert CONNECTOR.way(settings, {"api_key": "abc-us21"}).base == "https://us21.api.mailchimp.com/3.0"
    with pytest.raises(UsageError, match="MAILCHIMP_API_KEY"):
        CONNECTOR.way(settings, {})
    with pytest.raises(UsageError, match="data centre"):
        CONNECTOR.way(settings, {"api_key": "abc"})
    told = CONNECTOR.settings.model_validate({"server": "us3"})
    assert CONNECTOR.way(told, {"access_token": "t"}).base == "https://us3.api.mailchimp.com/3.0"


def test_an_access_token_signs_in_too(mailchimp: StandIn) -> None:
    made = mailchimp.add("members", JOB="Buyer")
    with mailchimp.open(secrets={"access_token": "mailchimp-token-1"}, server="us6") as opened:
        assert [row.id for row in opened.read("members", ["JOB"])] == [made]


def test_of_several_audiences_one_is_named(mailchimp: StandIn) -> None:
    mailchimp.audiences["aud2"] = "Partners"
    with mailchimp.open() as opened, pytest.raises(UsageError, match=r"aud1 \(Customers\), aud2 \(Partners\)"):
        opened.session.describe(["members"])
    for named in ("Partners", "aud2"):
        with mailchimp.open(audience=named) as opened:
            opened.read("members", ["JOB"])
        assert "/3.0/lists/aud2/members" in {call.url for call in mailchimp.calls}
    with mailchimp.open(audience="Partner") as opened, pytest.raises(NotFoundError, match="did you mean 'Partners'"):
        opened.session.describe(["members"])


def test_members_of_one_second_are_all_read_though_they_fill_pages(mailchimp: StandIn) -> None:
    mailchimp.page_most = 5
    at = mailchimp.clock.now()
    ids = {mailchimp.add("members", at=at, JOB=f"Job {number}") for number in range(23)}
    with mailchimp.open() as opened:
        pages = opened.pages("members", ["JOB"])
        rows = list(next(pages).rows)
        mailchimp.delete("members", rows[0].id)
        mailchimp.delete("members", rows[1].id)
        rows += [row for page in pages for row in page.rows]
    assert {row.id for row in rows} == ids


def test_archived_members_are_gone_and_so_are_those_deleted_for_good(mailchimp: StandIn) -> None:
    before = mailchimp.add("members", JOB="Gone before")
    mailchimp.delete("members", before)
    mailchimp.clock.advance(DAY)
    ids = [mailchimp.add("members", JOB=f"Job {number}") for number in range(4)]
    with mailchimp.open() as opened:
        assert {row.id for row in opened.read("members", ["JOB"])} == set(ids)
        cursor = opened.cursor
    mailchimp.clock.advance(DAY * 2)
    mailchimp.delete("members", ids[0])
    mailchimp.forget(ids[1])
    with mailchimp.open() as opened:
        pages = list(opened.pages("members", ["JOB"], cursor=cursor))
    assert {row.id for page in pages for row in page.rows if row.gone} == {ids[0]}
    there = {one for page in pages for one in page.there or ()}
    assert set(ids) - there == {ids[0], ids[1]}


def test_activity_of_campaigns_is_read_since_the_last_time(mailchimp: StandIn) -> None:
    reader = mailchimp.add("members", JOB="Buyer")
    for number, kind in enumerate(("open", "click", "bounce", "unsubscribe")):
        mailchimp.clock.advance(60)
        mailchimp.add(
            "activity", member=reader, type=kind, url=f"https://x.example/{number}" if kind == "click" else None
        )
    with mailchimp.open() as opened:
        rows = opened.read("activity")
        cursor = opened.cursor
    assert {row.values["type"]: row.values["reason"] for row in rows} == {
        "open": None,
        "click": None,
        "bounce": "hard",
        "unsubscribe": "NORMAL",
    }
    assert {row.values["member"] for row in rows} == {reader}
    assert {row.values["campaign"] for row in rows} == {"Spring news"}
    mailchimp.clock.advance(DAY)
    mailchimp.add("activity", member=reader, type="open")
    with mailchimp.open() as opened:
        assert [row.values["type"] for row in opened.read("activity", cursor=cursor)].count("open") <= 2
        cursor = opened.cursor
    mailchimp.clock.advance(DAY)
    with mailchimp.open() as opened:
        assert [row.values["type"] for row in opened.read("activity", cursor=cursor)] == ["open"]


def test_orders_are_outcomes_of_whoever_has_that_address(mailchimp: StandIn) -> None:
    mailchimp.add("orders", currency="EUR", total=12.5)
    mailchimp.add("orders", currency="EUR", total=9.0, result="cancelled")
    with mailchimp.open() as opened:
        rows = opened.read("orders", ["member", "result", "total", "processed_at"])
    assert [(row.values["result"], row.values["total"]) for row in rows] == [("bought", 12.5), ("cancelled", 9.0)]
    assert {row.values["member"] for row in rows} == {member_id("buyer@example.com")}


@pytest.mark.parametrize("wants_status", [False, True])
def test_nobodys_status_is_touched(mailchimp: StandIn, wants_status: bool) -> None:
    mailchimp.wants_status = wants_status
    states = ("subscribed", "unsubscribed", "cleaned", "pending")
    ids = [mailchimp.add("members", JOB="Buyer", status=status) for status in states]
    with mailchimp.open() as opened:
        (made,) = opened.session.ready("members", [SCORE])
        assert (made.field, made.was) == ("LL_SCORE", "made")
        before = {id_: mailchimp.held("members", id_).values["status"] for id_ in ids}
        opened.session.look("members", ids, ["LL_SCORE"])
        answers = opened.session.write("members", [Write(id_, {"LL_SCORE": 7.5}) for id_ in ids])
        assert [answer.error for answer in answers] == [None] * 4
        assert opened.session.look("members", ids, ["LL_SCORE"]) == {id_: {"LL_SCORE": 7.5} for id_ in ids}
    assert {id_: mailchimp.held("members", id_).values["status"] for id_ in ids} == before
    sent = [call.body for call in mailchimp.calls if call.method in ("POST", "PATCH")]
    assert all(b"status" not in body for body in sent)
    assert [call.method for call in mailchimp.calls].count("PATCH") == (4 if wants_status else 0)


def test_whoever_left_between_a_look_and_a_write_does_not_come_back(mailchimp: StandIn) -> None:
    ids = [mailchimp.add("members", JOB="Buyer") for _ in range(3)]
    mailchimp.new_field("members", "LL_SCORE", "number")
    with mailchimp.open() as opened:
        opened.session.look("members", ids, ["LL_SCORE"])
        mailchimp.forget(ids[0])
        mailchimp.delete("members", ids[1])
        answers = opened.session.write("members", [Write(id_, {"LL_SCORE": 1.0}) for id_ in ids])
    assert [(answer.gone, answer.error is None) for answer in answers] == [(True, False), (True, False), (False, True)]
    assert set(mailchimp.records["members"]) == set(ids[1:])


def test_many_are_looked_at_in_passes_and_few_one_by_one(mailchimp: StandIn) -> None:
    ids = [mailchimp.add("members", JOB=f"Job {number}") for number in range(9)]
    with mailchimp.open() as opened:
        assert opened.session.look("members", ids[:1], ["JOB"]) == {ids[0]: {"JOB": "Job 0"}}
        few = [call.url for call in mailchimp.calls]
        assert f"/3.0/lists/{AUDIENCE}/members/{ids[0]}" in few
        mailchimp.calls.clear()
        found = opened.session.look("members", [*ids, "0" * 32], ["JOB"])
        assert {id_: values["JOB"] for id_, values in found.items()} == {id_: f"Job {at}" for at, id_ in enumerate(ids)}
    assert len(mailchimp.calls) <= 4


def test_a_time_is_read_as_it_was_written(mailchimp: StandIn) -> None:
    lead = mailchimp.add("members", JOB="Buyer")
    at = datetime(2026, 3, 1, 12, 30, 5)
    with mailchimp.open() as opened:
        (made,) = opened.session.ready("members", [AT])
        assert made.field == "LL_SCORED"
        opened.session.write("members", [Write(lead, {made.field: at})])
        assert opened.session.look("members", [lead], [made.field]) == {lead: {made.field: at}}
        opened.session.write("members", [Write(lead, {made.field: None})])
        assert opened.session.look("members", [lead], [made.field]) == {lead: {made.field: None}}


def test_a_text_is_cut_at_a_whole_character(mailchimp: StandIn) -> None:
    lead = mailchimp.add("members", JOB="Buyer")
    with mailchimp.open() as opened:
        opened.session.write("members", [Write(lead, {"JOB": "ä" * 250})])
        assert opened.session.look("members", [lead], ["JOB"]) == {lead: {"JOB": "ä" * 127}}


def test_the_usual_fields_have_tags_of_their_own(mailchimp: StandIn) -> None:
    names = ("score", "grade", "probability", "reasons", "next_step", "scored_at")
    asked = [PushField(f"leadlight_{name}", Type.TEXT, f"Leadlight {name}", "…", 250) for name in names]
    with mailchimp.open() as opened:
        made = opened.session.ready("members", asked)
    assert len({one.field for one in made}) == 6
    assert all(len(one.field) <= 10 and one.was == "made" for one in made)


def test_a_field_that_mailchimp_does_not_let_us_make_is_told(mailchimp: StandIn) -> None:
    with mailchimp.open() as opened:
        opened.session.describe(["members"])
        mailchimp.scope_missing = True
        with pytest.raises(Exception, match="Settings > Users"):
            opened.session.ready("members", [SCORE])
        mailchimp.scope_missing = False
        assert [one.was for one in opened.session.ready("members", [SCORE], dry=True)] == ["made"]
        mailchimp.full = True
        (one,) = opened.session.ready("members", [SCORE])
    assert one.was == "missing"
    assert one.todo is not None
    assert "LL_SCORE" in one.todo
    assert "Audience fields" in one.todo


def test_a_note_is_added_once_and_fits(mailchimp: StandIn) -> None:
    lead = mailchimp.add("members", JOB="Buyer")
    note = Note(lead, "Call them", "x" * 3000, key="k1")
    with mailchimp.open() as opened:
        for _ in range(2):
            assert opened.session.note("members", [note])[0].error is None
        with pytest.raises(UsageError, match="on members only"):
            opened.session.note("orders", [note])
    assert [(one["record"], one["key"]) for one in mailchimp.notes] == [(lead, "k1")]


def test_a_webhook_is_known_by_the_secret_in_its_address(mailchimp: StandIn) -> None:
    url = "https://score.example/hook?secret=mailchimp-hook-1"
    now, secrets = mailchimp.clock.now(), mailchimp.secrets

    def changed(body: bytes, url: str) -> list[str]:
        return list(CONNECTOR.changed({}, body, url=url, secrets=secrets, now=now))

    assert changed(b"type=profile&data%5Bemail%5D=a%40example.com", url) == ["members"]
    assert changed(b"type=campaign", url) == ["activity"]
    assert changed(b"", url) == []
    assert changed(b"\xff\x00type", url) == []
    for wrong in ("https://score.example/hook", url + "x", "https://score.example/hook?secret="):
        with pytest.raises(PermissionError, match="Webhooks"):
            changed(b"type=profile", wrong)
    with pytest.raises(PermissionError, match="MAILCHIMP_WEBHOOK_SECRET"):
        CONNECTOR.changed({}, b"", url=url, secrets={}, now=now + timedelta(days=1))
