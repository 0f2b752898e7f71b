"""Live is batch: whatever order, grouping and restarts calls come in with, the scores are those of `ingest`."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import inside, make_shop

from leadlight.errors import NotFoundError
from leadlight.service import at_hand
from leadlight.workspace import Workspace

START = datetime(2026, 3, 1)
MOMENTS = (START + timedelta(days=4), START + timedelta(days=12), START + timedelta(days=25))
USERS = [f"u{n}" for n in range(6)]
SHARED = ["d0", "d1"]
"""Devices that several users sign in on; they say no e-mail address of their own (see `identity`)."""
OWN = {"d2": "u0", "d3": "u1", "d4": "u2", "d5": "u3"}
"""Devices of one user each; `d6` is nobody's."""
DEVICES = [*SHARED, *OWN, "d6"]
MAILS = ["ann@acme.example", "new@x.example", "two@y.example", " BOB@acme.example", "own@z.example"]
PLACES = ["/pricing", "/pricing/big", "/blog"]

Call = dict[str, Any]


def stream(seed: int, count: int) -> list[Call]:
    """Calls at different moments, each with an id; the clock of some senders is wrong by hours."""
    chance = random.Random(seed)
    moments = chance.sample(range(20 * 86_400), count)
    return [_call(chance, number, START + timedelta(seconds=at)) for number, at in enumerate(moments)]


def _call(chance: random.Random, number: int, at: datetime) -> Call:
    who: Call = {"messageId": f"m{number}", "timestamp": at.isoformat() + "Z"}
    device, user = chance.choice(DEVICES), chance.choice(USERS)
    both = {"userId": OWN.get(device, user), "anonymousId": device if device != "d6" else "d0"}
    draw = chance.random()
    if draw < 0.45:
        who |= {"anonymousId": device} if chance.random() < 0.6 else {"userId": user}
        kind = chance.choice(["page", "page", "order", "Demo Requested"])
        if kind == "page":
            return who | {"type": "page", "properties": {"path": chance.choice(PLACES)}}
        return who | {"type": "track", "event": kind, "properties": {"amount": chance.choice([5, 20, "30"])}}
    if draw < 0.6:
        return who | both | {"type": "page", "context": {"page": {"path": "/pricing"}}}
    if draw < 0.7:
        traits = _traits(chance, blanks=False)
        if device in SHARED:
            traits.pop("email", None)
        return who | {"type": "identify", "anonymousId": device, "traits": traits}
    if draw < 0.92:
        return who | both | {"type": "identify", "traits": _traits(chance, blanks=True)}
    return who | {"type": "group", "userId": user, "groupId": chance.choice(["acme", "beta"]),
                  "traits": {"size": chance.choice(["large", "small"])}}  # fmt: skip


def _traits(chance: random.Random, *, blanks: bool) -> Call:
    said: Call = {"email": chance.choice(MAILS), "job": chance.choice(["vp", "c_level", "dev"]),
                  "staff": chance.choice([20, 80, "120"])}  # fmt: skip
    traits = {name: value for name, value in said.items() if chance.random() < 0.5}
    if blanks and chance.random() < 0.2:
        traits["job"] = None
    return traits


# ------------------------------------------------------------------------------ the same records as files of a batch


def owners(calls: list[Call]) -> dict[str, str]:
    """Device → the user first seen with it."""
    seen: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for call in calls:
        if "userId" in call and "anonymousId" in call:
            seen[call["anonymousId"]].append((call["timestamp"], call["userId"]))
    return {device: min(pairs)[1] for device, pairs in seen.items()}


def whose(call: Call, owner: Mapping[str, str]) -> str:
    if "userId" in call:
        return str(call["userId"])
    return owner.get(call["anonymousId"], f"anonymous:{call['anonymousId']}")


def event_rows(calls: list[Call], owner: Mapping[str, str]) -> Iterator[Call]:
    for call in calls:
        if call["type"] in ("page", "track"):
            said = {**call.get("context", {}).get("page", {}), **call.get("properties", {})}
            yield {"lead": whose(call, owner), "type": call.get("event", "page"), "at": call["timestamp"],
                   "id": call["messageId"], "path": said.get("path"),
                   "amount": None if said.get("amount") is None else float(said["amount"])}  # fmt: skip


def lead_rows(calls: list[Call], owner: Mapping[str, str]) -> Iterator[Call]:
    """A row per person and moment, with all that was said so far."""
    so_far: dict[str, Call] = defaultdict(lambda: dict.fromkeys(("email", "job", "staff", "account")))
    for call in sorted(calls, key=lambda one: one["timestamp"]):
        if call["type"] in ("identify", "group"):
            who = whose(call, owner)
            said = dict(call["traits"]) if call["type"] == "identify" else {"account": call["groupId"]}
            if "staff" in said:
                said["staff"] = float(said["staff"])
            so_far[who].update(said)
            yield {"id": who, "at": call["timestamp"], **so_far[who]}


def account_rows(calls: list[Call]) -> Iterator[Call]:
    for call in calls:
        if call["type"] == "group":
            yield {"name": call["groupId"], "at": call["timestamp"], **call["traits"]}


