"""Load on `leadlight serve`, bounded: events a second, from event to score, and scores a second.

Everything runs on this machine, the client too. A workspace is simulated and served in a process of its own; then, each
for a few seconds,

    empty        batches of 100 calls against an empty handler of the same framework, as fast as it takes them
    sustained    the same against the service, until all of it is stored and scored
    latency      half as many events as asked for; the service's own figures say how long an event takes to its score
    score        POST /v1/score at an even rate

and what all of it costs in CPU: of the client, of the service's accepting thread, and of what works behind it.

    python benchmarks/serve_load.py --leads 20000 --seconds 10 --rate 10000

With `--history` the latency alone is measured, over stores that have so many events before, all of them sent live: the
simulated company stands in them as many times as that takes. The same number of leads is active in each, from all over
the store.

    python benchmarks/serve_load.py --seconds 20 --rate 4000 --active 20000 --history 1000000 20000000
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import duckdb
import httpx
import orjson

from leadlight.workspace import utc_now
from serve_kills import EMBEDDED, store

BATCH = 100
CLIENTS = 4
TOGETHER = ("--processes", "2", "--workers", "1")
"""What serves a store in PostgreSQL."""
LEADS_OF_HISTORY = 5_000
"""Leads of the company that a history repeats."""
EMPTY = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def take(request):
    await request.body()
    return Response(b'{"success":true}', media_type="application/json")
async def alive(request):
    return Response(b"ok")
uvicorn.run(Starlette(routes=[Route("/v1/batch", take, methods=["POST"]), Route("/healthz", alive)]),
            port=int(sys.argv[1]), log_config=None, access_log=False)
"""


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--leads", type=int, default=20_000)
    arguments.add_argument("--active", type=int, default=0, help="so many of them do something; all unless told")
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--rate", type=int, default=10_000, help="events a second; half of it for the latency")
    arguments.add_argument("--scores", type=int, default=200, help="scores a second")
    arguments.add_argument("--history", type=int, nargs="*", default=[], help="events in the store beforehand")
    arguments.add_argument("--store", choices=["duckdb", "postgresql"], default="duckdb", help="not with --history")
    arguments.add_argument("--port", type=int, default=8155)
    told = arguments.parse_args()
    print(json.dumps(histories(told) if told.history else loads(told), indent=2))


def loads(told: argparse.Namespace) -> dict[str, Any]:
    """Measure everything over a simulated company."""
    found: dict[str, Any] = {"leads": told.leads, "seconds": told.seconds, "load_before": round(os.getloadavg()[0], 1)}
    names = [f"L{number:07d}" for number in range(1, told.leads + 1)][: told.active or None]
    with process([sys.executable, "-c", EMPTY, str(told.port)], told.port) as served:
        found["empty"] = asyncio.run(
            flood(Service(f"http://127.0.0.1:{told.port}", "", served.pid), names, told.seconds)
        )
    with tempfile.TemporaryDirectory(prefix="ll") as folder, store(told.store, Path(folder)) as address:
        company(Path(folder) / "shop", told.leads, address)
        with served_over(
            Path(folder) / "shop", told.port + 1, *(TOGETHER if told.store != "duckdb" else ())
        ) as service:
            found["sustained"] = sustained(service, names, told.seconds)
            found["latency"] = latency(service, names, told)
            found["score"] = asyncio.run(scores(service, told.scores, told.seconds))
    return found


def histories(told: argparse.Namespace) -> dict[str, Any]:
    """Measure the latency over stores of different sizes."""
    found: dict[str, Any] = {"rate": told.rate / 2, "seconds": told.seconds}
    for events in told.history:
        with tempfile.TemporaryDirectory() as folder:
            company(Path(folder) / "shop", LEADS_OF_HISTORY)
            names = repeated(Path(folder) / "shop" / "leadlight.duckdb", events)
            active = random.Random(1).sample(names, told.active or 20_000)
            with served_over(Path(folder) / "shop", told.port + 1) as service:
                warm = asyncio.run(flood(service, active, told.seconds, rate=told.rate / 2))
                settled(service.address)
                found[f"{events:,} events"] = {
                    "load_before": round(os.getloadavg()[0], 1), "leads": len(names), "active": len(active),
                    "first": warm, "then": latency(service, active, told),
                }  # fmt: skip
    first, last = (found[f"{events:,} events"]["then"] for events in (told.history[0], told.history[-1]))
    found["last_against_first"] = {
        name: round(last[name] / first[name], 2)
        for name in ("event_to_score_mean_s", "event_to_score_p50_s", "event_to_score_p99_s", "service_ms")
    }
    return found


