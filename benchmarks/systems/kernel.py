"""The floor: a compiled loop over memory-mapped arrays, events sorted by (lead, at), texts as small numbers.

Nothing general is left: this says how fast the machine could be if the scorecard were all it ever had to do.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from measure import THREADS

os.environ.setdefault("NUMBA_NUM_THREADS", str(THREADS))

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data import ATTRIBUTES, DAY, END, PATHS, TYPES, event_chunks
from result import CRITERIA, Scores

LN2 = 0.6931471805599453
CODED = {**{name: values for name, (values, _) in ATTRIBUTES.items()}, "email_domain": ["rival.com", "rival.io"]}
GRADES = np.array([first + second for first in "ABCD" for second in "123"])
SECTIONS = ("/pricing", "/customers", "/docs", "/careers")


@dataclass(frozen=True, slots=True)
class Output:
    """The arrays the loop fills: a row per criterion, then totals and caps; `kept` are the leads that exist."""

    kept: np.ndarray
    points: np.ndarray
    grade: np.ndarray


def layout(parquet: Path, folder: Path) -> None:
    """Write plain arrays; `first_event` and `first_row` say where each lead's events and attribute rows begin."""
    leads = pq.read_table(parquet / "leads")
    attributes = pq.read_table(parquet / "attributes")
    count = leads.num_rows
    np.save(folder / "created", _micros(leads["created_at"]))
    for name in ("known_at", "known_until"):
        np.save(folder / name, _micros(attributes[name]))
    for name in ("employees", "revenue"):
        np.save(folder / name, pc.fill_null(attributes[name], float("nan")).to_numpy())
    for name, values in CODED.items():
        codes = pc.index_in(attributes[name], pa.array(values))
        np.save(folder / name, pc.fill_null(codes, -1).to_numpy().astype(np.int8))
    np.save(folder / "first_row", _starts([attributes["lead"].to_numpy()], count))
    np.save(folder / "first_event", _starts((chunk["lead"].to_numpy() for chunk in event_chunks(parquet)), count))
    columns = {"type": np.uint8, "at": np.int64, "path": np.int16, "seconds": np.float32}
    rows = sum(chunk.num_rows for chunk in event_chunks(parquet))
    for name, kind in columns.items():
        array = np.lib.format.open_memmap(folder / f"event_{name}.npy", mode="w+", dtype=kind, shape=(rows,))
        done = 0
        for chunk in event_chunks(parquet):
            array[done : done + chunk.num_rows] = _event_column(chunk, name)
            done += chunk.num_rows
        array.flush()


def _micros(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.int64()).to_numpy()


def _event_column(chunk: pa.Table, name: str) -> np.ndarray:
    column = chunk[name].combine_chunks()
    if name == "at":
        return column.cast(pa.int64()).to_numpy()
    if name == "seconds":
        return column.fill_null(-1.0).to_numpy()
    values = list(TYPES) if name == "type" else PATHS
    return pc.fill_null(pc.index_in(column.cast(pa.string()), pa.array(values)), -1).to_numpy()


def _starts(chunks: object, count: int) -> np.ndarray:
    sizes = np.zeros(count + 1, np.int64)
    for leads in chunks:  # type: ignore[attr-defined]
        sizes[1:] += np.bincount(leads, minlength=count)
    return np.cumsum(sizes)


def warm_up(folder: Path) -> None:
    """Compile, or read what was compiled before."""
    _run(folder, 100)


def score(folder: Path) -> Output:
    """Map the arrays and run the loop."""
    return _run(folder, None)


def _run(folder: Path, limit: int | None) -> Output:
    def load(name: str) -> np.ndarray:
        return np.load(folder / f"{name}.npy", mmap_mode="r")

    created = load("created")[:limit]
    sections = np.array([_section(path) for path in PATHS], np.int8)
    points = np.empty((len(CRITERIA) + 5, len(created)))
    grade = np.empty(len(created), np.int8)
    _score(
        END, created, load("first_row"), load("known_at"), load("known_until"),
        *(load(name) for name in CODED), load("employees"), load("revenue"),
        load("first_event"), load("event_type"), load("event_at"), load("event_path"), load("event_seconds"),
        sections, points, grade,
    )  # fmt: skip
    return Output(created <= END, points, grade)


def _section(path: str) -> int:
    return next((number for number, start in enumerate(SECTIONS) if path.startswith(start)), -1)


