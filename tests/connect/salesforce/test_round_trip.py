"""An org is read into a workspace as `init` makes it, scored, and written back to; twice changes nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connect.salesforce.firm import Firm
from connect.salesforce.stand_in import StandIn
from connect.stand_in import START

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture
def firm(org: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", org.secrets["client_id"])
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", org.secrets["client_secret"])
    return Firm(tmp_path, org)


def filled(org: StandIn) -> dict[str, str]:
    """Fill an org: three leads, one of them converted into a contact with a deal that was won."""
    made = {
        name: org.add(
            "Lead", LastName=name, Email=f"{name}@acme.example", Company="Acme", Title=title, at=START - 90 * DAY
        )
        for name, title in (("ann", "Chief buyer"), ("bob", "Clerk"), ("cyd", "Manager"))
    }
    made["contact"] = org.convert("Lead", made["ann"])
    org.add("Task", WhoId=made["bob"], TaskSubtype="Call", IsClosed=True, CompletedDateTime=START - 3 * DAY)
    org.add("Event", WhoId=made["cyd"], StartDateTime=START - 2 * DAY, Subject="Demo")
    fair = org.add("Campaign", Name="Fair", Type="Trade Show")
    org.add(
        "CampaignMember", CampaignId=fair, LeadId=made["cyd"], HasResponded=True, FirstRespondedDate=START - 9 * DAY
    )
    deal = {"IsClosed": True, "IsWon": True, "Amount": 900.0, "LastStageChangeDate": START - DAY}
    org.add("Opportunity", Name="Deal", ContactId=made["contact"], **deal)
    return made


def test_there_and_back(firm: Firm) -> None:
    org = firm.system
    made = filled(org)
    firm.sync()
    assert firm.counts() == {"leads": 3, "events": 3, "outcomes": 1}
    assert firm.same(made["ann"], made["contact"])  # the lead, and the contact it became
    assert not firm.sync().changed

    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} == {made["bob"], made["cyd"]}
    assert "Leadlight_Score__c" not in org.fields["Lead"]
    firm.push()
    bob, cyd = (org.held("Lead", made[name]).values for name in ("bob", "cyd"))
    assert (bob["Leadlight_Grade__c"], cyd["Leadlight_Grade__c"]) != (None, None)
    assert isinstance(cyd["Leadlight_Score__c"], float)
    assert cyd["Leadlight_Score__c"] > bob["Leadlight_Score__c"]  # type: ignore[operator]
    assert "Met us" in str(cyd["Leadlight_Reasons__c"])
    assert org.held("Lead", made["bob"]).values["Title"] == "Clerk"

    org.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in org.calls if call.method == "PATCH"]

    org.edit("Lead", made["bob"], Leadlight_Grade__c="Z9")  # a person's word stays
    org.edit("Lead", made["bob"], Title="Chief clerk")
    firm.sync()
    run = firm.push().runs[0]
    assert run.conflict_count == 1
    assert org.held("Lead", made["bob"]).values["Leadlight_Grade__c"] == "Z9"


def test_changes_between_syncs_are_followed(firm: Firm) -> None:
    org = firm.system
    made = filled(org)
    firm.sync()
    firm.later(days=1)
    at = org.clock.now()
    org.edit("Lead", made["bob"], Title="Head of all", City="Ulm")
    firm.later(days=1)
    org.merge("Lead", made["cyd"], made["bob"])
    org.add("Lead", LastName="dot", Email="dot@dot.example")
    org.delete("Contact", made["contact"])
    report = firm.sync()
    (before, clerk), (since, head) = firm.versions(made["bob"], "title")
    assert (before, clerk, head) == (None, "Clerk", "Head of all")
    assert abs(since - at) < timedelta(seconds=1)
    assert firm.same(made["cyd"], made["bob"])
    told = {one.object: (one.new, one.gone, one.merged) for one in report.connections[0].objects}
    assert told["Lead"] == (1, 0, 1)
    assert told["Contact"] == (0, 1, 0)
    assert not firm.sync().changed


def test_a_field_history_is_known_since_it_was_so(firm: Firm) -> None:
    org = firm.system
    lead = org.add("Lead", LastName="eve", Title="Intern", at=START - 60 * DAY)
    for number, title in enumerate(("Buyer", "Chief"), 1):
        firm.later(days=10)
        org.edit("Lead", lead, Title=title)
        assert number
    firm.later(days=1)
    firm.sync()
    seen = firm.versions(lead, "title")
    assert [title for _, title in seen] == ["Intern", "Buyer", "Chief"]
    assert [None if at is None else (at - START).days for at, _ in seen][1:] == [10, 20]


def test_a_killed_sync_goes_on(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    org = firm.system
    org.page_most = 5
    for number in range(30):
        org.add("Lead", LastName=str(number), Email=f"{number}@x.example")
    org.fail(*["none"] * 8, *["cut"] * 7)
    report = firm.workspace().sync()
    assert report.error is not None
    assert firm.sync().error is None
    assert firm.counts()["leads"] == 30


def test_contacts_have_scores_too_and_converted_leads_none(firm: Firm) -> None:
    org = firm.system
    made = filled(org)
    path = firm.root / "leadlight.yaml"
    path.write_text(path.read_text().replace("deleted or outcome is not null", "deleted"))
    firm.sync()
    leads, contacts = firm.push().runs
    assert (leads.object, leads.written, leads.gone) == ("Lead", 2, 1)
    assert (contacts.object, contacts.written, contacts.gone) == ("Contact", 1, 0)
    assert org.held("Contact", made["contact"]).values["Leadlight_Grade__c"] is not None
    assert org.held("Lead", made["ann"]).values["Leadlight_Grade__c"] is None
    assert [run.written for run in firm.push().runs] == [0, 0]
