"""What was said on a device, when the device is another's: undone, all is as if they had never been one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.cli.app import main
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.store.apart import keep_apart
from leadlight.workspace import Workspace

BEGIN = datetime(2026, 3, 1)
NOW = datetime(2026, 3, 9)
Call = dict[str, Any]
Pairs = set[tuple[str, str]]


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """One service in which each test has people of its own."""
    store = "duckdb:store.duckdb"
    if request.param == "postgres":
        store = request.getfixturevalue("postgres_module_store")
    with inside(make_shop(tmp_path_factory.mktemp("words") / "shop", store=store)) as found:
        yield found


def identify(at: datetime, traits: dict[str, Any], **more: Any) -> Call:
    return {"type": "identify", "timestamp": f"{at.isoformat()}Z", "traits": traits, **more}


def track(at: datetime, **more: Any) -> Call:
    return {"type": "track", "event": "order", "properties": {"amount": 99}, "timestamp": f"{at.isoformat()}Z", **more}


def world(service: Inside, name: str) -> dict[str, Any]:
    """All that is known of the people whose ids begin with a name: who is one, what is known of them, what they did."""

    def look(workspace: LiveWorkspace) -> dict[str, Any]:
        ask = workspace.engine.rows
        short = f"replace(replace(i.id, '{name}', ''), 'anonymous:', '~')"
        ours = f"i.id LIKE '%{name}%'"
        groups: dict[int, list[str]] = {}
        for lead, own in ask(f"SELECT i.lead, {short} FROM ids i WHERE {ours}"):
            groups.setdefault(lead, []).append(own)
        of = {lead: ",".join(sorted(own)) for lead, own in groups.items()}
        columns = [one for one in ("job", "staff", "email", "nick") if one in workspace.engine.columns("attributes")]
        told = ", ".join(f"a.{one}::VARCHAR" for one in columns)
        attributes = ask(f"SELECT a.lead, a.known_at, a.known_until, {told} FROM attributes a")
        leads = ask("SELECT lead, id, created_at FROM leads")
        events = ask("SELECT lead, \"at\", type, amount FROM events WHERE _source = 'live'")
        scores = {
            of[lead]: round(workspace.explain(own, "house", as_of=NOW).score, 9) for lead, own, _ in leads if lead in of
        }
        return {
            "groups": sorted(of.values()),
            "attributes": sorted((of[lead], *map(str, row)) for lead, *row in attributes if lead in of),
            "leads": sorted((of[lead], own.replace(name, ""), at) for lead, own, at in leads if lead in of),
            "events": sorted((of[lead], *row) for lead, *row in events if lead in of),
            "scores": scores,
        }

    found = service.ask(look)
    return {part: _without(rows, name) for part, rows in found.items()}


def _without(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace(name, "")
    if isinstance(value, dict):
        return {_without(key, name): one for key, one in value.items()}
    return type(value)(_without(one, name) for one in value) if isinstance(value, list | tuple) else value


def sent(service: Inside, *calls: Call) -> None:
    service.send(*calls)
    service.settle()


def undo_devices(service: Inside, name: str) -> int:
    """Undo all merges of devices, by whatever rule, until there are none; return how many."""
    for count in range(50):
        merges = service.get("/v1/merges", limit=1000).json()["merges"]
        left = [one for one in merges if not one["undone_at"] and name in one["ids"][0]
                and any(who.startswith("anonymous:") for who in (*one["ids"], one["into"]))]  # fmt: skip
        if not left:
            return count
        assert service.request("DELETE", f"/v1/merges/{left[0]['merge']}").status_code == 200
    raise AssertionError("there is no end of it")


def apart(service: Inside, name: str) -> Pairs:
    """Return who is kept apart."""
    rows = service.rows("SELECT i.id, j.id FROM apart p JOIN ids i ON i.key = p.a JOIN ids j ON j.key = p.b")
    return {(a.replace(name, ""), b.replace(name, "")) for a, b in rows if name in a}


def keep(service: Inside, name: str, pairs: Pairs) -> None:
    """Keep the same people apart in another world."""

    def errand(workspace: LiveWorkspace) -> None:
        keys = dict(
            workspace.engine.rows("SELECT replace(id, ?, ''), key FROM ids WHERE contains(id, ?)", [name, name])
        )
        with workspace.engine.transaction():
            for a, b in pairs:
                keep_apart(workspace.engine, [keys[a]], [keys[b]], at=NOW, who=None)

    service.ask(errand)


def begin(service: Inside, name: str) -> None:
    """Let everybody of a world be known by something that changes nothing."""
    at = BEGIN - timedelta(days=300)
    sent(service, *(track(at, userId=f"{name}u{one}", event="hello") for one in range(3)),
         *(track(at, anonymousId=f"{name}d{one}", event="hello") for one in range(2)))  # fmt: skip


def stream(seed: int, name: str, *, links: bool, count: int = 26) -> list[Call]:
    """Calls of three users over two devices, some of them with both, in the order of their times or not."""
    draw, calls = random.Random(seed), list[Call]()
    for number in range(count):
        at = BEGIN + timedelta(hours=draw.randrange(72))
        whose: Call = {"messageId": f"{name}{number}"}
        kind = draw.choice(["user", "device", "device", "both"])
        user, device = f"{name}u{draw.randrange(3)}", f"{name}d{draw.randrange(2)}"
        if kind != "device":
            whose["userId"] = user
        if kind == "device" or (kind == "both" and links):
            whose["anonymousId"] = device
        said = {"job": draw.choice(["vp", "c_level", "clerk", None]), "staff": draw.randrange(90),
                "email": f"{name}m{draw.randrange(4)}@x.example"}  # fmt: skip
        traits = {trait: value for trait, value in said.items() if draw.random() < 0.4}
        calls.append(identify(at, traits, **whose) if draw.random() < 0.6 else track(at, **whose))
        if draw.random() < 0.05:
            calls.append({"type": "alias", "userId": f"{name}u0", "previousId": f"{name}u1",
                          "messageId": f"{name}a{number}", "timestamp": f"{at.isoformat()}Z"})  # fmt: skip
    return calls


def in_parts(service: Inside, calls: list[Call], seed: int) -> None:
    draw = random.Random(seed)
    while calls:
        size = draw.randrange(1, 15)
        sent(service, *calls[:size])
        calls = calls[size:]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_merged_and_undone_is_never_merged(service: Inside, seed: int) -> None:
    a, b, c = (f"w{seed}{which}-" for which in "abc")
    half = 16
    begin(service, a)
    first, second = stream(seed, a, links=True)[:half], stream(seed, a, links=True)[half:]
    in_parts(service, first, seed)
    undone = undo_devices(service, a)
    in_parts(service, second, seed)
    undone += undo_devices(service, a)
    pairs = apart(service, a)
    assert bool(undone) == bool(pairs)

    begin(service, b)  # who was kept apart from the start, whatever is said
    keep(service, b, pairs)
    in_parts(service, stream(seed, b, links=True), seed + 100)
    begin(service, c)  # who was never seen together
    keep(service, c, pairs)
    in_parts(service, stream(seed, c, links=False), seed + 200)

    found, kept, never = (world(service, name) for name in (a, b, c))
    for part in found:
        assert found[part] == never[part], part
        assert kept[part] == never[part], part


def values(service: Inside, lead: str) -> list[tuple[Any, ...]]:
    """Return what a lead is known to be in the end."""
    return service.rows(
        "SELECT a.job, a.staff FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = ? "
        "AND a.known_until > TIMESTAMP '2100-01-01'", [lead],
    )  # fmt: skip


def linked(service: Inside, name: str) -> tuple[str, str, int]:
    """Let a device say something, and then become a user's; return both ids and the merge."""
    user, device = f"{name}-u", f"anonymous:{name}-d"
    sent(service, identify(BEGIN, {"job": "vp"}, anonymousId=f"{name}-d"), track(BEGIN, anonymousId=f"{name}-d"),
         identify(BEGIN + timedelta(days=1), {"staff": 60}, userId=user, anonymousId=f"{name}-d"))  # fmt: skip
    assert values(service, user) == [("vp", 60)]
    (merge,) = service.get("/v1/merges", lead=user).json()["merges"]
    return user, device, merge["merge"]


