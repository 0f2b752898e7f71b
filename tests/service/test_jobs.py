"""What takes long: begun by one request, told by others."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import Inside, settle

from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import NotFoundError, StoreError
from leadlight.service.jobs import BESIDE, DOCUMENT, KEPT, LEASE, WAITING, Jobs
from leadlight.service.problems import Problem
from leadlight.service.shelf import FileShelf, TableShelf
from leadlight.workspace import utc_now


def now() -> datetime:
    return datetime(2026, 1, 31, 12)


@dataclass
class Clock:
    """A clock that a test moves."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.ahead


def ended(service: Inside, answer: Any) -> dict[str, Any]:
    """Wait for the end of a job that an answer says has begun."""
    assert answer.status_code == 202, answer.text
    where = answer.headers["location"]
    settle(lambda: {"waiting": service.get(where).json()["state"] in ("waiting", "running"), "unscored": 0})
    return dict(service.get(where).json())


def test_ingest_reads_what_is_new_and_scores_it(service: Inside, shop: Path) -> None:
    crm = shop / "crm.csv"
    crm.write_text(crm.read_text() + "crm-4,2026-01-08,dan@solo.example,c_level,500,\n")
    job = ended(service, service.post("/v1/ingest", {"only": ["crm"]}))
    assert job["state"] == "done", job
    assert job["options"] == {"only": ["crm"]}
    assert job["result"]["sources"][0]["new"] == 1
    assert job["result"]["at"].endswith("Z")
    assert service.get("/v1/leads/crm-4").json()["groups"]["fit"] == 27
    assert len(service.get("/v1/history/crm-4").json()["scores"]) == 1
    assert [one["id"] for one in service.get("/v1/jobs").json()["jobs"]] == [job["id"]]


def test_everybody_is_scored_as_of_a_moment(service: Inside) -> None:
    job = ended(service, service.post("/v1/scores", {"scorecard": "house", "as_of": "2026-03-01"}))
    assert [(run["scorecard"], run["as_of"], run["scored"]) for run in job["result"]["scores"]] == [
        ("house", "2026-03-01T00:00:00Z", 3)
    ]


@pytest.mark.parametrize("verb", ["learn", "uplift", "adjust", "backtest"])
def test_a_job_that_cannot_be_done_says_why(past: Inside, verb: str) -> None:
    job = ended(past, past.post(f"/v1/{verb}", {}))
    assert job["state"] == "failed"
    assert job["problem"]["status"] in (400, 404, 409)
    assert job["problem"]["fix"]


def test_options_are_checked_before_anything_begins(past: Inside) -> None:
    before = past.get("/v1/jobs").json()
    for body in ({"colour": 1}, {"seed": "1"}, {"as_of": "soon"}, {"name": "../x"}):
        assert past.post("/v1/learn", body).status_code == 400, body
    assert past.get("/v1/jobs").json() == before


def test_of_a_process_that_is_gone_a_job_is_lost(tmp_path: Path) -> None:
    shelf, hold = FileShelf(tmp_path), threading.Event()
    jobs = Jobs(shelf, now=now)
    begun = jobs.begin("wait", {}, lambda: {"done": hold.wait(20)})
    after = Jobs(shelf, now=now)  # as after a restart with the same number
    assert after.find(begun["id"])["state"] == "failed"
    assert "begin it again" in after.find(begun["id"])["problem"]["detail"]
    assert jobs.find(begun["id"])["state"] in ("waiting", "running")
    hold.set()
    jobs.close()
    after.close()
    assert jobs.find(begun["id"])["result"] == {"done": True}


ELSEWHERE = """
import socket, sys, threading
from leadlight.engines.postgres import PostgresEngine
from leadlight.service import jobs
from leadlight.service.shelf import TableShelf
from leadlight.workspace import utc_now
jobs.BEAT, socket.gethostname = 0.1, lambda: "elsewhere"
held = jobs.Jobs(TableShelf(PostgresEngine(sys.argv[1])), now=utc_now)
runs, goes_on = threading.Event(), threading.Event()
held.begin("wait", {}, lambda: {"done": runs.set() or goes_on.wait(60)})
assert runs.wait(20)
print("runs", flush=True)
sys.stdin.read()
"""


