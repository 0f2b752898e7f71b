"""How commands end when they cannot do what was asked: the exit code, the words, never a traceback."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pytest
from tests.cli.conftest import Run, environment

from leadlight.cli.failures import fail


def shown(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["explain", "L0100"], 6, "there is no lead 'L0100'; the nearest are 'L010'"),
        (["rank", "-s", "hous"], 6, "no scorecard 'hous': did you mean 'house'? Known: house"),
        (["rank", "--as-of", "yesterday"], 2, "'yesterday' is not a moment"),
        (["sql", "--dialect", "oracle"], 6, "no dialect 'oracle'"),
        (["export", "ranking.xml"], 2, "cannot write 'ranking.xml' Name a file *.csv or *.parquet, or table:NAME."),
        (["try", "{"], 2, ""),
        (["try", '{"employes": 5}'], 4, "employes: no such attribute: did you mean 'employees'?"),
        (["erase", "L001"], 2, "erasing cannot be undone, and there is nobody to ask Add --yes."),
        (["rank", "--limit", "0"], 2, "Input should be greater than or equal to 1"),
        (["rnk"], 2, "No such command 'rnk'"),
        (["report", "nowhere/r.html"], 2, "cannot write nowhere/r.html"),
    ],
)
def test_exit_code_and_words(run: Run, starter: Path, words: list[str], code: int, message: str) -> None:
    at = [] if words[0] == "rnk" else ["-w", str(starter)]
    ended = run(*words, *at)
    assert ended.code == code
    assert message in shown(ended.err)
    assert "Traceback" not in ended.err
    structured = run(*words, *at, "--json")
    assert structured.code == code
    assert structured.json["exit_code"] == code


def test_no_workspace(run: Run, tmp_path: Path) -> None:
    ended = run("rank", "-w", tmp_path)
    assert ended.code == 6
    assert "Make a workspace with `leadlight init`" in shown(ended.err)


def test_no_store_yet(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path / "shop")
    ended = run("rank", "-w", tmp_path / "shop")
    assert ended.code == 6
    assert "Run `leadlight ingest` to make it." in shown(ended.err)


def test_all_faults_of_all_files_at_once(run: Run, starter: Path) -> None:
    house = starter / "scorecards" / "house.yaml"
    house.write_text(house.read_text().replace("feature: job_level", "feature: job_levl"))
    spec = starter / "leadlight.yaml"
    spec.write_text(spec.read_text().replace("within: 30d", "within: 30 dys", 1))
    leads = starter / "data" / "leads.csv"
    leads.write_text(leads.read_text().replace("Created", "Made", 1))
    ended = run("check", "-w", starter)
    assert ended.code == 3
    assert "leadlight.yaml:" in ended.err
    assert "30 dys" in ended.err
    assert "did you mean 'job_level'?" in shown(ended.err)
    assert "there is no column 'Created'" in shown(ended.err)


def test_a_store_that_is_none(run: Run, starter: Path) -> None:
    (starter / "leadlight.duckdb").write_bytes(b"not a database at all" * 1000)
    ended = run("rank", "-w", starter)
    assert ended.code == 5
    assert "is not a store: it is no DuckDB file" in shown(ended.err)


def test_a_store_in_use_names_the_holder(run: Run, starter: Path) -> None:
    script = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(starter / "leadlight.duckdb")], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        ended = run("rank", "-w", starter)
        holder.kill()
    assert ended.code == 5
    assert f"is in use by process {holder.pid}" in shown(ended.err)


def heed_interrupts() -> None:
    """Let Control-C count, though whoever runs the tests in the background has it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_control_c_ends_with_130(starter: Path) -> None:
    world = starter / "world"
    with subprocess.Popen(
        [sys.executable, "-m", "leadlight", "simulate", str(world), "--leads", "3000000"],
        stderr=subprocess.PIPE, text=True, env=environment(), preexec_fn=heed_interrupts,
    ) as process:  # fmt: skip
        time.sleep(4)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err


def test_the_next_verb_removes_the_copies_of_files_that_a_killed_one_left(
    run: Run, starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    events = starter / "data" / "events.csv"
    events.write_text(events.read_text() * 500, "utf-16")  # to be mended
    with subprocess.Popen(
        [sys.executable, "-m", "leadlight", "ingest", "-w", str(starter)], env=environment(TMPDIR=str(copies))
    ) as process:
        while not any(path.stat().st_size for path in copies.glob("leadlight-*/*")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert list(copies.iterdir())
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    run("schema")
    assert list(copies.iterdir()) == []


def test_a_closed_pipe_is_silent(starter: Path) -> None:
    command = f'"{sys.executable}" -m leadlight schema | head -c 10'
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment(), check=True)
    assert ended.stderr == ""


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (RuntimeError("Query interrupted"), 130)])
def test_control_c_is_known_however_it_arrives(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail(error, as_json=False) == code
    assert capsys.readouterr().err == "interrupted: the store is as it was before\n"


@pytest.mark.parametrize(
    ("error", "said", "fix"),
    [
        (duckdb.TransactionException('Failed to commit: Could not write file "a.wal": No space left on device'),
         "the machine says: No space left on device (Failed to commit", "Make room on the disk"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "b.tar"), "No space left on device", "Make room on the disk"),
        (duckdb.IOException('IO Error: Cannot open file ".r.csv.unfinished": Permission denied'),
         "Permission denied", "See who may write there, then type the same again"),
        (duckdb.OutOfMemoryException("failed to allocate data"), "there is not enough memory", "Make room"),
        (MemoryError(), "there is not enough memory", "Make room"),
    ],
)  # fmt: skip
def test_what_the_machine_is_to_blame_for_is_no_bug(
    capsys: pytest.CaptureFixture[str], error: Exception, said: str, fix: str
) -> None:
    assert fail(error, as_json=False) == 5
    shown_at = shown(capsys.readouterr().err)
    assert said in shown_at
    assert fix in shown_at
    assert "bug" not in shown_at
    assert shown_at.endswith("The store is as it was before.")
    assert fail(error, as_json=True) == 5
    assert json.loads(capsys.readouterr().out)["exit_code"] == 5


def test_a_bug_is_owned_up_to(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEADLIGHT_DEBUG", raising=False)
    assert fail(ZeroDivisionError("by nothing"), as_json=False) == 70
    assert capsys.readouterr().err == (
        "ZeroDivisionError: by nothing\nThis is a bug in Leadlight; the store is as it was before. "
        "LEADLIGHT_DEBUG=1 shows where it happened.\n"
    )
    monkeypatch.setenv("LEADLIGHT_DEBUG", "1")
    assert fail(ZeroDivisionError("by nothing"), as_json=True) == 70
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == "Bug"
    assert "ZeroDivisionError: by nothing" in captured.err


@pytest.mark.slow
def test_control_c_while_ingesting_leaves_the_store_as_it_was(run: Run, starter: Path) -> None:
    run("simulate", starter / "world", "--leads", "160000")  # some ten seconds to read, when nobody else works
    spec = starter / "leadlight.yaml"
    world = "sources:\n  views: {parquet: world/events.parquet, lead: lead_id, type: event, at: ts}\n"
    spec.write_text(spec.read_text().replace("sources:\n", world, 1))
    before = run("-w", starter, "--json").json
    with subprocess.Popen(
        [sys.executable, "-m", "leadlight", "ingest", "-w", str(starter)],
        stderr=subprocess.PIPE, text=True, env=environment(), preexec_fn=heed_interrupts,
    ) as process:  # fmt: skip
        time.sleep(3)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "interrupted: the store is as it was before\n")
    assert run("-w", starter, "--json").json == before
