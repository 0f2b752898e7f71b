"""An environment is read into a workspace as `init` makes it, scored, and written back to; twice changes nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connect.dynamics.stand_in import StandIn
from connect.salesforce.firm import Firm
from connect.stand_in import START

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture
def firm(crm: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    monkeypatch.setenv("DYNAMICS_CLIENT_ID", crm.secrets["client_id"])
    monkeypatch.setenv("DYNAMICS_CLIENT_SECRET", crm.secrets["client_secret"])
    return Firm(tmp_path, crm)


def test_there_and_back(firm: Firm) -> None:
    crm = firm.system
    assert isinstance(crm, StandIn)
    made = {
        name: crm.add("lead", lastname=name, jobtitle=title, leadsourcecode="Web", at=START - 90 * DAY)
        for name, title in (("ann", "Chief buyer"), ("bob", "Clerk"), ("cyd", "Manager"))
    }
    contact = crm.convert("lead", made["ann"])
    done = {"statecode": "Completed", "actualend": START - 3 * DAY}
    crm.add("phonecall", regardingobjectid=made["bob"], **done)
    crm.parties.append((crm.add("email", directioncode=False, **done), made["cyd"], 1))
    crm.add("appointment", regardingobjectid=made["cyd"], scheduledstart=START - 2 * DAY)
    closed = {"actualclosedate": START.replace(hour=0) - DAY, "actualvalue": 900.0}
    crm.add("opportunity", name="Deal", customerid=contact, statecode="Won", **closed)
    firm.sync()
    assert firm.counts() == {"leads": 3, "events": 3, "outcomes": 1}
    assert firm.same(made["ann"], contact)
    assert not firm.sync().changed

    firm.push()
    bob, cyd = (crm.held("lead", made[name]).values for name in ("bob", "cyd"))
    assert isinstance(cyd["new_leadlight_score"], float)
    assert cyd["new_leadlight_score"] > bob["new_leadlight_score"]  # type: ignore[operator]
    assert "Wrote to us" in str(cyd["new_leadlight_reasons"])
    crm.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in crm.calls if call.method != "GET" and "token" not in call.url]

    firm.later(days=1)
    crm.edit("lead", made["bob"], jobtitle="Head of all")
    crm.merge("lead", made["cyd"], made["bob"])
    crm.delete("contact", contact)
    report = firm.sync()
    told = {one.object: (one.gone, one.merged) for one in report.connections[0].objects}
    assert (told["lead"], told["contact"]) == ((0, 1), (1, 0))
    assert firm.same(made["cyd"], made["bob"])
    assert [title for _, title in firm.versions(made["bob"], "title")] == ["Clerk", "Head of all"]
