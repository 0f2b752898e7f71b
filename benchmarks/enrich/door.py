"""What one page and one DNS question cost through the guarded door, on a loopback internet.

    python benchmarks/enrich/door.py                 # 1,500 pages of 30 KB from 300 sites, 900 questions
    python benchmarks/enrich/door.py --sites 50      # a few seconds, to see that it works

The internet runs in a process of its own, without latency, so that CPU is what is measured. A page has all that belongs
to it: reading the address, robots.txt (one a site), DNS, the check, the pace, the connection (one a site), unpacking,
and the commit of the answer to the cache. The floor asks for the same pages with one bare httpx client, with nothing of
that but the connections (of which it searches all for each request). Memory is that of this process after each fifth
of the sites, first without, then with TLS.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import ssl
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "tests")]

from internet import Internet, Page, apart  # noqa: E402
from internet.apart import Far  # noqa: E402
from leadlight.enrich.net.net import Door, open_network  # noqa: E402
from measure import cpu_seconds  # noqa: E402

PAGES = 5
AT_ONCE = 100
KINDS = ("MX", "TXT", "NS")
ROBOTS = "User-agent: *\nDisallow: /private\nDisallow: /*?session=\n"


def build(internet: Internet, sites: int) -> None:
    """Add sites of pages of some 30 KB, and domains with records."""
    source = random.Random(1)
    words = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(3000)]
    for number in range(sites):
        rows = (f"<p class='{source.choice(words)}'>{source.choice(words)}</p>\n" for _ in range(1000))
        page = Page(f"<html><head><title>{number}</title></head>{''.join(rows)}", compress=True)
        internet.site(f"d{number}.example", {f"/{path}": page for path in range(PAGES)}, robots=ROBOTS, www=False)
        internet.records(
            f"d{number}.example", mx=["10 aspmx.l.google.com", "20 alt1.google.com"], ns=["ns1.dns.example"],
            txt=["v=spf1 include:_spf.google.com include:mail.zendesk.com -all", "MS=ms12345"],
        )  # fmt: skip


async def each(sites: Sequence[int], one: Callable[[int], Awaitable[None]]) -> None:
    """Go through sites, a hundred at the same time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def go(number: int) -> None:
        async with places:
            await one(number)

    await asyncio.gather(*map(go, sites))


def timed(name: str, count: int, wall: float, cpu: float) -> None:
    """Print a line of the table."""
    print(f"| {name} | {count:,} | {count / wall:,.0f} | {cpu / count * 1000:.2f} |", flush=True)


async def row(name: str, count: int, work: Awaitable[None]) -> None:
    """Do a piece of work and print what it took."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    await work
    timed(name, count, time.perf_counter() - wall, cpu_seconds() - cpu)


def pages(door: Door, scheme: str) -> Callable[[int], Awaitable[None]]:
    """Return what asks for all pages of a site."""

    async def one(number: int) -> None:
        for path in range(PAGES):
            reply = await door.get(f"{scheme}://d{number}.example/{path}", crawl=True)
            assert reply.ok
            assert len(reply.body) > 25_000

    return one


async def through_the_door(far: Far, sites: int) -> None:
    """Measure pages without and with TLS, again from the cache, and DNS questions."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_network(far.network(per_second=100), Path(folder) / "lookups.sqlite") as door:
            memory = []
            for scheme in ("http", "https"):
                parts = [
                    range(sites)[start : start + max(sites // 5, 1)] for start in range(0, sites, max(sites // 5, 1))
                ]

                async def all_parts(parts: list[range] = parts, scheme: str = scheme) -> None:
                    for part in parts:
                        await each(part, pages(door, scheme))
                        memory.append(resident())

                await row(f"page over {scheme}", sites * PAGES, all_parts())
            await row("page from the cache", sites * PAGES, each(range(sites), pages(door, "http")))

            async def records(number: int) -> None:
                for kind in KINDS:
                    assert await door.dns(f"d{number}.example", kind)

            await row("DNS question", sites * len(KINDS), each(range(sites), records))
            assert door.counts.failed == {}
            assert door.counts.unforeseen == door.counts.unkept == 0
            file = (Path(folder) / "lookups.sqlite").stat().st_size
        told = ", ".join(f"{mib:.0f}" for mib in memory)
        print(f"\nMiB in memory after each fifth: {told}; the cache has {file / 2**20:.1f} MiB.")


async def bare(far: Far, sites: int) -> None:
    """Ask for the same pages with nothing but httpx."""
    import httpx

    told = far.network()
    context = ssl.create_default_context(cafile=told.authorities)
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(verify=context, trust_env=False, limits=limits, timeout=30) as client:

        async def one(number: int) -> None:
            for path in range(PAGES):
                url = f"http://127.0.0.1:{told.ports['http']}/{path}"
                reply = await client.get(url, headers={"host": f"d{number}.example"})
                assert reply.status_code == 200

        await row("page with bare httpx", sites * PAGES, each(range(sites), one))


def resident() -> float:
    """Return what this process holds in memory, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=300)
    options = parser.parse_args()
    print("| what | how many | a second | CPU ms for one |\n|---|--:|--:|--:|")
    with apart(build, options.sites) as far:
        asyncio.run(bare(far, options.sites))
        asyncio.run(through_the_door(far, options.sites))


if __name__ == "__main__":
    main()
