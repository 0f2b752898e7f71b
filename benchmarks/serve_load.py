"""Load on `leadlight serve`, bounded: events a second, from event to score, and scores a second.

Everything runs on this machine, the client too. A workspace is simulated and served in a process of its own; then, each
for a few seconds,

    empty        batches of 100 calls against an empty handler of the same framework, as fast as it takes them
    sustained    the same against the service, and how long the store takes to catch up
    latency      half as many events as asked for; the service's own figures say how long an event takes to its score
    score        POST /v1/score at an even rate

    python benchmarks/serve_load.py --leads 20000 --seconds 10 --rate 10000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from leadlight.workspace import utc_now

BATCH = 100
CLIENTS = 4
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
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--rate", type=int, default=10_000, help="events a second; half of it for the latency")
    arguments.add_argument("--scores", type=int, default=200, help="scores a second")
    arguments.add_argument("--port", type=int, default=8155)
    told = arguments.parse_args()
    found: dict[str, Any] = {"leads": told.leads, "seconds": told.seconds}
    with process([sys.executable, "-c", EMPTY, str(told.port)], told.port):
        found["empty"] = asyncio.run(flood(f"http://127.0.0.1:{told.port}", "", told.leads, told.seconds))
    with tempfile.TemporaryDirectory() as folder:
        found |= measured(Path(folder) / "shop", told)
    print(json.dumps(found, indent=2))


def measured(folder: Path, told: argparse.Namespace) -> dict[str, Any]:
    """Measure the service over a simulated company."""
    leadlight = [sys.executable, "-m", "leadlight"]
    for words in (["init", folder, "--template", "demo"],
                  ["simulate", folder / "data", "--leads", told.leads, "--until", f"{utc_now():%Y-%m-%d}"],
                  ["ingest", "-w", folder]):  # fmt: skip
        subprocess.run([*leadlight, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    serve = [*leadlight, "serve", "-w", str(folder), "--port", str(told.port + 1)]
    with process(serve, told.port + 1) as said:
        address, key = f"http://127.0.0.1:{told.port + 1}", re.findall(r"ll_\S+", said.read_text())[0]
        cpu = cpu_seconds(address)
        found: dict[str, Any] = {"sustained": asyncio.run(flood(address, key, told.leads, told.seconds))}
        found["sustained"]["catching_up_seconds"] = round(settled(address), 2)
        found["sustained"]["scores_given"] = int(figure(address, "leadlight_scores_total"))
        assert found["sustained"]["scores_given"], "the events were of nobody known"
        spent = cpu_seconds(address) - cpu
        found["sustained"]["service_cpu_ms_per_100_events"] = round(
            spent / max(found["sustained"]["events"], 1) * BATCH * 1000, 1
        )
        before = latencies(address)
        found["latency"] = asyncio.run(
            flood(address, key, told.leads, told.seconds, rate=told.rate / 2)
        )  # fmt: skip
        settled(address)
        found["latency"] |= {f"event_to_score_{name}": value for name, value in
                             quantiles(before, latencies(address)).items()}  # fmt: skip
        found["score"] = asyncio.run(scores(address, key, told.scores, told.seconds))
    return found


# --------------------------------------------------------------------------------------------------------- client


async def flood(address: str, key: str, leads: int, seconds: float, *, rate: float | None = None) -> dict[str, Any]:
    """Send batches, at a rate or as fast as they are taken; batches that are refused are sent again."""
    counts, took = {"events": 0, "refused": 0}, list[float]()

    async def send(client: httpx.AsyncClient, number: int) -> None:
        body = batch(leads, number)
        while True:
            began = time.perf_counter()
            answer = await client.post(f"{address}/v1/batch", content=body, auth=(key, ""))
            took.append(time.perf_counter() - began)
            if answer.status_code == 200:
                counts["events"] += BATCH
                return
            counts["refused"] += 1
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))

    spent = await paced(send, seconds, None if rate is None else rate / BATCH)
    return {"events_per_second": round(counts["events"] / spent), **counts, **milliseconds(took)}


async def scores(address: str, key: str, rate: float, seconds: float) -> dict[str, Any]:
    """Ask for scores of leads that are given, at a rate."""
    took = list[float]()
    lead = {"employees": 120, "events": [{"type": "page_view", "at": f"{utc_now():%Y-%m-%d}"}]}

    async def ask(client: httpx.AsyncClient, _: int) -> None:
        began = time.perf_counter()
        answer = await client.post(f"{address}/v1/score", json=lead, headers={"Authorization": f"Bearer {key}"})
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text

    spent = await paced(ask, seconds, rate)
    return {"asked_per_second": rate, "scores_per_second": round(len(took) / spent), **milliseconds(took)}


async def paced(send: Callable[[httpx.AsyncClient, int], Awaitable[None]], seconds: float, rate: float | None) -> float:
    """Send for a while, each at its time where there is a rate; return how long it took until all were answered."""
    began = time.perf_counter()
    numbers = iter(range(10**9))

    async def one(client: httpx.AsyncClient) -> None:
        while time.perf_counter() - began < seconds:
            number = next(numbers)
            if rate is not None:
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            await send(client, number)

    async with httpx.AsyncClient(timeout=120) as client:
        await asyncio.gather(*(one(client) for _ in range(CLIENTS if rate is None else 4 * CLIENTS)))
    return time.perf_counter() - began


def batch(leads: int, number: int) -> bytes:
    """A body of 100 events of leads all over the store."""
    mark, now = uuid4().hex, utc_now().isoformat() + "Z"
    calls = [
        {"type": "track", "event": "page_view", "userId": f"L{(number * BATCH + place) * 7919 % leads + 1:07d}",
         "messageId": f"{mark}-{place}", "timestamp": now, "properties": {"path": "/pricing", "source": "ads"}}
        for place in range(BATCH)
    ]  # fmt: skip
    return json.dumps({"batch": calls, "sentAt": now}).encode()


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
        time.sleep(0.1)
    return time.perf_counter() - began


def latencies(address: str) -> dict[float, float]:
    """Return the service's own counts of events by seconds to their score, up to each bound."""
    text = httpx.get(f"{address}/metrics", timeout=60).text
    return {float(bound): float(count) for bound, count in
            re.findall(r'call_to_score_seconds_bucket\{le="([^"]+)"\} (\S+)', text)}  # fmt: skip


def cpu_seconds(address: str) -> float:
    """Return the CPU seconds the service has used so far."""
    return figure(address, "process_cpu_seconds_total")


def figure(address: str, name: str) -> float:
    """Return a figure of the service."""
    text = httpx.get(f"{address}/metrics", timeout=60).text
    return float(re.findall(rf"^{name} (\S+)", text, flags=re.MULTILINE)[0])


def quantiles(before: dict[float, float], after: dict[float, float]) -> dict[str, float]:
    """Return the bounds below which half, and all but a hundredth, of the events in between were scored."""
    counts = {bound: count - before.get(bound, 0) for bound, count in sorted(after.items())}
    total = max(counts.values())
    return {name: next(bound for bound, count in counts.items() if count >= share * total)
            for name, share in (("p50_below_s", 0.5), ("p99_below_s", 0.99))}  # fmt: skip


@contextmanager
def process(words: list[str], port: int) -> Iterator[Path]:
    """Run a server until it answers and then as long as it is used; yields the file with what it said."""
    with tempfile.NamedTemporaryFile("w+") as said, subprocess.Popen(words, stderr=said, stdout=said) as running:
        try:
            end = time.monotonic() + 300
            while time.monotonic() < end and running.poll() is None:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            yield Path(said.name)
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)


if __name__ == "__main__":
    main()
