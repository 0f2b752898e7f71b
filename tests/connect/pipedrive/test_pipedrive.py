"""What is particular to Pipedrive; what all connectors have in common is in test_conformance.py."""

import base64
from datetime import datetime, timedelta

import orjson
import pytest

from connect.pipedrive.reading import key_of
from connect.pipedrive.stand_in import StandIn
from leadlight.connect.pipedrive import CONNECTOR
from leadlight.connect.protocol import Note, PushField, Settings, Write
from leadlight.errors import NotFoundError, RemoteError, UsageError
from leadlight.expr.types import Type

SCORE = PushField("leadlight_score", Type.NUMBER, "Leadlight score", "Points")
GRADE = PushField("leadlight_grade", Type.TEXT, "Leadlight grade", "A letter and a digit", 10)
SCORED = PushField("leadlight_scored_at", Type.TIME, "Leadlight scored at", "When")
DAY = timedelta(days=1)


def test_custom_fields_have_their_names_and_no_hashes(crm: StandIn) -> None:
    crm.new_field("persons", "Größe (2026)".lower())
    with crm.open() as opened:
        found = opened.describe("persons")
    seniority, odd = found.field("seniority"), found.field("größe_2026")
    assert seniority is not None
    assert (seniority.label, seniority.custom, seniority.type) == ("Seniority", True, Type.TEXT)
    assert odd is not None
    assert odd.custom
    assert not any(len(field.name) == 40 for field in found.fields)


def test_two_fields_of_one_name_are_told_apart(crm: StandIn) -> None:
    crm.new_field("persons", "segment one")
    crm.new_field("persons", "segment-one")
    with crm.open() as opened:
        names = [field.name for field in opened.describe("persons").fields if field.name.startswith("segment")]
    assert names == ["segment_one", f"segment_one_{key_of('persons', 'segment-one')[:6]}"]


def test_a_person_reads_with_primary_mail_and_custom_values(crm: StandIn) -> None:
    company = crm.add("organizations", name="Acme", industry="Finance", country="DE", employee_count=30.0)
    person = crm.add("persons", name="Ada", email="ada@acme.example", org_id=company, seniority="Head", team_size=4.0)
    with crm.open() as opened:
        (row,) = opened.read("persons")
        (account,) = opened.read("organizations")
    assert row.id == person
    wanted = {"email": "ada@acme.example", "org_id": company, "seniority": "Head", "team_size": 4.0}
    assert {name: row.values[name] for name in wanted} == wanted
    assert row.values["add_time"] == datetime(2026, 3, 2, 9)
    assert (account.values["industry"], account.values["country"]) == ("Finance", "DE")


def test_more_custom_fields_than_can_be_asked_for_come_all_the_same(crm: StandIn) -> None:
    for number in range(17):
        crm.new_field("persons", f"extra_{number}")
    crm.add("persons", extra_16="yes")
    with crm.open() as opened:
        (row,) = opened.read("persons")
    assert row.values["extra_16"] == "yes"


def test_deals_put_away_count_and_deleted_ones_are_gone(crm: StandIn) -> None:
    ids = [crm.add("deals", title=f"Deal {number}", stage_id="5", value=10.0 * number) for number in range(3)]
    crm.edit("deals", ids[1], is_archived=True, status="won", close_time=datetime(2026, 3, 1))
    with crm.open() as opened:
        rows = {row.id: row for row in opened.read("deals")}
        assert set(rows) == set(ids)
        assert rows[ids[1]].values["status"] == "won"
        assert rows[ids[0]].values["stage"] == "Qualified"
        crm.clock.advance(3600)
        crm.delete("deals", ids[0])
        gone = {row.id: row.gone for row in opened.read("deals", cursor=opened.cursor)}
    assert gone[ids[0]] is True


def test_a_merge_is_told_by_recents_and_forgotten_after_a_month(crm: StandIn) -> None:
    kept, lost = crm.add("persons", name="Ada"), crm.add("persons", name="A. Lovelace")
    with crm.open() as opened:
        opened.read("persons")
        before = opened.cursor
        crm.clock.advance(3600)
        crm.merge("persons", lost, kept)
        told = [row for row in opened.read("persons", cursor=before) if row.gone]
        assert {(row.id, row.into) for row in told} == {(lost, kept)}
    crm.clock.advance(31 * DAY.total_seconds())
    with crm.open() as opened:
        pages = list(opened.pages("persons", cursor=before))
    assert not [row for page in pages for row in page.rows if row.gone]
    assert {id for page in pages for id in page.there or ()} == {kept}  # noqa: A001


