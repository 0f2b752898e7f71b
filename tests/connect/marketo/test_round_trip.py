"""A subscription is read into a workspace as `init` makes it, scored, and written back to; twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connect.marketo.stand_in import StandIn
from connect.salesforce.firm import Firm
from connect.stand_in import START

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


class Quick(StandIn):
    """The same, whose exports are waited for on the machine's clock."""

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "poll_seconds": 0.001}


@pytest.fixture(scope="module")
def served() -> Iterator[StandIn]:
    with Quick().serving() as made:
        yield made


@pytest.fixture
def firm(served: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    served.reset()
    monkeypatch.setenv("MARKETO_CLIENT_ID", served.secrets["client_id"])
    monkeypatch.setenv("MARKETO_CLIENT_SECRET", served.secrets["client_secret"])
    yield Firm(tmp_path, served)
    assert served.errors == []


def filled(marketo: StandIn) -> dict[str, str]:
    """Fill a subscription: three people of one company, what they did, and an opportunity that was won."""
    made = {
        name: marketo.add(
            "leads",
            email=f"{name}@acme.example",
            title=title,
            company="Acme",
            numberOfEmployees=300.0,
            at=START - 100 * DAY,
        )
        for name, title in (("ann", "Head buyer"), ("bob", None), ("cyd", "Head of IT"))
    }
    at = START - 3 * DAY
    marketo.add("activities", lead=made["cyd"], type="fill_out_form", asset="Demo", at=at)
    marketo.add("activities", lead=made["cyd"], type="visit_webpage", url="/pricing", at=at)
    marketo.add("activities", lead=made["bob"], type="open_email", at=at)
    deal: dict[str, Any] = {"stage": "Won", "result": "won", "is_closed": True, "amount": 900.0}
    marketo.add("opportunities", lead=made["ann"], close_date=(START - 2 * DAY).replace(hour=0), **deal)
    marketo.add("opportunities", lead=made["bob"], stage="Demo", result="open", is_closed=False)
    return made


def test_there_and_back(firm: Firm) -> None:
    marketo = firm.system
    made = filled(marketo)
    firm.sync()
    assert firm.counts() == {"leads": 3, "events": 3, "outcomes": 1}
    assert not firm.sync().changed

    run = firm.push(dry_run=True).runs[0]
    assert {change.record for change in run.changes} == {made["bob"], made["cyd"]}  # ann is decided
    assert "leadlight_score" not in marketo.fields["leads"]
    firm.push()
    bob, cyd = (marketo.held("leads", made[name]).values for name in ("bob", "cyd"))
    assert isinstance(cyd["leadlight_score"], float)
    assert cyd["leadlight_score"] > bob["leadlight_score"]  # type: ignore[operator]
    assert "Filled out a form" in str(cyd["leadlight_reasons"])

    marketo.calls.clear()
    assert firm.push().runs[0].written == 0
    assert not [call for call in marketo.calls if call.method == "POST" and call.url == "/rest/v1/leads.json"]

    marketo.edit("leads", made["bob"], leadlight_grade="Z9", phone="+49 731 1")  # a person's word stays
    firm.sync()
    assert firm.push().runs[0].conflict_count == 1
    assert marketo.held("leads", made["bob"]).values["leadlight_grade"] == "Z9"


def test_changes_between_syncs_are_followed(firm: Firm) -> None:
    marketo = firm.system
    made = filled(marketo)
    firm.sync()
    firm.later(days=1)
    at = marketo.clock.now()
    marketo.edit("leads", made["bob"], title="Head of all")
    firm.later(days=1)
    marketo.merge("leads", made["cyd"], made["bob"])
    marketo.delete("leads", made["ann"])
    marketo.add("leads", email="dot@dot.example")
    report = firm.sync()
    seen = firm.versions(made["bob"], "title")
    assert [title for _, title in seen] == [None, "Head of all"]
    assert abs(seen[1][0] - at) < timedelta(seconds=1)
    assert firm.same(made["cyd"], made["bob"])
    told = {one.object: (one.new, one.gone, one.merged) for one in report.connections[0].objects}
    assert told["leads"] == (1, 1, 1)
    assert not firm.sync().changed


def test_a_field_history_is_known_since_it_was_so(firm: Firm) -> None:
    marketo = firm.system
    lead = marketo.add("leads", title="Intern", at=START - 60 * DAY)
    for title in ("Buyer", "Chief"):
        firm.later(days=10)
        marketo.edit("leads", lead, title=title)
    firm.later(days=1)
    firm.sync()
    seen = firm.versions(lead, "title")
    assert [title for _, title in seen] == ["Intern", "Buyer", "Chief"]
    assert [None if at is None else (at - START).days for at, _ in seen][1:] == [10, 20]


def test_a_killed_sync_goes_on(firm: Firm) -> None:
    marketo = firm.system
    for number in range(900):
        marketo.add("leads", email=f"{number}@x.example", at=START - 100 * DAY)
    marketo.fail(*["none"] * 20, "html")
    report = firm.workspace().sync()
    assert report.error is not None
    assert firm.sync().error is None
    assert firm.counts()["leads"] == 900
