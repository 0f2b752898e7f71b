"""An account of ActiveCampaign is read into a workspace as `init` makes it, scored, and written back to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connect.activecampaign.stand_in import StandIn
from connect.salesforce.firm import Firm
from connect.stand_in import START

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture
def firm(crm: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    monkeypatch.setenv("ACTIVECAMPAIGN_KEY", crm.secrets["key"])
    return Firm(tmp_path, crm)


def filled(crm: StandIn) -> dict[str, str]:
    """Fill an account: a company, four contacts, what they did, and a deal that was won."""
    acme = crm.add("accounts", name="Acme", at=START - 90 * DAY)
    made = {
        name: crm.add("contacts", email=f"{name}@acme.example", firstName=name, phone=phone, at=START - 90 * DAY)
        for name, phone in (("ann", "+49 30 1"), ("bob", None), ("cyd", "+49 30 3"), ("dot", None))
    }
    crm.edit("contacts", made["cyd"], account=acme)
    for number in range(3):
        at = START - (number + 1) * DAY
        crm.add("activities", contact=made["cyd"], kind="email_open", reference_action="x", tstamp=at)
        crm.add("activities", contact=made["bob"], kind="email_machine_open", reference_action="x", tstamp=at)
    crm.add("deals", title="Deal", status="won", value=900.0, contact=made["ann"], closed=START - DAY)
    crm.add("deals", title="Open", contact=made["cyd"])
    return made


def test_there_and_back(firm: Firm) -> None:
    crm, made = firm.system, filled(firm.system)
    firm.sync()
    assert firm.counts() == {"leads": 4, "events": 6, "outcomes": 1}
    assert not firm.sync().changed

    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} == {made["bob"], made["cyd"], made["dot"]}
    assert "leadlight_score" not in crm.fields["contacts"]
    assert firm.push().runs[0].written == 3
    bob, cyd = (crm.held("contacts", made[name]).values for name in ("bob", "cyd"))
    assert float(str(cyd["leadlight_score"])) > float(str(bob["leadlight_score"]))
    assert "Opens our mails" in str(cyd["leadlight_reasons"])
    assert crm.listless == set()

    crm.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in crm.calls if call.method == "PUT"]
    crm.edit("contacts", made["bob"], leadlight_grade="Z9")  # a person's word stays
    crm.edit("contacts", made["bob"], phone="+49 30 2")
    firm.sync()
    assert firm.push().runs[0].conflict_count == 1
    assert crm.held("contacts", made["bob"]).values["leadlight_grade"] == "Z9"


def test_changes_between_syncs_are_followed(firm: Firm) -> None:
    crm, made = firm.system, filled(firm.system)
    firm.sync()
    firm.later(days=2)
    crm.edit("contacts", made["bob"], phone="+49 30 2")
    crm.delete("contacts", made["dot"])
    crm.add("contacts", email="eve@eve.example")
    report = firm.sync()
    told = {one.object: (one.new, one.gone, one.merged) for one in report.connections[0].objects}
    assert told["contacts"] == (1, 1, 0)
    assert [phone for _, phone in firm.versions(made["bob"], "phone")] == [None, "+49 30 2"]
    assert not firm.sync().changed
