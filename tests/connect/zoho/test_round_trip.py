"""An organisation of Zoho CRM is read into a workspace as `init` makes it, scored, and written back to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connect.salesforce.firm import Firm
from connect.stand_in import START
from connect.zoho.stand_in import StandIn

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture
def firm(crm: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    for name in ("client_id", "client_secret", "refresh_token"):
        monkeypatch.setenv(f"ZOHO_{name.upper()}", crm.secrets[name])
    return Firm(tmp_path, crm)


def filled(crm: StandIn) -> dict[str, str]:
    """Fill an organisation: an account, three leads, a contact with a deal that was won, and what they did."""
    acme = crm.add("Accounts", Account_Name="Acme", Employees=300.0, at=START - 90 * DAY)
    made = {
        name: crm.add(
            "Leads",
            Last_Name=name,
            Email=f"{name}@acme.example",
            Designation=title,
            Company="Acme",
            at=START - 90 * DAY,
        )
        for name, title in (("ann", "Chief buyer"), ("bob", "Clerk"), ("cyd", "Director"))
    }
    made["eve"] = crm.add("Contacts", Last_Name="eve", Email="eve@acme.example", Account_Name=acme, at=START - 80 * DAY)
    crm.add("Calls", Subject="Call", What_Id=made["bob"], Call_Type="Outbound", Call_Start_Time=START - 3 * DAY)
    crm.add("Events", Event_Title="Demo", What_Id=made["cyd"], Start_DateTime=START - 2 * DAY)
    won = {"Stage": "Closed Won", "Amount": 900.0, "Closing_Date": (START - DAY).replace(hour=0)}
    crm.add("Deals", Deal_Name="Deal", Contact_Name=made["eve"], **won)
    crm.add("Deals", Deal_Name="Open", Stage="Qualification", Contact_Name=made["eve"])
    return made


def test_there_and_back(firm: Firm) -> None:
    crm, made = firm.system, filled(firm.system)
    firm.sync()
    assert firm.counts() == {"leads": 4, "events": 2, "outcomes": 1}
    assert not firm.sync().changed

    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} >= {made["ann"], made["bob"], made["cyd"]}
    assert "Leadlight_score" not in crm.fields["Leads"]
    firm.push()
    bob, cyd = (crm.held("Leads", made[name]).values for name in ("bob", "cyd"))
    assert float(str(cyd["Leadlight_score"])) > float(str(bob["Leadlight_score"]))
    assert "Met us" in str(cyd["Leadlight_reasons"])
    assert bob["Designation"] == "Clerk"

    crm.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in crm.calls if call.method == "PUT"]
    crm.edit("Leads", made["bob"], Leadlight_grade="Z9")  # a person's word stays
    crm.edit("Leads", made["bob"], Designation="Director")
    firm.sync()
    assert firm.push().runs[0].conflict_count == 1
    assert crm.held("Leads", made["bob"]).values["Leadlight_grade"] == "Z9"


def test_changes_between_syncs_are_followed(firm: Firm) -> None:
    crm, made = firm.system, filled(firm.system)
    firm.sync()
    firm.later(days=1)
    crm.edit("Leads", made["bob"], Designation="Director")
    contact = crm.convert("Leads", made["cyd"])
    crm.delete("Leads", made["ann"])
    report = firm.sync()
    told = {one.object: (one.new, one.gone, one.merged) for one in report.connections[0].objects}
    assert told["Leads"] == (0, 1, 1)
    assert told["Contacts"] == (1, 0, 0)
    assert [title for _, title in firm.versions(made["bob"], "title")] == ["Clerk", "Director"]
    assert firm.same(made["cyd"], contact)
    assert not firm.sync().changed
