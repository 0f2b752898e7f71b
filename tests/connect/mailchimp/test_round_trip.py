"""An audience is read into a workspace as `init` makes it, scored, and written back to; twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connect.mailchimp.stand_in import StandIn
from connect.salesforce.firm import Firm
from connect.stand_in import START

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def served() -> Iterator[StandIn]:
    with StandIn().serving() as made:
        yield made


@pytest.fixture
def mailchimp(served: StandIn) -> StandIn:
    served.reset()
    return served


@pytest.fixture
def firm(mailchimp: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    monkeypatch.setenv("MAILCHIMP_API_KEY", mailchimp.secrets["api_key"])
    yield Firm(tmp_path, mailchimp)
    assert mailchimp.errors == []


def filled(mailchimp: StandIn) -> dict[str, str]:
    """Fill an audience: four members, one of whom left, what they did with a campaign, and an order."""
    made = {
        name: mailchimp.add("members", at=START - 90 * DAY, FNAME=name, PHONE="+49 731 1" if name == "cyd" else None)
        for name in ("ann", "bob", "cyd")
    }
    made["dot"] = mailchimp.add("members", at=START - 80 * DAY, status="unsubscribed")
    made["buyer"] = mailchimp.add("members", at=START - 70 * DAY, email_address="buyer@example.com")
    at = START - 3 * DAY
    mailchimp.add("activity", member=made["cyd"], type="click", url="https://a.example/pricing", timestamp=at, at=at)
    mailchimp.add("activity", member=made["bob"], type="open", timestamp=at, at=at)
    mailchimp.add("orders", currency="EUR", total=30.0, at=START - 2 * DAY)
    return made


def test_there_and_back(firm: Firm, mailchimp: StandIn) -> None:
    made = filled(mailchimp)
    firm.sync()
    assert firm.counts() == {"leads": 5, "events": 2, "outcomes": 1}
    assert not firm.sync().changed

    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} == {made[name] for name in ("ann", "bob", "cyd", "buyer")}
    assert "LL_SCORE" not in mailchimp.fields["members"]
    states = {id_: record.values["status"] for id_, record in mailchimp.records["members"].items()}
    firm.push()
    bob, cyd = (mailchimp.held("members", made[name]).values for name in ("bob", "cyd"))
    assert isinstance(cyd["LL_SCORE"], float)
    assert cyd["LL_SCORE"] > bob["LL_SCORE"]  # type: ignore[operator]
    assert "Clicks" in str(cyd["LL_REASONS"])
    assert {id_: record.values["status"] for id_, record in mailchimp.records["members"].items()} == states

    mailchimp.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in mailchimp.calls if call.method in ("PATCH", "POST")]

    mailchimp.edit("members", made["bob"], LL_GRADE="Z9", PHONE="+49 731 2")  # a person's word stays
    firm.sync()
    assert firm.push().runs[0].conflict_count == 1
    assert mailchimp.held("members", made["bob"]).values["LL_GRADE"] == "Z9"


def test_changes_between_syncs_are_followed(firm: Firm, mailchimp: StandIn) -> None:
    made = filled(mailchimp)
    firm.sync()
    firm.later(days=2)
    mailchimp.edit("members", made["bob"], status="unsubscribed")
    mailchimp.delete("members", made["ann"])
    mailchimp.forget(made["dot"])
    mailchimp.add("members", FNAME="eve")
    report = firm.sync()
    assert [status for _, status in firm.versions(made["bob"], "status")] == ["subscribed", "unsubscribed"]
    told = {one.object: (one.new, one.gone) for one in report.connections[0].objects}
    assert told["members"] == (1, 2)
    for name in ("ann", "dot"):
        assert [gone for _, gone in firm.versions(made[name], "deleted")] == [False, True]
    assert not firm.sync().changed
