"""What is particular to ActiveCampaign; what all connectors have in common is in test_conformance.py."""

from datetime import datetime, timedelta

import pytest

from connect.activecampaign.stand_in import StandIn
from leadlight.connect.activecampaign import CONNECTOR
from leadlight.connect.protocol import Note, PushField, Write
from leadlight.errors import RemoteError, UsageError
from leadlight.expr.types import Type

SCORE = PushField("leadlight_score", Type.NUMBER, "Leadlight score", "Points")
REASONS = PushField("leadlight_reasons", Type.TEXT, "Leadlight reasons", "Why", 250)
SCORED = PushField("leadlight_scored_at", Type.TIME, "Leadlight scored at", "When")
DAY = 86_400
LINKS = "https://leadlight.example/hook"


def test_a_contact_comes_with_account_tags_and_own_fields_in_one_request(crm: StandIn) -> None:
    account = crm.add("accounts", name="Acme")
    contact = crm.add(
        "contacts", email="ada@acme.example", account=account, tags="eu;hot", job_title="Head", interests="a;b"
    )
    with crm.open() as opened:
        opened.describe("contacts")
        before = len(crm.calls)
        (row,) = opened.read("contacts", ["email", "account", "job_title", "interests", "team_size", "cdate"])
    assert len(crm.calls) - before == 2  # the second one finds that there are no more
    assert row.id == contact
    assert row.values == {
        "email": "ada@acme.example",
        "account": account,
        "job_title": "Head",
        "interests": "a;b",
        "team_size": None,
        "cdate": datetime(2026, 3, 2, 9),
    }
    with crm.open() as opened:
        (tagged,) = opened.read("contacts", ["tags"])
    assert tagged.values == {"tags": "Europe;Hot lead"}


def test_a_deal_is_in_units_and_says_when_it_was_closed(crm: StandIn) -> None:
    contact = crm.add("contacts", email="ada@acme.example")
    won = crm.add("deals", title="Won", status="won", value=450.5, contact=contact, closed=datetime(2026, 3, 1, 8))
    lost = crm.add("deals", title="Lost", status="lost", contact=contact, margin=12.25)
    still = crm.add("deals", title="Open", contact=contact, stage="To contact")
    with crm.open() as opened:
        rows = {row.id: row.values for row in opened.read("deals")}
    assert (rows[won]["status"], rows[won]["value"], rows[won]["closed"]) == ("won", 450.5, datetime(2026, 3, 1, 8))
    assert (rows[lost]["status"], rows[lost]["closed"], rows[lost]["margin"]) == (
        "lost",
        datetime(2026, 3, 2, 9),
        12.25,
    )
    assert (rows[still]["status"], rows[still]["closed"], rows[still]["stage"]) == ("open", None, "To contact")
    assert rows[won]["pipeline"] == "Sales"


def test_what_people_do_is_apart_from_what_mail_programs_do(crm: StandIn) -> None:
    contact = crm.add("contacts", email="ada@acme.example")
    for kind in ("email_sent", "email_machine_open", "email_open", "subscribe-form"):
        crm.clock.advance(1)
        crm.add("activities", contact=contact, kind=kind)
    with crm.open() as opened:
        rows = opened.read("activities")
    assert [row.values["kind"] for row in rows] == ["email_sent", "email_machine_open", "email_open", "subscribe_form"]
    assert {row.values["contact"] for row in rows} == {contact}


def test_activities_go_on_where_they_were_and_do_not_drift_back(crm: StandIn) -> None:
    crm.page_most = 5
    contact = crm.add("contacts", email="ada@acme.example")
    for _ in range(12):
        crm.clock.advance(30)
        crm.add("activities", contact=contact, kind="email_open")
    for _ in range(8):  # all in one second
        crm.add("activities", contact=contact, kind="email_sent")
    with crm.open() as opened:
        assert len({row.id for row in opened.read("activities")}) == 20
        cursor = opened.cursor
    for _ in range(3):
        crm.clock.advance(DAY)
        with crm.open() as opened:
            opened.read("activities", cursor=cursor)
            assert opened.cursor == cursor


def test_contacts_that_are_gone_are_found_by_counting_once_a_day(crm: StandIn) -> None:
    ids = [crm.add("contacts", email=f"{number}@acme.example") for number in range(5)]
    with crm.open() as opened:
        assert all(page.there is None for page in opened.pages("contacts"))
        cursor = opened.cursor
    crm.delete("contacts", ids[0])
    crm.clock.advance(3600)
    with crm.open() as opened:
        assert all(page.there is None for page in opened.pages("contacts", cursor=cursor))
    with crm.open(sweep_hours=1) as opened:
        there = {id for page in opened.pages("contacts", cursor=cursor) for id in page.there or ()}  # noqa: A001
    assert there == set(ids[1:])