def sustained(service: Service, names: list[str], seconds: float) -> dict[str, Any]:
    """Send as fast as it takes, and see when all of it is stored and scored."""
    given, before, began = figure(service.address, "leadlight_scores_total"), spent(service), time.perf_counter()
    found = asyncio.run(flood(service, names, seconds))
    found["catching_up_seconds"] = round(settled(service.address), 2)
    found |= costs(before, spent(service), found["events"]) | {"client_ms": found["client_ms"]}
    found["sustained_events_per_second"] = round(found["events"] / (time.perf_counter() - began))
    found["scores_given"] = int(figure(service.address, "leadlight_scores_total") - given)
    assert found["scores_given"], "the events were of nobody known"
    return found


def latency(service: Service, names: list[str], told: argparse.Namespace) -> dict[str, Any]:
    """Send at half the rate; return how long events took to their scores."""
    before, began = latencies(service.address), spent(service)
    found = asyncio.run(flood(service, names, told.seconds, rate=told.rate / 2))
    found["catching_up_seconds"] = round(settled(service.address), 2)
    after = latencies(service.address)
    found |= {f"event_to_score_{name}_s": round(value, 4) for name, value in between(before, after).items()}
    return found | costs(began, spent(service), found["events"]) | {"client_ms": found["client_ms"]}


# ---------------------------------------------------------------------------------------------------------- stores


def company(folder: Path, leads: int, address: str = EMBEDDED) -> None:
    """Make a workspace over a simulated company, and read its files."""
    for words in (["init", folder, "--template", "demo"],
                  ["simulate", folder / "data", "--leads", leads, "--until", f"{utc_now():%Y-%m-%d}"],
                  ["ingest", "-w", folder]):  # fmt: skip
        subprocess.run([sys.executable, "-m", "leadlight", *map(str, words)], check=True, stdout=subprocess.DEVNULL)
        if words[0] == "init":
            spec = (folder / "leadlight.yaml").read_text()
            (folder / "leadlight.yaml").write_text(re.sub(r"(?m)^store: \S+", lambda _: f"store: {address}", spec))


def repeated(store: Path, events: int) -> list[str]:
    """Let a store have the company so many times that it has that many events, sent live; return the leads' ids."""
    with duckdb.connect(str(store)) as connection:
        run = connection.execute
        (times,) = run("SELECT greatest(ceil(? / count(*)) - 1, 0) FROM events", [events]).fetchone() or (0,)
        (keys,) = run("SELECT max(key) FROM ids").fetchone() or (0,)
        run("CREATE TEMP TABLE again AS SELECT range AS n FROM range(1, ?)", [int(times) + 1])
        for table, replaced in {
            "ids": "id || '-' || n AS id, key + n * {keys} AS key, lead + n * {keys} AS lead",
            "leads": "lead + n * {keys} AS lead, id || '-' || n AS id",
            "observations": "lead + n * {keys} AS lead, _key + n * {keys} AS _key, account || '-' || n AS account, "
            "email || '-' || n AS email",
            "attributes": "lead + n * {keys} AS lead, account || '-' || n AS account, email || '-' || n AS email",
            "account_attributes": "account || '-' || n AS account",
            "account_observations": "account || '-' || n AS account",
            "events": "lead + n * {keys} AS lead, _said_of + n * {keys} AS _said_of, 'live' AS _source, "
            "xor(_key, hash(n)::UHUGEINT) AS _key",
            "outcomes": "lead + n * {keys} AS lead, _said_of + n * {keys} AS _said_of, "
            "xor(_key, hash(n)::UHUGEINT) AS _key",
        }.items():
            given = replaced.format(keys=keys)
            order = 'ORDER BY n, lead // 4096, type, lead, "at"' if table == "events" else "ORDER BY 1, 2"
            columns = ", ".join(re.findall(r"AS (\w+)", given))
            run(f"INSERT INTO {table} BY NAME SELECT * EXCLUDE (n, {columns}), {given} FROM {table}, again {order}")
        run("UPDATE events SET _source = 'live'")
        run("UPDATE layout SET in_order = (SELECT count(*) FROM events)")
        run("CHECKPOINT")
        return [name for (name,) in run("SELECT id FROM leads ORDER BY lead").fetchall()]


