"""What only Salesforce has when it is read: contact roles, the bin, query locators, field history."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from connect.salesforce.lives import Life
from connect.salesforce.stand_in import StandIn
from connect.salesforce.wire import VIRTUAL
from connect.stand_in import START
from leadlight.connect.protocol import Row
from leadlight.errors import RemoteError

DAY = 86_400
DEAL = ("deal_person", "deal_outcome", "deal_closed_at", "Amount")


def last(rows: list[Row]) -> dict[str, Row]:
    return {row.id: row for row in rows}


def test_a_deal_belongs_to_its_primary_contact_and_ends_when_its_stage_closed(org: StandIn) -> None:
    one, two = org.add("Contact", LastName="One"), org.add("Contact", LastName="Two")
    closed = START - timedelta(days=3)
    won = org.add(
        "Opportunity",
        IsClosed=True,
        IsWon=True,
        LastStageChangeDate=closed,
        CloseDate=START,
        Amount=500.0,
        ContactId=one,
    )
    lost = org.add("Opportunity", IsClosed=True, CloseDate=START - timedelta(days=9), ContactId=one)
    still = org.add("Opportunity", CloseDate=START + timedelta(days=30))
    org.add("OpportunityContactRole", OpportunityId=won, ContactId=one)
    org.add("OpportunityContactRole", OpportunityId=won, ContactId=two, IsPrimary=True)
    org.add("OpportunityContactRole", OpportunityId=still, ContactId=two)
    org.add("OpportunityContactRole", OpportunityId=still, ContactId=one)
    with org.open() as opened:
        rows = last(opened.read("Opportunity", DEAL))
    assert rows[won].values == {
        "deal_person": two,
        "deal_outcome": "won",
        "deal_closed_at": closed,
        "Amount": 500.0,
    }
    assert rows[lost].values["deal_outcome"] == "lost"
    assert rows[lost].values["deal_person"] == one
    assert rows[lost].values["deal_closed_at"] == datetime(2026, 2, 21, 23, 59, 59)  # a day is known at its end
    assert rows[still].values["deal_person"] == two
    assert rows[still].values["deal_outcome"] is None
    assert rows[still].values["deal_closed_at"] is None


def test_a_deal_that_gets_another_person_is_read_again(org: StandIn) -> None:
    one, two = org.add("Contact", LastName="One"), org.add("Contact", LastName="Two")
    deal = org.add("Opportunity", ContactId=one)
    org.add("Opportunity", ContactId=one)
    with org.open() as opened:
        opened.read("Opportunity", DEAL)
        cursor = opened.cursor
    org.clock.advance(DAY)
    org.add("OpportunityContactRole", OpportunityId=deal, ContactId=two, IsPrimary=True)
    org.clock.advance(60)
    with org.open() as opened:
        rows = opened.read("Opportunity", DEAL, cursor=cursor)
    assert {row.id for row in rows if row.values["deal_person"] == two} == {deal}


def test_who_sees_no_roles_reads_the_contact_of_the_deal(org: StandIn) -> None:
    deal = org.add("Opportunity", ContactId=(one := org.add("Contact", LastName="One")))
    with org.open() as opened:
        fields = opened.describe("Opportunity", DEAL)
        del org.fields["OpportunityContactRole"]
        rows = opened.read("Opportunity", DEAL)
    assert fields
    assert last(rows)[deal].values["deal_person"] == one


def test_what_was_deleted_for_good_is_told_once_and_what_is_in_the_bin_too(org: StandIn) -> None:
    gone, binned, merged, there = (org.add("Lead", LastName=str(number)) for number in range(4))
    with org.open() as opened:
        opened.read("Lead", ["Title"])
        cursor = opened.cursor
    org.clock.advance(DAY)
    at = org.clock.now().replace(microsecond=0)
    org.purge("Lead", gone)
    org.delete("Lead", binned)
    org.merge("Lead", merged, there)
    org.clock.advance(60)
    with org.open() as opened:
        rows = [row for row in opened.read("Lead", ["Title"], cursor=cursor) if row.gone]
    told = {row.id: (row.into, row.known_at.replace(microsecond=0) if row.known_at else None) for row in rows}
    assert told == {gone: (None, at), binned: (None, at), merged: (there, at)}
    assert len(rows) == 3


def test_a_long_pause_asks_no_further_back_than_the_org_tells(org: StandIn) -> None:
    org.add("Lead", LastName="One")
    with org.open() as opened:
        opened.read("Lead", ["Title"])
        cursor = opened.cursor
    org.clock.advance(200 * DAY)
    with org.open() as opened:
        assert {row.id for row in opened.read("Lead", ["Title"], cursor=cursor)}
    (asked,) = [call for call in org.calls if call.url.endswith("/deleted/")]
    assert datetime.fromisoformat(asked.params["start"]).replace(tzinfo=None) > org.clock.now() - timedelta(days=15)


def test_an_org_that_lists_no_deletions_of_that_time_is_read_all_the_same(org: StandIn) -> None:
    lead = org.add("Lead", LastName="One")
    with org.open() as opened:
        opened.read("Lead", ["Title"])
        cursor = opened.cursor
    org.clock.advance(DAY)
    org.edit("Lead", lead, Title="Chief")
    org.founded = org.clock.now()
    with org.open() as opened:
        assert last(opened.read("Lead", ["Title"], cursor=cursor))[lead].values["Title"] == "Chief"


def test_a_query_that_the_org_forgot_is_asked_anew_from_where_it_was(org: StandIn) -> None:
    org.page_most = 4
    ids = {org.add("Lead", LastName=str(number)) for number in range(14)}
    with org.open() as opened:
        found = []
        for page in opened.pages("Lead", ["Title"]):
            found += [row.id for row in page.rows]
            org.forget_queries()
    assert sorted(found) == sorted(ids)
    queries = [call.params["q"] for call in org.calls if "q" in call.params and " FROM Lead " in call.params["q"]]
    assert sum("Id > '" in query for query in queries) == 3


def test_history_gives_versions_with_their_dates_and_references_by_id(org: StandIn) -> None:
    lead = org.add("Lead", LastName="Doe", Status="New", Title="Buyer", OwnerId="0055g0000000001AAA")
    org.clock.advance(DAY)
    org.edit("Lead", lead, Status="Working", Title="Head of buying")
    org.clock.advance(DAY)
    org.edit("Lead", lead, City="Ulm")  # no history of that
    org.edit("Lead", lead, OwnerId="0055g0000000002AAA")
    with org.open() as opened:
        rows = opened.read("Lead", ["Status", "City", "Title", "OwnerId"])
        cursor = opened.cursor
    seen = [(row.known_at, *(row.values[name] for name in ("Status", "City", "OwnerId"))) for row in rows]
    assert seen == [
        (START, "New", "Ulm", "0055g0000000001AAA"),
        (START + timedelta(days=1), "Working", "Ulm", "0055g0000000001AAA"),
        (START + timedelta(days=2), "Working", "Ulm", "0055g0000000002AAA"),
        (None, "Working", "Ulm", "0055g0000000002AAA"),
    ]
    org.clock.advance(DAY)
    at = org.clock.now()
    org.edit("Lead", lead, Status="Nurturing")
    org.clock.advance(60)
    with org.open() as opened:
        later = opened.read("Lead", ["Status"], cursor=cursor)
    assert [(row.known_at, row.values["Status"]) for row in later] == [
        (at, "Nurturing"),
        (None, "Nurturing"),
    ]


def test_who_may_not_read_the_history_reads_the_present(org: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    lead = org.add("Lead", LastName="Doe", Status="New")
    org.clock.advance(DAY)
    org.edit("Lead", lead, Status="Working")
    monkeypatch.delitem(VIRTUAL, "LeadHistory")
    with org.open() as opened:
        rows = opened.read("Lead", ["Status"])
    assert [(row.known_at, row.values["Status"]) for row in rows] == [(None, "Working")]


def test_who_may_not_see_which_fields_are_tracked_reads_no_history(
    org: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = org.add("Lead", LastName="Doe", Status="New")
    org.clock.advance(DAY)
    org.edit("Lead", lead, Status="Working")
    monkeypatch.delitem(VIRTUAL, "FieldDefinition")
    with org.open() as opened:
        assert not any(field.history for field in opened.describe("Lead").fields)
        rows = opened.read("Lead", ["Status"])
    assert [(row.known_at, row.values["Status"]) for row in rows] == [(None, "Working")]


def test_a_converted_lead_is_not_gone_and_goes_on_as_its_contact(org: StandIn) -> None:
    lead = org.add("Lead", LastName="Doe", Company="Acme", Email="doe@acme.example")
    contact = org.convert("Lead", lead)
    with org.open() as opened:
        (row,) = opened.read("Lead", ["Email"])
        assert opened.read("Contact", ["Email"])[0].id == contact
    assert (row.into, row.gone, row.values["Email"]) == (contact, False, "doe@acme.example")


def test_campaign_responses_and_tasks_are_events(org: StandIn) -> None:
    campaign = org.add("Campaign", Name="Fair", Type="Trade Show")
    lead = org.add("Lead", LastName="Doe")
    member = org.add(
        "CampaignMember",
        CampaignId=campaign,
        LeadId=lead,
        HasResponded=True,
        FirstRespondedDate=START - timedelta(days=2),
        at=START - timedelta(days=5),
    )
    silent = org.add("CampaignMember", CampaignId=campaign, LeadId=lead)
    call = org.add("Task", WhoId=lead, TaskSubtype="Call", IsClosed=True, CompletedDateTime=START - timedelta(hours=1))
    planned = org.add("Task", WhoId=lead, TaskSubtype="Call", ActivityDate=START)
    with org.open() as opened:
        fields = ["LeadOrContactId", "responded_at", "campaign_name", "campaign_type"]
        responses = last(opened.read("CampaignMember", fields))
        tasks = last(opened.read("Task", ["done_at", "WhoId"]))
    assert responses[member].values == {
        "LeadOrContactId": lead,
        "responded_at": datetime(2026, 2, 28, 23, 59, 59),
        "campaign_name": "Fair",
        "campaign_type": "Trade Show",
    }
    assert responses[silent].values["responded_at"] is None
    assert tasks[call].values["done_at"] == START - timedelta(hours=1)
    assert tasks[planned].values["done_at"] is None


def test_activities_of_long_ago_are_read_and_copies_of_meetings_are_not_counted(org: StandIn) -> None:
    lead, long_ago = org.add("Lead", LastName="Doe"), START.replace(hour=0) - timedelta(days=800)
    old = org.add("Event", WhoId=lead, ActivityDate=long_ago)
    copy = org.add("Event", WhoId=lead, StartDateTime=START, IsChild=True)
    with org.open() as opened:
        rows = last(opened.read("Event", ["held_at"]))
    assert {id: row.values["held_at"] for id, row in rows.items()} == {old: long_ago, copy: None}  # noqa: A001


def test_what_was_in_the_bin_before_the_first_reading_is_not_told(org: StandIn) -> None:
    gone, there = org.add("Lead", LastName="Gone"), org.add("Lead", LastName="There")
    org.delete("Lead", gone)
    with org.open() as opened:
        assert [row.id for row in opened.read("Lead", ["Title"])] == [there]


def test_too_many_fields_for_an_address_are_told_before_they_are_asked_for(org: StandIn) -> None:
    names = [f"A_custom_field_with_a_long_name_{number}__c" for number in range(400)]
    for name in names:
        org.new_field("Lead", name)
    with org.open() as opened, pytest.raises(RemoteError, match="too many to ask for at once") as caught:
        opened.read("Lead", names)
    assert "columns" in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_all_is_known_in_the_end(org: StandIn, seed: int) -> None:
    life = Life(org, seed)
    life.lived()
    assert life.told() == life.truth()


@pytest.mark.slow
def test_whatever_happens_in_many_lives_all_is_known_in_the_end(org: StandIn) -> None:
    for seed in range(4, 60):
        org.reset()
        life = Life(org, seed)
        life.lived()
        assert life.told() == life.truth(), seed


def test_what_is_seen_later_than_its_stamp_is_not_missed(org: StandIn) -> None:
    org.add("Lead", LastName="Now")
    with org.open() as opened:
        opened.read("Lead", ["Title"])
        cursor = opened.cursor
    late = org.add("Lead", LastName="Late", at=org.clock.now() - timedelta(minutes=8))
    with org.open() as opened:
        assert late in last(opened.read("Lead", ["Title"], cursor=cursor))


def test_of_records_that_never_changed_no_history_is_asked_for(org: StandIn) -> None:
    org.add("Lead", LastName="Untouched")
    with org.open() as opened:
        opened.read("Lead", ["Title"])
        assert not [call for call in org.calls if "LeadHistory" in call.params.get("q", "")]
        org.clock.advance(5)
        org.edit("Lead", org.add("Lead", LastName="Touched", at=START - timedelta(days=1)), Title="Chief")
        opened.read("Lead", ["Title"])
    assert len([call for call in org.calls if "LeadHistory" in call.params.get("q", "")]) == 1