def test_a_reading_of_contacts_that_was_killed_goes_on_at_its_id(crm: StandIn) -> None:
    crm.page_most = 2
    ids = [crm.add("contacts", email=f"{number}@acme.example") for number in range(7)]
    with crm.open() as opened:
        reading = opened.pages("contacts", ["email"])
        kept = [row.id for row in next(reading).rows]
        cursor = opened.cursor
        reading.close()
    crm.clock.advance(timedelta(hours=3).total_seconds())
    crm.edit("contacts", ids[0], email="changed@acme.example")  # behind the place where reading goes on
    with crm.open() as opened:
        rest = [row.id for row in opened.read("contacts", ["email"], cursor=cursor)]
        assert [*kept, *rest] == ids
        again = opened.read("contacts", ["email"], cursor=opened.cursor)
    assert [row.values["email"] for row in again if row.id == ids[0]] == ["changed@acme.example"]


def test_scores_are_read_back_as_they_were_written(crm: StandIn) -> None:
    contact, at = crm.add("contacts", email="ada@acme.example"), datetime(2026, 3, 2, 10, 30, 15)
    values = {"leadlight_score": 41.25, "leadlight_reasons": "Met us; Head", "leadlight_scored_at": at}
    with crm.open() as opened:
        dry = opened.session.ready("contacts", [SCORE, REASONS, SCORED], dry=True)
        assert [(one.field, one.was) for one in dry] == [(name, "made") for name in values]
        assert "leadlight_score" not in crm.fields["contacts"]
        opened.session.ready("contacts", [SCORE, REASONS, SCORED])
        assert crm.listless == set()
        assert opened.session.write("contacts", [Write(contact, values)])[0].error is None
        assert opened.session.look("contacts", [contact, "999"], list(values)) == {contact: values}
        again = opened.session.ready("contacts", [SCORE, REASONS, SCORED])
    assert [one.was for one in again] == ["there"] * 3


def test_scores_go_to_contacts_only(crm: StandIn) -> None:
    with crm.open() as opened:
        (answer,) = opened.session.ready("deals", [SCORE])
        assert answer.was == "missing"
        with pytest.raises(UsageError, match="contacts"):
            opened.session.write("deals", [Write("1", {"leadlight_score": 1.0})])


def test_a_note_is_made_once(crm: StandIn) -> None:
    contact = crm.add("contacts", email="ada@acme.example")
    with crm.open() as opened:
        for _ in range(2):
            note = Note(contact, "Call Ada", "Now A1", due=datetime(2026, 3, 3), key="k-1")
            assert opened.session.note("contacts", [note])[0].error is None
        assert opened.session.note("contacts", [Note("999", "Call", "x", key="k-2")])[0].gone
    (made,) = crm.notes
    assert made["reltype"] == "Subscriber"
    assert "Due 2026-03-03" in made["text"]


def test_a_plan_without_deals_is_no_wrong_key(crm: StandIn) -> None:
    crm.crm = False
    with crm.open() as opened:
        assert {one.name for one in opened.session.describe()} == {"contacts", "accounts", "activities"}
        with pytest.raises(RemoteError) as caught:
            opened.read("deals", ["title"])
    assert caught.value.trouble == "disabled"
    assert "take the source of deals out" in str(caught.value)


def test_the_accounts_address_has_to_be_told() -> None:
    with pytest.raises(UsageError, match="Developer"):
        CONNECTOR.way(CONNECTOR.settings(), dict(StandIn.secrets))


def test_a_webhook_counts_with_the_secret_in_its_address_only() -> None:
    known = {"webhook_secret": "ac-hook-secret-1"}
    told = b"type=update&date_time=2026-03-02T04%3A00%3A00-05%3A00&initiated_by=admin&contact%5Bid%5D=7"

    def changed(body: bytes, query: str, secrets: dict[str, str]) -> list[str]:
        at = datetime(2026, 3, 2)
        return list(CONNECTOR.changed({}, body, url=LINKS + query, secrets=secrets, now=at))

    right = "?secret=ac-hook-secret-1"
    assert changed(told, right, known) == ["contacts"]
    assert changed(b"type=deal_update", right, known) == ["deals"]
    assert changed(b"type=open", right, known) == ["activities", "contacts"]
    for body, query, secrets in [
        (told, "", known),
        (told, "?secret=no", known),
        (told, right, {}),
        (b"{}", right, known),
    ]:
        with pytest.raises(PermissionError):
            changed(body, query, secrets)


def test_a_look_at_no_fields_says_who_is_there(crm: StandIn) -> None:
    one = crm.add("contacts", email="ada@acme.example")
    with crm.open() as opened:
        assert opened.session.look("contacts", [one, "999"], []) == {one: {}}
