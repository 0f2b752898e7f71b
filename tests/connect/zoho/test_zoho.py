"""What is particular to Zoho CRM; what all connectors have in common is in test_conformance.py."""

from datetime import datetime

import orjson
import pytest

from connect.zoho.stand_in import StandIn
from leadlight.connect.protocol import Note, PushField, Write
from leadlight.connect.zoho import CONNECTOR
from leadlight.connect.zoho.way import REGIONS
from leadlight.errors import NotFoundError, RemoteError
from leadlight.expr.types import Type

SCORE = PushField("leadlight_score", Type.NUMBER, "Leadlight score", "Points")
SCORED = PushField("leadlight_scored_at", Type.TIME, "Leadlight scored at", "When")
HOUR = 3600


def test_times_are_utc_and_lookups_are_ids(crm: StandIn) -> None:
    account = crm.add("Accounts", Account_Name="Acme", Employees=30.0)
    contact = crm.add("Contacts", Last_Name="Lovelace", First_Name="Ada", Account_Name=account)
    deal = crm.add("Deals", Stage="Closed Won", Amount=99.5, Contact_Name=contact, Closing_Date=datetime(2026, 3, 1))
    with crm.open() as opened:
        (row,) = opened.read("Contacts")
        (won,) = opened.read("Deals")
    assert (row.values["Account_Name"], row.values["Full_Name"]) == (account, "Ada Lovelace")
    assert row.values["Created_Time"] == datetime(2026, 3, 2, 9)
    assert (won.id, won.values["Contact_Name"], won.values["Amount"]) == (deal, contact, 99.5)
    assert won.values["Closing_Date"] == datetime(2026, 3, 1)


def test_an_activity_is_of_its_contact_or_of_the_lead_it_is_about(crm: StandIn) -> None:
    lead, contact, account = (
        crm.add("Leads", Last_Name="L"),
        crm.add("Contacts", Last_Name="C"),
        crm.add("Accounts", Account_Name="A"),
    )
    about_lead = crm.add("Calls", Subject="One", What_Id=lead)
    with_contact = crm.add("Calls", Subject="Two", Who_Id=contact, What_Id=account)
    of_nobody = crm.add("Calls", Subject="Three", What_Id=account)
    with crm.open() as opened:
        rows = {row.id: row.values["person"] for row in opened.read("Calls", ["person", "Subject"])}
    assert rows == {about_lead: lead, with_contact: contact, of_nobody: None}


def test_a_converted_lead_lives_on_as_its_contact(crm: StandIn) -> None:
    lead = crm.add("Leads", Last_Name="Lovelace", Email="ada@acme.example")
    with crm.open() as opened:
        assert opened.read("Leads", ["Email"])[0].into is None
        crm.clock.advance(HOUR)
        contact = crm.convert("Leads", lead)
        rows = opened.read("Leads", ["Email"], cursor=opened.cursor)
        assert opened.session.look("Leads", [lead], ["Email"]) == {}
        assert opened.session.write("Leads", [Write(lead, {"Seniority": "Head"})])[0].gone
    assert [(row.id, row.into) for row in rows] == [(lead, contact)]


def test_where_page_tokens_end_reading_goes_on_by_time(crm: StandIn) -> None:
    crm.token_most, crm.page_most = 10, 4
    ids = []
    for number in range(30):
        crm.clock.advance(60)
        ids.append(crm.add("Leads", Last_Name=f"Lead {number}"))
    with crm.open() as opened:
        found = {row.id for row in opened.read("Leads", ["Last_Name"])}
    assert found == set(ids)


def test_too_many_at_one_moment_for_page_tokens_is_an_error_and_no_loop(crm: StandIn) -> None:
    crm.token_most, crm.page_most = 8, 4
    for number in range(30):
        crm.add("Leads", Last_Name=f"Lead {number}")
    with crm.open() as opened:
        opened.describe("Leads")
        with pytest.raises(RemoteError, match="PAGINATION_LIMIT_EXCEEDED"):
            opened.read("Leads", ["Last_Name"])
    assert len(crm.calls) < 20


def test_more_than_fifty_fields_come_in_more_than_one_request(crm: StandIn) -> None:
    for number in range(60):
        crm.new_field("Leads", f"Extra_{number}")
    lead = crm.add("Leads", Last_Name="Lovelace", Extra_0="first", Extra_59="last")
    with crm.open() as opened:
        (row,) = opened.read("Leads")
    assert (row.id, row.values["Extra_0"], row.values["Extra_59"]) == (lead, "first", "last")


def test_scores_are_read_back_as_they_were_written(crm: StandIn) -> None:
    lead, at = crm.add("Leads", Last_Name="Lovelace"), datetime(2026, 3, 2, 10, 30, 15)
    with crm.open() as opened:
        dry = opened.session.ready("Leads", [SCORE, SCORED], dry=True)
        assert [(one.field, one.was) for one in dry] == [
            ("Leadlight_score", "made"),
            ("Leadlight_scored_at", "made"),
        ]
        assert "Leadlight_score" not in crm.fields["Leads"]
        names = [one.field for one in opened.session.ready("Leads", [SCORE, SCORED])]
        values = dict(zip(names, (41.25, at), strict=True))
        assert opened.session.write("Leads", [Write(lead, values)])[0].error is None
        assert opened.session.look("Leads", [lead], names) == {lead: values}
        assert [one.was for one in opened.session.ready("Leads", [SCORE, SCORED])] == ["there", "there"]
    (put,) = [call for call in crm.calls if call.method == "PUT"]
    assert put.json()["trigger"] == []


