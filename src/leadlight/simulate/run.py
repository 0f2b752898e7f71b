"""The verb: make a world and write its files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leadlight.errors import UsageError
from leadlight.simulate.accounts import account_count, accounts_table
from leadlight.simulate.events import aliases, events_table, make_events
from leadlight.simulate.intent import NEVER, Paths, make_paths
from leadlight.simulate.lead_file import leads_table
from leadlight.simulate.leads import Leads, make_leads
from leadlight.simulate.outcomes import deals_table, make_leaks
from leadlight.simulate.report import SimulationReport
from leadlight.simulate.truth import HORIZON_SECONDS, truth_table
from leadlight.simulate.world import BLOCK, STEP, UNTIL, World
from leadlight.simulate.write import TableFile, table_files

EVENTS_PER_LEAD = 40
MAX_CSV_LEADS = 50_000
"""Up to so many leads, the files of leads and deals are CSV; above, Parquet."""
MAX_LEADS = 99_999_999
CHUNK_LEADS = 256 * BLOCK
CHUNK_EVENTS = 800_000
CHUNK_STEPS = 2_000_000
"""The most leads, events and steps of leads' lives that are made at a time."""
PILOT = 64 * BLOCK
STEMS = ("accounts", "leads", "events", "deals", "truth")

Progress = Callable[[int, int], None]
"""Called with the number of leads done and the number of all."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a chunk held; counts add up."""

    won: int = 0
    lost: int = 0
    duplicates: int = 0
    bots: int = 0
    seen: int = 0
    """People who arrived a whole horizon before `until`."""
    seen_won: int = 0
    """Those of them who were won within the horizon."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def simulate(
    out: Path,
    *,
    leads: int = 5000,
    events: int | None = None,
    seed: int = 1,
    until: datetime = UNTIL,
    days: int = 540,
    chunk: int | None = None,
    progress: Progress | None = None,
) -> SimulationReport:
    """Make a world of leads whose true probabilities are known, and write it into the folder `out`.

    Files: `accounts.csv`, `leads` and `deals` (.csv, or .parquet above 50,000 leads), `events.parquet`, and beside them
    `truth.parquet`, which no learner should see. `events` is how many to aim at (about 40 a lead unless told); `until`
    and `days` say when the world ends and how long it lasted. Memory is bounded by `chunk`, the leads made at a time
    (found by itself unless told), which changes nothing in the tables. `leadlight.simulate.world` has the equations.

    Raises UsageError for numbers that make no world and for an `out` that is no folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = simulate(Path(folder), leads=100)
    >>> report.leads, sorted(path.name for path in report.files)
    (100, ['accounts.csv', 'deals.csv', 'events.parquet', 'leads.csv', 'truth.parquet'])
    """
    started = time.perf_counter()
    world = World(seed=seed, until=until, days=days)
    _check(out, leads, events, chunk)
    out.mkdir(parents=True, exist_ok=True)
    per_lead = EVENTS_PER_LEAD if events is None else events / leads
    size = _chunk_size(world, per_lead) if chunk is None else chunk
    with table_files(_paths(out, leads)) as files:
        counts = _write_chunks(world, leads, size, find_scale(world, per_lead), files, progress)
    _remove_other_format(out, leads)
    return _report(world, out, leads, files, counts, time.perf_counter() - started)


def find_scale(world: World, events_per_lead: float) -> float:
    """How to multiply visits and mails to get so many events per lead, found on the world's first leads."""
    people, paths = make_chunk(world, 0, PILOT)
    fixed, scaled = (len(make_events(world, people, paths, scale=scale)) / PILOT for scale in (0.0, 1.0))
    return max(0.0, (events_per_lead - fixed) / max(scaled - fixed, 1e-9))


def make_chunk(world: World, start: int, stop: int) -> tuple[Leads, Paths]:
    """The leads of some numbers (from a multiple of BLOCK on), and what happens to their persons."""
    leads = make_leads(world, start, stop)
    return leads, make_paths(world, leads).take(leads.person)


