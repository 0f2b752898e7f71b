"""An account of Pipedrive is read into a workspace as `init` makes it, scored, and written back to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connect.pipedrive.stand_in import StandIn
from connect.salesforce.firm import Firm
from connect.stand_in import START

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture
def firm(crm: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    for name in ("client_id", "client_secret", "refresh_token"):
        monkeypatch.setenv(f"PIPEDRIVE_{name.upper()}", crm.secrets[name])
    return Firm(tmp_path, crm)


def filled(crm: StandIn) -> dict[str, str]:
    """Fill an account: an organization, four people, what they did, and a deal that was won."""
    acme = crm.add("organizations", name="Acme", employee_count=300.0, at=START - 90 * DAY)
    made = {
        name: crm.add(
            "persons", name=name, email=f"{name}@acme.example", job_title=title, org_id=acme, at=START - 90 * DAY
        )
        for name, title in (("ann", "Chief buyer"), ("bob", "Clerk"), ("cyd", "Director"), ("dot", None))
    }
    met = {"type": "meeting", "done": True, "marked_as_done_time": START - 2 * DAY}
    crm.add("activities", subject="Demo", person_id=made["cyd"], **met)
    crm.add("activities", subject="To do", type="call", person_id=made["bob"])  # not done yet
    crm.add("leads", title="Asks", person_id=made["bob"], source_name="Web form", at=START - 3 * DAY)
    won = {"status": "won", "value": 900.0, "close_time": START - DAY, "is_archived": True}
    crm.add("deals", title="Deal", person_id=made["ann"], **won)
    crm.add("deals", title="Open", person_id=made["cyd"])
    return made


def test_there_and_back(firm: Firm) -> None:
    crm, made = firm.system, filled(firm.system)
    firm.sync()
    assert firm.counts() == {"leads": 4, "events": 2, "outcomes": 1}
    assert not firm.sync().changed

    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} == {made["bob"], made["cyd"], made["dot"]}
    assert "leadlight_score" not in crm.fields["persons"]
    assert firm.push().runs[0].written == 3
    bob, cyd = (crm.held("persons", made[name]).values for name in ("bob", "cyd"))
    assert float(str(cyd["leadlight_score"])) > float(str(bob["leadlight_score"]))
    assert "Met us" in str(cyd["leadlight_reasons"])
    assert bob["job_title"] == "Clerk"

    crm.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in crm.calls if call.method == "PATCH"]
    crm.edit("persons", made["bob"], leadlight_grade="Z9")  # a person's word stays
    crm.edit("persons", made["bob"], job_title="Director")
    firm.sync()
    assert firm.push().runs[0].conflict_count == 1
    assert crm.held("persons", made["bob"]).values["leadlight_grade"] == "Z9"


def test_changes_between_syncs_are_followed(firm: Firm) -> None:
    crm, made = firm.system, filled(firm.system)
    firm.sync()
    firm.later(days=1)
    crm.edit("persons", made["bob"], job_title="Director")
    crm.merge("persons", made["dot"], made["cyd"])
    crm.delete("persons", made["ann"])
    crm.add("persons", name="eve", email="eve@eve.example")
    report = firm.sync()
    told = {one.object: (one.new, one.gone, one.merged) for one in report.connections[0].objects}
    assert told["persons"] == (1, 1, 1)
    assert [title for _, title in firm.versions(made["bob"], "title")] == ["Clerk", "Director"]
    assert firm.same(made["dot"], made["cyd"])
    assert not firm.sync().changed