BATCH = """
  live_leads: {jsonl: leads.jsonl, id: id, known_at: at, account: account, types: {staff: number}}
  live_events: {jsonl: events.jsonl, lead: lead, type: type, at: at, message_id: id, types: {amount: number}}
  live_firms: {jsonl: firms.jsonl, account: name, known_at: at}
outcome:"""


def batch(folder: Path, calls: list[Call], store: str) -> Workspace:
    """The calls as files, read by `ingest`."""
    make_shop(folder, store=store)
    owner = owners(calls)
    for name, rows in (("leads", lead_rows(calls, owner)), ("events", event_rows(calls, owner)),
                       ("firms", account_rows(calls))):  # fmt: skip
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = (folder / "leadlight.yaml").read_text()
    (folder / "leadlight.yaml").write_text(text.replace("\noutcome:", BATCH, 1))
    workspace = Workspace(folder)
    workspace.ingest()
    return workspace


def scores(workspace: Workspace, ids: list[str]) -> dict[tuple[str, datetime], dict[str, float] | None]:
    """What each person's points are at each moment, None where nobody knew of him."""
    found: dict[tuple[str, datetime], dict[str, float] | None] = {}
    with workspace.session():
        for moment in MOMENTS:
            for who in ids:
                try:
                    ledger = workspace.explain(who, "house", as_of=moment)
                    found[who, moment] = {item.key: item.points for item in ledger.contributions}
                except NotFoundError:
                    found[who, moment] = None
    return found


def live(folder: Path, calls: list[Call], seed: int, *, clocks: tuple[int, ...], store: str) -> Workspace:
    """The calls through the service: in random order, in groups of random size, some twice, with restarts.

    The senders' clocks are wrong by any of so many hours.
    """
    make_shop(folder, store=store)
    chance = random.Random(seed)
    shuffled = chance.sample(calls, len(calls))
    groups = [shuffled[at : at + chance.randint(1, 12)] for at in range(0, len(shuffled), 12)]
    groups += [[call for call in shuffled if not any(call in group for group in groups)]]
    while groups:
        with inside(folder) as service:
            for group in groups[:3]:
                again = chance.sample(group, len(group) // 3)
                body: Call = {"batch": [*group, *again]}
                if clocks:
                    skew = timedelta(hours=chance.choice(clocks))
                    body = {"batch": _skewed(body["batch"], skew), "sentAt": _now(skew)}
                assert service.post("/v1/batch", body).status_code == 200
                if chance.random() < 0.5:
                    service.settle()
            if not groups[3:]:
                service.settle()
        groups = groups[3:]
    return Workspace(folder)


def _now(skew: timedelta) -> str:
    from leadlight.workspace import utc_now

    return (utc_now() + skew).isoformat() + "Z"


def _skewed(calls: list[Call], skew: timedelta) -> list[Call]:
    moved = [(datetime.fromisoformat(call["timestamp"]) + skew).isoformat() for call in calls]
    return [{**call, "timestamp": at} for call, at in zip(calls, moved, strict=True)]


EMBEDDED = "duckdb:store.duckdb"


@pytest.fixture(autouse=True)
def events_are_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a large store, after the first few events."""
    monkeypatch.setattr(at_hand, "SMALL", 10)


def compare(
    tmp_path: Path, calls: list[Call], seed: int, *, clocks: tuple[int, ...], within: float, store: str = EMBEDDED
) -> Workspace:
    """Hold a batch in an embedded store against the service over `store`."""
    devices = [f"anonymous:{device}" for device in DEVICES if device not in owners(calls)]
    ids = [*USERS, *devices, "crm-1", "crm-2", "crm-3"]
    expected = scores(batch(tmp_path / "batch", calls, EMBEDDED), ids)
    workspace = live(tmp_path / "live", calls, seed, clocks=clocks, store=store)
    found = scores(workspace, ids)
    assert sum(points is not None for points in expected.values()) > 12
    for key, points in expected.items():
        assert found[key] == (None if points is None else pytest.approx(points, abs=within)), key
    return workspace


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_random_streams_end_in_the_scores_of_a_batch(tmp_path: Path, seed: int) -> None:
    workspace = compare(tmp_path, stream(seed, 70), seed, clocks=(), within=1e-9)
    assert kept_as_computed(workspace) >= 3


@pytest.mark.slow
def test_random_streams_into_postgres_end_in_the_scores_of_an_embedded_batch(
    tmp_path: Path, postgres_store: str
) -> None:
    workspace = compare(tmp_path, stream(4, 50), 4, clocks=(), within=1e-9, store=postgres_store)
    assert kept_as_computed(workspace) >= 3


@pytest.mark.slow
def test_clocks_that_are_wrong_by_hours_change_nothing(tmp_path: Path) -> None:
    """What happened is dated by the time of receipt, which lies behind that of sending by what sending takes."""
    compare(tmp_path, stream(3, 40), 3, clocks=(0, -3, 5), within=1e-3)


def kept_as_computed(workspace: Workspace) -> int:
    """Assert that the last score kept of each user is the one computed again; return how many have one."""
    checked = 0
    with workspace.session():
        for who in USERS:
            try:
                last = workspace.history(who, "house").scores[-1]
                again = workspace.explain(who, "house", as_of=last.as_of)
            except (NotFoundError, IndexError):
                continue
            assert (again.score, again.grade) == (pytest.approx(last.score, abs=1e-9), last.grade)
            checked += 1
    return checked
