from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.insight.company import DAY, HOUSE, NOW, WORKSPACE, Past, Row, ask, found

from leadlight.errors import NotFoundError, UsageError
from leadlight.insight.next_step import NextStep, Step, next_step
from leadlight.workspace import Workspace

AS_OF = datetime(2025, 9, 1)
AGE = 6 * DAY


def next_for(workspace: Workspace, name: str, as_of: datetime = AS_OF, **options: Any) -> NextStep:
    return ask(
        workspace,
        lambda asked: next_step(asked.engine, asked.workspace, asked.card, asked.lead(name), as_of, **options),
    )


def someone(past: Past, *, looked: bool) -> Row:
    """A lead created six days before the as-of, who has looked at the blog since, or not."""
    visitors = {row["lead"] for row in past.events if row["type"] == "visit" and row["at"] <= AS_OF}
    return next(row for row in past.leads if row["created"] == AS_OF - AGE and (row["id"] in visitors) is looked)


@pytest.fixture(scope="module")
def told(company: Workspace, past: Past) -> NextStep:
    return next_for(company, someone(past, looked=False)["id"], within=9 * DAY, limit=20)


def test_who_looked_at_prices_was_won_and_nothing_else_told(told: NextStep) -> None:
    """The blog, the jobs page and the letter went to the keen and the others alike; the welcome came after the deal."""
    assert [(step.event, step.content) for step in told.steps] == [("visit", "/price")]
    assert told.steps[0].lift.low > 3
    assert told.considered >= 5
    assert told.summary.endswith("those who were won did more often in the next 9 days: visit /price")


def test_counts_are_those_of_the_rows(past: Past, tmp_path: Path) -> None:
    """Counted anew from the rows, in plain Python; of 900 leads too few are in a like state, so any state counts."""
    asked = someone(past, looked=False)
    leads = [*(row for row in past.leads[:900] if row["id"] != asked["id"]), asked]
    created, deals = {row["id"]: row["created"] for row in leads}, {row["lead"]: row for row in past.deals}
    ends = {row["id"]: row["created"] + AGE + 9 * DAY for row in leads if row["created"] + AGE + 39 * DAY <= AS_OF}
    known = {name: end for name, end in ends.items() if name not in deals or deals[name]["closed"] > end}
    won = {n for n in known if n in deals and deals[n]["stage"] == "won" and deals[n]["closed"] <= known[n] + 30 * DAY}
    events = [row for row in past.events if row["lead"] in created]
    priced = {row["lead"] for row in events if row["page"] == "/price" and row["lead"] in known}
    workspace = found(tmp_path / "c", leads, events, [row for row in past.deals if row["lead"] in created])
    told = next_for(workspace, asked["id"], within=9 * DAY)
    assert str(told.state) == "any score and any last event"
    assert (told.cases, told.won) == (len(known), len(won))
    step = told.steps[0]
    assert (step.content, step.taken, step.taken_won) == ("/price", len(priced), len(priced & won))
    assert (step.others, step.others_won) == (len(known) - len(priced), len(won - priced))


def test_what_the_lead_did_lately_is_not_suggested(past: Past, tmp_path: Path) -> None:
    name = someone(past, looked=False)["id"]
    looked = {"lead": name, "type": "visit", "at": AS_OF - DAY, "page": "/price", "device": "desk"}
    workspace = found(tmp_path / "c", past.leads, [*past.events, looked], past.deals)
    assert "/price" not in {step.content for step in next_for(workspace, name, within=9 * DAY).steps}


def test_what_is_ours_is_marked(company: Workspace, past: Past) -> None:
    name = someone(past, looked=False)["id"]
    steps = next_for(company, name, within=9 * DAY, actions=["visit"]).steps
    assert [step.ours for step in steps] == [True]
    assert "visit /price (ours to do): " in str(steps[0])
    with pytest.raises(UsageError, match=r"no event is of the type 'vist'[\s\S]*letter, visit, welcome"):
        next_for(company, name, actions=["vist"])


def test_only_wins_after_the_days_count(past: Past, tmp_path: Path) -> None:
    """A call that comes with the signature, in the days looked at, is no step: those deals are closed when they end."""
    created = {row["id"]: row["created"] for row in past.leads}
    won = [row for row in past.deals if row["stage"] == "won"]
    quick = {row["lead"] for row in won[::2]}
    deals = [{**row, "closed": created[row["lead"]] + 10 * DAY} if row["lead"] in quick else row for row in past.deals]
    calls = [
        {"lead": name, "type": "call", "at": created[name] + 9.9 * DAY, "page": "", "device": ""} for name in quick
    ]
    workspace = found(tmp_path / "c", past.leads, [*past.events, *calls], deals)
    told = next_for(workspace, someone(past, looked=False)["id"], within=9 * DAY)
    assert "call" not in {step.event for step in told.steps}
    assert told.steps[0].content == "/price"