@contextmanager
def served_over(folder: Path, port: int, *more: str) -> Iterator[Service]:
    """Serve a workspace."""
    words = [sys.executable, "-m", "leadlight", "serve", "-w", str(folder), "--port", str(port), *more]
    with process(words, port) as served:
        key = re.findall(r"ll_\S+", served.said.read_text())[0]
        yield Service(f"http://127.0.0.1:{port}", key, served.pid)


# ---------------------------------------------------------------------------------------------------------- client


@dataclass(frozen=True, slots=True)
class Service:
    """Whom the load is put on."""

    address: str
    key: str
    pid: int


@dataclass(slots=True)
class Line:
    """A connection that sends requests one after the other, with as little work as that takes."""

    address: str
    key: str
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None)

    async def post(self, path: str, body: bytes) -> tuple[int, bytes, bytes]:
        """Return the status, the head and the body of the answer."""
        place = urlsplit(self.address)
        if self._streams is None:
            self._streams = await asyncio.open_connection(place.hostname, place.port)
        reader, writer = self._streams
        known = base64.b64encode(f"{self.key}:".encode()).decode()
        head = (f"POST {path} HTTP/1.1\r\nhost: {place.netloc}\r\nauthorization: Basic {known}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n")  # fmt: skip
        writer.write(head.encode() + body)
        answered = await reader.readuntil(b"\r\n\r\n")
        (length,) = re.findall(rb"content-length: (\d+)", answered)
        return int(answered.split(None, 2)[1]), answered, await reader.readexactly(int(length))

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def flood(service: Service, names: list[str], seconds: float, *, rate: float | None = None) -> dict[str, Any]:
    """Send batches, at a rate or as fast as they are taken; batches that are refused are sent again."""
    counts, took = {"events": 0, "refused": 0}, list[float]()

    async def send(line: Line, number: int) -> None:
        body = batch(names, number)
        while True:
            began = time.perf_counter()
            status, head, _body = await line.post("/v1/batch", body)
            took.append(time.perf_counter() - began)
            if status == 200:
                counts["events"] += BATCH
                return
            counts["refused"] += 1
            line.close()  # it is to wait for longer than a connection is kept open
            await asyncio.sleep(float(*re.findall(rb"retry-after: (\d+)", head) or [1]))

    before = spent(service)
    passed = await paced(send, service, seconds, None if rate is None else rate / BATCH)
    return {"events_per_second": round(counts["events"] / passed), **counts, **milliseconds(took),
            **costs(before, spent(service), counts["events"])}  # fmt: skip


async def scores(service: Service, rate: float, seconds: float) -> dict[str, Any]:
    """Ask for scores of leads that are given, at a rate."""
    took = list[float]()
    body = json.dumps({"employees": 120, "events": [{"type": "page_view", "at": f"{utc_now():%Y-%m-%d}"}]}).encode()

    async def ask(line: Line, _: int) -> None:
        began = time.perf_counter()
        status, _head, answer = await line.post("/v1/score", body)
        took.append(time.perf_counter() - began)
        assert status == 200, answer

    passed = await paced(ask, service, seconds, rate)
    return {"asked_per_second": rate, "scores_per_second": round(len(took) / passed), **milliseconds(took)}


async def paced(
    send: Callable[[Line, int], Awaitable[None]], service: Service, seconds: float, rate: float | None
) -> float:
    """Send for a while, each at its time where there is a rate; return how long it took until all were answered."""
    began = time.perf_counter()
    numbers = iter(range(10**9))

    async def one(line: Line) -> None:
        while time.perf_counter() - began < seconds:
            number = next(numbers)
            if rate is not None:
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            await send(line, number)
        line.close()

    lines = [Line(service.address, service.key) for _ in range(CLIENTS if rate is None else 4 * CLIENTS)]
    await asyncio.gather(*(one(line) for line in lines))
    return time.perf_counter() - began


