"""A Mautic is read into a workspace as `init` makes it, scored, and written back to; twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connect.mautic.stand_in import StandIn
from connect.salesforce.firm import Firm
from connect.stand_in import START

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def served() -> Iterator[StandIn]:
    with StandIn().serving() as made:
        yield made


@pytest.fixture
def firm(served: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    served.reset()
    monkeypatch.setenv("MAUTIC_CLIENT_ID", served.secrets["client_id"])
    monkeypatch.setenv("MAUTIC_CLIENT_SECRET", served.secrets["client_secret"])
    yield Firm(tmp_path, served)
    assert served.errors == []


def filled(mautic: StandIn) -> dict[str, str]:
    """Fill a Mautic: a company, three contacts, what they did, and one that became a customer."""
    company = mautic.add("companies", companyname="Acme", companynumber_of_employees=300.0)
    made = {
        name: mautic.add(
            "contacts",
            email=f"{name}@acme.example",
            firstname=name,
            position=title,
            company="Acme",
            company_id=company,
            at=START - 90 * DAY,
        )
        for name, title in (("ann", "Chief buyer"), ("bob", None), ("cyd", "Manager"))
    }
    at = START - 3 * DAY
    mautic.add("activity", contact=made["cyd"], type="form.submitted", form="Demo", timestamp=at)
    mautic.add("activity", contact=made["cyd"], type="page.hit", url="https://a.example/pricing", timestamp=at)
    mautic.add("activity", contact=made["bob"], type="lead.donotcontact", channel="email", timestamp=at)
    mautic.add("stage_changes", contact=made["ann"], stage="Customer", at=START - DAY)
    return made


def test_there_and_back(firm: Firm) -> None:
    mautic = firm.system
    made = filled(mautic)
    firm.sync()
    assert firm.counts() == {"leads": 3, "events": 3, "outcomes": 1}
    assert not firm.sync().changed

    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} == {made["bob"], made["cyd"]}  # ann is decided
    assert "leadlight_score" not in mautic.fields["contacts"]
    firm.push()
    bob, cyd = (mautic.held("contacts", made[name]).values for name in ("bob", "cyd"))
    assert isinstance(cyd["leadlight_score"], float)
    assert cyd["leadlight_score"] > bob["leadlight_score"]  # type: ignore[operator]
    assert "Sent a form" in str(cyd["leadlight_reasons"])
    assert mautic.held("contacts", made["bob"]).values["position"] is None

    mautic.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in mautic.calls if call.method == "PATCH"]

    mautic.edit("contacts", made["bob"], leadlight_grade="Z9")  # a person's word stays
    mautic.edit("contacts", made["bob"], position="Head of all", phone="+49 731 1")
    firm.sync()
    assert firm.push().runs[0].conflict_count == 1
    assert mautic.held("contacts", made["bob"]).values["leadlight_grade"] == "Z9"


@pytest.mark.parametrize("admin", [True, False])
def test_changes_between_syncs_are_followed(firm: Firm, admin: bool) -> None:
    mautic = firm.system
    assert isinstance(mautic, StandIn)
    mautic.admin = admin
    made = filled(mautic)
    firm.sync()
    firm.later(days=1)
    mautic.edit("contacts", made["bob"], position="Head of all")
    firm.later(days=1)
    mautic.add("contacts", email="dot@dot.example")
    if admin:
        mautic.merge("contacts", made["cyd"], made["bob"])
    mautic.delete("contacts", made["ann"])
    report = firm.sync()
    seen = firm.versions(made["bob"], "title")
    assert [title for _, title in seen] == [None, "Head of all"]
    assert (seen[1][0] - START).days == (1 if admin else 3) - (0 if admin else 2)
    told = {one.object: (one.new, one.gone, one.merged) for one in report.connections[0].objects}
    assert told["contacts"] == (1, 1, 1 if admin else 0)
    assert not firm.sync().changed


def test_a_field_history_is_known_since_it_was_so(firm: Firm) -> None:
    mautic = firm.system
    lead = mautic.add("contacts", position="Intern", at=START - 60 * DAY)
    for title in ("Buyer", "Chief"):
        firm.later(days=10)
        mautic.edit("contacts", lead, position=title)
    firm.later(days=1)
    firm.sync()
    seen = firm.versions(lead, "title")
    assert [title for _, title in seen] == ["Intern", "Buyer", "Chief"]
    assert [None if at is None else (at - START).days for at, _ in seen][1:] == [10, 20]
