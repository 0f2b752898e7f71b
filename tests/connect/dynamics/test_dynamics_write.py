"""What only Dataverse has when it is written to: batches that undo all, columns, tasks; sign-in and webhooks."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

import pytest

from connect.dynamics.stand_in import StandIn
from connect.stand_in import START
from leadlight.connect.protocol import Note, PushField, Write
from leadlight.connect.registry import connector
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

SCORE = PushField("leadlight_score", Type.NUMBER, "Lead score", "Points")
HOOK = "https://leadlight.example/v1/connections/crm/changed"


def test_a_batch_goes_in_one_request_and_in_halves_where_one_is_refused(crm: StandIn) -> None:
    ids = [crm.add("lead", lastname=str(number)) for number in range(4)]
    writes = [Write(id, {"jobtitle": "x"}) for id in ids]  # noqa: A001
    with crm.open() as opened:
        assert all(one.error is None for one in opened.session.write("lead", writes))
        assert [call.method for call in crm.calls if "lead" in call.url][-1:] == ["POST"]
        crm.calls.clear()
        crm.refuse("lead", ids[1], "Title is not allowed")
        answers = opened.session.write("lead", writes)
    assert [call.method for call in crm.calls] == ["POST", "POST", "PATCH", "PATCH", "POST"]
    assert [one.error is None for one in answers] == [True, False, True, True]
    assert "Title is not allowed" in str(answers[1].error)


def test_a_table_that_takes_no_batches_is_written_singly(crm: StandIn) -> None:
    crm.updates_multiple = False
    ids = [crm.add("lead", lastname=str(number)) for number in range(3)]
    with crm.open() as opened:
        answers = opened.session.write("lead", [Write(id, {"numberofemployees": 7.6}) for id in ids])  # noqa: A001
    assert [one.error for one in answers] == [None] * 3
    assert [call.method for call in crm.calls if "/leads" in call.url] == ["POST", "PATCH", "PATCH", "PATCH"]
    assert {crm.held("lead", id).values["numberofemployees"] for id in ids} == {7.0}  # noqa: A001


def test_a_record_that_is_no_more_is_never_made_anew(crm: StandIn) -> None:
    lead, other = crm.add("lead", lastname="One"), str(UUID(int=77))
    with crm.open() as opened:
        answers = opened.session.write(
            "lead", [Write(other, {"jobtitle": "x"}), Write("x' or 1 eq 1", {}), Write(lead, {})]
        )
    assert [one.gone for one in answers] == [True, True, False]
    assert set(crm.records["lead"]) == {lead}


def test_columns_are_made_with_a_prefix_and_labels_in_the_base_language(crm: StandIn) -> None:
    fields = [
        SCORE,
        PushField("cr1_Grade", Type.TEXT, "Grade", "x", length=10),
        PushField("JobTitle", Type.TEXT, "Title", "x"),
        PushField("leadsourcecode", Type.TEXT, "Source", "x"),
        PushField("numberofemployees", Type.TEXT, "Size", "x"),
    ]
    with crm.open(prefix="cr1") as opened:
        readied = opened.session.ready("lead", fields)
    assert [(one.field, one.was) for one in readied] == [
        ("cr1_leadlight_score", "made"),
        ("cr1_grade", "made"),
        ("jobtitle", "there"),
        ("leadsourcecode", "missing"),
        ("numberofemployees", "missing"),
    ]
    assert "cannot be written to" in str(readied[3].todo)
    assert "holds number and not text" in str(readied[4].todo)


def test_who_may_not_make_columns_is_told_how_a_person_does(crm: StandIn) -> None:
    crm.may_customize = False
    with crm.open() as opened:
        (one,) = opened.session.ready("lead", [SCORE])
    assert (one.field, one.was) == ("new_leadlight_score", "missing")
    assert "Columns > New column: Decimal" in str(one.todo)


def test_a_task_is_added_once_and_a_note_is_a_note(crm: StandIn) -> None:
    lead = crm.add("lead", lastname="Doe")
    task = Note(lead, "Call", "Now A", due=datetime(2026, 3, 5, 9), key="up-1")
    with crm.open() as opened:
        for _ in range(2):
            assert [one.error for one in opened.session.note("lead", [task])] == [None]
        opened.session.note("lead", [Note(lead, "Seen", "Grade A", kind="note")])
    assert [(note["table"], note["text"]) for note in crm.notes] == [("task", "Now A"), ("annotation", "Grade A")]
    assert crm.notes[0]["scheduledend"] == "2026-03-05T09:00:00Z"


def test_a_task_whose_answer_was_lost_is_not_added_twice(crm: StandIn) -> None:
    lead = crm.add("lead", lastname="Doe")
    with crm.open() as opened:
        opened.describe("lead")
        crm.fail("cut")
        answers = opened.session.note("lead", [Note(lead, "Call", "Now A", key="up-1")])
    assert [one.error for one in answers] == [None]
    assert len(crm.notes) == 1


# --------------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"client_secret": "x"}, "AADSTS7000215.*Certificates & secrets"),
        ({"client_id": "x"}, "AADSTS700016.*DYNAMICS_CLIENT_ID"),
    ],
    ids=["secret", "id"],
)
def test_each_refused_sign_in_says_which_secret(crm: StandIn, wrong: dict[str, str], words: str) -> None:
    with (
        crm.open(secrets={**crm.secrets, **wrong}) as opened,
        pytest.raises(RemoteError, match=r"(?s)" + words) as caught,
    ):
        opened.read("lead", ["jobtitle"])
    assert "Trace ID" not in str(caught.value)


def test_a_secret_that_has_run_out_is_told(crm: StandIn) -> None:
    crm.revoked = True
    with crm.open() as opened, pytest.raises(RemoteError, match="the client secret has run out"):
        opened.read("lead", ["jobtitle"])


def test_webhooks_need_the_key_and_say_which_table() -> None:
    one, secrets, now = connector("dynamics"), {"webhook_key": "stand-in-key"}, START
    body = json.dumps({"PrimaryEntityName": "lead", "MessageName": "Update"}).encode()
    signed = {"X-Leadlight-Key": "stand-in-key"}
    assert one.changed(signed, body, url=HOOK, secrets=secrets, now=now) == ["lead"]
    assert one.changed({}, body, url=f"{HOOK}?code=stand-in-key", secrets=secrets, now=now) == ["lead"]
    for headers, sent, known in (
        ({}, body, secrets),
        ({"X-Leadlight-Key": "other"}, body, secrets),
        (signed, b"{", secrets),
        (signed, b"[]", secrets),
        (signed, b"\xff", secrets),
        (signed, body, {}),
    ):
        with pytest.raises(PermissionError):
            one.changed(headers, sent, url=HOOK, secrets=known, now=now)