def test_a_field_that_cannot_be_made_is_left_to_a_person(crm: StandIn) -> None:
    crm.new_field("Leads", "Leadlight_score", "bool")
    with crm.open() as opened:
        (wrong,) = opened.session.ready("Leads", [SCORE])
        opened.session.describe(["Leads"])
        crm.new_field("Leads", "Leadlight_scored_at", "time")  # somebody else was faster
        (raced,) = opened.session.ready("Leads", [SCORED])
    assert (wrong.was, raced.was) == ("missing", "missing")
    assert "boolean" in (wrong.todo or "")
    assert "Modules and Fields" in (raced.todo or "")


def test_a_task_is_made_once_and_belongs_to_its_lead(crm: StandIn) -> None:
    lead, contact = crm.add("Leads", Last_Name="L"), crm.add("Contacts", Last_Name="C")
    with crm.open() as opened:
        for _ in range(2):
            note = Note(lead, "Call", "Now A1", due=datetime(2026, 3, 3), key="k-1")
            assert opened.session.note("Leads", [note])[0].error is None
        opened.session.note("Contacts", [Note(contact, "Call", "Now A2", key="k-2")])
        opened.session.note("Leads", [Note(lead, "Told", "Was B1", kind="note", key="k-3")])
    task, other, note_ = crm.notes
    assert (task["$se_module"], task["record"], task["Due_Date"]) == ("Leads", lead, "2026-03-03")
    assert other["Who_Id"] == {"id": contact}
    assert note_["Parent_Id"]["module"] == {"api_name": "Leads"}


def test_a_token_is_kept_as_long_as_it_lasts(crm: StandIn) -> None:
    crm.add("Leads", Last_Name="Lovelace")
    with crm.open() as opened:
        for _ in range(5):
            opened.read("Leads", ["Email"])
    assert len(crm.given) == 1
    for _ in range(9):
        with crm.open() as opened:
            opened.read("Leads", ["Email"])
    with crm.open() as opened, pytest.raises(RemoteError) as caught:
        opened.read("Leads", ["Email"])
    assert "ten tokens in ten minutes" in str(caught.value)


def test_a_permission_that_is_missing_is_named(crm: StandIn) -> None:
    crm.disabled = True
    with crm.open() as opened, pytest.raises(RemoteError) as caught:
        opened.read("Leads")
    assert caught.value.trouble == "disabled"
    assert "Profiles" in str(caught.value)


def test_a_hidden_module_hides_no_other(crm: StandIn) -> None:
    del crm.fields["Campaigns"]
    with crm.open() as opened:
        names = {one.name for one in opened.session.describe()}
        assert {"Leads", "Contacts", "Deals", "Calls"} <= names
        assert "Campaigns" not in names
        with pytest.raises(RemoteError) as caught:
            opened.session.describe(["Campaigns"])
    assert caught.value.trouble == "absent"
    assert "Modules and Fields" in str(caught.value)


def test_a_module_that_there_is_not_is_named(crm: StandIn) -> None:
    with crm.open() as opened, pytest.raises(NotFoundError, match="did you mean 'Leads'"):
        opened.session.describe(["Lead"])


def test_each_region_has_its_own_servers() -> None:
    secrets = dict(StandIn.secrets)
    for region, (api, accounts) in REGIONS.items():
        way = CONNECTOR.way(CONNECTOR.settings.model_validate({"region": region}), secrets)
        assert way is not None
        assert (way.base, way.hosts) == (f"https://{api}", (accounts,))


def test_a_notification_counts_with_its_channels_token_only() -> None:
    def changed(told: object, secrets: dict[str, str]) -> list[str]:
        body = orjson.dumps(told)
        return list(CONNECTOR.changed({}, body, url="https://x.example", secrets=secrets, now=datetime(2026, 3, 2)))

    known = {"webhook_token": "channel-token-11"}
    told = {"token": "channel-token-11", "module": "Leads", "ids": ["1"], "operation": "update", "channel_id": "7"}
    assert changed(told, known) == ["Leads"]
    assert changed({**told, "module": "no name"}, known) == []
    for body, secrets in [({**told, "token": "other"}, known), (told, {}), ([told], known), ({"token": 7}, known)]:
        with pytest.raises(PermissionError):
            changed(body, secrets)


def test_a_look_at_no_fields_says_who_is_there(crm: StandIn) -> None:
    one = crm.add("Leads", Last_Name="Lovelace")
    with crm.open() as opened:
        assert opened.session.look("Leads", [one, "999"], []) == {one: {}}


def test_history_is_read_where_it_is_wanted_and_a_conversion_stays_one(crm: StandIn) -> None:
    lead = crm.add("Leads", Last_Name="Lovelace", Seniority="Clerk", Team_Size=3.0)
    crm.clock.advance(24 * HOUR)
    crm.edit("Leads", lead, Seniority="Head", Team_Size=5.0)
    crm.clock.advance(24 * HOUR)
    contact = crm.convert("Leads", lead)
    with crm.open() as opened:
        assert not any(field.history for field in opened.describe("Leads").fields)
    with crm.open(history=True) as opened:
        logged = {field.name for field in opened.describe("Leads").fields if field.history}
        assert {"Seniority", "Team_Size"} <= logged
        assert not {"Converted_Contact", "Created_Time"} & logged
        rows = opened.read("Leads", ["Seniority", "Team_Size"])
    assert [(row.known_at, row.values["Seniority"], row.values["Team_Size"], row.into) for row in rows] == [
        (datetime(2026, 3, 2, 9), "Clerk", 3.0, None),
        (datetime(2026, 3, 3, 9), "Head", 5.0, None),
        (None, "Head", 5.0, contact),
    ]
