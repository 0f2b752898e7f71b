"""An account is read into a workspace as `init` makes it, scored, and written back to; twice changes nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connect.salesforce.firm import Firm
from connect.stand_in import START
from connect.stripe.stand_in import StandIn

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture
def firm(stripe: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    monkeypatch.setenv("STRIPE_API_KEY", stripe.secrets["api_key"])
    return Firm(tmp_path, stripe)


def test_there_and_back(firm: Firm) -> None:
    account = firm.system
    ann, bob, cyd = (
        account.add("customers", name=name, email=f"{name}@x.example", at=START - 20 * DAY)
        for name in ("ann", "bob", "cyd")
    )
    trial = account.add("subscriptions", customer=cyd, status="trialing", at=START - 3 * DAY)
    account.add("subscriptions", customer=bob, status="canceled", ended_at=START - DAY, at=START - 9 * DAY)
    account.add("invoices", customer=ann, status="paid", amount_paid=49.0, paid_at=START - DAY, at=START - DAY)
    account.add("invoices", customer=cyd, status="paid", amount_paid=0.0, paid_at=START - 3 * DAY, at=START - 3 * DAY)
    account.add("charges", customer=ann, amount=49.0, status="succeeded", at=START - DAY)
    firm.sync()
    assert firm.counts() == {"leads": 3, "events": 3, "outcomes": 2}
    assert sorted(firm.rows("SELECT outcome, value FROM outcomes")) == [("lost", None), ("won", 49.0)]
    assert not firm.sync().changed

    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} == {cyd}
    firm.push()
    held = account.held("customers", cyd).values
    assert float(str(held["metadata_leadlight_score"])) > 0
    assert "subscription or trial" in str(held["metadata_leadlight_reasons"])
    account.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in account.calls if call.method == "POST"]

    firm.later(days=1)  # the trial is paid
    account.edit("subscriptions", trial, status="active")
    now = account.clock.now()
    account.add("invoices", customer=cyd, status="paid", amount_paid=30.0, paid_at=now)
    account.edit("customers", bob, phone="+49 731 1")
    account.delete("customers", ann)
    firm.sync()
    assert firm.counts()["outcomes"] == 3
    assert firm.versions(bob, "phone")[-1][1] == "+49 731 1"
    assert firm.rows("SELECT count(*) FROM observations WHERE deleted") == [(1,)]
    assert firm.push().runs[0].written == 0  # nobody is left to be scored
