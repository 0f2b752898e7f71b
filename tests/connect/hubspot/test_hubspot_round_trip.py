"""An account is read into a workspace as `init` makes it, scored, and written back to; twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connect.hubspot.stand_in import StandIn, _millis
from connect.salesforce.firm import Firm
from connect.stand_in import START

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture
def firm(hubspot: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    monkeypatch.setenv("HUBSPOT_TOKEN", "pat-na1-abcdef")
    hubspot.token, hubspot.searches = "pat-na1-abcdef", 1_000_000
    return Firm(tmp_path, hubspot)


def filled(account: StandIn) -> dict[str, str]:
    """Fill an account: a company, three contacts, a deal that was won and one that is open, events of every kind."""
    firm = account.add("companies", name="Acme", numberofemployees=400.0, at=START - 200 * DAY)
    made = {
        name: account.add(
            "contacts",
            email=f"{name}@acme.example",
            jobtitle=title,
            associatedcompanyid=firm,
            at=START - 90 * DAY,
        )
        for name, title in (("ann", "Director"), ("bob", "Clerk"), ("cyd", "Head of sales"))
    }
    won = {"hs_is_closed": True, "hs_is_closed_won": True, "amount": 900.0, "closedate": START - DAY}
    account.add("deals", contact=made["ann"], **won)
    account.add("deals", contact=made["bob"], hs_is_closed=False, amount=50.0, closedate=START + 30 * DAY)
    account.add("calls", contact=made["cyd"], hs_timestamp=START - 3 * DAY)
    account.add("meetings", contact=made["cyd"], hs_timestamp=START - 2 * DAY)
    account.emails = [
        {"id": "e1", "created": _millis(START - DAY), "type": "CLICK", "recipient": "cyd@acme.example"},
        {"id": "e2", "created": _millis(START - DAY), "type": "OPEN", "recipient": "bob@acme.example"},
        {
            "id": "e3",
            "created": _millis(START - DAY),
            "type": "OPEN",
            "recipient": "bob@acme.example",
            "filteredEvent": True,
        },
    ]
    account.forms = {"aa-1": "Demo"}
    form = {"submittedAt": _millis(START - 2 * DAY), "values": [{"name": "email", "value": "cyd@acme.example"}]}
    account.submissions["aa-1"] = [{**form, "conversionId": "c1"}]
    return made


def test_there_and_back(firm: Firm) -> None:
    account = firm.system
    made = filled(account)
    firm.sync()
    assert firm.counts() == {"leads": 3, "events": 5, "outcomes": 1}
    assert not firm.sync().changed
    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} == {made["bob"], made["cyd"]}
    assert "leadlight_score" not in account.fields["contacts"]
    firm.push()
    bob, cyd = (account.held("contacts", made[name]).values for name in ("bob", "cyd"))
    assert isinstance(cyd["leadlight_score"], float)
    assert cyd["leadlight_score"] > bob["leadlight_score"]  # type: ignore[operator]
    assert "Sent a form" in str(cyd["leadlight_reasons"])
    assert account.held("contacts", made["ann"]).values["leadlight_score"] is None  # won: never scored
    assert bob["jobtitle"] == "Clerk"

    account.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in account.calls if call.url.endswith("/batch/update")]
    assert not firm.sync().changed  # what we wrote ourselves is no news

    account.edit("contacts", made["bob"], leadlight_grade="Z9")  # a person's word stays
    account.edit("contacts", made["bob"], jobtitle="Director of all")
    firm.sync()
    assert firm.push().runs[0].conflict_count == 1
    assert account.held("contacts", made["bob"]).values["leadlight_grade"] == "Z9"


def test_changes_between_syncs_are_followed(firm: Firm) -> None:
    account = firm.system
    made = filled(account)
    firm.sync()
    firm.later(days=1)
    at = account.clock.now()
    account.edit("contacts", made["bob"], jobtitle="Head of all")
    firm.later(days=1)
    account.merge("contacts", made["cyd"], made["bob"])
    account.add("contacts", email="dot@dot.example")
    account.delete("contacts", made["ann"])
    report = firm.sync()
    seen = firm.versions(made["bob"], "job_title")
    assert [title for _, title in seen] == ["Clerk", "Head of all"]
    assert abs(seen[1][0] - at) < timedelta(seconds=1)
    assert firm.same(made["cyd"], made["bob"])
    told = {one.object: (one.new, one.gone, one.merged) for one in report.connections[0].objects}
    assert told["contacts"] == (1, 1, 1)
    assert not firm.sync().changed


def test_a_deal_that_is_closed_later_becomes_an_outcome(firm: Firm) -> None:
    account = firm.system
    made = filled(account)
    firm.sync()
    firm.later(days=3)
    (deal,) = [one.id for one in account.records["deals"].values() if one.values["contact"] == made["bob"]]
    account.edit("deals", deal, hs_is_closed=True, hs_is_closed_won=False, closedate=account.clock.now())
    firm.sync()
    assert firm.counts()["outcomes"] == 2
    assert sorted(firm.rows("SELECT outcome FROM outcomes")) == [("lost",), ("won",)]
