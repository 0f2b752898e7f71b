"""The inbox in PostgreSQL: durable, each message once, whoever writes and whoever takes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from leadlight.engines.postgres import PostgresEngine
from leadlight.service.inbox import InboxError, InboxFull, Kept
from leadlight.service.inbox_postgres import PostgresInbox


def entries(*numbers: int) -> list[tuple[bytes, bytes]]:
    return [(b"%016d" % number, b"call %d" % number) for number in numbers]


@pytest.fixture
def engine(postgres_store: str) -> Iterator[PostgresEngine]:
    """A worker's connection, with the table that the inbox looks at."""
    with closing(PostgresEngine(postgres_store)) as engine:
        engine.execute("CREATE TABLE live_unscored (lead INTEGER, account VARCHAR)")
        yield engine


@pytest.fixture
def inbox(engine: PostgresEngine, postgres_store: str) -> Iterator[PostgresInbox]:
    with closing(PostgresInbox(PostgresEngine(postgres_store))) as inbox:
        yield inbox


def bodies(engine: PostgresEngine, inbox: PostgresInbox, limit: int = 9_999) -> list[bytes]:
    with engine.transaction():
        return [body for _, body in inbox.take(engine, limit)]


def wait(until: object, seconds: float = 10) -> None:
    assert callable(until)
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_is_appended_is_taken_in_order_and_once(engine: PostgresEngine, inbox: PostgresInbox) -> None:
    assert inbox.append(entries(1, 2)).result(10) == Kept(2, 0)
    assert inbox.append(entries(2, 3, 3)).result(10) == Kept(1, 2)
    assert inbox.append([]).result(10) == Kept(0, 0)
    assert inbox.depth == 3
    assert inbox.has_more(engine)
    assert bodies(engine, inbox, 2) == [b"call 1", b"call 2"]
    assert bodies(engine, inbox) == [b"call 3"]
    assert not inbox.has_more(engine)
    assert inbox.append(entries(1)).result(10) == Kept(0, 1)


def test_what_is_rolled_back_waits_again(engine: PostgresEngine, inbox: PostgresInbox) -> None:
    inbox.append(entries(1)).result(10)

    def fail() -> None:
        with engine.transaction():
            assert inbox.take(engine, 5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert bodies(engine, inbox) == [b"call 1"]


def test_a_full_inbox_takes_no_more_until_a_worker_anywhere_took_some(
    engine: PostgresEngine, postgres_store: str
) -> None:
    with closing(PostgresInbox(PostgresEngine(postgres_store), limit=3)) as inbox:
        inbox.append(entries(1, 2, 3)).result(10)
        with pytest.raises(InboxFull) as full:
            inbox.append(entries(4))
        assert full.value.retry_after >= 1
        bodies(engine, inbox, 2)
        wait(lambda: inbox.depth == 1)
        assert inbox.append(entries(4, 5)).result(10) == Kept(2, 0)


def test_processes_that_write_the_same_messages_at_once_write_each_once(
    engine: PostgresEngine, postgres_store: str
) -> None:
    chance = random.Random(1)
    parts = [[chance.randrange(400) for _ in range(20)] for _ in range(80)]
    with (
        closing(PostgresInbox(PostgresEngine(postgres_store))) as first,
        closing(PostgresInbox(PostgresEngine(postgres_store))) as second,
        ThreadPoolExecutor(8) as pool,
    ):
        asked = [(chance.choice([first, second]), part) for part in parts]
        kept = [done.result(20) for done in pool.map(lambda one: one[0].append(entries(*one[1])), asked)]
        numbers = {number for part in parts for number in part}
        assert sum(one.new for one in kept) == len(numbers)
        assert sum(one.new + one.repeated for one in kept) == 1600
        assert sorted(bodies(engine, first)) == sorted(b"call %d" % number for number in numbers)


def test_a_call_that_postgres_does_not_take_takes_no_other_with_it(
    engine: PostgresEngine, inbox: PostgresInbox
) -> None:
    inbox._asked.put(None)  # so that both appends wait for the same commit
    inbox._thread.join()
    good, bad = inbox.append(entries(1)), inbox.append([(b"2" * 16, b"nul \x00")])
    taken, _ = inbox._take()
    inbox._commit(taken)
    assert good.result(1) == Kept(1, 0)
    with pytest.raises(InboxError, match="cannot be kept"):
        bad.result(1)
    assert bodies(engine, inbox) == [b"call 1"]


def test_a_lost_connection_is_an_error_for_who_waits_and_not_the_end(
    engine: PostgresEngine, inbox: PostgresInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_look", lambda: None)  # so that the append is the first to notice
    inbox.append(entries(1)).result(10)
    number, noticed = 1, False
    while not noticed and number < 10:  # a look that had begun before may be the first after all
        number += 1
        engine.rows("SELECT pg_terminate_backend(?, 10000)", [inbox._engine.connection.info.backend_pid])
        noticed = isinstance(inbox.append(entries(number)).exception(10), InboxError)
    assert noticed
    assert inbox.append(entries(1, number)).result(10) == Kept(1, 1)
    assert bodies(engine, inbox)[-1] == f"call {number}".encode()


def test_it_says_when_no_worker_runs(engine: PostgresEngine, inbox: PostgresInbox) -> None:
    wait(lambda: inbox.trouble is not None)
    assert "no worker runs" in str(inbox.trouble)
    engine.be("worker")
    engine.execute("INSERT INTO live_unscored VALUES (1, NULL), (2, NULL)")
    wait(lambda: inbox.trouble is None)
    assert inbox.unscored == 2


def test_message_ids_are_forgotten_after_a_month(engine: PostgresEngine, inbox: PostgresInbox) -> None:
    inbox.append(entries(1, 2)).result(10)
    engine.execute("UPDATE live_seen SET day = day - 31 WHERE message::VARCHAR LIKE '%31'")  # the id ends on '1'
    inbox._day = 0
    inbox.append(entries(3)).result(10)
    wait(lambda: engine.rows("SELECT count(*) FROM live_seen") == [(2,)])
    assert inbox.append(entries(1, 2)).result(10) == Kept(1, 1)


def test_who_goes_away_holds_nobody_up(engine: PostgresEngine, inbox: PostgresInbox) -> None:
    with engine.transaction():
        engine.connection.execute(b"LOCK TABLE live_seen")  # so that it waits
        gone = inbox.append(entries(1))
        gone.cancel()  # as asyncio does when the server breaks a request off
    assert inbox.append(entries(2)).result(10) == Kept(1, 0)
    assert sorted(bodies(engine, inbox)) == [b"call 1", b"call 2"]
