"""Look up many leads by e-mail, phone, DNS and web site on a loopback internet, politely, and count what it takes.

    python benchmarks/enrich/throughput.py                         # 2,500, 5,000 and 10,000 leads, then the kill
    python benchmarks/enrich/throughput.py --leads 500 --no-kill   # a minute, to see that it works
    python benchmarks/enrich/throughput.py --per-company 1 --free 0   # every lead a company of its own: the hardest

The internet runs in a process of its own and every answer takes a round trip (--latency); each host is asked for at
most one page a second, one at a time, robots.txt is heard. Its own work is counted apart. The floor asks for the same
pages with bare httpx: no limits, no robots.txt, no DNS, nothing read or kept. In the kill, the run is ended by SIGKILL
in the middle and started again; the servers count what is asked twice. See README.md of benchmarks for the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "tests")]

from leads import add, write_leads, write_workspace  # noqa: E402

import measure  # noqa: E402
from internet import apart  # noqa: E402
from internet.apart import Far  # noqa: E402

PER_SECOND, AT_ONCE = 1.0, 64
FLOOR_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Run:
    """What a run over so many leads took."""

    leads: int
    sites: int
    wall: float
    cpu: float
    """CPU seconds of all its processes."""
    own_cpu: float
    """Those of the main process alone, without the children that read pages."""
    peak: float
    """The most memory of the main process, MiB."""
    together: float
    """The most memory of all its processes, MiB."""
    server_cpu: float
    requests: int
    questions: int
    connections: int
    most_at_once: int
    """Requests open at a time to one host, at most."""
    failed: int
    """Look-ups that failed; a machine that is too busy lets answers wait until they seem not to come."""

    @property
    def per_second(self) -> float:
        """Leads a second."""
        return self.leads / self.wall

    def __str__(self) -> str:
        per_lead = (self.requests / self.leads, self.questions / self.leads, self.connections / self.leads)
        shown = " | ".join(f"{value:.2f}" for value in per_lead)
        return (
            f"| {self.leads:,} | {self.sites:,} | {self.per_second:.0f} | {self.wall:.0f} | {self.cpu:.0f} "
            f"| {self.own_cpu:.0f} | {self.server_cpu:.0f} | {self.peak:,.0f} | {self.together:,.0f} "
            f"| {shown} | {self.most_at_once} | {self.failed} |"
        )


HEADER = (
    "| leads | sites | leads/s | wall s | CPU s | CPU s of the main process | CPU s of the internet "
    "| peak MiB of the main process | of all | requests per lead | DNS questions per lead | connections per lead "
    "| most at once to a host | failed |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def main() -> None:
    """Run the sizes, the floor and the kill; print tables."""
    options = _options()
    if options.worker:
        _work(options.worker)
        return
    if options.floor:
        measure.tell(measure.measured(lambda: asyncio.run(_floor(json.loads(options.floor.read_text()))))[1])
        return
    runs, floor = [], None
    for leads in options.leads:
        run, floor = _one_size(leads, options, with_floor=leads == max(options.leads))
        runs.append(run)
        print(run, file=sys.stderr, flush=True)
    print(HEADER)
    for run in runs:
        print(run)
    if floor is not None:
        last = runs[-1]
        print(f"\nThe floor, bare httpx for the same {last.requests:,} requests: {floor.wall:.0f} s wall, "
              f"{floor.cpu:.0f} s CPU ({last.cpu / floor.cpu:.1f} × for all that is done with them).")  # fmt: skip
    killed = None if options.no_kill else kill(options.kill_leads, options)
    if killed is not None:
        print(f"\n{killed}")
    if options.json:
        facts = {"runs": [asdict(run) for run in runs], "killed": killed and asdict(killed)}
        options.json.write_text(json.dumps(facts, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, nargs="+", default=[2_500, 5_000, 10_000])
    parser.add_argument("--per-company", type=float, default=2.5, help="leads for each company, on average")
    parser.add_argument("--free", type=float, default=0.2, help="share of leads with a free e-mail address")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of a round trip")
    parser.add_argument("--kilobytes", type=int, default=30, help="size of a home page; other pages have half")
    parser.add_argument("--kill-leads", type=int, default=1_000)
    parser.add_argument("--no-kill", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--floor", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


# ------------------------------------------------------------------------------------------------------ the run


def _one_size(leads: int, options: argparse.Namespace, *, with_floor: bool) -> tuple[Run, measure.Usage | None]:
    companies = max(1, round(leads / options.per_company))
    with (
        apart(add, companies, options.kilobytes, latency=options.latency) as far,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name)
        prepare(folder, far, leads, companies, options.free)
        before = far.cpu()
        command = [sys.executable, __file__, "--worker", str(folder)]
        told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1])
        run = _counted(leads, told, far, far.cpu() - before)
        return run, _floor_of(folder, far) if with_floor else None


def prepare(folder: Path, far: Far, leads: int, companies: int, free: float, **network: Any) -> None:
    """Write the workspace and read the leads in."""
    import leadlight

    write_workspace(folder, far.settings(**{"per_second": PER_SECOND, "at_once": AT_ONCE, **network}))
    write_leads(folder / "leads.csv", leads, companies, free)
    leadlight.open(folder).ingest()


def _work(folder: Path) -> None:
    """Look everybody up, and tell what it took, the children that read pages included."""
    import gc

    import leadlight

    held = Held()
    run, usage = measure.measured(lambda: leadlight.open(folder).enrich())
    held.over.set()
    gc.collect()  # ends the children, so that they are counted
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.cpu + children.ru_utime + children.ru_stime
    print(json.dumps({**asdict(usage), "cpu": cpu, "own_cpu": usage.cpu, "together": held.most,
                      "failed": sum(one.failed for one in run.providers)}))  # fmt: skip


class Held:
    """The most memory that this process and its children held together, looked at twice a second, MiB."""

    def __init__(self) -> None:
        self.most = 0.0
        self.over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self.over.wait(0.5):
            children = " ".join(_text(path) for path in Path("/proc/self/task").glob("*/children"))
            self.most = max(self.most, sum(map(_resident, ["self", *children.split()])))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the thread or process is gone
        return ""


def _resident(process: str) -> float:
    lines = _text(Path(f"/proc/{process}/status")).splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _counted(leads: int, told: dict[str, float], far: Far, server_cpu: float) -> Run:
    ended, asked = far.ended(), far.ask("asked")
    hosts = {host for host, _ in ended}
    return Run(
        leads, len(hosts), told["wall"], told["cpu"], told["own_cpu"], told["peak"], told["together"],
        server_cpu, sum(ended.values()), sum(asked.values()),
        far.ask("connections"), far.ask("most_at_once"), int(told["failed"]),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------ the floor


def _floor_of(folder: Path, far: Far) -> measure.Usage:
    settings = far.settings()
    pages = [pair for pair, count in far.ended().items() for _ in range(count)]
    plan = {"ports": settings["ports"], "authorities": settings["authorities"], "pages": pages,
            "secure": far.ask("secure_hosts")}  # fmt: skip
    path = folder / "floor.json"
    path.write_text(json.dumps(plan))
    return measure.in_own_process(__file__, ["--floor", str(path)])


async def _floor(plan: dict[str, Any]) -> None:
    """Ask for all pages, those of a host one after the other on one connection, hundreds of hosts at a time."""
    import httpx

    by_host: dict[str, list[str]] = {}
    for host, path in plan["pages"]:
        by_host.setdefault(host, []).append(path)
    context = ssl.create_default_context(cafile=plan["authorities"])
    secure, slots = set(plan["secure"]), asyncio.Semaphore(FLOOR_AT_ONCE)

    async def visit(host: str, paths: list[str]) -> None:
        scheme = "https" if host in secure else "http"
        async with slots, httpx.AsyncClient(verify=context, trust_env=False, timeout=30) as client:
            for path in paths:
                url = f"{scheme}://127.0.0.1:{plan['ports'][scheme]}{path}"
                reply = await client.get(url, headers={"host": host}, extensions={"sni_hostname": host})
                assert reply.content is not None

    await asyncio.gather(*(visit(host, paths) for host, paths in by_host.items()))


# ------------------------------------------------------------------------------------------------------ the kill


@dataclass(frozen=True, slots=True)
class Killed:
    """What was asked again after a run was killed and started once more."""

    leads: int
    answered: int
    """Requests that the servers had answered whole before the kill."""
    kept: int
    """Of these, the answers that were in the run's cache on the disk: they had come."""
    kept_again: int
    """Of the kept, asked once more."""
    others_again: int
    """Asked once more because their answer was on its way when the run was killed."""
    in_all: int

    def __str__(self) -> str:
        return (
            f"Killed by SIGKILL among {self.leads:,} leads: {self.answered:,} requests were answered, {self.kept:,} of "
            f"these answers were on the disk. Started again: {self.kept_again} of the kept were asked again, and "
            f"{self.others_again} whose answers were on their way; {self.in_all:,} requests in all."
        )


