"""The file of answers: what is kept, shared, survives, and is forgotten."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.net.cache import KEPT, Cache, Stored, forget, forget_asker, key_of

NOW = datetime(2026, 11, 28, 12, 0, 0, 123456)


@contextmanager
def opened(path, **more):
    cache = Cache(path, now=NOW, **more)
    try:
        yield cache
    finally:
        cache.close()


def keep(cache, *answers, asker=""):
    async def go():
        return await asyncio.gather(
            *(cache.write(key_of(about), stored, about=about, asker=asker) for about, stored in answers)
        )

    return asyncio.run(go())


def answer(body=b"hello", url="https://a.example/", **more):
    return Stored(url, 200, {"etag": '"1"'}, body, NOW, **more)


def test_what_is_written_is_read_by_others_and_after_a_restart(tmp_path):
    path = tmp_path / "new" / "lookups.sqlite"
    with opened(path) as first, opened(path) as second:
        assert keep(first, ("a", answer()), ("b", answer(b""))) == [True, True]
        assert second.read(key_of("a")) == first.read(key_of("a")) == answer()
        assert second.read(key_of("c")) is None
    with opened(path) as third:
        assert third.read(key_of("b")) == answer(b"")


@pytest.fixture(scope="module")
def one_cache(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("cache") / "l.sqlite") as cache:
        yield cache


@given(st.binary(max_size=2000), st.text(max_size=50), st.dictionaries(st.text(max_size=9), st.text(max_size=9)))
def test_answers_come_back_as_they_were(one_cache, body, url, headers):
    stored = Stored(url, 404, headers, body, NOW, "broken", "why", NOW + timedelta(hours=1))
    keep(one_cache, ("x", stored))
    assert one_cache.read(key_of("x")) == stored


def test_keys_depend_on_every_part():
    assert len({key_of("a", "b"), key_of("ab"), key_of("a", "b", ""), key_of("b", "a")}) == 4


def test_the_newest_answer_counts(tmp_path):
    with opened(tmp_path / "l.sqlite") as cache:
        keep(cache, ("a", answer(b"old")))
        keep(cache, ("a", answer(b"new")))
        assert cache.read(key_of("a")).body == b"new"


def test_only_its_owner_may_read_the_file(tmp_path):
    path = tmp_path / "l.sqlite"
    path.touch(0o644)
    with opened(path) as cache:
        keep(cache, ("a", answer()))
        modes = {item.name: stat.S_IMODE(item.stat().st_mode) for item in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_without_a_path_nothing_is_kept():
    with opened(None) as cache:
        assert keep(cache, ("a", answer())) == [False]
        assert cache.read(key_of("a")) is None


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"\0" * 4096])
def test_a_file_that_is_no_database_is_put_aside(tmp_path, content):
    path = tmp_path / "l.sqlite"
    path.write_bytes(content)
    with opened(path) as cache:
        assert keep(cache, ("a", answer())) == [True]
    assert (tmp_path / "l.sqlite.broken").read_bytes() == content


def test_damaged_answers_are_none(tmp_path):
    path = tmp_path / "l.sqlite"
    with opened(path) as cache:
        keep(cache, ("a", answer()), ("b", answer()))
        with sqlite3.connect(path) as other:
            other.execute("UPDATE answers SET body = x'28b52ffd00' WHERE key = ?", (key_of("a"),))
            other.execute("UPDATE answers SET headers = '{' WHERE key = ?", (key_of("b"),))
        other.close()
        assert cache.read(key_of("a")) is None
        assert cache.read(key_of("b")) is None


def test_another_version_of_the_file_is_begun_anew(tmp_path):
    path = tmp_path / "l.sqlite"
    with opened(path) as cache:
        keep(cache, ("a", answer()))
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version=99")
    other.close()
    with opened(path) as cache:
        assert cache.read(key_of("a")) is None
        assert keep(cache, ("a", answer())) == [True]


def test_what_is_very_old_is_dropped_when_the_file_is_opened(tmp_path):
    path = tmp_path / "l.sqlite"
    old = Stored("", 200, {}, b"", NOW - KEPT - timedelta(seconds=1))
    with opened(path) as cache:
        keep(cache, ("old", old), ("new", answer()))
    with opened(path) as cache:
        assert cache.read(key_of("old")) is None
        assert cache.read(key_of("new")) == answer()


def test_a_full_disk_loses_answers_and_nothing_else(tmp_path):
    path = tmp_path / "l.sqlite"
    with opened(path) as cache:
        keep(cache, ("a", answer()))
        with sqlite3.connect(path) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'full'); END")
        assert keep(cache, ("b", answer())) == [False]
        with other:
            other.execute("DROP TRIGGER full")
        other.close()
        assert keep(cache, ("c", answer())) == [True]


WRITER = textwrap.dedent("""
    import asyncio, sys
    from datetime import datetime
    from pathlib import Path
    from leadlight.enrich.net.cache import Cache, Stored, key_of

    async def main():
        cache = Cache(Path(sys.argv[1]), now=datetime(2026, 11, 28))
        async def one(number):
            name = f"{sys.argv[2]}{number}"
            assert await cache.write(key_of(name), Stored(name, 200, {}, name.encode() * 500, datetime(2026, 11, 28)), about=name)
            print(name, flush=True)
        for start in range(0, int(sys.argv[3]), 20):
            await asyncio.gather(*(one(number) for number in range(start, start + 20)))
        cache.close()

    asyncio.run(main())