def test_leads_of_the_inbox_and_what_still_exists(crm: StandIn) -> None:
    person = crm.add("persons", name="Ada")
    first = crm.add("leads", title="Ada asks", person_id=person, source_name="Web form", value=100.0)
    second = crm.add("leads", title="Ada asks again", person_id=person)
    crm.edit("leads", second, is_archived=True)
    with crm.open() as opened:
        pages = list(opened.pages("leads"))
        rows = {row.id: row.values for page in pages for row in page.rows}
        assert rows[first] | {"source_name": "Web form", "value": 100.0, "person_id": person} == rows[first]
        assert rows[second]["is_archived"] is True
        assert all(page.there is None for page in pages)
        cursor = opened.cursor
        assert all(page.there is None for page in opened.pages("leads", cursor=cursor))
    crm.clock.advance(2 * DAY.total_seconds())
    crm.delete("leads", first)
    crm.edit("leads", second, title="Ada asked")
    with crm.open() as opened:
        pages = list(opened.pages("leads", cursor=cursor))
    assert {id for page in pages for id in page.there or ()} == {second}  # noqa: A001
    assert [row.values["title"] for page in pages for row in page.rows] == ["Ada asked"]


def test_scores_are_read_back_as_they_were_written(crm: StandIn) -> None:
    person, at = crm.add("persons", name="Ada"), datetime(2026, 3, 2, 10, 30, 15)
    values = {"leadlight_score": 41.25, "leadlight_grade": "A1", "leadlight_scored_at": at}
    with crm.open() as opened:
        dry = opened.session.ready("persons", [SCORE, GRADE, SCORED], dry=True)
        assert [answer.was for answer in dry] == ["made"] * 3
        assert "leadlight_score" not in crm.fields["persons"]
        made = opened.session.ready("persons", [SCORE, GRADE, SCORED])
        assert [answer.field for answer in made] == list(values)
        assert opened.session.write("persons", [Write(person, values)])[0].error is None
        assert opened.session.look("persons", [person, "999"], list(values)) == {person: values}
        again = opened.session.ready("persons", [SCORE, GRADE, SCORED])
    assert [answer.was for answer in again] == ["there"] * 3


def test_a_field_of_another_type_is_told_and_not_written_to(crm: StandIn) -> None:
    crm.new_field("persons", "leadlight_score", "text")
    with crm.open() as opened:
        (answer,) = opened.session.ready("persons", [SCORE])
    assert answer.was == "missing"
    assert "varchar" in (answer.todo or "")
    assert "Data fields" in (answer.todo or "")


def test_a_task_is_made_once(crm: StandIn) -> None:
    person = crm.add("persons", name="Ada")
    note = Note(person, "Call Ada", "Now A1", due=datetime(2026, 3, 3, 9), key="k-1")
    with crm.open() as opened:
        assert [opened.session.note("persons", [note])[0].error for _ in range(2)] == [None, None]
        assert opened.session.note("persons", [Note(person, "Ada", "Was B2", kind="note", key="k-2")])[0].error is None
    task, written = crm.notes
    assert (task["record"], task["due_date"], task["done"]) == (person, "2026-03-03", False)
    assert "Was B2" in written["text"]


def test_words_of_a_note_are_no_markup(crm: StandIn) -> None:
    person = crm.add("persons", name="<img src=x>")
    note = Note(person, "Call <img src=x> & Co", "Visits < 3\nGrade A", kind="note", key="k-1")
    with crm.open() as opened:
        assert opened.session.note("persons", [note])[0].error is None
    (written,) = crm.notes
    assert written["text"].startswith("<b>Call &lt;img src=x&gt; &amp; Co</b><br>Visits &lt; 3<br>Grade A<br>")