def kill(leads: int, options: argparse.Namespace) -> Killed:
    """Kill a run in the middle, start it again, and count what the servers were asked twice."""
    companies = max(1, round(leads / options.per_company))
    with (
        apart(add, companies, options.kilobytes, latency=options.latency, keep=True) as far,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name)
        prepare(folder, far, leads, companies, options.free)
        return killed(folder, far, leads, after=2 * companies)


def killed(folder: Path, far: Far, leads: int, *, after: int) -> Killed:
    """Run until so many requests are answered, kill, run to the end."""
    command = [sys.executable, __file__, "--worker", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while far.ask("count") < after:
        if process.poll() is not None:
            raise SystemExit("the run was over before it could be killed")
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)
    first, kept = _visited(far), _kept(folder)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    last = _visited(far)
    again = {url: last[url] - count for url, count in first.items() if last[url] > count}
    kept_again = sum(count for url, count in again.items() if url in kept)
    return Killed(
        leads, sum(first.values()), sum(1 for url in first if url in kept), kept_again,
        sum(again.values()) - kept_again, sum(last.values()),
    )  # fmt: skip


def _visited(far: Far) -> Counter[str]:
    """Return the requests that were answered whole, by address."""
    return Counter(
        f"{'https' if visit.secure else 'http'}://{visit.host}{visit.path}"
        for visit in far.ask("visits")
        if visit.status
    )


def _kept(folder: Path) -> set[str]:
    """Return the addresses whose answers are in the cache of look-ups."""
    connection = sqlite3.connect(folder / ".leadlight" / "lookups.sqlite")
    try:
        return {about for (about,) in connection.execute("SELECT about FROM answers WHERE why IS NULL")}
    finally:
        connection.close()


if __name__ == "__main__":
    main()
