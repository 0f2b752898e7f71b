"""Every verb, in words and as JSON, on the workspace that `init` makes."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.learn.campaign import make_campaign

from connect.memory import World, as_a_system
from leadlight.cli.app import VERBS
from leadlight.templates.init import init
from leadlight.workspace import Workspace

AS_OF = ("--as-of", "2026-06-01")
TRIAL = '{"job_level": "VP", "employees": 120, "events": [{"type": "demo_request", "at": "2026-05-30"}]}'


def verbs(folder: Path) -> dict[str, list[str]]:
    """A call of each verb that ends well."""
    at = ["-w", str(folder)]
    return {
        "init": ["init", str(folder / "another")],
        "check": ["check", *at],
        "ingest": ["ingest", *at],
        "sync": ["sync", *at],
        "push": ["push", "--dry-run", *at],
        "simulate": ["simulate", str(folder / "world"), "--leads", "40"],
        "schema": ["schema", "scorecard"],
        "access": ["access", "L001", *at],
        "erase": ["erase", "L002", "--yes", *at],
        "score": ["score", *at, *AS_OF],
        "rank": ["rank", *at, *AS_OF],
        "explain": ["explain", "L010", *at, *AS_OF],
        "why": ["why", "L010", "--since", "2026-05-01", "--until", "2026-06-01", *at],
        "history": ["history", "L010", *at],
        "try": ["try", TRIAL, *at, *AS_OF],
        "diff": ["diff", *at, *AS_OF],
        "report": ["report", str(folder / "r.html"), *at, *AS_OF],
        "allocate": ["allocate", "--capacity", "2", *at, *AS_OF],
        "export": ["export", str(folder / "r.csv"), *at, *AS_OF],
        "learn": ["learn", "--from", "house", *at, *AS_OF],
        "uplift": ["uplift", "-w", str(folder / "campaign")],
        "letter": ["letter", "L010", *at, *AS_OF],
        "evaluate": ["evaluate", *at, "--until", "2026-06-01"],
        "threshold": ["threshold", "--per-day", "1", *at, "--until", "2026-06-01"],
        "backtest": ["backtest", "--top", "3", *at, "--since", "2026-02-01", "--until", "2026-06-01"],
        "watch": ["watch", *at, *AS_OF],
        "publish": ["publish", "house", *at],
        "revert": ["revert", "house", *at],
        "profile": ["profile", *at, *AS_OF],
        "similar": ["similar", "L010", *at, *AS_OF],
        "enrich": ["enrich", *at],
        "merges": ["merges", *at],
        "resolve": ["resolve", "--reject", "L010", "L011", *at],
        "bots": ["bots", *at],
        "facts": ["facts", "L010", *at, *AS_OF],
        "next": ["next", "L010", *at, *AS_OF],
        "sql": ["sql", "--dialect", "postgres", *at, *AS_OF],
        "keys": ["keys", "make", "page", "--may", "browser", *at],
        "audit": ["audit", *at],
        "retain": ["retain", *at],
        "backup": ["backup", *at],
        "restore": ["restore", str(folder / "kept.tar"), "-w", str(folder / "back")],
        "serve": ["serve", *at, "--port", "0", "--for", "1s"],
        "work": ["work", *at, "--for", "1s"],
        "notify": ["notify", *at],
        "outbox": ["outbox", *at, "--state", "all"],
        "refused": ["refused", *at],
    }


def test_the_calls_are_of_all_verbs() -> None:
    assert set(verbs(Path())) == set(VERBS)


@pytest.fixture
def memory_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that can be connected without network."""
    monkeypatch.setenv("MEMORY_TOKEN", "x")
    with as_a_system(tmp_path / "system"):
        yield


LONG_AGO = date(2026, 6, 2)
"""The starter's dates end on the day it is made: moved, so that fixed days lie inside."""


@pytest.fixture
def long_ago(tmp_path: Path) -> Path:
    """A starter that was made then."""
    init(tmp_path / "old", today=LONG_AGO)
    return tmp_path / "old"


