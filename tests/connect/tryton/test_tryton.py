"""What is Tryton's own, against a stand-in; test_real.py asks a real one. What all systems do is in the suite."""

from __future__ import annotations

import ast
from datetime import datetime, timedelta
from importlib.resources import files

import pytest

from connect.conformance import gone_of
from connect.stand_in import START
from connect.tryton.stand_in import ACTIVITY, OPPORTUNITY, PARTY, RECORD, StandIn
from leadlight.connect.protocol import PushField, Row, Write
from leadlight.connect.push_values import FIELDS
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

DAY = timedelta(days=1)
KINDS = {"Float": Type.NUMBER, "Char": Type.TEXT, "Text": Type.TEXT, "DateTime": Type.TIME}


def read(system: StandIn, name: str, *fields: str) -> list[Row]:
    with system.open() as opened:
        return opened.read(name, fields)


def test_the_module_for_the_server_has_the_fields_that_are_pushed() -> None:
    text = (files("leadlight.connect.tryton") / "leadlight_fields" / "opportunity.py").read_text(encoding="utf-8")
    (model,) = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
    made = {
        node.targets[0].id: (KINDS[node.value.func.attr], node.value.args[0].value)
        for node in model.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name)
    }
    assert made == {field.name: (field.type, field.label) for field in FIELDS.values()}


def test_a_party_that_was_replaced_goes_into_the_other_and_an_archived_one_is_gone(stand_in: StandIn) -> None:
    lives, replaced, archived = (stand_in.add(PARTY, name=name) for name in "abc")
    with stand_in.open() as opened:
        opened.read(PARTY, ["name"])
        cursor = opened.cursor
    stand_in.clock.advance(3600)
    stand_in.merge(PARTY, replaced, lives)
    stand_in.edit(PARTY, archived, active=False)
    with stand_in.open() as opened:
        found = {row.id: (row.into, row.gone) for row in opened.read(PARTY, ["name"], cursor=cursor)}

    assert found == {lives: (None, False), replaced: (lives, False), archived: (None, True)}


def test_the_past_shows_the_party_that_it_was_about_then(stand_in: StandIn) -> None:
    one, other, gone = (stand_in.add(PARTY, name=name, email=f"{name}@x.example") for name in ("one", "other", "gone"))
    lead = stand_in.add(OPPORTUNITY, party=one)
    for party in (gone, other):
        stand_in.clock.advance(3600)
        stand_in.edit(OPPORTUNITY, lead, party=party)
    stand_in.delete(PARTY, gone)

    rows = read(stand_in, OPPORTUNITY, "party", "party.email")

    assert [(row.values["party"], row.values["party.email"]) for row in rows] == [
        (one, "one@x.example"), (gone, None), (other, "other@x.example"),
    ]  # fmt: skip


def test_a_changed_party_brings_its_opportunities_again(stand_in: StandIn) -> None:
    party = stand_in.add(PARTY, name="a", email="old@x.example", at=START - 9 * DAY)
    lead = stand_in.add(OPPORTUNITY, party=party, at=START - 9 * DAY)
    stand_in.add(OPPORTUNITY, at=START - 9 * DAY)
    stand_in.add(OPPORTUNITY, at=START)
    fields = ["party.email"]
    with stand_in.open() as opened:
        opened.read(OPPORTUNITY, fields)
        cursor = opened.cursor
    stand_in.clock.advance(3600)
    stand_in.edit(PARTY, party, email="new@x.example")
    with stand_in.open() as opened:
        rows = opened.read(OPPORTUNITY, fields, cursor=cursor)
        now = stand_in.clock.now()

    (row,) = [row for row in rows if row.id == lead]
    assert row.values["party.email"] == "new@x.example"
    assert row.known_at is not None
    assert now - row.known_at < timedelta(seconds=10)


def test_a_state_is_dated_by_the_log_and_without_it_by_its_end(stand_in: StandIn) -> None:
    logged = stand_in.add(OPPORTUNITY, at=START - 9 * DAY)
    stand_in.clock.advance(60)
    stand_in.edit(OPPORTUNITY, logged, state="won")
    imported = stand_in.add(OPPORTUNITY, state="lost", end_date=datetime(2026, 2, 27), at=START)

    rows = read(stand_in, OPPORTUNITY, "state", "state_since")

    last = {row.id: (row.values["state"], row.values["state_since"]) for row in rows}
    assert last == {logged: ("won", START + timedelta(seconds=60)), imported: ("lost", datetime(2026, 2, 27))}
    first = next(row for row in rows if row.id == logged)
    assert (first.values["state"], first.values["state_since"]) == ("lead", START - 9 * DAY)


