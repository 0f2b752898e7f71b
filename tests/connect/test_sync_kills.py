"""A sync that is killed at any moment, and done again, ends as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from connect.crm import START, Crm, crm, registered
from leadlight.sources.lake import lake_files, object_folder

__all__ = ["crm", "registered"]

SCRIPT = """
import sys
from datetime import datetime
from pathlib import Path
from leadlight.connect import extract
from leadlight.workspace import open_workspace
extract.PORTION = 40
now = datetime.fromisoformat(sys.argv[2])
print("begins", flush=True)
report = open_workspace(Path(sys.argv[1]), now=lambda: now).sync()
assert report.error is None, report.error
"""
TABLES = ("observations", "events", "outcomes", "leads", "attributes")


def fill(crm: Crm) -> None:
    crm.world.objects["contacts"]["whole"] = True
    for n in range(200):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle=f"T{n % 7}", employees=float(n))
        crm.world.put("emails", f"e{n}", START - timedelta(days=1), contact=str(n), kind="open", sent=START)
        crm.world.put("deals", f"d{n}", START - timedelta(days=1), contact=str(n), stage="won", closed=START)


def change(crm: Crm) -> None:
    for n in range(0, 200, 3):
        crm.world.put("contacts", str(n), crm.now, jobtitle="new")
        crm.world.put("deals", f"d{n}", crm.now, stage="lost")
    for n in range(0, 60, 7):
        crm.world.delete("contacts", str(n), crm.now)
        crm.world.delete("deals", f"d{n}", crm.now)
    crm.world.delete("contacts", "100", crm.now, into="101")


def contents(crm: Crm) -> dict[str, list[str]]:
    """Return what the store holds, whatever numbers it uses inside; and the lake."""
    found = {}
    for table in TABLES:
        with crm.workspace().store() as engine:
            names = [
                name for name in engine.columns(table) if name not in ("lead", "_key", "_said_of", "_read_at", "_file")
            ]
            who = ", (SELECT min(i.id) FROM ids i WHERE i.lead = t.lead)"
            columns = ", ".join(f'"{name}"' for name in names)
            found[table] = sorted(map(str, engine.rows(f"SELECT {columns}{who} FROM {table} t")))
    import duckdb

    for name in ("contacts", "deals", "emails"):
        files = lake_files(object_folder(crm.root, "crm", name))
        paths = [str(one.path) for one in files]
        rows = duckdb.sql(f"SELECT * FROM read_parquet({paths}, union_by_name = true)").fetchall()
        found[f"lake {name}"] = sorted(map(str, rows))
    return found


def difference(one: Crm, other: Crm) -> dict[str, list[str]]:
    """Return what only one of two holds."""
    found, others = contents(one), contents(other)
    assert found.keys() == others.keys()
    return {
        table: sorted([*(Counter(rows) - Counter(others[table])), *(Counter(others[table]) - Counter(rows))])
        for table, rows in found.items()
        if rows != others[table]
    }


def run(crm: Crm, path: str, *, kill_after: float | None = None) -> bool:
    """Sync in another process; return whether it came to its end."""
    crm.world.save()
    tests = Path(__file__).parents[1]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([path, str(tests)]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", SCRIPT, str(crm.root), crm.now.isoformat()]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # only then is there anything to disturb
    try:
        _, errors = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return False
    assert process.returncode == 0, errors.decode()
    return True


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_sync_that_is_killed_ends_as_one_that_nobody_disturbed(
    crm: Crm, registered: Path, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMORY_TOKEN", "x")
    draw = random.Random(seed)
    (tmp_path / "calm").mkdir()
    calm = Crm(tmp_path / "calm")
    for one in (crm, calm):
        fill(one)
    began = time.perf_counter()
    run(calm, str(registered))
    usual = time.perf_counter() - began
    calm.later(days=1)
    change(calm)
    run(calm, str(registered))
    kills = 0
    for _ in range(2):
        for most in (0.3, 0.6, 0.8, 0.8, 0.8, 0.8):
            if run(crm, str(registered), kill_after=draw.uniform(0, most * usual)):
                break
            kills += 1
        run(crm, str(registered))
        if crm.now == START:
            crm.later(days=1)
            change(crm)
    run(crm, str(registered))
    assert kills > 1
    assert difference(crm, calm) == {}
