"""What is Mautic's own: PHP's ways, the audit log that may not be seen, activity of one second, stages, notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from connect.mautic.stand_in import StandIn
from leadlight.connect.mautic.php import UnreadableError, unserialized
from leadlight.connect.mautic.rows import activity_row
from leadlight.connect.protocol import Field, Note, PushField, Write
from leadlight.errors import RemoteError, UsageError
from leadlight.expr.types import Type

DAY = 86_400
BASIC = {"username": "leadlight", "password": "mautic-password-1"}


@pytest.fixture(scope="module")
def served() -> Iterator[StandIn]:
    with StandIn().serving() as serving:
        yield serving


@pytest.fixture
def mautic(served: StandIn) -> StandIn:
    served.reset()
    return served


def test_a_user_and_password_sign_in_too(mautic: StandIn) -> None:
    made = mautic.add("contacts", position="Buyer")
    with mautic.open(secrets=BASIC) as opened:
        assert [row.id for row in opened.read("contacts", ["position"])] == [made]
    assert all(call.url != "/oauth/v2/token" for call in mautic.calls)


def test_nothing_that_signs_in_is_said_before_anything_is_asked(mautic: StandIn) -> None:
    with pytest.raises(UsageError, match="MAUTIC_USERNAME"):
        mautic.open(secrets={})


def test_basic_auth_that_is_switched_off_is_told_from_a_wrong_password(mautic: StandIn) -> None:
    mautic.revoked = True
    with mautic.open(secrets=BASIC) as opened, pytest.raises(RemoteError) as caught:
        opened.session.describe(["contacts"])
    assert caught.value.trouble == "sign_in"
    assert "Settings > Users" in str(caught.value)


@pytest.mark.parametrize("php", [False, True])
def test_history_and_merges_are_read_in_either_form_of_the_log(mautic: StandIn, php: bool) -> None:
    mautic.php = php
    lead, other = mautic.add("contacts", position="Buyer"), mautic.add("contacts", position="Chef")
    mautic.clock.advance(DAY)
    mautic.edit("contacts", lead, position="Größter Käufer")
    with mautic.open() as opened:
        rows = opened.read("contacts", ["position"])
        cursor = opened.cursor
        was = [(row.known_at, row.values["position"]) for row in rows if row.id == lead]
        assert was[0] == (None, "Buyer")
        assert was[1] == (mautic.held("contacts", lead).modified.replace(microsecond=0), "Größter Käufer")
        mautic.clock.advance(DAY)
        mautic.merge("contacts", other, lead)
        last = [row for row in opened.read("contacts", ["position"], cursor=cursor) if row.id == other]
    assert [(row.gone, row.into) for row in last] == [(True, lead)]


def test_of_a_contact_read_before_only_what_is_new_comes_again(mautic: StandIn) -> None:
    lead = mautic.add("contacts", position="Buyer")
    mautic.clock.advance(DAY)
    with mautic.open() as opened:
        opened.read("contacts", ["position"])
        cursor = opened.cursor
        for title in ("Head", "Chief"):
            mautic.clock.advance(DAY)
            mautic.edit("contacts", lead, position=title)
        rows = opened.read("contacts", ["position"], cursor=cursor)
    dated = [(row.known_at, row.values["position"]) for row in rows if row.known_at is not None]
    held = mautic.held("contacts", lead)
    changes = [(one.at.replace(microsecond=0), one.new) for one in held.history]
    assert dated[:3] == [(held.created, "Buyer"), *changes]
    assert rows[-1].known_at is None


def test_without_the_audit_log_ids_that_are_gone_are_looked_for_once_a_day(mautic: StandIn) -> None:
    mautic.admin = False
    ids = [mautic.add("contacts", position=f"Title {number}") for number in range(7)]
    mautic.page_most = 3
    with mautic.open() as opened:
        first = list(opened.pages("contacts", ["position"]))
        assert {row.id for page in first for row in page.rows} == set(ids)
        assert all(page.there is None for page in first)
        cursor = opened.cursor
    mautic.delete("contacts", ids[2])
    mautic.clock.advance(3600)
    with mautic.open() as opened:
        assert all(page.there is None for page in opened.pages("contacts", ["position"], cursor=cursor))
    mautic.clock.advance(DAY)
    with mautic.open() as opened:
        pages = list(opened.pages("contacts", ["position"], cursor=cursor))
        there = [one for page in pages for one in page.there or ()]
        assert set(ids) - set(there) == {ids[2]}
        assert all(dict(page.cursor)["swept"] == dict(cursor or {})["swept"] for page in pages[:-1])


def test_a_user_who_is_no_administrator_any_more_is_noticed(mautic: StandIn) -> None:
    ids = [mautic.add("contacts", position=f"Title {number}") for number in range(3)]
    with mautic.open() as opened:
        opened.read("contacts", ["position"])
        cursor = opened.cursor
    mautic.admin = False
    mautic.clock.advance(DAY)
    mautic.delete("contacts", ids[0])
    with mautic.open() as opened:
        pages = list(opened.pages("contacts", ["position"], cursor=cursor))
        assert [one for page in pages for one in page.there or ()] == ids[1:]
        cursor = opened.cursor
    mautic.admin = True
    mautic.clock.advance(DAY)
    with mautic.open() as opened:
        opened.read("contacts", ["position"], cursor=cursor)
        cursor = opened.cursor
    mautic.delete("contacts", ids[1])
    with mautic.open() as opened:
        assert [row.id for row in opened.read("contacts", ["position"], cursor=cursor) if row.gone] == [ids[1]]


def test_visitors_without_a_name_are_read_only_where_wanted(mautic: StandIn) -> None:
    visitor = mautic.add("contacts", position=None)
    mautic.held("contacts", visitor).values["dateIdentified"] = None
    with mautic.open() as opened:
        assert opened.read("contacts", ["position"]) == []
    with mautic.open(anonymous=True) as opened:
        assert [row.id for row in opened.read("contacts", ["position"])] == [visitor]


def test_a_contact_has_its_company_tags_and_channels(mautic: StandIn) -> None:
    company = mautic.add("companies", companyname="Acme")
    mautic.add(
        "contacts", company_id=company, tags="a;b", do_not_contact="email;sms", owner="Ann Smith", utm_source="ads"
    )
    with mautic.open() as opened:
        (row,) = opened.read("contacts", ["company_id", "tags", "do_not_contact", "owner", "utm_source"])
    assert row.values == {
        "company_id": company,
        "tags": "a;b",
        "do_not_contact": "email;sms",
        "owner": "Ann Smith",
        "utm_source": "ads",
    }


def test_activity_goes_on_after_the_last_second_though_it_fills_pages(mautic: StandIn) -> None:
    mautic.page_most = 3
    at = mautic.clock.now() - timedelta(days=3)
    for number in range(8):
        mautic.add("activity", contact="1", type="page.hit", timestamp=at, title=f"Page {number}")
    late = mautic.add("activity", contact="1", type="email.click", timestamp=at + timedelta(hours=1), email="News")
    with mautic.open() as opened:
        rows = opened.read("activity", ["type", "title", "email"])
        cursor = opened.cursor
        assert len({row.id for row in rows}) == 9
        assert {row.values["email"] for row in rows if row.values["type"] == "email.click"} == {"News"}
        again = opened.read("activity", ["type"], cursor=cursor)
    assert [row.values["type"] for row in again] == ["email.click"]
    assert late in again[0].id


def test_activity_that_is_nobodys_or_has_no_id_of_its_own() -> None:
    fields = (Field("type", Type.TEXT), Field("contact", Type.TEXT))
    told = {"event": "lead.imported", "timestamp": "2026-03-01T00:00:00+00:00"}
    assert activity_row(told, fields) is None
    one = activity_row({**told, "contactId": 7}, fields)
    two = activity_row({**told, "contactId": 8}, fields)
    assert one is not None
    assert two is not None
    assert one.id != two.id
    assert one.values == {"type": "lead.imported", "contact": "7"}


def test_stages_that_were_entered_are_outcomes(mautic: StandIn) -> None:
    mautic.page_most = 2
    for stage in ("Lead", "Customer", "Lost"):
        mautic.add("stage_changes", contact="7", stage=stage)
    with mautic.open() as opened:
        rows = opened.read("stage_changes", ["contact", "stage", "at"])
        cursor = opened.cursor
        assert [row.values["stage"] for row in rows] == ["Lead", "Customer", "Lost"]
        assert rows[0].values["at"] == mautic.held("stage_changes", rows[0].id).created
        assert opened.read("stage_changes", ["stage"], cursor=cursor) == []


def test_who_came_into_a_segment_is_told_though_they_came_at_once(mautic: StandIn) -> None:
    mautic.page_most = 3
    at = mautic.clock.now() - timedelta(days=3)
    for contact in range(8):
        mautic.add("segments", contact=str(contact), segment="left" if contact == 7 else "Newsletter", at=at)
    mautic.add("segments", contact="9", segment="Newsletter", at=at + timedelta(hours=1))
    with mautic.open() as opened:
        rows = opened.read("segments")
        cursor = opened.cursor
        assert {row.values["contact"] for row in rows} == {*map(str, range(7)), "9"}
        assert {row.values["segment"] for row in rows} == {"Newsletter"}
        assert [row.values["contact"] for row in opened.read("segments", cursor=cursor)] == ["9"]


def test_fields_are_made_as_mautic_keeps_what_it_is_sent(mautic: StandIn) -> None:
    asked = [
        PushField("leadlight_score", Type.NUMBER, "Score", "…"),
        PushField("leadlight_reasons", Type.TEXT, "Reasons", "…", 250),
        PushField("leadlight_grade", Type.TEXT, "Grade", "…", 20),
        PushField("leadlight_scored_at", Type.TIME, "Scored at", "…"),
    ]
    with mautic.open() as opened:
        assert [one.was for one in opened.session.ready("contacts", asked, dry=True)] == ["made"] * 4
        assert not any(call.method == "POST" and "fields" in call.url for call in mautic.calls)
        assert [one.was for one in opened.session.ready("contacts", asked)] == ["made"] * 4
        assert [one.was for one in opened.session.ready("contacts", asked)] == ["there"] * 4
        made = [call.json() for call in mautic.calls if call.url == "/api/fields/contact/new"]
        assert [one["type"] for one in made] == ["number", "textarea", "text", "datetime"]
        assert made[0]["properties"]["scale"] == 4
        lead = mautic.add("contacts", position="Buyer")
        at = datetime(2026, 3, 1, 12, 30, 5)
        values = {
            "leadlight_score": 17.25,
            "leadlight_reasons": "Ä: +1",
            "leadlight_grade": "A1",
            "leadlight_scored_at": at,
        }
        assert opened.session.write("contacts", [Write(lead, values)])[0].error is None
        assert opened.session.look("contacts", [lead], list(values)) == {lead: values}
        opened.session.write("contacts", [Write(lead, {"leadlight_grade": None})])
        assert opened.session.look("contacts", [lead], ["leadlight_grade"])[lead]["leadlight_grade"] is None
    assert mautic.held("contacts", lead).values["position"] == "Buyer"


def test_a_user_who_may_not_make_fields_is_told_what_to_make(mautic: StandIn) -> None:
    with mautic.open() as opened:
        opened.session.describe(["contacts"])
        mautic.schema_locked = True
        (one,) = opened.session.ready("contacts", [PushField("leadlight_score", Type.NUMBER, "Score", "…")])
    assert one.was == "missing"
    assert one.todo is not None
    assert "Settings > Custom Fields > New" in one.todo


def test_a_note_is_added_once(mautic: StandIn) -> None:
    lead = mautic.add("contacts", position="Buyer")
    note = Note(lead, "Call them", "Now A1", due=datetime(2026, 3, 3), key="k1")
    with mautic.open() as opened:
        for _ in range(2):
            assert opened.session.note("contacts", [note])[0].error is None
        with pytest.raises(UsageError, match="on contacts only"):
            opened.session.note("companies", [note])
    assert [(one["record"], one["subject"]) for one in mautic.notes] == [(lead, "Call them")]


@pytest.mark.parametrize(
    "written",
    [
        'O:8:"stdClass":0:{}',
        "a:1:{i:0;",
        's:9:"short";',
        "i:x;",
        "",
        "a:1:{i:0;N;}i:1;",
        "a:1:{i:0;" * 30 + "N;" + "}" * 30,
    ],
)
def test_what_php_did_not_write_is_refused(written: str) -> None:
    with pytest.raises(UnreadableError):
        unserialized(written)