def batch(names: list[str], number: int) -> bytes:
    """A body of 100 events of leads all over the store."""
    mark, now = uuid4().hex, utc_now().isoformat() + "Z"
    calls = [
        {"type": "track", "event": "page_view", "userId": names[(number * BATCH + place) * 7919 % len(names)],
         "messageId": f"{mark}-{place}", "timestamp": now, "properties": {"path": "/pricing", "source": "ads"}}
        for place in range(BATCH)
    ]  # fmt: skip
    return orjson.dumps({"batch": calls, "sentAt": now})


# --------------------------------------------------------------------------------------------------------- figures


def milliseconds(took: list[float]) -> dict[str, float]:
    """Return the middle and the slowest hundredth of times."""
    ordered = sorted(took) or [0.0]
    return {name: round(ordered[int(len(ordered) * share)] * 1000, 1) for name, share in (("p50_ms", 0.5),
                                                                                         ("p99_ms", 0.99))}  # fmt: skip


def settled(address: str) -> float:
    """Wait until everything is in the store; return for how long."""
    began = time.perf_counter()
    while (said := httpx.get(f"{address}/readyz", timeout=60).json())["waiting"] or said["unscored"]:
        time.sleep(0.05)
    return time.perf_counter() - began


def latencies(address: str) -> tuple[dict[float, float], float]:
    """Return the service's own counts of events by seconds to their score, up to each bound, and the sum of seconds."""
    text = httpx.get(f"{address}/metrics", timeout=60).text
    counts = {float(bound): float(count) for bound, count in
              re.findall(r'call_to_score_seconds_bucket\{le="([^"]+)"\} (\S+)', text)}  # fmt: skip
    return counts, float(re.findall(r"call_to_score_seconds_sum (\S+)", text)[0])


def figure(address: str, name: str) -> float:
    """Return a figure of the service."""
    text = httpx.get(f"{address}/metrics", timeout=60).text
    return float(re.findall(rf"^{name} (\S+)", text, flags=re.MULTILINE)[0])


def between(before: tuple[dict[float, float], float], after: tuple[dict[float, float], float]) -> dict[str, float]:
    """Return the mean, and the seconds within which half, and all but a hundredth, of the events were scored.

    Inside of a bucket the events are taken to lie evenly.
    """
    counts = {bound: count - before[0].get(bound, 0) for bound, count in sorted(after[0].items())}
    total = max(counts.values())
    found = {"mean": (after[1] - before[1]) / total}
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        low, below = 0.0, 0.0
        for bound, count in counts.items():
            if count >= share * total:
                width = 0.0 if bound == float("inf") else bound - low
                found[name] = low + width * (share * total - below) / max(count - below, 1)
                break
            low, below = bound, count
    return found


def spent(service: Service) -> dict[str, float]:
    """Return the CPU seconds used so far: by this client, by the thread that accepts, and by all others behind it."""
    ticks = os.sysconf("SC_CLK_TCK")
    used = {}
    for thread in Path(f"/proc/{service.pid}/task").iterdir():
        words = (thread / "stat").read_text().rpartition(")")[2].split()
        used[int(thread.name)] = (int(words[11]) + int(words[12])) / ticks
    accepts = used.get(service.pid, 0.0)
    return {"client": time.process_time(), "accepting": accepts, "behind": sum(used.values()) - accepts}


def costs(before: dict[str, float], after: dict[str, float], events: int) -> dict[str, float]:
    """Return the milliseconds of CPU that 100 events cost, by where."""
    each = {name: (after[name] - before[name]) * 1000 * BATCH / max(events, 1) for name in after}
    each["service"] = each["accepting"] + each["behind"]
    return {f"{name}_ms": round(value, 2) for name, value in each.items()}


# --------------------------------------------------------------------------------------------------------- servers


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs: its process, and the file with what it said."""

    pid: int
    said: Path


@contextmanager
def process(words: list[str], port: int) -> Iterator[Served]:
    """Run a server until it answers and then as long as it is used."""
    with tempfile.NamedTemporaryFile("w+") as said, subprocess.Popen(words, stderr=said, stdout=said) as running:
        try:
            end = time.monotonic() + 600
            while time.monotonic() < end and running.poll() is None:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            yield Served(running.pid, Path(said.name))
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)


if __name__ == "__main__":
    main()