@pytest.fixture(scope="session")
def stocked_long_ago(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, read and scored."""
    folder = tmp_path_factory.mktemp("ago") / "old"
    init(folder, today=LONG_AGO)
    workspace = Workspace(folder)
    workspace.ingest()
    workspace.score(as_of=AS_OF[1])
    return folder


@pytest.fixture
def read_long_ago(stocked_long_ago: Path, tmp_path: Path) -> Path:
    """That, as the test's own."""
    return Path(shutil.copytree(stocked_long_ago, tmp_path / "old"))


def draft(folder: Path, comment: str) -> None:
    (folder / "drafts").mkdir(exist_ok=True)
    (folder / "drafts" / "house.yaml").write_text(comment + (folder / "scorecards" / "house.yaml").read_text())


def ask_nobody_outside(folder: Path) -> None:
    with (folder / "leadlight.yaml").open("a") as file:
        file.write("\nenrich: {ask: [email]}\n")


def tell_somebody(folder: Path) -> None:
    with (folder / "leadlight.yaml").open("a") as file:
        file.write("\nnotify: {destinations: {team: {slack: 'http://127.0.0.1:9/'}}, rules: {}}\n")


def connect(folder: Path) -> None:
    world = World(folder.parent / "world.json")
    world.object("contacts", {"email": "text", "title": "text"})
    world.put("contacts", "1", datetime(2026, 5, 1), email="a@b.com", title="CEO")
    world.save()
    text = (folder / "leadlight.yaml").read_text()
    told = f"connections:\n  crm: {{system: memory, world: {world.file}, push: {{object: contacts}}}}\nsources:\n"
    told += "  people: {connection: crm, object: contacts, kind: leads, created_at: created, columns: [email, title]}\n"
    (folder / "leadlight.yaml").write_text(text.replace("sources:\n", told, 1))


def use_store(folder: Path, address: str) -> None:
    text = (folder / "leadlight.yaml").read_text()
    (folder / "leadlight.yaml").write_text(re.sub(r"(?m)^store: .*$", f"store: {address}", text))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_each_verb_speaks_and_gives_json(
    run: Run, read_long_ago: Path, stocked_long_ago: Path, verb: str, request: pytest.FixtureRequest
) -> None:
    long_ago = read_long_ago
    if verb == "work":  # it shares a store
        use_store(long_ago, request.getfixturevalue("postgres_store"))
        run("ingest", "-w", long_ago)
    if verb in ("sync", "push"):
        request.getfixturevalue("memory_system")
        connect(long_ago)
    if verb in ("publish", "revert"):
        draft(long_ago, "# first\n")
    if verb == "revert":
        run("publish", "house", "-w", long_ago)
    if verb == "uplift":  # the starter has no campaign
        (long_ago / "campaign").mkdir()
        make_campaign(long_ago / "campaign", "moved", n=3000)
    if verb == "enrich":  # the starter asks nobody
        ask_nobody_outside(long_ago)
    if verb == "notify":  # the starter tells nobody
        tell_somebody(long_ago)
    if verb == "restore":
        run("backup", long_ago / "kept.tar", "-w", long_ago)
    words = verbs(long_ago)[verb]
    said = run(*words)
    assert said.code == 0, said.err
    assert said.out.strip()
    assert "Traceback" not in said.out + said.err
    if verb == "publish":
        draft(long_ago, "# second\n")
    if verb in ("init", "erase"):  # what has been done cannot be done again
        long_ago = Path(shutil.copytree(stocked_long_ago, long_ago.parent / "old2"))
        words = verbs(long_ago)[verb]
    structured = run(*words, "--json")
    assert structured.code == 0, structured.err
    assert structured.json


def test_the_whole_walk(run: Run, long_ago: Path) -> None:
    assert "The workspace is in order" in run("check", "-w", long_ago).out
    assert run("ingest", "-w", long_ago, "--json").json["sources"]
    ranking = run("rank", "-w", long_ago, *AS_OF, "--json").json
    first = ranking["rows"][0]
    ledger = run("explain", first["id"], "-w", long_ago, *AS_OF, "--json").json
    assert sum(item["points"] for item in ledger["contributions"]) == pytest.approx(first["score"], abs=1e-9)
    run("export", long_ago / "r.csv", "-w", long_ago, *AS_OF)
    with (long_ago / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ranking["total"]
    assert [row["id"] for row in rows[:3]] == [row["id"] for row in ranking["rows"][:3]]
    run("report", "-w", long_ago, *AS_OF)
    assert first["id"] in (long_ago / "report.html").read_text()


def test_try_reads_a_file_and_standard_input(run: Run, long_ago: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    run("ingest", "-w", long_ago)
    (long_ago / "lead.json").write_text(TRIAL)
    from_file = run("try", long_ago / "lead.json", "-w", long_ago, *AS_OF, "--json").json
    monkeypatch.setattr("sys.stdin", io.StringIO(TRIAL))
    assert run("try", "-", "-w", long_ago, *AS_OF, "--json").json == from_file
    assert from_file["score"] == pytest.approx(sum(item["points"] for item in from_file["contributions"]))


def test_leadlight_alone_says_what_to_do_next(run: Run, tmp_path: Path, long_ago: Path) -> None:
    assert "leadlight init" in run("-w", tmp_path).out
    assert "leadlight ingest" in run("-w", long_ago).out
    run("ingest", "-w", long_ago)
    assert "leadlight rank" in run("-w", long_ago).out


def test_schema_is_json_that_names_the_parts(run: Run) -> None:
    assert set(json.loads(run("schema").out)) == {"workspace", "scorecard", "contract", "vendor"}
    assert "groups" in json.loads(run("schema", "scorecard").out)["properties"]
