"""Turns are evenly spaced, whoever takes them."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connect.stand_in import StandClock
from leadlight.connect.auth import Bearer
from leadlight.connect.http import Http, Way
from leadlight.connect.pace import Pace
from leadlight.connect.protocol import About, Limits, Secret

GAP = 1 / 200
TAKE = """
import json, sys, time
from pathlib import Path
from leadlight.connect.pace import Clock, Pace

turns, asked = [], []
def monotonic():
    asked.append(time.monotonic())
    return asked[-1]
def sleep(seconds):
    turns.append(asked[-1] + seconds)
    time.sleep(seconds)

pace = Pace(200, Clock(monotonic=monotonic, sleep=sleep), Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(100):
    taken = len(turns)
    pace.wait()
    if len(turns) == taken:
        turns.append(asked[-1])
print(json.dumps(turns))
"""


def test_two_processes_take_turns(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TAKE, str(tmp_path / "crm" / "pace-all")]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    found = [json.loads(one.communicate()[0]) for one in both]
    first, second = ([(turn, name) for turn in turns] for name, turns in enumerate(found))
    turns = sorted(first + second)
    assert len(turns) == 200
    assert min(after - before for (after, _), (before, _) in zip(turns[1:], turns[:-1], strict=True)) > GAP - 1e-6
    assert max(found[0][0], found[1][0]) < min(found[0][-1], found[1][-1])  # they ran at the same time


def test_threads_take_turns(tmp_path: Path) -> None:
    clock = StandClock()
    one, other = (Pace(10, clock.clock(), tmp_path / "pace") for _ in range(2))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: (one if n % 2 else other).wait(), range(40)))
    assert clock.seconds >= 3.9 - 1e-6


@pytest.mark.parametrize("held", [b"", b"x", struct.pack("<d", float("nan")), struct.pack("<d", 1e9)])
def test_what_was_left_before_the_machines_start_holds_nobody_up(tmp_path: Path, held: bytes) -> None:
    file, clock = tmp_path / "pace", StandClock()
    file.write_bytes(held)
    pace = Pace(10, clock.clock(), file)
    pace.wait()
    assert clock.slept == []
    pace.wait()
    assert clock.slept == [pytest.approx(0.1)]


def test_a_folder_that_cannot_be_written_to_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "crm").write_text("a file where a folder should be")
    clock = StandClock()
    pace = Pace(10, clock.clock(), tmp_path / "crm" / "pace")
    for _ in range(3):
        pace.wait()
    assert clock.seconds == pytest.approx(0.2)


def test_connections_with_one_folder_take_turns(tmp_path: Path) -> None:
    about = About("acme", "Acme", (Secret("token", "ACME_TOKEN", "Settings"),), Limits(per_second=5), "")
    way, clock = Way(base="http://127.0.0.1:9", sign=Bearer("acme-secret-token-1")), StandClock()
    with (
        Http(way, about, clock=clock.clock(), folder=tmp_path) as sync,
        Http(way, about, clock=clock.clock(), folder=tmp_path) as push,
    ):
        for http in (sync, push, sync, push):
            http.pace("searches", 2).wait()
    assert clock.seconds == pytest.approx(1.5)
    assert [file.name for file in tmp_path.iterdir()] == ["pace-searches"]