def _check(out: Path, leads: int, events: int | None, chunk: int | None) -> None:
    if not 1 <= leads <= MAX_LEADS:
        raise UsageError(f"leads is {leads}; a world has from 1 to {MAX_LEADS:,} leads")
    if events is not None and events < 0:
        raise UsageError(f"events is {events}; it is a number from 0 up")
    if chunk is not None and chunk < 1:
        raise UsageError(f"chunk is {chunk}; at least one lead is made at a time")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", fix="Name a folder to write to.")


def _paths(out: Path, leads: int) -> list[Path]:
    table = "csv" if leads <= MAX_CSV_LEADS else "parquet"
    formats = {"accounts": "csv", "leads": table, "events": "parquet", "deals": table, "truth": "parquet"}
    return [out / f"{stem}.{formats[stem]}" for stem in STEMS]


def _remove_other_format(out: Path, leads: int) -> None:
    """A world written here before may have been of the other size: its leads are not these."""
    other = "parquet" if leads <= MAX_CSV_LEADS else "csv"
    for stem in ("leads", "deals"):
        (out / f"{stem}.{other}").unlink(missing_ok=True)


def _chunk_size(world: World, events_per_lead: float) -> int:
    """How many leads to make at a time, so that neither many events nor a long world take more memory."""
    steps = (world.end - world.begin) / STEP + 1
    return int(max(BLOCK, min(CHUNK_LEADS, CHUNK_EVENTS / max(events_per_lead, 1), CHUNK_STEPS / steps)))


def _bounds(leads: int, chunk: int) -> Iterator[tuple[int, int]]:
    size = -(-chunk // BLOCK) * BLOCK
    for start in range(0, leads, size):
        yield start, min(start + size, leads)


def _write_chunks(
    world: World, leads: int, chunk: int, scale: float, files: list[TableFile], progress: Progress | None
) -> Counts:
    counts = Counts()
    for start, stop in _bounds(leads, chunk):
        counts += _write_chunk(world, start, stop, scale, files)
        if progress is not None:
            progress(stop, leads)
    return counts


def _write_chunk(world: World, start: int, stop: int, scale: float, files: list[TableFile]) -> Counts:
    accounts_file, leads_file, events_file, deals_file, truth_file = files
    leads, paths = make_chunk(world, start, stop)
    events = make_events(world, leads, paths, scale=scale)
    accounts_file.add(accounts_table(world, leads.accounts))
    leads_file.add(leads_table(world, leads, make_leaks(world, leads, paths)))
    events_file.add(events_table(leads, events))
    deals_file.add(deals_table(world, leads, paths, aliases(leads)))
    truth_file.add(truth_table(world, leads, paths))
    return count(world, leads, paths)


def count(world: World, leads: Leads, paths: Paths) -> Counts:
    """Count a chunk's people by what became of them."""
    own, closed = ~leads.is_duplicate, paths.closed < NEVER
    seen = own & (leads.created <= world.end - HORIZON_SECONDS)
    in_time = paths.won & (paths.closed <= leads.created + HORIZON_SECONDS)
    return Counts(
        won=int((own & closed & paths.won).sum()),
        lost=int((own & closed & ~paths.won).sum()),
        duplicates=int((~own).sum()),
        bots=int((own & leads.is_bot).sum()),
        seen=int(seen.sum()),
        seen_won=int((seen & in_time).sum()),
    )


def _report(
    world: World, out: Path, leads: int, files: list[TableFile], counts: Counts, elapsed: float
) -> SimulationReport:
    rows = dict(zip(STEMS, (file.rows for file in files), strict=True))
    return SimulationReport(
        out=out,
        seed=world.seed,
        start=world.start,
        until=world.until,
        leads=leads,
        accounts=account_count(leads),
        events=rows["events"],
        won=counts.won,
        lost=counts.lost,
        duplicates=counts.duplicates,
        bots=counts.bots,
        base_rate=counts.seen_won / counts.seen if counts.seen else None,
        files=tuple(file.path for file in files),
        seconds=elapsed,
    )
