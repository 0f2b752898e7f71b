"""Kill `leadlight serve` at random moments under load, again and again: is what was acknowledged there, once?

Senders send batches of random size without a pause, each again until it is acknowledged, by the same message ids. The
service is ended by SIGKILL after a random while and started again, so many times as asked for. At the end the store is
held against what was acknowledged; the exit code is 1 where a call is lost or doubled.

    python benchmarks/serve_kills.py --kills 200
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import httpx

SENDERS = 3


class Sender(threading.Thread):
    """Sends to whatever service there is, until told to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(daemon=True)
        self.number, self.address, self.key = number, "", ""
        self.acknowledged: list[str] = []
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
                    time.sleep(0.05)

    def _is_taken(self, client: httpx.Client, body: str) -> bool:
        try:
            return client.post(f"{self.address}/v1/batch", content=body, auth=(self.key, "")).status_code == 200
        except (httpx.HTTPError, httpx.InvalidURL):
            return False


def call(message: str, chance: random.Random) -> dict[str, object]:
    """Return an event of one of the starter's leads, or of nobody known."""
    return {"type": "track", "event": "page_view", "messageId": message, "properties": {"page": "/pricing"},
            "userId": f"L{chance.randint(1, 40):03}"}  # fmt: skip


def main() -> int:
    """Kill, start again, and compare."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--longest", type=float, default=3.0, help="seconds until a kill, at most")
    arguments.add_argument("--seed", type=int, default=1)
    told = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder) / "shop"
        subprocess.run([sys.executable, "-m", "leadlight", "init", str(shop)], check=True, stdout=subprocess.DEVNULL)
        acknowledged = under_fire(shop, told.kills, told.longest, random.Random(told.seed))
        found = compared(shop, acknowledged)
    print(json.dumps({"kills": told.kills, **found}, indent=2))
    return int(bool(found["lost"] or found["doubled"]))


def under_fire(shop: Path, kills: int, longest: float, chance: random.Random) -> list[str]:
    """Kill and start again under load; return the message ids that were acknowledged."""
    senders = [Sender(number) for number in range(SENDERS)]
    for turn in range(kills + 1):
        process, address, key = start(shop)
        for sender in senders:
            sender.address, sender.key = address, key or sender.key
            if turn == 0:
                sender.start()
        if turn < kills:
            time.sleep(chance.uniform(0, longest))
            process.kill()
            process.wait()
    for sender in senders:
        sender.done.set()
        sender.join()
    while httpx.get(f"{address}/readyz", timeout=60).json()["waiting"]:
        time.sleep(0.2)
    process.terminate()
    process.communicate(timeout=60)
    return [message for sender in senders for message in sender.acknowledged]


def start(shop: Path) -> tuple[subprocess.Popen[str], str, str]:
    """Start the service; return it with its address, and its key where it made one."""
    words = [sys.executable, "-m", "leadlight", "serve", "-w", str(shop), "--port", "0"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    key = ""
    assert process.stderr is not None
    for line in process.stderr:
        key = next(iter(re.findall(r"ll_\S+", line)), key)
        if address := re.search(r"Listening on (\S+)", line):
            return process, address[1], key
    raise SystemExit("the service did not start")


def compared(shop: Path, acknowledged: Sequence[str]) -> dict[str, int]:
    """Hold the store against what was acknowledged; a call's key in the store is made of its message id."""
    with duckdb.connect(str(shop / "leadlight.duckdb"), read_only=True) as store:
        keys = [key for (key,) in store.execute("SELECT _key FROM events WHERE _source = 'live'").fetchall()]
    wanted = {key_of(message) for message in acknowledged}
    return {"acknowledged": len(acknowledged), "stored": len(keys), "lost": len(wanted - set(keys)),
            "doubled": len(keys) - len(set(keys))}  # fmt: skip


def key_of(message: str) -> int:
    """Return the key of a message id, as `leadlight.store.keys` makes it: MD5, read as a number from its last byte."""
    return int.from_bytes(hashlib.md5(f"m={len(message)}:{message}".encode()).digest(), "little")


if __name__ == "__main__":
    raise SystemExit(main())