def test_joined_again_by_hand_the_words_come_back(service: Inside) -> None:
    user, device, merge = linked(service, "hand")
    assert service.request("DELETE", f"/v1/merges/{merge}").status_code == 200
    assert (values(service, user), values(service, device)) == ([(None, 60)], [("vp", None)])
    assert service.get(f"/v1/leads/{device}", as_of="2026-03-05").json()["score"] > 12
    assert service.post("/v1/merges", {"first": user, "second": device}).status_code == 201
    assert values(service, user) == values(service, device) == [("vp", 60)]
    sent(service, identify(BEGIN + timedelta(days=2), {"job": None}, userId=user))  # the user's word: it takes back
    assert values(service, user) == [(None, 60)]


def test_the_next_user_has_the_device_where_the_first_one_may_not(service: Inside) -> None:
    user, device, merge = linked(service, "next")
    sent(service, identify(BEGIN + timedelta(days=2), {"staff": 9}, userId="next-u2", anonymousId="next-d"))
    assert values(service, "next-u2") == [(None, 9)]
    assert service.request("DELETE", f"/v1/merges/{merge}").status_code == 200
    assert values(service, user) == [(None, 60)]
    assert values(service, "next-u2") == values(service, device) == [("vp", 9)]


def test_beside_the_service_and_by_who_knows_nothing_of_one(tmp_path: Path) -> None:
    folder = make_shop(tmp_path / "shop")
    with inside(folder) as service:
        people = [linked(service, name) for name in ("cli", "library")]
    (_, _, first), (_, _, second) = people
    assert main(["merges", "--undo", str(first), "-w", str(folder)]) == 0
    with Workspace(folder).store() as engine:
        told = "SELECT DISTINCT i.id FROM attributes a JOIN ids i ON i.key = a.lead WHERE job = 'vp' ORDER BY 1"
        assert engine.rows(told) == [("anonymous:cli-d",), ("crm-1",), ("library-u",)]
    Workspace(folder).undo_merge(second)  # a program without the packages of the service: the next start sees to it
    with inside(folder) as service:
        for user, device, _ in people:
            assert (values(service, user), values(service, device)) == ([(None, 60)], [("vp", None)])
