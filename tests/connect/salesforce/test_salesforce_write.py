"""What only Salesforce has when it is written to: fields and who sees them, ids, tasks; and how one signs in."""

from __future__ import annotations

from datetime import datetime

import pytest

from connect.salesforce.stand_in import StandIn
from leadlight.connect.protocol import Note, PushField, Write
from leadlight.connect.registry import connector
from leadlight.connect.salesforce.sign import Token
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

SCORE = PushField("leadlight_score", Type.NUMBER, "Lead score", "Points")


def test_a_field_is_made_and_opened_by_the_permission_set(org: StandIn) -> None:
    lead = org.add("Lead", LastName="Doe")
    with org.open() as opened:
        (readied,) = opened.session.ready("Lead", [SCORE])
        assert (readied.field, readied.was, readied.todo) == ("Leadlight_Score__c", "made", None)
        (answer,) = opened.session.write("Lead", [Write(lead, {readied.field: 7.25})])
    assert answer.error is None
    assert org.held("Lead", lead).values["Leadlight_Score__c"] == 7.25


def test_a_field_that_nobody_may_write_to_says_where_to_tick(org: StandIn) -> None:
    org.permission_sets.clear()
    with org.open() as opened:
        (readied,) = opened.session.ready("Lead", [SCORE])
    assert readied.was == "missing"
    assert "Setup > Permission Sets > Leadlight > Object Settings > Lead" in str(readied.todo)


def test_who_may_not_make_fields_is_told_how_a_person_does(org: StandIn) -> None:
    org.may_customize = False
    long = PushField("Why__c", Type.TEXT, "Why", "Reasons", length=2000)
    with org.open() as opened:
        score, why = opened.session.ready("Lead", [SCORE, long])
    assert (score.was, why.was) == ("missing", "missing")
    assert "Number(12, 6)" in str(score.todo)
    assert "Text Area (Long)" in str(why.todo)
    assert "Customize Application" in str(score.todo)


def test_a_field_of_another_type_or_read_only_is_not_taken(org: StandIn) -> None:
    fields = [
        PushField("Title", Type.NUMBER, "Score", "x"),
        PushField("isconverted", Type.BOOL, "Converted", "x"),
        PushField("numberofemployees", Type.NUMBER, "Size", "x"),
    ]
    with org.open() as opened:
        title, converted, size = opened.session.ready("Lead", fields)
    assert "holds text and not number" in str(title.todo)
    assert converted.was == "missing"
    assert (size.field, size.was) == ("NumberOfEmployees", "there")


def test_ids_that_are_none_never_reach_the_org(org: StandIn) -> None:
    lead = org.add("Lead", LastName="Doe")
    evil = "' OR Name LIKE '%"
    with org.open() as opened:
        assert set(opened.session.look("Lead", [evil, lead], ["Title"])) == {lead}
        bad, good = opened.session.write("Lead", [Write(evil, {"Title": "x"}), Write(lead, {"Title": "O'Neill \\ co"})])
    assert bad.gone
    assert bad.error
    assert good.error is None
    assert org.held("Lead", lead).values["Title"] == "O'Neill \\ co"
    assert not any(evil in str(call.query) or evil.encode() in call.body for call in org.calls)


def test_a_converted_lead_is_not_written_to(org: StandIn) -> None:
    lead = org.add("Lead", LastName="Doe")
    org.convert("Lead", lead)
    with org.open() as opened:
        (answer,) = opened.session.write("Lead", [Write(lead, {"Title": "x"})])
        assert opened.session.look("Lead", [lead], ["Title"]) == {}
    assert answer.gone
    assert "contact goes on" in str(answer.error)


def test_a_task_is_added_once_and_a_note_is_a_task_that_is_done(org: StandIn) -> None:
    lead, account = org.add("Lead", LastName="Doe"), org.add("Account", Name="Acme")
    note = Note(lead, "Call O'Neill", "Now A", due=datetime(2026, 3, 5, 9), key="up-1")
    with org.open() as opened:
        for _ in range(2):
            assert [one.error for one in opened.session.note("Lead", [note])] == [None]
        opened.session.note("Account", [Note(account, "Seen", "Grade A", kind="note")])
    first, second = org.notes
    assert (first["WhoId"], first["ActivityDate"], first["key"]) == (lead, "2026-03-05", "up-1")
    assert (second["WhatId"], second["Status"]) == (account, "Erledigt")


def test_a_task_whose_answer_was_lost_is_not_added_twice(org: StandIn) -> None:
    lead = org.add("Lead", LastName="Doe")
    note = Note(lead, "Call", "Now A", key="up-1")
    with org.open() as opened:
        opened.session.note("Lead", [Note(lead, "Other", "x", key="other")])
        org.fail("none", "cut")
        with pytest.raises(RemoteError):
            opened.session.note("Lead", [note])
        assert [one.error for one in opened.session.note("Lead", [note])] == [None]
    assert [one["key"] for one in org.notes] == ["other", "up-1"]


# --------------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "told", [{}, {"url": "https://b", "version": "v66"}, {"url": "https://b", "permission_set": "a b"}]
)
def test_settings_that_say_too_little_or_nonsense(told: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="url|version|permission_set"):
        connector("salesforce").settings.model_validate(told)


def test_a_refresh_token_signs_in_and_one_that_has_run_out_is_told(org: StandIn) -> None:
    org.add("Lead", LastName="Doe")
    with org.open(secrets={**org.secrets, "refresh_token": "stand-in-refresh-token"}) as opened:
        assert len(opened.read("Lead", ["Title"])) == 1
    with org.open(secrets={**org.secrets, "refresh_token": "old"}) as opened, pytest.raises(RemoteError) as caught:
        opened.read("Lead", ["Title"])
    assert "SALESFORCE_REFRESH_TOKEN" in str(caught.value)


def test_an_address_that_only_signs_in_is_told_with_the_right_one(org: StandIn) -> None:
    token = Token("https://login.salesforce.com", org.secrets)
    with org.open() as opened:
        assert opened.http is not None
        with pytest.raises(RemoteError, match=r"the org's records are at 127\.0\.0\.1") as caught:
            token.headers(opened.http.ask)
    assert "url: https://127.0.0.1" in str(caught.value)


def test_the_org_counts_its_requests(org: StandIn) -> None:
    with org.open() as opened:
        assert opened.http is not None
        answer = opened.http.ask("GET", "/services/data/v66.0/sobjects/")
    way = connector("salesforce").way(connector("salesforce").settings(url=org.url), org.secrets)
    assert way is not None
    used = way.used(answer)
    assert used is not None
    assert (used.used, used.of) == (2, 15_000)
