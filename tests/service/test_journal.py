from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest

from leadlight.errors import StoreError
from leadlight.service.inbox import InboxError, InboxFull, Kept
from leadlight.service.journal import Journal


def entries(*numbers: int) -> list[tuple[bytes, bytes]]:
    return [(b"%016d" % number, b"call %d" % number) for number in numbers]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.sqlite"


def test_what_is_appended_is_read_in_order_and_outlives_the_process(path: Path) -> None:
    with closing(Journal(path)) as journal:
        assert journal.append(entries(1, 2)).result(5) == Kept(2, 0)
        assert journal.append(entries(2, 3, 3)).result(5) == Kept(1, 2)
        own = journal.id
    with closing(Journal(path)) as journal:
        assert journal.id == own
        assert journal.read(0, 10) == [(1, b"call 1"), (2, b"call 2"), (3, b"call 3")]
        assert journal.read(1, 1) == [(2, b"call 2")]
        assert journal.append(entries(1)).result(5) == Kept(0, 1)


def test_positions_are_never_given_twice(path: Path) -> None:
    with closing(Journal(path)) as journal:
        journal.append(entries(1, 2, 3)).result(5)
        journal.forget(3)
    with closing(Journal(path)) as journal:
        assert (journal.read(0, 10), journal.depth) == ([], 0)
        journal.append(entries(4)).result(5)
        assert journal.read(0, 10) == [(4, b"call 4")]
        assert journal.depth == 1


def test_a_full_journal_takes_no_more_until_some_is_forgotten(path: Path) -> None:
    with closing(Journal(path, limit=3)) as journal:
        journal.append(entries(1, 2)).result(5)
        with pytest.raises(InboxFull) as full:
            journal.append(entries(3, 4))
        assert full.value.retry_after >= 1
        journal.append(entries(3)).result(5)
        journal.forget(2)
        end = time.monotonic() + 5
        while journal.depth > 1 and time.monotonic() < end:
            time.sleep(0.01)
        assert journal.append(entries(4, 5)).result(5) == Kept(2, 0)


def test_ids_are_forgotten_in_the_order_they_came_and_not_before(path: Path) -> None:
    for start in (0, 1_000):  # the second time over what the file has
        with closing(Journal(path, recent=50)) as journal:
            for number in range(start, start + 300, 10):
                assert journal.append(entries(*range(number, number + 10))).result(5) == Kept(10, 0)
                again = range(max(start, number - 40), number + 10)
                assert journal.append(entries(*again)).result(5) == Kept(0, len(again))
            assert journal.append(entries(start)).result(5) == Kept(1, 0)
            assert journal._writer.execute("SELECT count(*) FROM recent").fetchone()[0] <= 60


def test_ids_that_look_the_same_in_memory_are_told_apart(path: Path) -> None:
    with closing(Journal(path)) as journal:
        assert journal.append([(b"1" * 8 + b"2" * 8, b"a")]).result(5) == Kept(1, 0)
        assert journal.append([(b"2" * 8 + b"1" * 8, b"b")]).result(5) == Kept(1, 0)
        assert journal.append([(b"3" * 16, b"c"), (b"4" * 16, b"d")]).result(5) == Kept(2, 0)


def test_many_senders_at_once_are_each_told_their_own(path: Path) -> None:
    with closing(Journal(path)) as journal, ThreadPoolExecutor(8) as pool:
        numbers = [random.Random(1).randrange(500) for _ in range(2000)]
        parts = [numbers[at : at + 10] for at in range(0, 2000, 10)]
        kept = [future.result(20) for future in pool.map(lambda part: journal.append(entries(*part)), parts)]
        assert sum(one.new for one in kept) == len(set(numbers))
        assert sum(one.new + one.repeated for one in kept) == 2000
        assert sorted(body for _, body in journal.read(0, 5000)) == sorted(b"call %d" % n for n in set(numbers))


def test_what_is_forgotten_leaves_no_bytes(path: Path) -> None:
    with closing(Journal(path)) as journal:
        journal.append([(b"1" * 16, b"ann@secret.example")]).result(5)
        journal.forget(1)
        journal.append(entries(7)).result(5)
    assert b"ann@secret.example" not in path.read_bytes()


def test_an_unwritable_file_is_an_error_for_every_sender_and_not_the_end(path: Path) -> None:
    with closing(Journal(path)) as journal:
        journal._writer.execute("PRAGMA query_only = ON")  # what SQLite says of a disk that cannot be written
        waiting = [journal.append(entries(n)) for n in range(3)]
        wait(waiting, 5)
        assert [type(one.exception()) for one in waiting] == [InboxError] * 3
        journal._writer.execute("PRAGMA query_only = OFF")
        assert journal.append(entries(9)).result(5) == Kept(1, 0)
        assert journal.read(0, 9) == [(1, b"call 9")]


def test_a_full_disk_is_an_error_until_there_is_room(path: Path) -> None:
    """SQLite says of a file that may not grow what it says of a disk that is full."""
    with closing(Journal(path)) as journal:
        journal.append(entries(1)).result(5)
        (pages,) = journal._writer.execute("PRAGMA page_count").fetchone()
        journal._writer.execute(f"PRAGMA max_page_count = {pages + 1}")
        large = [(b"%016d" % n, b"x" * 2_000) for n in range(2, 12)]
        with pytest.raises(InboxError, match="full"):
            journal.append(large).result(5)
        assert journal.depth == 1
        journal._writer.execute("PRAGMA max_page_count = 1000000")
        assert journal.append(large).result(5) == Kept(10, 0)
        assert len(journal.read(0, 20)) == 11


def test_a_file_that_is_no_journal_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        Journal(tmp_path / "j")


WRITER = """
import sys
from pathlib import Path
from leadlight.service.journal import Journal
journal = Journal(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    part = [(b"%016d" % n, b"call %d" % n) for n in range(number, number + 7)]
    journal.append(part).result()
    number += 7
    print(number, flush=True)
"""


@pytest.mark.timeout(120)
def test_what_was_acknowledged_outlives_a_kill(path: Path) -> None:
    acknowledged = 0
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(acknowledged)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for count, line in enumerate(process.stdout):
                acknowledged = int(line)
                if count == 20:
                    process.kill()
        with closing(Journal(path)) as journal:
            bodies = [body for _, body in journal.read(0, 100_000)]
            assert len(bodies) == len(set(bodies))
            assert {b"call %d" % n for n in range(acknowledged)} <= set(bodies)


def test_who_goes_away_holds_nobody_up(path: Path) -> None:
    with closing(Journal(path)) as journal, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # so that it waits
        gone = journal.append(entries(1))
        gone.cancel()  # as asyncio does when the server breaks a request off
        other.execute("ROLLBACK")
        assert journal.append(entries(2)).result(10) == Kept(1, 0)
        assert [body for _, body in journal.read(0, 9)] == [b"call 1", b"call 2"]
