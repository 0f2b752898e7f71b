"""What only HubSpot has when scores are written: properties with a group, batches refused as a whole, tasks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from connect.hubspot.stand_in import StandIn, _millis
from leadlight.connect.protocol import Note, PushField, Write
from leadlight.connect.registry import connector
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

SCORE = PushField("leadlight_score", Type.NUMBER, "Leadlight score", "Points")
REASONS = PushField("leadlight_reasons", Type.TEXT, "Leadlight reasons", "Why", 250)


def test_properties_are_made_in_a_group_of_their_own_once(hubspot: StandIn) -> None:
    with hubspot.open() as opened:
        made = opened.session.ready("contacts", [SCORE, REASONS])
        assert [(one.field, one.was) for one in made] == [("leadlight_score", "made"), ("leadlight_reasons", "made")]
        assert hubspot.groups == {"contacts": {"leadlight"}}
        assert [one.was for one in opened.session.ready("contacts", [SCORE, REASONS])] == ["there", "there"]
    asked = [call.json() for call in hubspot.calls if call.method == "POST" and call.url.endswith("/contacts")]
    assert [(one["type"], one["fieldType"]) for one in asked] == [("number", "number"), ("string", "text")]


def test_a_property_of_another_type_or_read_only_is_not_ours(hubspot: StandIn) -> None:
    hubspot.new_field("contacts", "leadlight_score", "time")
    hubspot.new_field("contacts", "leadlight_reasons", "string")
    hubspot.calculated.add("leadlight_reasons")
    with hubspot.open() as opened:
        score, reasons = opened.session.ready("contacts", [SCORE, REASONS])
    assert (score.was, reasons.was) == ("missing", "missing")
    assert "time" in (score.todo or "")
    assert "read-only" in (reasons.todo or "")


def test_a_key_that_may_not_make_properties_says_how_to_make_them(
    hubspot: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hubspot.open() as opened:
        opened.describe("contacts")
        hubspot.scope_missing = True
        (score,) = opened.session.ready("contacts", [SCORE])
    assert score.was == "missing"
    assert "crm.schemas.contacts.write" in (score.todo or "")
    assert "leadlight_score" in (score.todo or "")


def test_one_invalid_record_does_not_hold_up_ninety_nine(hubspot: StandIn) -> None:
    ids = [hubspot.add("contacts") for _ in range(100)]
    hubspot.refuse("contacts", ids[41], "jobtitle is too long")
    with hubspot.open() as opened:
        told = opened.session.write("contacts", [Write(one, {"jobtitle": "Chief"}) for one in ids])
    assert [one.id for one in told if one.error] == [ids[41]]
    assert "jobtitle is too long" in (told[41].error or "")
    assert sum(1 for one in ids if hubspot.held("contacts", one).values["jobtitle"] == "Chief") == 99
    assert len(hubspot.batches_seen) <= 15  # it is looked for by halves


def test_a_property_that_was_deleted_is_told_for_all(hubspot: StandIn) -> None:
    one = hubspot.add("contacts")
    with hubspot.open() as opened, pytest.raises(RemoteError, match="leadlight_score") as caught:
        opened.session.write("contacts", [Write(one, {"leadlight_score": 1.0})])
    assert caught.value.trouble == "absent"
    assert "Properties" in str(caught.value)


def test_a_task_is_added_once_whatever_is_remembered(hubspot: StandIn) -> None:
    one, other = hubspot.add("contacts"), hubspot.add("contacts")
    due = datetime(2026, 3, 5, 9)
    task = Note(one, "Call <Ann>", "Now A & B", due=due, key="up-7")
    with hubspot.open() as opened:
        assert opened.session.note("contacts", [task])[0].error is None
    with hubspot.open() as opened:  # as after a crash before it was written down
        told = opened.session.note("contacts", [task, Note(other, "Look", "New", kind="note", key="up-8")])
    assert [(answer.id, answer.error) for answer in told] == [(one, None), (other, None)]
    assert [(note["kind"], note["record"]) for note in hubspot.notes] == [("tasks", one), ("notes", other)]
    made = hubspot.notes[0]
    assert made["hs_task_subject"] == "Call <Ann>"
    assert made["hs_timestamp"] == "2026-03-05T09:00:00.000Z"
    assert "Now A &amp; B" in made["hs_task_body"]


def test_webhooks_that_are_old_or_of_the_old_form(hubspot: StandIn) -> None:
    one, url = connector("hubspot"), "https://leadlight.example/changed?connection=crm%20eu"
    headers, body = hubspot.webhook("deals", url)
    now = hubspot.clock.now()
    assert one.changed(headers, body, url=url, secrets=hubspot.secrets, now=now) == ["deals"]
    for later in (timedelta(minutes=6), -timedelta(minutes=6)):
        with pytest.raises(PermissionError, match="five minutes"):
            one.changed(headers, body, url=url, secrets=hubspot.secrets, now=now + later)
    with pytest.raises(PermissionError, match="HUBSPOT_CLIENT_SECRET"):
        one.changed(headers, body, url=url, secrets={}, now=now)
    with pytest.raises(PermissionError):
        one.changed({**headers, "X-HubSpot-Request-Timestamp": "soon"}, body, url=url, secrets=hubspot.secrets, now=now)


def test_webhooks_name_objects_in_either_form() -> None:
    from leadlight.connect.hubspot.webhook import _objects

    body = (
        b'[{"subscriptionType":"company.propertyChange"},{"subscriptionType":"object.creation","objectTypeId":"2-9"}]'
    )
    assert _objects(body) == ["companies", "2-9"]
    assert _objects(b'[{"subscriptionType":"conversation.creation"}, 7, null]') == []
    assert _objects(b"not json") == []
    assert _millis(datetime(1970, 1, 1)) == 0
