"""How well likely duplicates are found: precision and recall at several probabilities, time and memory.

    python benchmarks/resolve.py

Data: ../shared/data/er_splink (Splink's own test data, made): 1,000 persons with errors, and 50,578 records of
historical persons with errors. Which records are one person is known and only used to count. Nothing is tuned on them
but which pairs are looked at (`resolve/find.py`, BLOCKS); the model is trained without labels.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import duckdb
import pyarrow as pa

from leadlight.resolve.find import find_alike

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "er_splink"
SETS = {
    "1,000 persons": "SELECT unique_id::INTEGER AS key, lower(first_name) AS first_name, lower(surname) AS surname, "
    "lower(email) AS email, dob::VARCHAR AS birth, lower(city) AS city, cluster FROM 'fake_1000.csv'",
    "50,578 records": "SELECT (row_number() OVER (ORDER BY unique_id))::INTEGER AS key, lower(first_and_surname) AS "
    "full_name, dob::VARCHAR AS birth, lower(birth_place) AS city, lower(replace(postcode_fake, ' ', '')) AS postcode, "
    "cluster FROM 'historical_figures_with_errors_50k.parquet'",
}
THRESHOLDS = (0.5, 0.9, 0.99, 0.999)


def measure(name: str, query: str) -> None:
    """Print the figures of one data set."""
    for file in DATA.iterdir():
        query = query.replace(f"'{file.name}'", f"'{file}'")
    records: pa.Table = duckdb.sql(query).to_arrow_table()
    clusters = dict(zip(records["key"].to_pylist(), records["cluster"].to_pylist(), strict=True))
    true = duckdb.sql(
        f"SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) n FROM ({query}) GROUP BY cluster)"
    ).fetchall()[0][0]
    began, cpu = time.perf_counter(), time.process_time()
    found = find_alike(records.drop_columns(["cluster"]), threshold=min(THRESHOLDS), threads=2)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"{name}: {true:,.0f} true pairs, compared by {', '.join(found.compared)}; {wall:.1f} s, {cpu:.1f} CPU s")
    for threshold in THRESHOLDS:
        pairs = [pair for pair in found.pairs if pair.probability >= threshold]
        right = sum(clusters[pair.left] == clusters[pair.right] for pair in pairs)
        precision, recall = right / max(len(pairs), 1), right / true
        print(f"  at {threshold:<5} n = {len(pairs):>7,}  precision {precision:.3f}  recall {recall:.3f}")


if __name__ == "__main__":
    for title, rows in SETS.items():
        measure(title, rows)
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
