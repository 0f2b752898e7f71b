"""A company of any size for the benchmarks: leads, their attribute history and their events, from a seed.

Made once per size, in chunks of leads so that memory stays bounded, as Parquet files sorted by (lead, at); the layouts
that the systems read (the store in its documented shape, and each peer's own best format) are written from those.

    python benchmarks/data.py --leads 1000000 --events 20000000
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

AS_OF = datetime(2026, 6, 30)
DAY = 86_400_000_000
END = int(np.datetime64(AS_OF, "us").astype(np.int64))
START = END - 540 * DAY
AFTER = 8 * DAY
"""Data goes on this long after the as-of, so that each system has to leave the future out."""
FOREVER = int(np.datetime64("9999-12-31", "us").astype(np.int64))
CHUNK = 500_000

TYPES = {
    "page_view": 0.26, "email_open": 0.12, "email_click": 0.04, "form_submit": 0.02, "webinar_attended": 0.01,
    "demo_request": 0.005, "unsubscribe": 0.005, "email_sent": 0.20, "ad_impression": 0.16, "session_start": 0.12,
    "call_logged": 0.03, "note_added": 0.03,
}  # fmt: skip
"""Event types and their shares; the last five, 54 % of all events, cannot count in the scorecard."""
SECTIONS = ("blog", "docs", "pricing", "customers", "product", "careers", "about", "legal")
PATHS = ["/", *(f"/{section}/{number}" for number in range(50) for section in SECTIONS)]
ATTRIBUTES = {
    "seniority": (["c_level", "vp", "director", "manager", "staff", "intern"], 0.10),
    "industry": (["software", "finance", "health", "retail", "education", "energy", "public", "media"], 0.12),
    "country": (["US", "DE", "GB", "FR", "NL", "ES", "IT", "PL", "SE", "IN", "BR", "JP"], 0.05),
    "lead_source": (["referral", "organic", "ads", "event", "partner", "import"], 0.08),
    "crm": (["salesforce", "hubspot", "dynamics", "none"], 0.30),
    "email_kind": (["work", "free", "disposable"], 0.02),
}
"""Attribute → (its values, the share of leads without one)."""
DOMAINS = np.array(["rival.com", "rival.io", *(f"company{number}.example" for number in range(20_000))])


@dataclass(frozen=True, slots=True)
class Size:
    """How many leads and events, and where their files lie."""

    leads: int
    events: int
    root: Path = Path(tempfile.gettempdir()) / "bench"

    @property
    def folder(self) -> Path:
        """The folder of all files of this size."""
        return self.root / f"{self.leads}x{self.events}"


def add_size(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which size."""
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--root", type=Path, default=Size.__dataclass_fields__["root"].default, help="where data lies")


def prepare(size: Size) -> Path:
    """Write the Parquet files unless they are there, and return their folder."""
    folder = size.folder / "parquet"
    if folder.exists():
        return folder
    work = size.folder / "parquet.part"
    shutil.rmtree(work, ignore_errors=True)
    for table in ("leads", "attributes", "events"):
        (work / table).mkdir(parents=True)
    for number, first in enumerate(range(0, size.leads, CHUNK)):
        _write_chunk(work, size, number, first)
    work.rename(folder)
    return folder


def _write_chunk(folder: Path, size: Size, number: int, first: int) -> None:
    random = np.random.default_rng([20, number])
    last = min(first + CHUNK, size.leads)
    lead = np.arange(first, last, dtype=np.int32)
    created = START + (random.random(len(lead)) * (END + AFTER - START)).astype(np.int64) // 1000 * 1000
    events = size.events * last // size.leads - size.events * first // size.leads
    tables = {
        "leads": _leads(lead, created),
        "attributes": _attributes(random, lead, created),
        "events": _events(random, lead, created, events),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / name / f"{number:05}.parquet", compression="zstd", row_group_size=1_000_000)


def _time(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype("datetime64[us]"))


def _leads(lead: np.ndarray, created: np.ndarray) -> pa.Table:
    ids = pa.array(np.char.add("L", lead.astype("U9")))
    return pa.table({"lead": lead, "id": ids, "created_at": _time(created)})


def _attributes(random: np.random.Generator, lead: np.ndarray, created: np.ndarray) -> pa.Table:
    """One row per lead and period; one lead in ten has two periods."""
    changed = random.random(len(lead)) < 0.1
    change = created + (random.random(len(lead)) * (END + AFTER - created)).astype(np.int64) + 1
    known_until = np.where(changed, change, FOREVER)
    row = np.concatenate([np.arange(len(lead)), np.flatnonzero(changed)])
    second = np.arange(len(row)) >= len(lead)
    order = np.lexsort((second, row))
    row, second = row[order], second[order]
    size = np.exp(random.normal(4.5, 2.0, len(row))).astype(np.int64) + 1
    columns = {
        "lead": pa.array(lead[row]),
        "known_at": _time(np.where(second, change[row], created[row])),
        "known_until": _time(np.where(second, FOREVER, known_until[row])),
        "account": pa.array(np.char.add("A", (lead[row] // 4).astype("U9"))),
        "employees": pa.array(size.astype(np.float64), mask=random.random(len(row)) < 0.15),
        "revenue": pa.array(size * np.exp(random.normal(11, 1, len(row))), mask=random.random(len(row)) < 0.4),
        "email_domain": pa.array(DOMAINS[(random.random(len(row)) ** 2 * len(DOMAINS)).astype(np.int64)]),
    }
    for name, (values, missing) in ATTRIBUTES.items():
        columns[name] = _choice(random, values, len(row), missing)
    return pa.table(columns)


def _choice(random: np.random.Generator, values: list[str], count: int, missing: float) -> pa.Array:
    codes = (random.random(count) ** 1.5 * len(values)).astype(np.int8)
    indices = pa.array(codes, mask=random.random(count) < missing)
    return pa.DictionaryArray.from_arrays(indices, values).cast(pa.string())


def _events(random: np.random.Generator, lead: np.ndarray, created: np.ndarray, count: int) -> pa.Table:
    """Few leads do most (a Pareto tail); page views have a path and seconds, the other types have neither."""
    activity = np.minimum(random.pareto(1.3, len(lead)), 1000.0) * (random.random(len(lead)) < 0.9)
    row = np.repeat(np.arange(len(lead), dtype=np.int32), random.multinomial(count, activity / activity.sum()))
    age = random.random(count) ** 1.3 * (END + AFTER - created[row])
    at = (END + AFTER - age).astype(np.int64) // 1000 * 1000
    order = np.lexsort((at, row))
    row, at = row[order], at[order]
    kind = random.choice(len(TYPES), count, p=np.array(list(TYPES.values()))).astype(np.int8)
    no_page = kind != list(TYPES).index("page_view")
    path = pa.array((random.random(count) ** 2 * len(PATHS)).astype(np.int16), mask=no_page)
    return pa.table(
        {
            "lead": pa.array(lead[row]),
            "type": pa.DictionaryArray.from_arrays(pa.array(kind), list(TYPES)),
            "at": _time(at),
            "path": pa.DictionaryArray.from_arrays(path, PATHS),
            "seconds": pa.array(np.round(random.exponential(45.0, count)), mask=no_page),
        }
    )


def event_chunks(folder: Path) -> Iterator[pa.Table]:
    """Read the events back, one file after the other, in order of (lead, at)."""
    for path in sorted((folder / "events").glob("*.parquet")):
        yield pq.read_table(path)


def main() -> None:
    """Make the data of one size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_size(parser)
    options = parser.parse_args()
    print(prepare(Size(options.leads, options.events, options.root)))


if __name__ == "__main__":
    main()
