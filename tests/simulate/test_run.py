from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from leadlight.errors import UsageError
from leadlight.simulate import simulate

NAMES = ["accounts.csv", "deals.csv", "events.parquet", "leads.csv", "truth.parquet"]


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def tables(folder: Path) -> dict[str, object]:
    read = {".csv": csv.read_csv, ".parquet": pq.read_table}
    return {path.name: read[path.suffix](path) for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        simulate(tmp_path / name, leads=700, seed=seed)
    a, b, c = (hashes(tmp_path / name) for name in "abc")
    assert list(a) == NAMES
    assert a == b
    assert not set(a.values()) & set(c.values())


def test_the_chunk_changes_nothing_in_the_tables(tmp_path: Path) -> None:
    simulate(tmp_path / "a", leads=700)
    simulate(tmp_path / "b", leads=700, chunk=1)
    a, b = tables(tmp_path / "a"), tables(tmp_path / "b")
    assert a == b


def test_a_lead_is_the_same_in_a_larger_world(tmp_path: Path) -> None:
    simulate(tmp_path / "small", leads=128)
    simulate(tmp_path / "large", leads=640)
    small, large = (tables(tmp_path / name) for name in ("small", "large"))
    assert large["leads.csv"].slice(0, 128) == small["leads.csv"]
    events = small["events.parquet"].num_rows
    assert large["events.parquet"].slice(0, events) == small["events.parquet"]


def test_rows_refer_to_each_other(small) -> None:
    assert small.value("SELECT count(DISTINCT lead_id) FROM leads") == 5000
    for table in ("events", "deals", "truth"):
        assert small.value(f"SELECT count(*) FROM {table} ANTI JOIN leads USING (lead_id)") == 0
    assert small.value("SELECT count(*) FROM leads ANTI JOIN accounts USING (company) WHERE company IS NOT NULL") == 0
    assert small.value("SELECT count(*) - count(DISTINCT lead_id) FROM deals") == 0


def test_times_lie_in_the_world(small) -> None:
    for table, column in (("events", "ts"), ("leads", "created"), ("deals", "closed_at")):
        outside = f"{column} < TIMESTAMP '2025-01-06' OR {column} >= TIMESTAMP '2026-06-30'"
        assert small.value(f"SELECT count(*) FROM {table} WHERE {outside}") == 0


def test_the_report_counts_what_the_files_hold(small) -> None:
    report = small.report
    assert sorted(path.name for path in report.files) == NAMES
    assert report.events == small.value("SELECT count(*) FROM events")
    assert report.accounts == small.value("SELECT count(*) FROM accounts")
    assert report.won == small.value("SELECT count(*) FROM deals WHERE stage = 'won'")
    assert report.lost == small.value("SELECT count(*) FROM deals WHERE stage = 'lost'")
    assert report.leads - report.duplicates == small.value("SELECT count(DISTINCT lower(email)) FROM leads")
    assert report.duplicates > 50
    assert report.bots > 50


def test_the_base_rate_is_plausible_and_what_the_truth_expects(small) -> None:
    assert 0.05 < small.report.base_rate < 0.15
    seen = "as_of <= TIMESTAMP '2026-06-30' - INTERVAL 90 DAY AND is_duplicate_of IS NULL"
    expected = small.value(f"SELECT avg(probability) FROM truth WHERE {seen}")
    assert small.report.base_rate == pytest.approx(expected, abs=0.015)


def test_there_are_about_as_many_events_as_asked_for(small, tmp_path: Path) -> None:
    assert small.report.events == pytest.approx(200_000, rel=0.05)
    assert simulate(tmp_path, leads=3000, events=45_000).events == pytest.approx(45_000, rel=0.08)


def test_above_50_000_leads_the_files_are_parquet_and_replace_the_csv(tmp_path: Path) -> None:
    simulate(tmp_path, leads=100)
    simulate(tmp_path, leads=50_001, events=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "accounts.csv", "deals.parquet", "events.parquet", "leads.parquet", "truth.parquet",
    ]  # fmt: skip
    simulate(tmp_path, leads=100)
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES


def test_progress_is_told_in_leads(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    simulate(tmp_path, leads=300, chunk=128, progress=lambda done, total: told.append((done, total)))
    assert told == [(128, 300), (256, 300), (300, 300)]


def test_the_smallest_world(tmp_path: Path) -> None:
    report = simulate(tmp_path, leads=1, events=0, days=1, until=datetime.fromisoformat("2024-02-29T12:00:00"))
    assert report.leads == 1
    assert report.base_rate is None
    assert csv.read_csv(tmp_path / "deals.csv").column_names == ["lead_id", "closed_at", "stage", "amount"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"leads": 0}, "leads is 0; a world has from 1 to 99,999,999 leads"),
        ({"leads": 100_000_000}, "leads is 100000000; a world has from 1 to 99,999,999 leads"),
        ({"events": -5}, "events is -5; it is a number from 0 up"),
        ({"chunk": 0}, "chunk is 0; at least one lead is made at a time"),
    ],
)
def test_numbers_that_make_no_world_are_refused(tmp_path: Path, given: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError) as found:
        simulate(tmp_path / "x", **given)
    assert str(found.value) == message
    assert not (tmp_path / "x").exists()


def test_a_file_is_no_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(UsageError, match=r"x is a file\nName a folder to write to\.$"):
        simulate(tmp_path / "x")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from Linux's /proc")
@pytest.mark.parametrize(("leads", "events"), [(200_000, 4_000_000), (1_000, 1_000_000)])
def test_memory_is_bounded(tmp_path: Path, leads: int, events: int) -> None:
    """In a process of its own; its RUSAGE_SELF would start from the parent's peak, VmHWM does not."""
    script = """
import re, sys
from pathlib import Path
from leadlight.simulate import simulate
report = simulate(Path(sys.argv[1]), leads=int(sys.argv[2]), events=int(sys.argv[3]))
print(report.events, re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""
    command = [sys.executable, "-c", script, str(tmp_path), str(leads), str(events)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, peak = (int(number) for number in done.stdout.split())
    assert found == pytest.approx(events, rel=0.1)
    assert peak < 512 * 1024, f"{peak / 1024:.0f} MiB"
