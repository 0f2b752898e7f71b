"""Whose turn it is to look leads up: one at a time, of threads and of processes, and who must be alone goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from leadlight.errors import StoreError
from leadlight.service import enrich_turn
from leadlight.service.connection_state import ConnectionStates
from leadlight.service.enrich_turn import NAME, Turn
from leadlight.service.shelf import FileShelf
from leadlight.workspace import utc_now


def turns(folder: Path, *names: str) -> list[Turn]:
    """Turns of several processes that share a shelf; none of them is of this machine."""
    return [
        Turn(ConnectionStates(FileShelf(folder), now=utc_now, process=f"far:1:{name}"), now=utc_now) for name in names
    ]


@contextmanager
def busy(turn: Turn, stop: threading.Event | None = None) -> Iterator[threading.Event]:
    """Somebody who has the turn, until it is to be given up; yields whether that was so."""
    began, ended = threading.Event(), threading.Event()

    def work() -> None:
        with turn.taken(stop or threading.Event()) as give_up:
            began.set()
            give_up.wait(20)
            ended.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert began.wait(10)
    yield ended
    thread.join(20)
    assert not thread.is_alive()


def test_who_must_be_alone_has_the_other_make_way_and_go_on_later(tmp_path: Path) -> None:
    for one, other in (turns(tmp_path, "a", "b"), [Turn(None, now=utc_now)] * 2):
        with busy(one) as ended:
            assert not one.is_free
            assert not other.is_free
            with other.alone():
                assert ended.is_set()
                assert not one.is_free
        assert one.is_free
        with one.taken(threading.Event()) as give_up:
            assert not give_up.is_set()


def test_nobody_begins_while_somebody_is_alone(tmp_path: Path) -> None:
    one, other = turns(tmp_path, "a", "b")
    began = threading.Event()

    def work() -> None:
        with other.taken(threading.Event()):
            began.set()

    with one.alone():
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        assert not began.wait(0.5)
    assert began.wait(10)
    thread.join(10)


def test_the_turn_of_one_who_is_no_more_ends_by_itself(tmp_path: Path) -> None:
    clock = [datetime(2026, 1, 31)]
    states = [ConnectionStates(FileShelf(tmp_path), now=lambda: clock[0], process=f"far:1:{n}") for n in "ab"]
    assert states[0].claim(NAME)
    waiting = Turn(states[1], now=lambda: clock[0])
    assert not waiting.is_free
    clock[0] += timedelta(minutes=2)
    assert waiting.is_free
    with waiting.taken(threading.Event()) as give_up:
        assert not give_up.is_set()


def test_whoever_is_stopped_while_it_waits_does_not_begin(tmp_path: Path) -> None:
    one, other = turns(tmp_path, "a", "b")
    stop, done = threading.Event(), threading.Event()
    with busy(one, done):
        threading.Timer(0.2, stop.set).start()
        with other.taken(stop) as give_up:
            assert give_up.is_set()
        done.set()
    assert one.is_free


def test_one_that_does_not_make_way_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrich_turn, "PATIENCE", 0.3)
    one, other = turns(tmp_path, "a", "b")
    with one.alone():
        began = time.monotonic()
        with pytest.raises(StoreError, match="being looked up"), other.alone():
            pass
        assert time.monotonic() - began < 5
    with other.alone():
        assert not one.is_free
