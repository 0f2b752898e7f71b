"""How many connections a second are ranked and scored in bulk: NSL-KDD's rows again and again.

    .venv/bin/python benchmarks/playbooks/flows.py --times 20

Writes the figures into docs/playbooks/network.md, between `<!-- flows -->` and `<!-- end flows -->`. `rank` reads what
is stored and orders it; `score` also stores scores and grades. Reading the files in (`ingest`) is measured apart.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from case import CASES, load, make

PAGE = Path(__file__).parents[2] / "docs" / "playbooks" / "network.md"
MARK = re.compile(r"(<!-- flows -->\n).*?(<!-- end flows -->)", re.DOTALL)
AGAIN = """
COPY (
  SELECT * REPLACE (flow || '-' || k AS flow) FROM read_csv('{one}', all_varchar = true), range({times}) t(k)
) TO '{many}' (HEADER)
"""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=20, help="how often each row is repeated")
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        text = measured(Path(folder), times)
    sys.stdout.write(text + "\n")
    PAGE.write_text(MARK.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", PAGE.read_text()))


def measured(folder: Path, times: int) -> str:
    """Return the figures as a table."""
    workspace = make(load(CASES / "network_kdd.py"), folder / "net", ingest=False)
    data = workspace.root / "data"
    (data / "connections.csv").rename(folder / "one.csv")
    duckdb.connect().execute(AGAIN.format(one=folder / "one.csv", many=data / "connections.csv", times=times))
    (data / "findings.csv").write_text("flow,at,category\n")
    seconds = {
        "ingest": taken(workspace.ingest),
        "rank": taken(lambda: workspace.rank("attack")),
        "score": taken(lambda: workspace.score("attack")),
    }
    rows = workspace.rank("attack", limit=1).total
    lines = [f"| {rows:,} connections, {os.cpu_count()} cores | seconds | a second |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {verb} | {took:.1f} | {rows / took:,.0f} |" for verb, took in seconds.items())])


def taken(work: Callable[[], object]) -> float:
    """Return the seconds of wall time that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
