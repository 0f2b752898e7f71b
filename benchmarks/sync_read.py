"""Read records of an API on loopback into the lake: how many a second, and how much memory it takes as they grow.

The API gives pages of 1,000 records of eleven fields, made as they are asked for by another process. The floor is a
loop of plain requests that follows the same links and only parses. Then `sync`: its half that reads into the lake, and
its half that takes what was read into the store. Each is run in a process of its own at a tenth of the records and at
all of them, so that the peak of its memory can be compared.

    python benchmarks/sync_read.py --records 1000000
    python benchmarks/sync_read.py --records 50000          # while others work
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
PAGE = 1_000
START = datetime(2025, 1, 1)
TITLES = ("Buyer", "Head of sales", "Chief executive", "Engineer", "Director of marketing")
KEY = "shop-secret-1"
KINDS = {
    **dict.fromkeys(("email", "name", "title", "phone", "country", "source", "company_id"), "text"),
    "employees": "number",
    "newsletter": "bool",
    "created_at": "time",
    "updated_at": "time",
}
WORKSPACE = """
entity: lead
store: duckdb:leadlight.duckdb
connections:
  shop:
    system: rest
    url: {url}/v1
    per_second: 1000
    sign: {{by: header, name: X-Api-Key}}
    paginator: {{type: json_link, next_url_path: data.next}}
    endpoints:
      customers:
        records: data.items
        created_at: created_at
        modified_at: updated_at
        since: updated_after
        ordered: true
        fields: {fields}
sources:
  customers:
    connection: shop
    object: customers
    kind: leads
    created_at: created_at
    columns: {columns}
outcome: {{win: "title = 'nobody'"}}
"""


def record(number: int) -> dict[str, Any]:
    """Return the record of a number, always the same."""
    at = START + timedelta(seconds=number * 20)
    return {
        "id": number,
        "email": f"person.{number}@company-{number % 5000}.example",
        "name": f"Person {number} of Company {number % 5000}",
        "title": TITLES[number % len(TITLES)],
        "phone": f"+49 30 {number:08d}",
        "country": "DE" if number % 3 else "FR",
        "source": "webinar" if number % 7 else "fair",
        "company_id": str(number % 5000),
        "employees": float(number % 900),
        "newsletter": number % 2 == 0,
        "created_at": f"{at.isoformat()}Z",
        "updated_at": f"{(at + timedelta(hours=number % 48)).isoformat()}Z",
    }


def serve(records: int) -> None:
    """Serve so many records until standard input ends."""
    from connect.stand_in import Call, Kind, Reply, Schema, StandIn, route

    class Shop(StandIn):
        system = "rest"
        people = Kind("customers", text="title")

        def schema(self) -> Schema:
            return {"customers": dict(KINDS)}

        @route("GET", "/v1/customers")
        def listed(self, call: Call) -> Reply:
            first = int(call.params.get("from", 0))
            last = min(first + PAGE, records)
            more = f"{self.url}/v1/customers?from={last}" if last < records else None
            self.calls.clear()
            return Reply({"data": {"items": [record(number) for number in range(first, last)], "next": more}})

    with Shop().serving() as shop:
        print(shop.url, flush=True)
        sys.stdin.read()


def floor(url: str) -> int:
    """Follow the links and parse, no more; return how many records came."""
    import requests

    came, link = 0, f"{url}/v1/customers"
    with requests.Session() as session:
        while link:
            data = json.loads(session.get(link, timeout=60).content)["data"]
            came, link = came + len(data["items"]), data["next"]
    return came


def sync(url: str, folder: Path) -> dict[str, Any]:
    """Sync into a new workspace; return what came, and how long each half took."""
    import leadlight
    from leadlight.connect.extract import extract

    columns = json.dumps({name: name for name in KINDS if name not in ("created_at", "updated_at")})
    text = WORKSPACE.format(url=url, fields=json.dumps(KINDS), columns=columns)
    (folder / "leadlight.yaml").write_text(text)
    workspace = leadlight.open(folder)
    began = time.perf_counter()
    spec = workspace.loaded.workspace.spec
    read = extract(spec, folder, "shop", now=workspace.now, environ={"LEADLIGHT_REST_TOKEN": KEY})
    between, cpu, memory = time.perf_counter(), _cpu(), _peak()
    if read.error is not None:
        raise read.error
    workspace.take_in(["shop"])
    ended = time.perf_counter()
    return {
        "records": read.objects[0].new,
        "requests": read.requests,
        "lake": {"seconds": between - began, "cpu": cpu, "peak_mb": memory},
        "store": {"seconds": ended - between, "cpu": _cpu() - cpu, "peak_mb": _peak()},
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work(what: str, url: str) -> None:
    """Do one thing in this process, and print what it took as JSON."""
    if what == "floor":
        began = time.perf_counter()
        came = floor(url)
        print(json.dumps({"records": came, "seconds": time.perf_counter() - began, "cpu": _cpu(), "peak_mb": _peak()}))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(sync(url, Path(folder))))


def measure(records: int) -> dict[str, Any]:
    """Measure floor and sync of so many records."""
    me = [sys.executable, __file__]
    with subprocess.Popen(
        [*me, "--serve", str(records)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        url = server.stdout.readline().strip()
        found = {}
        for what in ("floor", "sync"):
            done = subprocess.run([*me, "--work", what, url], check=True, stdout=subprocess.PIPE, text=True)
            found[what] = json.loads(done.stdout.splitlines()[-1])
        server.stdin.close()
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        serve(asked.serve)
        return
    if asked.work is not None:
        work(*asked.work)
        return
    found = {count: measure(count) for count in (asked.records // 10, asked.records)}
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'records':>10} {'what':<6} {'seconds':>8} {'records/s':>10} {'CPU s':>7} {'peak MB':>8}")
    for count, took in found.items():
        rows = {"floor": took["floor"], "lake": took["sync"]["lake"], "store": took["sync"]["store"]}
        for what, row in rows.items():
            speed = f"{count / row['seconds']:>10,.0f}"
            print(f"{count:>10,} {what:<6} {row['seconds']:>8.1f} {speed} {row['cpu']:>7.1f} {row['peak_mb']:>8.0f}")


if __name__ == "__main__":
    main()
