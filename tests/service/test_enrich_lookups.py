"""Look-ups over the worker's connection: it is lent between micro-batches; runs that made way are told as one."""

from __future__ import annotations

import threading
import time
from datetime import datetime

import pytest
from tests.service.shop import Inside

from leadlight.enrich.report import EnrichRun, ProviderRun, Reason, Traffic
from leadlight.errors import StoreError
from leadlight.service.enrich_lookups import _colleagues, joined, lent, note_answered
from leadlight.workspace import utc_now

AT = datetime(2026, 3, 1)


def test_while_it_is_lent_the_worker_does_nothing_else(service: Inside) -> None:
    worker = service.state.worker
    with lent(worker) as engine:
        later = worker.do(lambda _: time.monotonic())
        assert engine.rows("SELECT count(*) FROM leads") == [(3,)]
        time.sleep(0.3)
        returned = time.monotonic()
        assert not later.done()
    assert later.result(20) >= returned


def test_what_goes_wrong_inside_is_raised_there_and_the_worker_goes_on(service: Inside) -> None:
    def fail() -> None:
        with lent(service.state.worker) as engine, engine.transaction():
            engine.execute("DELETE FROM leads")
            engine.execute("DELETE FROM no_table")

    with pytest.raises(service.state.worker.engine.fault):
        fail()
    assert service.rows("SELECT count(*) FROM leads") == [(3,)]


def test_a_worker_that_has_ended_lends_nothing(service: Inside) -> None:
    service.state.worker.stop()
    with pytest.raises(StoreError, match="stopping"), lent(service.state.worker):
        pass


def test_who_was_answered_about_is_noted_to_be_scored_again(service: Inside) -> None:
    since = utc_now()
    with lent(service.state.worker) as engine, engine.transaction():
        for who, outcome in (("crm-1", "found"), ("crm-3", "failed")):
            engine.execute(
                "INSERT INTO lookups (_key, provider, outcome, known_at, recorded_at) "
                "SELECT key, 'dns', $2, $3, $3 FROM ids WHERE id = $1", [who, outcome, utc_now()],
            )  # fmt: skip
        resolved = service.state.worker.workspace.resolved
        names = dict(engine.rows("SELECT lead, id FROM leads"))
        found = []
        for moment, among in ((since, None), (since, [-1]), (utc_now(), None)):
            engine.execute("DELETE FROM live_unscored")
            note_answered(engine, resolved, moment, among)
            found.append(sorted(names[lead] for (lead,) in engine.rows("SELECT lead FROM live_unscored")))
        key = next(lead for lead, who in names.items() if who == "crm-1")
        colleagues = sorted(names[lead] for lead in _colleagues(engine, [key], utc_now()))
    assert found == [["crm-1"], [], []]
    assert colleagues == ["crm-1", "crm-2"]


def run(*, asked: int, settled: int, provider: ProviderRun, **more: object) -> EnrichRun:
    skipped = {str(Reason.SETTLED): settled, str(Reason.CLUE): 2}
    return EnrichRun("lead", AT, False, 10, asked, skipped, (provider,), **more)  # type: ignore[arg-type]


def test_runs_that_made_way_are_told_as_one() -> None:
    first = run(asked=3, settled=0, provider=ProviderRun("dns", "DNS", True, 3, 3, 2, 0, 1, 1.5, why={"broken": 1}),
                facts=4, changed=2, traffic=Traffic(5, 1, 0, 70), money=9.0, stopped=True, seconds=2.0)  # fmt: skip
    then = run(asked=5, settled=3, provider=ProviderRun("dns", "DNS", True, 5, 5, 4, 1, 0, 2.5, why={"broken": 2}),
               facts=8, changed=4, traffic=Traffic(6, 1, 3, 80), money=7.5, seconds=1.0, notes=("x",))  # fmt: skip

    one = joined(first, then)

    assert (one.leads, one.asked, one.skipped) == (10, 8, {str(Reason.CLUE): 2})
    assert (one.questions, one.cost, one.money) == (8, 4.0, 9.0)
    assert (one.providers[0].found, one.providers[0].failed, one.providers[0].why) == (6, 1, {"broken": 3})
    assert (one.facts, one.changed, one.traffic) == (12, 6, Traffic(11, 2, 3, 150))
    assert (one.stopped, one.seconds, one.notes) == (False, 3.0, ("x",))


def test_who_waits_for_an_end_is_let_go_when_the_service_ends(service: Inside) -> None:
    lookups = service.state.lookups
    with lookups.turn.taken(stop := threading.Event()) as give_up:
        lookups._stops.add(stop)
        lookups.stop()
        assert give_up.wait(10)
    assert lookups.ending.is_set()