def test_of_a_machine_that_is_gone_a_job_is_lost(postgres_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadlight.service.jobs.LEASE", 2.0)
    engine = PostgresEngine(postgres_store)
    here = Jobs(TableShelf(engine), now=utc_now)
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, postgres_store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        time.sleep(2.2)
        (job,) = here.all()
        assert (job["state"], job["ended_at"]) == ("running", None)
        process.kill()
        process.wait(10)
    end = time.monotonic() + 20
    while (lost := here.find(job["id"]))["state"] == "running":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert (lost["state"], lost["problem"]["status"]) == ("failed", 503)
    assert f"was not heard of since {lost['ended_at']}, its machine may be gone" in lost["problem"]["detail"]
    assert [one["state"] for one in here.all()] == ["failed"]
    with pytest.raises(Problem, match="has ended"):
        here.cancel(job["id"])
    here.close()
    engine.close()


@pytest.mark.usefixtures("far")
def test_who_is_heard_of_again_was_not_lost(tmp_path: Path) -> None:
    clock, free = Clock(), threading.Event()
    shelf = FileShelf(tmp_path)
    first, second = Jobs(shelf, now=clock), Jobs(shelf, now=clock)
    job = first.begin("wait", {}, lambda: {"done": free.wait(20)})
    for ahead, state in ((LEASE - 1, "running"), (LEASE + 1, "failed"), (-LEASE - 1, "failed")):
        clock.ahead = timedelta(seconds=ahead)
        while first.find(job["id"])["state"] == "waiting":
            free.wait(0.01)
        assert second.find(job["id"])["state"] == state
    free.set()
    first.close()
    assert (second.find(job["id"])["state"], second.find(job["id"])["problem"]) == ("done", None)
    second.close()


def test_a_bug_ends_a_job_and_not_the_others(tmp_path: Path) -> None:
    jobs = Jobs(FileShelf(tmp_path), now=now)
    bad, good = jobs.begin("bad", {}, lambda: {"x": [][0]}), jobs.begin("good", {}, dict)
    jobs.close()
    assert jobs.find(bad["id"])["problem"] == {"status": 500, "detail": "a bug: IndexError"}
    assert jobs.find(good["id"])["state"] == "done"
    assert jobs.find(good["id"])["ended_at"] == "2026-01-31T12:00:00Z"


def test_bounds(tmp_path: Path) -> None:
    shelf, hold = FileShelf(tmp_path), threading.Event()
    jobs = Jobs(shelf, now=now)
    begun = threading.Event()

    def first() -> dict[str, bool]:
        begun.set()
        return {"done": hold.wait(20)}

    jobs.begin("first", {}, first)
    assert begun.wait(20)
    for _ in range(WAITING):
        jobs.begin("wait", {}, dict)
    with pytest.raises(StoreError, match="too many"):
        jobs.begin("one more", {}, dict)
    hold.set()
    jobs.close()
    shelf.change(DOCUMENT, lambda found: {str(n): {**next(iter(found.values())), "id": str(n)} for n in range(KEPT)})
    last = Jobs(shelf, now=now)
    last.begin("one", {}, dict)
    last.close()
    assert len(last.all()) == KEPT
    with pytest.raises(NotFoundError, match="no job '0'"):
        last.find("0")


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each `Jobs` be of another machine."""
    numbers = iter(range(100))
    monkeypatch.setattr("leadlight.service.jobs.this_process", lambda: f"far:1:{next(numbers)}")


@pytest.mark.usefixtures("far")
def test_one_that_waits_is_cancelled_and_never_begins_and_one_that_runs_goes_on(tmp_path: Path) -> None:
    first, second = (Jobs(FileShelf(tmp_path), now=now) for _ in range(2))
    free, done = threading.Event(), list[str]()
    runs = first.begin("count", {}, lambda: {"sum": int(free.wait(20))})
    waits = first.begin("count", {}, lambda: {"sum": done.append("second")})
    while first.find(runs["id"])["state"] == "waiting":
        free.wait(0.01)

    assert second.cancel(waits["id"])["state"] == "cancelled"
    with pytest.raises(Problem, match="goes on to its end") as refused:
        first.cancel(runs["id"])
    assert refused.value.status == 409
    free.set()
    first.close()

    assert (first.find(runs["id"])["state"], first.find(runs["id"])["result"]) == ("done", {"sum": 1})
    assert (first.find(waits["id"])["state"], done) == ("cancelled", [])
    with pytest.raises(Problem, match="has ended"):
        first.cancel(runs["id"])
    second.close()


class Meanwhile(FileShelf):
    """A shelf behind whose reader something happens once, before it goes on with what it has read."""

    happens: Callable[[], object] | None = None

    def read(self, name: str) -> Any:
        found, happens = super().read(name), self.happens
        self.happens = None
        if happens is not None:
            happens()
        return found


@pytest.mark.usefixtures("far")
def test_one_that_begins_while_it_is_cancelled_is_not_said_to_be_cancelled(tmp_path: Path) -> None:
    shelf = Meanwhile(tmp_path)
    first, second = Jobs(FileShelf(tmp_path), now=now), Jobs(shelf, now=now)
    free, free_too = threading.Event(), threading.Event()
    first.begin("count", {}, lambda: {"sum": int(free.wait(20))})
    waits = first.begin("count", {}, lambda: {"sum": int(free_too.wait(20))})

    def begins() -> None:
        free.set()
        while first.find(waits["id"])["state"] == "waiting":
            free_too.wait(0.01)

    shelf.happens = begins
    with pytest.raises(Problem, match="goes on to its end"):
        second.cancel(waits["id"])
    free_too.set()
    first.close()
    assert first.find(waits["id"])["state"] == "done"
    second.close()


def test_jobs_go_on_when_the_shelf_could_not_be_asked_for_a_while(tmp_path: Path) -> None:
    """As where the database starts again in the midst of a job."""
    jobs, (free, runs) = Jobs(FileShelf(tmp_path), now=now), (threading.Event(), threading.Event())
    file = tmp_path / f"{DOCUMENT}.json"

    def work() -> dict[str, int]:
        runs.set()
        return {"sum": int(free.wait(20))}

    ids = [jobs.begin("count", {}, work)["id"] for _ in range(2)]
    assert runs.wait(10)
    whole = file.read_text()
    file.write_text("gone")
    free.set()
    time.sleep(0.1)
    file.write_text(whole)
    end = time.monotonic() + 10
    while [jobs.find(one)["state"] for one in ids] != ["done", "done"]:
        assert time.monotonic() < end, [jobs.find(one)["state"] for one in ids]
        time.sleep(0.02)
    jobs.close()


@pytest.mark.usefixtures("far")
def test_one_that_waits_for_other_machines_runs_beside_and_hears_of_another_process_that_it_is_cancelled(
    tmp_path: Path,
) -> None:
    first, second = (Jobs(FileShelf(tmp_path), now=now) for _ in range(2))
    stop = threading.Event()
    beside = first.begin("enrich", {}, lambda: {"stopped": stop.wait(20)}, stop=stop)
    quick = first.begin("count", {}, lambda: {"sum": 1})
    while first.find(quick["id"])["state"] != "done":
        stop.wait(0.01)
    while first.find(beside["id"])["state"] == "waiting":  # it has a thread of its own
        stop.wait(0.01)
    assert first.find(beside["id"])["state"] == "running"
    more = [first.begin("enrich", {}, lambda: {"stopped": stop.wait(20)}, stop=stop) for _ in range(BESIDE - 1)]
    with pytest.raises(StoreError, match="too many"):
        first.begin("enrich", {}, lambda: {}, stop=stop)

    second.cancel(beside["id"])
    while first.find(beside["id"])["state"] == "running":
        stop.wait(0.01)
    first.close()

    assert (first.find(beside["id"])["state"], first.find(beside["id"])["result"]) == ("cancelled", {"stopped": True})
    assert {first.find(one["id"])["state"] for one in more} == {"done"}
    second.close()
