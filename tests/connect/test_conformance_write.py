"""What every connector does when scores are written back, against its stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from connect.conformance import DAY, need, people, silent
from connect.stand_in import Opened, StandIn
from leadlight.connect.protocol import Note, PushField, Value, Write
from leadlight.connect.registry import connector
from leadlight.expr.types import Type

FIELDS = (
    PushField("leadlight_score", Type.NUMBER, "Lead score", "Points of the scorecard"),
    PushField("leadlight_grade", Type.TEXT, "Lead grade", "Grade of the score", length=40),
    PushField("leadlight_probability", Type.NUMBER, "Probability", "Of winning"),
    PushField("leadlight_reasons", Type.TEXT, "Reasons", "What speaks for it", length=250),
    PushField("leadlight_scored_at", Type.TIME, "Scored at", "When it was scored"),
)
SCORED_AT = datetime(2026, 3, 1, 8, 30, 15)
TEXTS = {"leadlight_grade": "A", "leadlight_reasons": "Opened 3 e-mails (+12) & “Buyer”, 50% <b>; Ä"}
VALUES: dict[str, Value] = {"leadlight_score": 71.25, **TEXTS, "leadlight_probability": 0.8312}
VALUES["leadlight_scored_at"] = SCORED_AT

pytestmark = pytest.mark.timeout(60)  # a reading that goes round in circles would fill the memory


def ready(system: StandIn, opened: Opened) -> list[str]:
    """See that the fields are there, as a person makes those that the connector cannot; return their names."""
    name = system.people.object
    readied = opened.session.ready(name, FIELDS)
    assert len(readied) == len(FIELDS)
    for one, field in zip(readied, FIELDS, strict=True):
        assert (one.was == "missing") == (one.todo is not None)
        if one.was == "missing":
            system.new_field(name, one.field, field.type)
    again = opened.session.ready(name, FIELDS)
    assert [one.field for one in again] == [one.field for one in readied]
    assert {one.was for one in again} == {"there"}
    return [one.field for one in readied]


def values_for(names: Sequence[str]) -> dict[str, Value]:
    return dict(zip(names, (VALUES[field.name] for field in FIELDS), strict=True))


def test_fields_are_made_or_it_says_what_to_do(system: StandIn) -> None:
    need(system, "write", "ready")
    people(system, 1)
    before = {name: dict(fields) for name, fields in system.fields.items()}
    with system.open() as opened:
        dry = opened.session.ready(system.people.object, FIELDS, dry=True)
        assert system.fields == before
        assert all(one.was in ("made", "missing") for one in dry)
        ready(system, opened)


def test_writes_and_sees_what_it_wrote(system: StandIn) -> None:
    need(system, "write", "look")
    ids, kind = people(system, 4), system.people
    with system.open() as opened:
        names = ready(system, opened)
        values = values_for(names)
        answers = opened.session.write(kind.object, [Write(one, values) for one in ids])
        assert [answer.error for answer in answers] == [None] * len(ids)
        looked = opened.session.look(kind.object, ids, names)
    assert set(looked) == set(ids)
    for held in looked.values():
        assert held == values
    for number, one in enumerate(ids):
        assert system.held(kind.object, one).values[kind.text] == f"Title {number}"  # nothing else was touched


def test_what_is_empty_looks_empty(system: StandIn) -> None:
    need(system, "write", "look")
    ids, kind = people(system, 2), system.people
    with system.open() as opened:
        names = ready(system, opened)
        assert opened.session.look(kind.object, ids, names) == {one: dict.fromkeys(names) for one in ids}
        opened.session.write(kind.object, [Write(ids[0], values_for(names))])
        opened.session.write(kind.object, [Write(ids[0], dict.fromkeys(names))])
        looked = opened.session.look(kind.object, ids, names)
    for name, field in zip(names, FIELDS, strict=True):
        if field.type != Type.NUMBER:
            assert looked[ids[0]][name] is None, name


def test_who_is_gone_is_left_out_of_a_look(system: StandIn) -> None:
    need(system, "write", "look", "delete")
    ids, kind = people(system, 3), system.people
    system.delete(kind.object, ids[1])
    with system.open() as opened:
        assert set(opened.session.look(kind.object, ids, [kind.text])) == {ids[0], ids[2]}


def test_a_whole_batch_goes_at_once(system: StandIn) -> None:
    need(system, "write", "look")
    batch = connector(system.system).about.limits.batch
    ids, kind = people(system, batch), system.people
    with system.open() as opened:
        names = ready(system, opened)
        answers = opened.session.write(kind.object, [Write(one, {names[0]: n + 1.0}) for n, one in enumerate(ids)])
        assert [answer.id for answer in answers] == ids
        assert not [answer for answer in answers if answer.error]
        looked = opened.session.look(kind.object, ids, names[:1])
    assert [looked[one][names[0]] for one in ids] == [n + 1.0 for n in range(batch)]


def test_each_record_has_its_own_answer(system: StandIn) -> None:
    need(system, "write", "refuse")
    batch = connector(system.system).about.limits.batch
    ids, kind = people(system, min(5, max(batch, 1))), system.people
    system.clock.advance(DAY)
    if len(ids) < 5:
        pytest.skip(f"{system.system} writes fewer than five records at once")
    with system.open() as opened:
        names = ready(system, opened)
        system.refuse(kind.object, ids[1], "not a valid value")
        system.refuse(kind.object, ids[2], "locked")
        if "delete" not in system.lacks:
            system.delete(kind.object, ids[3])
        answers = opened.session.write(kind.object, [Write(one, values_for(names)) for one in ids])
    assert [answer.id for answer in answers] == ids
    refused, locked, gone = answers[1], answers[2], answers[3]
    assert refused.error
    assert not refused.again
    assert not refused.gone
    assert locked.error
    assert locked.again
    assert gone.gone or "delete" in system.lacks
    assert [answers[0].error, answers[4].error] == [None, None]
    for answer in answers:
        silent(system, answer.error or "")
    with system.open() as opened:
        looked = opened.session.look(kind.object, [ids[0], ids[1], ids[4]], names[:1])
    assert [looked[one][names[0]] for one in (ids[0], ids[1], ids[4])] == [71.25, None, 71.25]


@pytest.mark.parametrize("fault", ["too_many", "unavailable", "cut"])
def test_a_write_that_is_disturbed_is_done(system: StandIn, fault: str) -> None:
    need(system, "write", "look", "http")
    ids, kind = people(system, 3), system.people
    with system.open() as opened:
        names = ready(system, opened)
        system.fail(fault)
        answers = opened.session.write(kind.object, [Write(one, values_for(names)) for one in ids])
        assert [answer.error for answer in answers] == [None] * 3
        assert {held[names[0]] for held in opened.session.look(kind.object, ids, names).values()} == {71.25}


def test_notes_are_added(system: StandIn) -> None:
    need(system, "write", "note")
    ids, kind = people(system, 3), system.people
    due = datetime(2026, 3, 5, 9)
    with system.open() as opened:
        notes = [Note(one, "Call them", f"Now A, {one}", due=due, key=f"up-{one}") for one in ids]
        answers = opened.session.note(kind.object, notes)
    assert [(answer.id, answer.error) for answer in answers] == [(one, None) for one in ids]
    assert [str(note["record"]) for note in system.notes] == ids
    assert all("Now A" in str(note["text"]) for note in system.notes)


def test_a_note_to_nobody_has_its_own_answer(system: StandIn) -> None:
    need(system, "write", "note", "delete")
    ids, kind = people(system, 3), system.people
    system.delete(kind.object, ids[1])
    with system.open() as opened:
        answers = opened.session.note(kind.object, [Note(one, "Call", "Now A", key=one) for one in ids])
    assert [answer.id for answer in answers] == ids
    assert answers[1].error or answers[1].gone
    assert [answers[0].error, answers[2].error] == [None, None]
    assert {str(note["record"]) for note in system.notes} == {ids[0], ids[2]}


def test_nothing_to_write_asks_nothing(system: StandIn) -> None:
    need(system, "write")
    with system.open() as opened:
        assert list(opened.session.write(system.people.object, [])) == []
        assert dict(opened.session.look(system.people.object, [], ["x"])) == {}
        assert list(opened.session.note(system.people.object, [])) == []
    assert system.calls == []
