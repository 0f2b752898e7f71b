"""A key's limit over several processes: never more than one process alone would let pass, and not much less."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.service.shop import Outside, make_shop, outside

from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import StoreError
from leadlight.service.shared_bucket import LAPSE, Dealt, Said, SharedBucket
from leadlight.service.shared_limits import SURE, TICK, SharedLimits, _Share

Passed = list[tuple[float, float]]
"""When how much passed."""


def most_over(passed: Passed, rate: float, size: float) -> float:
    """Return by how much the worst of all windows is over what flows in and what the bucket holds.

    The last request of a window may overdraw the bucket: it is not counted.
    """
    worst, sums = 0.0, [0.0, *accumulate(amount for _, amount in passed)]
    for first, (began, _) in enumerate(passed):
        for last in range(first, len(passed)):
            there = sums[last] - sums[first]
            worst = max(worst, there - size - rate * (passed[last][0] - began))
    return worst


@dataclass
class Simulated:
    """Processes that lease of one bucket, whose messages take their time, and which may end or be cut off."""

    rate: float
    bucket: SharedBucket = field(init=False)
    now: float = 100.0
    shares: dict[str, _Share] = field(default_factory=dict)
    passed: Passed = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bucket = SharedBucket(self.rate, max(self.rate, 1.0), self.now)

    def ask(self, who: str, amount: float, delay: float) -> None:
        share = self.shares.setdefault(who, _Share(self.rate))
        wait = share.take(amount, self.now)
        if wait is None:
            share.asks.append((amount, Future()))
            self.round(who, delay)
        elif wait == 0:
            self.passed.append((self.now, amount))

    def round(self, who: str, delay: float, *, arrives: bool = True) -> None:
        """Say what was spent, and hear what may be: the answer may be lost, what was dealt is dealt then."""
        share, sent = self.shares.setdefault(who, _Share(self.rate)), self.now
        said, asks = share.say(sent)
        self.now += delay
        dealt = self.bucket.deal(who, said, self.now)
        if arrives:
            share.hear(dealt, sent, self.now)
            self.passed += [(self.now, ask[0]) for ask, wait in zip(asks, dealt.waits, strict=True) if wait == 0]


STEP = st.tuples(
    st.sampled_from(["ask", "ask", "ask", "round", "lost", "end"]), st.sampled_from("abc"), st.integers(1, 40),
    st.floats(0, 0.3), st.sampled_from([0.0, 0.001, 0.1, 2.5, 4.0]),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([0.3, 1, 7, 20, 150, 1000]), st.lists(STEP, min_size=1, max_size=80))
def test_over_any_window_there_passes_what_one_process_would_let_pass(rate: float, steps: list[Any]) -> None:
    world = Simulated(rate)
    for what, who, amount, pause, delay in steps:
        world.now += pause
        if what == "ask":
            world.ask(who, amount, delay)
        elif what == "end":
            world.shares.pop(who, None)
        else:
            world.round(who, delay, arrives=what == "round")
    assert most_over(world.passed, rate, max(rate, 1.0)) <= 1 + 1e-6, "one request may find less than itself"


def test_a_lease_is_sure_for_less_time_than_others_leave_it() -> None:
    assert SURE + TICK < LAPSE


def test_slices_leave_something_for_others_and_come_back() -> None:
    bucket = SharedBucket(100, level=100.0, at=0.0)
    assert bucket.deal("a", Said(100, asks=[1], wants=10), 0.0).lease == 10
    assert bucket.deal("b", Said(100, asks=[80], wants=10), 0.0) == Dealt([0.0], 4.5, 4.5)
    assert bucket.deal("a", Said(100, spent=3, back=7), 0.0).level == 11.5
    assert bucket.deal("c", Said(100, asks=[1]), 1000.0).level == 99.0, "what b leased has lapsed"
    assert SharedBucket.of_text(bucket.as_text(), 100, 5.0) == bucket


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    bucket = SharedBucket(10, level=0.0, at=7_200.0, leased={"ended": (4.0, 7_200.0)})
    assert bucket.deal("a", Said(10, asks=[1]), 3_600.0).waits == [0.1]
    assert bucket.deal("a", Said(10, asks=[1]), 3_600.5).waits == [0.0]
    assert bucket.deal("a", Said(10), 3_605.0).level == 10.0, "what the process that ended had leased has lapsed"


@contextmanager
def processes(store: str, count: int = 2) -> Iterator[list[SharedLimits]]:
    found = [SharedLimits(lambda: PostgresEngine(store)) for _ in range(count)]
    try:
        yield found
    finally:
        for one in found:
            one.close()


def now(limits: SharedLimits, *asked: Any) -> float:
    return asyncio.run(limits.take(*asked))


@pytest.mark.parametrize(("rate", "amount"), [(5.0, 1), (300.0, 1), (20_000.0, 100)])
def test_together_processes_let_pass_what_one_would(postgres_store: str, rate: float, amount: int) -> None:
    passed: Passed = []

    async def hammer(limits: SharedLimits) -> None:
        while (at := time.monotonic()) < until:
            if await limits.take("k", "events", rate, amount) == 0:
                passed.append((at, amount))
            await asyncio.sleep(0.0005)

    with processes(postgres_store, 3) as found:
        for one in found:
            assert now(one, "another", "events", rate, amount) in (0, pytest.approx(1, abs=1))
        until = time.monotonic() + 2.5
        threads = [threading.Thread(target=lambda one=one: asyncio.run(hammer(one))) for one in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    passed.sort()
    assert most_over(passed, rate, rate) <= amount + rate * 0.05, "as far as the moments can be told"
    assert sum(amount for _, amount in passed) >= 0.8 * rate * 3.5 - amount


def test_what_is_leased_and_not_spent_comes_back(postgres_store: str) -> None:
    with processes(postgres_store) as (here, there):
        assert now(here, "k", "requests", 10.0, 1) == 0
        assert now(there, "k", "requests", 10.0, 4) == 0
        time.sleep(3 * TICK)
        rounds = here.rounds
        assert here.headers("k", {"requests": 10.0})["RateLimit"] == '"requests";r=10;t=0'
        assert now(there, "k", "requests", 10.0, 9) == 0
        assert now(here, "k", "requests", 10.0, 50) == 0, "the last one may overdraw"
        wait = now(there, "k", "requests", 10.0, 1)
        assert 4 < wait < 6
        assert wait - 1 < now(there, "k", "requests", 10.0, 1) <= wait, "known without asking"
        assert now(there, "k", "requests", 11.0, 1) == 0, "another limit is another bucket"
        assert here.rounds == rounds + 1
        time.sleep(3 * TICK)
        idle = here.rounds
        time.sleep(2 * TICK)
        assert here.rounds == idle, "where nothing is asked for nothing is said"


def test_a_round_serves_all_who_wait(postgres_store: str) -> None:
    async def many(limits: SharedLimits) -> list[float]:
        return await asyncio.gather(*(limits.take("k", "requests", 8.0, 1) for _ in range(30)))

    with processes(postgres_store, 1) as (limits,):
        waits = asyncio.run(many(limits))
        assert waits.count(0.0) == 8
        assert limits.rounds <= 3


def test_while_the_store_does_not_answer_each_process_counts_for_itself(postgres_store: str) -> None:
    with processes(postgres_store) as found, psycopg.connect(postgres_store) as other:
        assert [now(one, "k", "requests", 3.0, 1) for one in found] == [0, 0]
        other.execute("LOCK TABLE live_limits IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        for one in found:
            waits = [now(one, "k", "requests", 3.0, 1) for _ in range(5)]
            assert waits.count(0.0) in (3, 4)
        assert time.monotonic() - began < 4, "a second is waited for, once"
        other.rollback()
        time.sleep(1.2)
        assert [now(one, "k", "requests", 3.0, 2) for one in found] == [0, 0]
        assert now(found[0], "k", "requests", 3.0, 1) > 0, "they count together again"


def test_who_gave_up_waiting_for_the_store_takes_but_once() -> None:
    failed = threading.Event()

    def connect() -> PostgresEngine:
        time.sleep(1.3)  # longer than anybody waits
        failed.set()
        raise StoreError("the store is away")

    limits = SharedLimits(connect, clock=lambda: 100.0)  # nothing flows in
    try:
        assert now(limits, "k", "requests", 3.0, 1) == 0
        assert failed.wait(20)
        time.sleep(0.1)
        waits = [now(limits, "k", "requests", 3.0, 1) for _ in range(3)]
        assert [wait > 0 for wait in waits] == [False, False, True]
    finally:
        limits.close()


def test_its_table_is_made_while_somebody_writes_the_store(postgres_store: str) -> None:
    engine = PostgresEngine(postgres_store)
    with processes(postgres_store, 1) as (limits,), engine.transaction():
        assert now(limits, "k", "requests", 3.0, 1) == 0
        assert limits.rounds == 1
    engine.close()


@pytest.mark.parametrize("fault", [
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'leadlight limits%'",
    "DROP TABLE live_limits",
    "UPDATE live_limits SET bucket = 'none'",
])  # fmt: skip
def test_what_is_lost_is_made_again(postgres_store: str, fault: str) -> None:
    with processes(postgres_store, 1) as (limits,), psycopg.connect(postgres_store, autocommit=True) as other:
        assert now(limits, "k", "requests", 3.0, 1) == 0
        other.execute(fault.encode())
        assert now(limits, "k", "requests", 3.0, 1) == 0
        if "none" in fault:
            other.execute("DELETE FROM live_limits")
        rounds = limits.rounds
        time.sleep(1.1)
        assert now(limits, "k", "requests", 3.0, 3) == 0
        assert limits.rounds == rounds + 1


def make_key(service: Outside, **limits: float) -> dict[str, str]:
    body = {"name": "fast", "scopes": ["ingest", "read"], **limits}
    made = httpx.post(f"{service.address}/v1/keys", json=body, headers=service.auth).raise_for_status().json()
    time.sleep(2.5)  # until all processes know it
    return {"Authorization": f"Bearer {made['key']}"}


async def hammered(service: Outside, headers: dict[str, str], path: str, body: Any, seconds: float) -> list[Any]:
    """Ask eight at once, each time over another connection: its process is the kernel's choice.

    Return (second, status, process, headers) of each answer.
    """
    answers, until = [], time.monotonic() + seconds
    fresh = httpx.Limits(max_keepalive_connections=0)

    async def one() -> None:
        async with httpx.AsyncClient(base_url=service.address, headers=headers, limits=fresh) as client:
            while time.monotonic() < until:
                at = time.monotonic()
                answer = await client.post(path, json=body)
                answers.append((at, answer.status_code, answer.headers["x-request-id"][:8], answer.headers))
                await asyncio.sleep(0.01)

    await asyncio.gather(*(one() for _ in range(8)))
    return answers


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_key_of_a_service_of_two_processes_has_one_limit(tmp_path: Path, postgres_store: str) -> None:
    batch = {"batch": [{"type": "track", "event": "page", "userId": f"u{n}"} for n in range(20)]}
    with outside(make_shop(tmp_path / "shop", store=postgres_store), "--processes", "2", "--workers", "1") as service:
        headers = make_key(service, events=400, requests=1000)
        answers = asyncio.run(hammered(service, headers, "/v1/batch", batch, 4))
        passed = [(at, 20.0) for at, status, *_ in answers if status == 200]
        by_process = Counter(process for _, status, process, _ in answers if status == 200)
        assert len(by_process) == 2, by_process
        assert {status for _, status, *_ in answers} == {200, 429}
        assert most_over(sorted(passed), 400, 400) <= 20 + 400 * 0.1, "as far as the moments can be told"
        assert sum(amount for _, amount in passed) >= 0.6 * 400 * 5, by_process
        late = next(told for _, status, _, told in answers if status == 429)
        assert int(late["retry-after"]) >= 1
        assert '"events";q=400;w=1' in late["ratelimit-policy"]

        slow = make_key(service, requests=5)
        shown = {"X-Write-Key": slow["Authorization"].removeprefix("Bearer ")}
        answers = asyncio.run(hammered(service, shown, "/v1/track", batch["batch"][0], 3))
        count = Counter(status for _, status, *_ in answers)
        assert 12 <= count[200] <= 5 + 5 * 3.5, count
        assert service.stop()[0] == 0