""")  # noqa: E501


def writer(path, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_a_killed_process_loses_nothing_that_it_had_answered(tmp_path):
    path = tmp_path / "l.sqlite"
    process = writer(path, "k", 1_000_000)
    said = [process.stdout.readline().strip() for _ in range(300)]
    os.kill(process.pid, signal.SIGKILL)
    said += process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    whole = [name for name in said if name.startswith("k")][:-1]
    with opened(path) as cache:
        assert [name for name in whole if cache.read(key_of(name)) is None] == []
        assert cache.read(key_of(whole[-1])).body == whole[-1].encode() * 500
        assert keep(cache, ("a", answer())) == [True]
    assert len(whole) >= 299


def test_several_processes_write_at_the_same_time(tmp_path):
    path = tmp_path / "l.sqlite"
    processes = [writer(path, name, 200) for name in "abc"]
    for process in processes:
        assert len(process.communicate(timeout=60)[0].splitlines()) == 200
        assert process.returncode == 0
    with opened(path) as cache:
        lost = [name for kind in "abc" for number in range(200) if not cache.read(key_of(name := f"{kind}{number}"))]
    assert lost == []


EMAIL = "Jane.Doe@acme.example"
HASHED = {name: hashlib.new(name, EMAIL.lower().encode()).hexdigest() for name in ("md5", "sha1", "sha256")}


@pytest.mark.parametrize(
    "about",
    [
        "https://api.example/?email=jane.doe@acme.example", "https://api.example/?email=Jane.Doe%40acme.example",
        "https://api.example/?q=jane.doe%40ACME.example", 'https://api.example/find\n{"email":"Jane.Doe@acme.example"}',
        *(f"https://gravatar.example/{digest}" for digest in HASHED.values()),
    ],
)  # fmt: skip
def test_what_was_asked_about_a_person_is_forgotten(tmp_path, about):
    path = tmp_path / "l.sqlite"
    with opened(path) as cache:
        keep(cache, (about, answer()), ("https://api.example/?email=john.doe@acme.example", answer()))
        assert forget(path, [EMAIL, "+41 44 111 22 33"]) == 1
        assert cache.read(key_of(about)) is None
        assert cache.read(key_of("https://api.example/?email=john.doe@acme.example")) is not None


def test_what_holds_a_person_is_forgotten_and_no_byte_of_it_stays(tmp_path):
    path = tmp_path / "l.sqlite"
    page = b"<a href='mailto:jane.doe@acme.example'>Jane</a>"
    with opened(path) as cache:
        keep(cache, ("https://acme.example/team", answer(page)), ("https://acme.example/", answer()))
        keep(
            cache,
            ("https://api.example/jane.doe@acme.example", answer(b"", url="https://api.example/jane.doe@acme.example")),
        )
        assert forget(path, [EMAIL]) == 2
    left = b"".join(item.read_bytes() for item in tmp_path.iterdir())
    assert b"jane.doe" not in left.lower()


def test_names_with_other_letters_are_found_in_json(tmp_path):
    path = tmp_path / "l.sqlite"
    with opened(path) as cache:
        keep(
            cache,
            ("a", answer('{"name": "Zoë Müller"}'.encode())),
            ("b", answer(b'{"name": "Zo\\u00eb M\\u00FCller"}')),
        )
    assert forget(path, ["Zoë Müller"]) == 2


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Tel. 044 111 22 33", True), ("+41 (0)44 111-22-33", True), ('"phone": "+41441112233"', True),
        ("tel:+41%2044%20111%2022%2033", True), ("044&nbsp;111&nbsp;22&nbsp;33", True), ("044\u00a0111.22.33", True),
        ("044 111 22 34", False), ("4411 and 12233", False),
    ],
)  # fmt: skip
def test_phone_numbers_are_found_however_they_are_spaced(tmp_path, body, found):
    path = tmp_path / "l.sqlite"
    with opened(path) as cache:
        keep(cache, ("a", answer(body.encode())))
    assert forget(path, ["+41 44 111 22 33"]) == found


def test_short_subjects_are_refused_since_they_are_everywhere(tmp_path):
    with pytest.raises(ValueError, match="needs 5 characters, this one has 2"):
        forget(tmp_path / "l.sqlite", ["ab"])


def test_all_that_one_provider_asked_for_is_forgotten(tmp_path):
    path = tmp_path / "l.sqlite"
    with opened(path) as cache:
        keep(cache, ("a", answer()), ("b", answer()), asker="rdap")
        keep(cache, ("c", answer()), asker="website")
    assert forget_asker(path, "rdap") == 2
    assert forget_asker(path, "rdap") == 0
    with opened(path) as cache:
        assert cache.read(key_of("c")) is not None


def test_there_is_nothing_to_forget_where_there_is_no_file(tmp_path):
    assert forget(tmp_path / "none.sqlite", [EMAIL]) == 0
    assert forget_asker(tmp_path / "none.sqlite", "rdap") == 0
    assert list(tmp_path.iterdir()) == []
