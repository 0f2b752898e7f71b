"""Turns, pauses, and hosts that are left alone."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from leadlight.enrich.net import politeness
from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.failures import Passing
from leadlight.enrich.net.politeness import HOSTS_REMEMBERED, Politeness, later, pause, retry_after
from leadlight.enrich.network import Why

NOW = datetime(2026, 11, 28, 12)


def run(work, *, at_once=64):
    async def go():
        polite = Politeness(at_once, Counts())
        return polite, await work(polite)

    return asyncio.run(go())


async def visits(polite, host, count, *, takes=0.0, **more):
    begun, open_now, most = [], 0, 0

    async def one():
        nonlocal open_now, most
        async with polite.turn(host, **more):
            begun.append(time.monotonic())
            open_now += 1
            most = max(most, open_now)
            await asyncio.sleep(takes)
            open_now -= 1

    await asyncio.gather(*(one() for _ in range(count)))
    return [second - first for first, second in pairwise(begun)], most


def test_a_host_is_asked_one_thing_at_a_time_and_not_too_often():
    polite, (gaps, most) = run(lambda polite: visits(polite, "a.example", 5, every=0.05, takes=0.01))
    assert most == 1
    assert min(gaps) > 0.045
    assert polite.counts.waited > 0.1


def test_slow_answers_are_waited_for():
    _, (gaps, most) = run(lambda polite: visits(polite, "a.example", 3, every=0.01, takes=0.05))
    assert most == 1
    assert min(gaps) > 0.045


def test_apis_may_be_asked_several_things_at_the_same_time():
    _, (gaps, most) = run(lambda polite: visits(polite, "api.example", 8, every=0.01, takes=0.1, together=4))
    assert most == 4
    assert min(gaps) > 0.009


def test_hosts_do_not_wait_for_each_other():
    async def work(polite):
        return await asyncio.gather(*(visits(polite, f"h{number}.example", 2, every=0.1) for number in range(50)))

    begun = time.perf_counter()
    run(work)
    assert time.perf_counter() - begun < 0.5


def test_only_so_many_hosts_are_asked_at_once_and_those_that_wait_take_no_place():
    async def work(polite):
        slow = asyncio.ensure_future(visits(polite, "slow.example", 3, every=0.3))
        await asyncio.sleep(0.05)
        begun = time.perf_counter()
        await asyncio.gather(*(visits(polite, f"h{number}.example", 1, every=0.1) for number in range(10)))
        took = time.perf_counter() - begun
        await slow
        return took

    _, took = run(work, at_once=1)
    assert took < 0.2


def test_what_is_not_spaced_neither_waits_nor_makes_others_wait():
    async def work(polite):
        await visits(polite, "a.example", 1, every=5.0, spaced=False)
        await visits(polite, "a.example", 1, every=5.0)
        await visits(polite, "a.example", 1, every=5.0, spaced=False)

    begun = time.perf_counter()
    run(work)
    assert time.perf_counter() - begun < 1


def test_a_host_that_asks_for_it_is_left_alone_until_then():
    back = NOW + timedelta(hours=1)

    async def work(polite):
        await visits(polite, "a.example", 1, every=0.0)
        polite.quiet("a.example", 0.1, back)
        with pytest.raises(Passing) as caught:
            await visits(polite, "a.example", 1, every=0.0)
        await visits(polite, "b.example", 1, every=0.0)
        await asyncio.sleep(0.11)
        await visits(polite, "a.example", 1, every=0.0)
        return caught.value

    _, error = run(work)
    assert (error.why, error.retry_at) == (Why.RATE_LIMITED, back)


def test_those_who_wait_hear_that_the_host_wants_quiet():
    async def work(polite):
        await visits(polite, "a.example", 1, every=0.1)
        waiting = asyncio.ensure_future(visits(polite, "a.example", 1, every=0.1))
        await asyncio.sleep(0.02)
        polite.quiet("a.example", 60.0, NOW)
        with pytest.raises(Passing):
            await waiting

    run(work)


def test_a_dead_host_costs_no_more_time():
    async def work(polite):
        await visits(polite, "a.example", 1, every=0.0)
        for well in (False, False, True, False, False):
            polite.went("a.example", well=well)
        await visits(polite, "a.example", 1, every=0.0)
        polite.went("a.example", well=False)
        with pytest.raises(Passing, match="did not answer the last 3 times") as caught:
            await visits(polite, "a.example", 1, every=0.0)
        assert caught.value.why is Why.UNREACHABLE

    run(work)


def test_a_delay_puts_off_the_next_turn():
    async def work(polite):
        await visits(polite, "a.example", 1, every=0.0)
        polite.delay("a.example", 0.1)
        begun = time.perf_counter()
        await visits(polite, "a.example", 1, every=0.0)
        return time.perf_counter() - begun

    assert run(work)[1] > 0.09


def test_memory_stays_flat_however_many_hosts_there_are(monkeypatch):
    monkeypatch.setattr(politeness, "HOSTS_REMEMBERED", 100)

    async def work(polite):
        for number in range(1000):
            await visits(polite, f"h{number}.example", 1, every=0.0)

    polite, _ = run(work)
    assert len(polite._hosts) <= 101
    assert HOSTS_REMEMBERED == 10_000


def test_pauses_grow_and_differ():
    for attempt, (least, most) in enumerate([(0.25, 0.75), (0.5, 1.5)]):
        found = {pause(attempt) for _ in range(50)}
        assert len(found) > 40
        assert all(least <= seconds <= most for seconds in found)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0), ("30", 30.0), (" 120 ", 120.0), ("Sat, 28 Nov 2026 12:05:00 GMT", 300.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0), ("Sat, 28 Nov 2026 13:00:00 +0100", 0.0), (None, None), ("", None),
        ("soon", None), ("-5", None), ("1e9", None), ("99999999999999", None), ("Sat, 99 Nov 2026", None), ("²", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after(value, NOW) == seconds


def test_nobody_is_left_alone_for_ever():
    assert later(NOW, 1e9) == NOW + timedelta(days=30)