def test_the_content_is_the_property_that_says_most(company: Workspace, past: Past) -> None:
    """Visits have three pages and two devices; the device is no content."""
    told = next_for(company, someone(past, looked=True)["id"], within=9 * DAY, limit=20)
    assert told.state.last == "visit"
    assert told.state.content == "/blog"
    assert not {"phone", "desk"} & {step.content for step in told.steps}


def test_the_state_is_given_up_part_by_part(company: Workspace, past: Past) -> None:
    """With a sample that leaves too few of a like state, any state counts."""
    name = someone(past, looked=True)["id"]
    wide = next_for(company, name, within=9 * DAY, sample=150)
    assert str(wide.state) == "any score and any last event"
    narrow = next_for(company, name, within=9 * DAY)
    assert narrow.state.by_score
    assert narrow.cases < 2000


def test_the_future_changes_nothing(past: Past, tmp_path: Path) -> None:
    name = someone(past, looked=False)["id"]
    leads = [row for row in past.leads if row["created"] <= AS_OF]
    events = [row for row in past.events if row["at"] <= AS_OF]
    deals = [row for row in past.deals if row["closed"] <= AS_OF]
    short, whole = (
        found(tmp_path / "short", leads, events, deals), found(tmp_path / "whole", past.leads, past.events, past.deals)
    )  # fmt: skip
    assert next_for(short, name, within=9 * DAY).as_dict() == next_for(whole, name, within=9 * DAY).as_dict()


def test_it_is_said_in_words_and_as_json(told: NextStep) -> None:
    document = json.loads(json.dumps(told.as_dict(), allow_nan=False))
    assert document["steps"][0]["content"] == "/price"
    assert (document["age_days"], document["within_days"], document["horizon_days"]) == (6, 9, 30)
    assert str(told).endswith(
        "This is what went with being won, not what brought it about: the keen do more of everything."
    )
    step = told.steps[0]
    assert str(step).startswith(
        f"visit /price: {step.taken_won / step.taken:.0%} of {step.taken:,} who had it were won"
    )


def test_without_events_nothing_is_suggested(past: Past, tmp_path: Path) -> None:
    house = HOUSE[: HOUSE.index("  deeds:")]
    spec = "\n".join(line for line in WORKSPACE.splitlines() if "events:" not in line)
    workspace = found(tmp_path / "c", past.leads, [], past.deals, workspace=spec, house=house)
    told = next_for(workspace, someone(past, looked=False)["id"])
    assert told.steps == ()
    assert told.summary.endswith("those who were won did nothing more often in the next 14 days")


def test_outcomes_without_a_time_tell_no_next(past: Past, tmp_path: Path) -> None:
    deals = [{**row, "closed": ""} for row in past.deals]
    timeless = found(tmp_path / "c", past.leads, past.events, deals)
    with pytest.raises(UsageError, match="next needs to know when outcomes came"):
        next_for(timeless, someone(past, looked=False)["id"])


def test_who_did_not_exist_yet(company: Workspace, past: Past) -> None:
    with pytest.raises(NotFoundError, match="did not exist yet as of 2025-01-01"):
        next_for(company, someone(past, looked=False)["id"], datetime(2025, 1, 1))


@pytest.mark.slow
def test_the_simulated_world_suggests_what_buyers_do(demo: Workspace) -> None:
    """Demos, meetings and the pages of the keen; hardly ever the blog, and never jobs or an unsubscription."""
    as_of = datetime(2026, 6, 30)
    open_leads = [row.ledger.id for row in demo.rank(as_of=as_of, limit=400).rows][::50]
    steps: list[Step] = [step for name in open_leads for step in next_for(demo, name, as_of, limit=3).steps]
    keen = {"/pricing", "/pricing/enterprise", "/security", "/customers", "/integrations", "/docs/start", "/product",
            "/product/tour", "/legal/terms"}  # fmt: skip
    told = [step for step in steps if step.event in ("demo_request", "meeting", "call") or step.content in keen]
    assert len(told) >= 0.7 * len(steps) > 5
    assert not {"unsubscribe", "onboarding"} & {step.event for step in steps}
    assert not {"/careers", "/", "newsletter"} & {step.content for step in steps if step.event != "email_open"}
    assert sum((step.content or "").startswith("/blog") for step in steps) <= 0.1 * len(steps)


def test_lengths_of_time_are_kept(told: NextStep) -> None:
    assert (told.age, told.within, told.horizon) == (AGE, timedelta(days=9), timedelta(days=30))
    assert AS_OF < NOW