@numba.njit(cache=True, inline="always")
def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@numba.njit(cache=True, parallel=True)
def _score(
    as_of, created, first_row, known_at, known_until,
    seniority, industry, country, source, crm, mailbox, domain, employees, revenue,
    first_event, kind, at, path, seconds, sections, points, grade,
):  # fmt: skip
    by_seniority = np.array([20.0, 15.0, 10.0, 5.0, -2.0, -2.0])
    by_industry = np.array([10.0, 8.0, 6.0, 2.0, -1.0, -1.0, -1.0, -1.0])
    by_country = np.array([6.0, 5.0, 5.0, 4.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    by_source = np.array([14.2, 3.1, -6.0, -1.2, -1.2, -1.2])
    for lead in numba.prange(len(created)):
        if created[lead] > as_of:
            continue
        row = -1
        for number in range(first_row[lead], first_row[lead + 1]):
            if known_at[number] <= as_of < known_until[number]:
                row = number
        points[0, lead] = by_seniority[seniority[row]] if row >= 0 and seniority[row] >= 0 else 0.0
        points[1, lead] = -1.0
        if row >= 0 and not np.isnan(employees[row]):
            size = employees[row]
            if size < 0:
                points[1, lead] = 0.0
            elif size < 10:
                points[1, lead] = -5.0
            elif size < 200:
                points[1, lead] = 5.0
            else:
                points[1, lead] = 15.0 if size < 5000 else 8.0
        points[2, lead] = by_industry[industry[row]] if row >= 0 and industry[row] >= 0 else 0.0
        points[3, lead] = by_country[country[row]] if row >= 0 and country[row] >= 0 else -2.0
        points[4, lead] = by_source[source[row]] if row >= 0 and source[row] >= 0 else 4.4
        points[5, lead] = 0.0
        if row >= 0 and not np.isnan(revenue[row]) and revenue[row] >= 0:
            worth = revenue[row]
            points[5, lead] = -3.0 if worth < 1_000_000 else (4.0 if worth < 20_000_000 else 9.0)
        points[6, lead] = 5.0 if row >= 0 and crm[row] == 0 and employees[row] > 50 else 0.0
        points[7, lead] = -8.0 if row >= 0 and mailbox[row] == 1 else 0.0

        pricing = visits = stories = docs = jobs = opens = clicks = week = demo = forms = webinars = left = 0.0
        sent = 0
        for event in range(first_event[lead], first_event[lead + 1]):
            what = kind[event]
            if what > 6 or at[event] > as_of:
                continue
            age = (as_of - at[event]) / DAY
            if what == 0:
                visits += age < 30
                section = sections[path[event]]
                if section == 0:
                    pricing += np.exp(age * (-LN2 / 14))
                elif section == 1:
                    stories += np.exp(age * (-LN2 / 30))
                elif section == 2:
                    docs += age < 90 and seconds[event] >= 60
                elif section == 3:
                    jobs += age < 180
            elif what == 1:
                opens += np.exp(age * (-LN2 / 30))
            elif what == 2:
                clicks += np.exp(age * (-LN2 / 21))
                week += age < 7
            elif what == 3:
                if sent < 3:
                    forms += np.exp(age * (-LN2 / 60))
                sent += 1
            elif what == 4:
                webinars += age < 90
            elif what == 5:
                demo += age < 30
            else:
                left += 1
        points[8, lead] = min(pricing * 5, 20)
        points[9, lead] = min(visits * 0.5, 10)
        points[10, lead] = min(stories * 2, 10)
        points[11, lead] = min(docs, 8)
        points[12, lead] = max(jobs * -3, -15)
        points[13, lead] = min(opens * 0.5, 5)
        points[14, lead] = min(clicks * 2, 12)
        points[15, lead] = min(week, 2) * 3
        points[16, lead] = min(demo, 1) * 30
        points[17, lead] = forms * 4
        points[18, lead] = min(webinars * 6, 12)
        points[19, lead] = max(left * -40, -40)

        raw_fit = raw_engagement = 0.0
        for criterion in range(8):
            raw_fit += points[criterion, lead]
        for criterion in range(8, 20):
            raw_engagement += points[criterion, lead]
        fit, engagement = _clip(raw_fit, -60.0, 70.0), _clip(raw_engagement, -20.0, 60.0)
        points[20, lead], points[21, lead] = fit, engagement
        points[22, lead], points[23, lead] = fit - raw_fit, engagement - raw_engagement
        points[24, lead] = 5 + fit + engagement
        first = 0 if fit >= 40 else (1 if fit >= 20 else (2 if fit >= 0 else 3))
        second = 0 if engagement >= 30 else (1 if engagement >= 10 else 2)
        grade[lead] = 11 if row >= 0 and domain[row] >= 0 else first * 3 + second


def scores(output: Output) -> Scores:
    """Read the result for the comparison with the others."""
    points = output.points[:, output.kept]
    return Scores(np.flatnonzero(output.kept), list(points[:20]), points[24], GRADES[output.grade[output.kept]])