@pytest.mark.parametrize(("administrator", "passes"), [(True, 1), (False, 0)])
def test_only_an_administrators_key_learns_of_deletions_at_once(
    stand_in: StandIn, administrator: bool, passes: int
) -> None:
    stand_in.administrator = administrator
    ids = [stand_in.add(PARTY, name=str(number)) for number in range(3)]
    with stand_in.open() as opened:
        opened.read(PARTY, ["name"])
        cursor = opened.cursor
    stand_in.clock.advance(3600)
    stand_in.delete(PARTY, ids[1])
    with stand_in.open() as opened:
        soon = list(opened.pages(PARTY, ["name"], cursor=cursor))
        cursor = opened.cursor
    stand_in.clock.advance(25 * 3600)
    with stand_in.open() as opened:
        later = list(opened.pages(PARTY, ["name"], cursor=cursor))

    assert bool([page for page in soon if page.there]) == bool(passes)
    assert gone_of([*soon, *later], ids) == {ids[1]}


def test_an_activity_belongs_to_the_opportunity_of_its_party_that_was_the_newest_then(stand_in: StandIn) -> None:
    party, stranger = stand_in.add(PARTY, name="a"), stand_in.add(PARTY, name="b")
    old, newer, _later = (stand_in.add(OPPORTUNITY, party=party, at=START + days * DAY) for days in (-9, -5, 2))
    followed = [stand_in.add(RECORD, record=f"{PARTY},{one}") for one in (party, party, party, stranger)]
    times = (START, START - 7 * DAY, START - 20 * DAY, START)
    sent = [stand_in.add(ACTIVITY, record=one) for one in followed]
    for one, at in zip(sent, times, strict=True):
        stand_in.edit(ACTIVITY, one, at=at)

    found = {row.id: row.values["opportunity"] for row in read(stand_in, ACTIVITY, "opportunity", "at")}

    assert found == dict(zip(sent, (newer, old, old, None), strict=True))


def test_a_module_that_is_not_installed_has_no_records(stand_in: StandIn) -> None:
    del stand_in.fields[ACTIVITY], stand_in.records[ACTIVITY]
    assert read(stand_in, ACTIVITY, "opportunity", "at") == []


def test_a_probability_that_nobody_has_set_is_nobodys(stand_in: StandIn) -> None:
    lead = stand_in.add(OPPORTUNITY)
    field = "conversion_probability"
    with stand_in.open() as opened:
        assert opened.session.ready(OPPORTUNITY, [PushField(field, Type.NUMBER, "", "")])[0].was == "there"
        before = opened.session.look(OPPORTUNITY, [lead], [field])
        opened.session.write(OPPORTUNITY, [Write(lead, {field: 0.83})])
        after = opened.session.look(OPPORTUNITY, [lead], [field])

    assert (before[lead][field], after[lead][field]) == (None, 0.83)


def test_one_that_is_refused_does_not_stop_the_others(stand_in: StandIn) -> None:
    ids = [stand_in.add(OPPORTUNITY) for _ in range(9)]
    stand_in.refuse(OPPORTUNITY, ids[4], "You are not allowed to modify this.")
    stand_in.delete(OPPORTUNITY, ids[7])
    with stand_in.open() as opened:
        told = opened.session.write(OPPORTUNITY, [Write(one, {"comment": "hot"}) for one in ids])

    assert {one.id: (one.error, one.gone) for one in told if one.error} == {
        ids[4]: ("You are not allowed to modify this.", False), ids[7]: ("there is no such record any more", True),
    }  # fmt: skip
    assert len(stand_in.batches_seen) < 14  # by halves, not one by one


def test_an_address_without_the_api_says_what_to_look_at(stand_in: StandIn) -> None:
    with stand_in.open(database="other") as opened, pytest.raises(RemoteError, match="database") as caught:
        opened.read(OPPORTUNITY)
    assert caught.value.trouble == "absent"
