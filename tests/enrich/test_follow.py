from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from tests.enrich.fakes import HOUSE, Fake
from tests.enrich.fakes import shop as shop

from leadlight.enrich.follow import Round, Steps, follow
from leadlight.enrich.report import EnrichRun, ProviderRun
from leadlight.errors import UsageError

NOW = datetime(2026, 3, 1, 12)
SOON = timedelta(milliseconds=1)


def enriched(money: float | None = None, cost: float = 0.0) -> EnrichRun:
    asked = ProviderRun("dns", "DNS", True, 2, 3, 2, cost=cost)
    return EnrichRun("lead", NOW, False, 3, 3, {}, (asked,), facts=4, money=money)


def rounds_of(read, *, look_up=enriched, score=list, money=None, rounds=3) -> list[Round]:
    told: list[Round] = []
    steps = Steps(read, look_up, score, lambda: NOW)
    assert follow(steps, SOON, money=money, stop=threading.Event(), told=told.append, rounds=rounds) == rounds
    return told


def test_it_scores_everybody_only_where_something_was_read():
    new, scored = iter([2, 0, 1]), []
    told = rounds_of(lambda: next(new), score=lambda: scored.append(1) or [])
    assert [one.new for one in told] == [2, 0, 1]
    assert len(scored) == 2


def test_a_round_that_fails_is_said_and_passed_over():
    tries = iter([UsageError("leads.csv is being written", fix="Wait."), 1])

    def read() -> int:
        found = next(tries)
        if isinstance(found, Exception):
            raise found
        return found

    told = rounds_of(read, rounds=2)
    assert str(told[0]) == "12:00:00  leads.csv is being written Wait."
    assert told[1].fault == ""


def test_the_money_is_for_all_rounds_together():
    left = []

    def look_up(money: float | None) -> EnrichRun:
        left.append(money)
        return enriched(money, cost=2.0)

    rounds_of(lambda: 0, look_up=look_up, money=5.0)
    assert left == [5.0, 3.0, 1.0]


def test_it_ends_when_told_to():
    stop, told = threading.Event(), []

    def say(done: Round) -> None:
        told.append(done)
        stop.set()

    steps = Steps(lambda: 0, enriched, list, lambda: NOW)
    assert follow(steps, timedelta(hours=1), stop=stop, told=say) == 1
    assert [one.number for one in told] == [1]


@pytest.mark.slow
def test_after_the_first_round_only_those_are_looked_at_who_are_due(shop):
    made = shop(Fake("crunch", says={"acme.com": {"industry": "software"}}))
    looked: list[int] = []

    def told(done: Round) -> None:
        assert not done.fault
        looked.append(done.enriched.leads)
        if done.number == 1:
            with (made.folder / "leads.csv").open("a") as file:
                file.write("L5,2026-02-01,eve@new.com,500,yes\n")
        made.at += {1: timedelta(minutes=1), 3: timedelta(days=7), 4: timedelta(minutes=1)}.get(done.number, SOON)
        if done.number == 4:
            (made.folder / "scorecards" / "house.yaml").write_text(HOUSE.replace("A: 30", "A: 31"))

    made.workspace.follow(SOON, stop=threading.Event(), told=told, rounds=5)
    assert looked == [4, 1, 0, 5, 5]  # all, the new one, nobody; an hour later all; and by another scorecard


def test_a_round_is_one_line():
    assert str(Round(1, NOW, 2, enriched())) == "12:00:00  2 rows new; 2 questions about 3 leads, 4 facts"
    assert str(Round(2, NOW)) == "12:00:00  nothing new"
    assert Round(1, NOW, 2, enriched()).as_dict()["enriched"]["facts"] == 4
