"""What is Odoo's own; what all systems do is in the conformance suite."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.odoo.stand_in import LEAD, MESSAGE, PARTNER, TRACE, WON, StandIn
from connect.stand_in import START
from leadlight.connect.protocol import Note, PushField, Row, Write
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

SCORE = PushField("leadlight_score", Type.NUMBER, "Lead score", "Points")
AT = PushField("leadlight_scored_at", Type.TIME, "Scored at", "When")


def read(odoo: StandIn, name: str, *fields: str) -> dict[str, Row]:
    with odoo.open() as opened:
        return {row.id: row for row in opened.read(name, fields, history=False)}


def test_leads_are_won_lost_or_open_and_archived_ones_are_gone(odoo: StandIn) -> None:
    closed = START - timedelta(days=1)
    won = odoo.add(LEAD, stage_id=str(WON), date_closed=closed)
    lost = odoo.add(LEAD, active=False, probability=0.0, date_closed=closed)
    kept = odoo.add(LEAD, active=False, probability=20.0)
    new = odoo.add(LEAD, stage_id="1", at=START - timedelta(days=9))

    found = read(odoo, LEAD, "outcome", "outcome_at")

    assert {one: (row.values["outcome"], row.gone) for one, row in found.items()} == {
        won: ("won", False), lost: ("lost", False), kept: ("open", True), new: ("open", False),
    }  # fmt: skip
    assert [found[one].values["outcome_at"] for one in (won, lost, new)] == [closed, closed, START - timedelta(days=9)]


def test_fields_of_other_records_are_shown_by_a_path(odoo: StandIn) -> None:
    country = odoo.add("res.country", code="IT")
    partner = odoo.add(PARTNER, name="Azure", email="hi@azure.example", country_id=country)
    lead = odoo.add(LEAD, partner_id=partner, country_id=country, user_id="7")
    paths = ("partner_id", "partner_id.email", "country_id.code", "user_id.display_name", "stage_id.is_won")

    values = read(odoo, LEAD, *paths)[lead].values

    assert values == dict(zip(paths, (partner, "hi@azure.example", "IT", "Name 7", None), strict=True))


def test_history_has_names_and_numbers_of_what_it_led_to(odoo: StandIn) -> None:
    lead = odoo.add(LEAD, user_id="7", expected_revenue=100.0)
    odoo.clock.advance(3600)
    odoo.edit(LEAD, lead, user_id="8", expected_revenue=250.0)
    names = ["user_id", "user_id.display_name", "expected_revenue"]
    with odoo.open() as opened:
        rows = opened.read(LEAD, names)

    assert [(row.known_at, *(row.values[name] for name in names)) for row in rows] == [
        (START, "7", "Name 7", 100.0),
        (START + timedelta(hours=1), "8", "Name 8", 250.0),
        (None, "8", "Name 8", 250.0),
    ]


def test_without_the_right_to_read_history_there_is_none(odoo: StandIn) -> None:
    odoo.administrator = False
    lead = odoo.add(LEAD, email_from="a@x.example")
    odoo.clock.advance(3600)
    odoo.edit(LEAD, lead, email_from="b@x.example")
    with odoo.open() as opened:
        assert not any(field.history for field in opened.describe(LEAD).fields)
        rows = opened.read(LEAD, ["email_from"])

    assert [(row.known_at, row.values["email_from"]) for row in rows] == [(None, "b@x.example")]


def test_only_messages_and_mailings_of_leads_are_read(odoo: StandIn) -> None:
    lead = odoo.add(LEAD)
    mine = odoo.add(MESSAGE, model=LEAD, res_id=lead, message_type="email", date=START)
    odoo.add(MESSAGE, model=PARTNER, res_id=lead, message_type="email", date=START)
    odoo.add(TRACE, model="mailing.contact", res_id=lead, open_datetime=START)

    assert {one: row.values["res_id"] for one, row in read(odoo, MESSAGE, "res_id").items()} == {mine: lead}
    assert read(odoo, TRACE, "res_id") == {}


@pytest.mark.parametrize("administrator", [True, False])
def test_a_module_that_is_not_installed_gives_no_records(odoo: StandIn, administrator: bool) -> None:
    odoo.administrator = administrator
    del odoo.fields[TRACE], odoo.records[TRACE]
    assert read(odoo, TRACE, "res_id", "open_datetime") == {}


def test_fields_are_made_by_hand_where_the_key_may_not(odoo: StandIn) -> None:
    odoo.administrator = False
    with odoo.open() as opened:
        (refused,) = opened.session.ready(LEAD, [SCORE])
    assert (refused.field, refused.was) == ("x_leadlight_score", "missing")
    assert "Settings > Technical > Fields" in str(refused.todo)

    odoo.administrator = True
    with odoo.open() as opened:
        made = opened.session.ready(LEAD, [SCORE, AT])
        again = opened.session.ready(LEAD, [SCORE, AT])
    assert [(one.field, one.was) for one in made] == [("x_leadlight_score", "made"), ("x_leadlight_scored_at", "made")]
    assert {one.was for one in again} == {"there"}


def test_odoos_own_probability_is_a_percentage_and_empty_while_it_computes_it(odoo: StandIn) -> None:
    lead, other = odoo.add(LEAD, probability=35.0), odoo.add(LEAD, probability=35.0)
    odoo.edit(LEAD, other, is_automated_probability=False)
    with odoo.open() as opened:
        looked = opened.session.look(LEAD, [lead, other], ["probability"])
        written = opened.session.write(LEAD, [Write(one, {"probability": 0.8312}) for one in (lead, other)])

    assert looked == {lead: {"probability": None}, other: {"probability": 0.35}}
    assert [one.error for one in written] == [None, None]
    assert odoo.held(LEAD, lead).values["probability"] == pytest.approx(83.12)


def test_tasks_go_to_the_leads_salesperson_and_notes_to_its_chatter(odoo: StandIn) -> None:
    lead = odoo.add(LEAD, user_id="7")
    task = Note(lead, "Call", "Now A1 & rising", due=START + timedelta(days=2), key="up-1")
    note = Note(lead, "Now A1", "They opened 3 mails", kind="note", key="up-2")
    with odoo.open() as opened:
        for _ in range(2):
            assert [one.error for one in opened.session.note(LEAD, [task, note])] == [None, None]

    made, posted = odoo.notes
    assert (made["summary"], made["user_id"], made["date_deadline"]) == ("Call", 7, "2026-03-04")
    assert made["note"] == "<p>Now A1 &amp; rising [leadlight:up-1]</p>"
    assert posted["body"].startswith("Now A1\nThey opened")


def test_an_odoo_without_the_api_says_what_to_set(odoo: StandIn) -> None:
    odoo.disabled = True
    with odoo.open() as opened, pytest.raises(RemoteError, match="login:") as caught:
        opened.read(LEAD)
    assert caught.value.trouble == "disabled"