def test_an_id_leads_to_no_other_address(crm: StandIn) -> None:
    with crm.open() as opened:
        opened.session.ready("persons", [SCORE])
        opened.session.write("persons", [Write("1?include=x", {"leadlight_score": 1.0})])
    (call,) = (call for call in crm.calls if call.method == "PATCH")
    assert (call.url, call.query) == ("/api/v2/persons/1?include=x", [])


def test_it_is_let_in_by_an_api_token_too(crm: StandIn) -> None:
    crm.add("persons", name="Ada")
    with crm.open(secrets={"token": "pd-api-token-1"}) as opened:
        assert len(opened.read("persons")) == 1
    assert not [call for call in crm.calls if call.url == "/oauth/token"]
    with crm.open(secrets={"token": "other"}) as opened, pytest.raises(RemoteError) as caught:
        opened.read("persons")
    assert caught.value.trouble == "sign_in"
    assert "Personal preferences" in str(caught.value)
    with pytest.raises(UsageError, match="own address"):
        CONNECTOR.way(CONNECTOR.settings(), dict(StandIn.secrets))
    with pytest.raises(UsageError, match="PIPEDRIVE_API_TOKEN"):
        CONNECTOR.way(CONNECTOR.settings(), {"client_id": "only"})


def test_the_days_budget_is_told_and_not_tried_again(crm: StandIn) -> None:
    crm.per_day = 1
    with crm.open() as opened, pytest.raises(RemoteError) as caught:
        opened.read("persons")
    assert caught.value.trouble == "quota"
    assert "midnight" in str(caught.value)
    assert len([call for call in crm.calls if call.url != "/oauth/token"]) == 1


def test_a_webhook_counts_with_its_own_password_only() -> None:
    secrets = {"webhook_user": "leadlight", "webhook_password": "correct horse"}
    signed = {"Authorization": "Basic " + base64.b64encode(b"leadlight:correct horse").decode()}
    body = orjson.dumps({"meta": {"version": "2.0", "entity": "person", "action": "change"}, "data": {"id": 1}})
    now = datetime(2026, 3, 2)

    def changed(headers: dict[str, str], known: dict[str, str], sent: bytes = body) -> list[str]:
        return list(CONNECTOR.changed(headers, sent, url="https://us.example/hook", secrets=known, now=now))

    assert changed(signed, secrets) == ["persons"]
    assert changed(signed, secrets, orjson.dumps({"meta": {"entity": "product"}})) == []
    for headers, known, sent in [({}, secrets, body), (signed, {}, body), (signed, secrets, b"[]")]:
        with pytest.raises(PermissionError):
            changed(headers, known, sent)


def test_what_does_not_exist_is_named_with_the_nearest(crm: StandIn) -> None:
    with crm.open() as opened:
        with pytest.raises(NotFoundError, match="did you mean 'persons'"):
            opened.session.describe(["person"])
        with pytest.raises(NotFoundError, match="leadlight_score"):
            opened.session.look("persons", ["1"], ["leadlight_score"])
    assert Settings.model_fields.keys() <= CONNECTOR.settings.model_fields.keys()


def test_a_look_at_no_fields_says_who_is_there(crm: StandIn) -> None:
    one = crm.add("persons", name="Ada")
    with crm.open() as opened:
        assert opened.session.look("persons", [one, "999"], []) == {one: {}}


def test_history_is_read_where_it_is_wanted_and_said_to_be(crm: StandIn) -> None:
    person = crm.add("persons", name="Ada", seniority="Clerk", team_size=3.0)
    crm.clock.advance(DAY.total_seconds())
    crm.edit("persons", person, seniority="Head", team_size=5.0, org_id="7")
    with crm.open() as opened:
        assert not any(field.history for field in opened.describe("persons").fields)
        assert len(opened.read("persons")) == 1
    with crm.open(history=True) as opened:
        logged = {field.name for field in opened.describe("persons").fields if field.history}
        assert {"name", "seniority", "team_size"} <= logged
        assert not {"org_id", "email"} & logged
        assert not any(field.history for field in opened.describe("activities").fields)
        rows = opened.read("persons", ["seniority", "team_size"])
    assert [(row.known_at, row.values["seniority"], row.values["team_size"]) for row in rows] == [
        (datetime(2026, 3, 2, 9), "Clerk", 3.0),
        (datetime(2026, 3, 3, 9), "Head", 5.0),
        (None, "Head", 5.0),
    ]
