"""Leads are looked up while the service runs, over real HTTP on loopback: who is new, soon; once; and scored again."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service.looking import CARD, LEADS, SOFTWARE, Vendor, crunch, identify, make, until
from tests.service.shop import Inside, Outside, inside, outside

from internet import Internet
from leadlight.service import enrich_queue
from leadlight.workspace import Workspace


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Internet, Vendor]]:
    with crunch() as found:
        yield found


@pytest.fixture
def net(running: tuple[Internet, Vendor]) -> Internet:
    return running[0]


@pytest.fixture
def vendor(running: tuple[Internet, Vendor]) -> Vendor:
    """The vendor, as it is at first."""
    running[1].__dict__.update(Vendor().__dict__)
    return running[1]


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest) -> str:
    return "duckdb:store.duckdb" if request.param == "duckdb" else str(request.getfixturevalue("postgres_store"))


def grade(service: Inside, lead: str) -> Any:
    answer = service.get(f"/v1/leads/{lead}")
    return answer.json()["grade"] if answer.status_code == 200 else None


def waiting(service: Inside) -> int:
    return int(service.get("/v1/enrich").json()["waiting"])


def test_who_was_read_first_is_looked_up_and_whoever_comes_later(
    tmp_path: Path, net: Internet, vendor: Vendor, store: str
) -> None:
    vendor.says["newfirm.com"] = SOFTWARE
    with inside(make(tmp_path / "shop", net, store=store)) as service:
        until(lambda: (grade(service, "L1"), grade(service, "L2")) == ("A", "B"))
        service.send(identify("u1", "eve@newfirm.com", size=500))
        until(lambda: grade(service, "u1") == "A")
        until(lambda: waiting(service) == 0)

        facts = service.get("/v1/leads/u1/facts").json()
        industry = next(one for one in facts["attributes"] if one["attribute"] == "industry")
        assert [(one["value"], one["source"]) for one in industry["said"]] == [("software", "crunch")]
        assert sorted(vendor.asked) == ["acme.com", "beta.com", "newfirm.com"]
        figures = service.get("/metrics").text
        assert 'leadlight_lookups_total{outcome="found",provider="crunch"} 3.0' in figures
        assert "leadlight_lookup_requests_total 3.0" in figures
        assert "leadlight_lookup_cost_total 1.5" in figures
        assert service.get("/v1/enrich").json()["spent"] == {"money": 1.5, "requests": 3}


def test_who_changes_what_it_is_looked_up_by_is_looked_up_again(tmp_path: Path, net: Internet, vendor: Vendor) -> None:
    vendor.says["farm.com"] = {"branch": "agriculture"}
    with inside(make(tmp_path / "shop", net)) as service:
        until(lambda: grade(service, "L1") == "A")
        service.send(identify("L1", "ann@farm.com"))
        until(lambda: grade(service, "L1") == "C")
        until(lambda: waiting(service) == 0)
        assert vendor.asked.count("acme.com") == 1


def test_a_deed_by_which_an_answer_comes_to_matter_has_it_asked_for(
    tmp_path: Path, net: Internet, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrich_queue, "GENTLE", timedelta(seconds=0.5))
    folder = make(tmp_path / "shop", net)
    (folder / "scorecards" / "house.yaml").write_text(CARD.replace("A: 30, B: 10, C: null", "A: 30, C: null"))
    with inside(folder) as service:
        until(lambda: grade(service, "L1") == "A" and waiting(service) == 0)
        assert vendor.asked == ["acme.com"]  # a small firm in software has 20 points of the 30
        service.send({"type": "track", "userId": "L2", "event": "demo", "messageId": "d"})
        until(lambda: grade(service, "L2") == "A")
        assert vendor.asked == ["acme.com", "beta.com"]


def test_while_somebody_is_waited_for_calls_are_stored_and_scored(
    tmp_path: Path, net: Internet, vendor: Vendor, store: str
) -> None:
    vendor.delay = 8.0
    with inside(make(tmp_path / "shop", net, store=store)) as service:
        until(lambda: vendor.asked)
        began = time.monotonic()
        service.send({"type": "track", "userId": "L3", "event": "demo", "messageId": "d"})
        until(lambda: service.get("/v1/leads/L3").json()["score"] == 27)
        assert service.ask(lambda workspace: workspace.engine.rows("SELECT 1")) == [(1,)]
        assert time.monotonic() - began < 7
        assert grade(service, "L1") == "B"
        until(lambda: grade(service, "L1") == "A")


def test_the_budget_is_of_a_day_whatever_is_started_anew(tmp_path: Path, net: Internet, vendor: Vendor) -> None:
    folder = make(tmp_path / "shop", net, budget={"requests": 2})
    vendor.says |= {"later.com": SOFTWARE}
    with inside(folder) as service:
        until(lambda: (grade(service, "L1"), grade(service, "L2")) == ("A", "B"))
        until(lambda: waiting(service) == 0)
    with inside(folder) as service:
        service.send(identify("u1", "x@later.com", size=500))
        until(lambda: service.rows("SELECT 1 FROM live_lookups WHERE due_at > noted_at"))
        found = service.rows("SELECT due_at FROM live_lookups")
        assert found == [(enrich_queue.next_day(service.state.now()),)]
        assert service.get("/v1/enrich").json()["spent"] == {"money": 1.0, "requests": 2}
        assert "later.com" not in vendor.asked
        service.ask(lambda workspace: workspace.engine.execute("DELETE FROM live_lookups_spent"))
        service.ask(lambda workspace: workspace.engine.execute("UPDATE live_lookups SET due_at = noted_at"))
        until(lambda: grade(service, "u1") == "A")  # as on the next day


def test_where_the_network_is_down_the_service_goes_on_and_tries_again_later(
    tmp_path: Path, net: Internet, vendor: Vendor
) -> None:
    network = {**net.settings(), "ports": {"http": 9, "https": 9}}
    with inside(make(tmp_path / "shop", net, network=network)) as service:
        until(lambda: service.rows("SELECT 1 FROM live_lookups WHERE tries = 1"))
        assert [row[0] for row in service.rows("SELECT why FROM lookups")] == ["unreachable"] * 2
        assert waiting(service) == 2  # L3 has nothing to ask by
        service.send({"type": "track", "userId": "L3", "event": "demo", "messageId": "d"})
        service.settle()
        assert service.get("/v1/leads/L3").json()["score"] == 27
        assert 'leadlight_lookups_total{outcome="failed",provider="crunch"} 2.0' in service.get("/metrics").text


def test_who_is_erased_while_looked_up_is_not_kept_and_the_others_go_on(
    tmp_path: Path, net: Internet, vendor: Vendor, store: str
) -> None:
    folder = make(tmp_path / "shop", net, store=store)
    vendor.says["secretfirm.com"] = SOFTWARE
    with inside(folder) as service:
        until(lambda: waiting(service) == 0)
        vendor.delay = 8.0
        service.send(identify("gone", "me@secretfirm.com", size=500), identify("stays", "x@acme2.com", size=500))
        until(lambda: "secretfirm.com" in vendor.asked)
        began = time.monotonic()
        assert service.request("DELETE", "/v1/leads/gone").status_code == 200
        assert time.monotonic() - began < 7
        vendor.delay = 0.0
        service.send(identify("next", "next@acme.com", size=500))  # may get the number that has become free
        until(lambda: waiting(service) == 0)
        assert service.rows("SELECT count(*) FROM lookups WHERE subject = 'domain=secretfirm.com'") == [(0,)]
        assert [row[0] for row in service.rows("SELECT subject FROM lookups l JOIN ids i ON i.key = l._key "
                                               "WHERE i.id = 'next'")] == ["domain=acme.com"]  # fmt: skip
        assert service.rows("SELECT outcome FROM lookups WHERE subject = 'domain=acme2.com'") == [("nothing",)]
    kept = b"".join(file.read_bytes() for file in (folder / ".leadlight").glob("lookups.sqlite*"))
    assert b"acme2.com" in kept
    assert b"secretfirm.com" not in kept


def test_sources_that_are_read_while_serving_are_looked_up_in_the_background(
    tmp_path: Path, net: Internet, vendor: Vendor
) -> None:
    folder = make(tmp_path / "shop", net)
    with inside(folder) as service:
        until(lambda: waiting(service) == 0)
        vendor.says["read.com"], vendor.delay = SOFTWARE, 8.0
        (folder / "leads.csv").write_text(LEADS + "L4,2026-01-04,x@read.com,500\n")
        began = time.monotonic()
        where = service.post("/v1/ingest", {}).headers["location"]
        until(lambda: service.get(where).json()["state"] == "done")
        assert time.monotonic() - began < 7
        assert grade(service, "L4") == "B"
        until(lambda: grade(service, "L4") == "A")


# ---------------------------------------------------------------------------------------------------------- parity

FIRMS = {f"firm{n}.com": {"branch": ("software", "agriculture", "retail")[n % 3]} for n in range(9)}


def people(seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        {"id": f"p{n}", "email": f"p{n}@{chance.choice([*FIRMS, 'gmail.com', 'unknown.com'])}",
         "size": chance.choice([20, 500]), "demo": chance.random() < 0.5}
        for n in range(14)
    ]  # fmt: skip


def told(workspace: Workspace, ids: list[str]) -> dict[str, Any]:
    """What is known of each, and its points."""
    found: dict[str, Any] = {}
    with workspace.session():
        for who in ids:
            ledger, facts = workspace.explain(who, "house"), workspace.facts(who)
            said = [(one.attribute, one.value) for one in facts.attributes if one.attribute in ("industry", "size")]
            found[who] = (
                ledger.score,
                ledger.grade,
                sorted(said),
                {one.key: one.points for one in ledger.contributions},
            )
    return found


def test_values_and_scores_are_those_of_ingest_and_enrich(
    tmp_path: Path, net: Internet, vendor: Vendor, store: str
) -> None:
    vendor.says, them = dict(FIRMS), people(3)
    ids = [one["id"] for one in them]
    rows = "".join(f"{one['id']},2026-01-01,{one['email']},{one['size']}\n" for one in them)
    demos = "lead,type,at\n" + "".join(f"{one['id']},demo,2026-02-01\n" for one in them if one["demo"])
    batch = make(tmp_path / "batch", net, leads=f"id,created,email,size\n{rows}", on_ingest=False)
    (batch / "demos.csv").write_text(demos)
    text = (batch / "leadlight.yaml").read_text()
    visits = '"sources": {"demos": {"csv": "demos.csv", "lead": "lead", "type": "type", "at": "at"}, '
    (batch / "leadlight.yaml").write_text(text.replace('"sources": {', visits))
    expected = Workspace(batch)
    expected.ingest()
    expected.score()
    expected.enrich()

    live = make(tmp_path / "live", net, store=store)
    calls = [identify(one["id"], one["email"], size=one["size"], createdAt="2026-01-01") for one in them]
    calls += [{"type": "track", "userId": one["id"], "event": "demo", "messageId": f"d{one['id']}",
               "timestamp": "2026-02-01T00:00:00Z"} for one in them if one["demo"]]  # fmt: skip
    random.Random(4).shuffle(calls)
    for part in (calls[:8], calls[8:]):
        with inside(live) as service:
            service.send(*part)
            service.settle()
    with inside(live) as service:
        until(lambda: waiting(service) == 0)
        service.settle()
        kept = {who: service.get(f"/v1/history/{who}").json()["scores"][-1] for who in ids}
    found = told(Workspace(live), ids)
    assert found == told(expected, ids)
    assert {who: (one["score"], one["grade"]) for who, one in kept.items()} == {
        who: one[:2] for who, one in found.items()
    }
    assert {one[1] for one in found.values()} == {"A", "B", "C"}


# ----------------------------------------------------------------------------------------- kills, and many processes


def shown(service: Outside, lead: str) -> Any:
    answer = httpx.get(f"{service.address}/v1/leads/{lead}", headers=service.auth, timeout=20)
    return answer.json()["grade"] if answer.status_code == 200 else None


def send(service: Outside, *calls: Any) -> None:
    answer = httpx.post(f"{service.address}/v1/batch", json={"batch": list(calls)}, headers=service.auth, timeout=20)
    assert answer.status_code == 200, answer.text


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_kill_in_between_repeats_nothing_that_was_answered_and_forgets_nobody(
    tmp_path: Path, net: Internet, vendor: Vendor, store: str
) -> None:
    firms = [f"kill{n}.com" for n in range(12)]
    vendor.says |= dict.fromkeys(firms, SOFTWARE)
    folder = make(tmp_path / "shop", net, store=store)
    answered = set[str]()
    for turn in range(4):
        with outside(folder) as service:
            vendor.delay = 0.3
            send(service, *(identify(f"k{n}", f"x@{firms[n]}", size=500) for n in range(3 * turn, 3 * turn + 3)))
            until(lambda new=firms[3 * turn : 3 * turn + 3]: set(new) & set(vendor.asked))
            time.sleep((0.0, 0.4, 0.8, 3.0)[turn])
            service.kill()
        counted = Counter(vendor.asked)
        assert all(counted[firm] == 1 for firm in answered)
        cache = folder / ".leadlight" / "lookups.sqlite"
        kept = b"".join(file.read_bytes() for file in cache.parent.glob("lookups.sqlite*"))
        answered |= {firm for firm in firms if firm.encode() in kept and counted[firm] == 1}
    assert answered
    vendor.delay = 0.0
    with outside(folder) as service:
        until(lambda: all(shown(service, f"k{n}") == "A" for n in range(12)))
        until(lambda: service.get("/v1/enrich")["waiting"] == 0)
        assert service.stop()[0] == 0
    counted = Counter(vendor.asked)
    assert all(counted[firm] == 1 for firm in answered)
    with Workspace(folder).store() as engine:
        assert engine.rows("SELECT count(*) FROM live_unscored") == [(0,)]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_several_processes_one_looks_a_lead_up(
    tmp_path: Path, net: Internet, vendor: Vendor, postgres_store: str
) -> None:
    firms = [f"many{n}.com" for n in range(40)]
    vendor.says |= dict.fromkeys(firms, SOFTWARE)
    folder = make(tmp_path / "shop", net, store=postgres_store)
    with outside(folder, "--processes", "2", "--workers", "2") as service:
        for n, firm in enumerate(firms):
            send(service, identify(f"m{n}", f"x@{firm}", size=500))
            time.sleep(0.05)
        until(lambda: all(shown(service, f"m{n}") == "A" for n in range(0, 40, 7)))
        until(lambda: service.get("/v1/enrich")["waiting"] == 0)
        assert max(Counter(vendor.asked).values()) == 1
        assert set(firms) <= set(vendor.asked)

        vendor.delay = 20.0
        send(service, identify("slow", "x@slow.com", size=500))
        until(lambda: "slow.com" in vendor.asked)
        began = time.monotonic()
        gone = httpx.delete(f"{service.address}/v1/leads/slow", headers=service.auth, timeout=40)
        assert (gone.status_code, time.monotonic() - began < 10) == (200, True)
        vendor.delay = 0.0
        assert service.stop()[0] == 0
    with Workspace(folder).store() as engine:
        assert engine.rows("SELECT count(*) FROM lookups WHERE subject = 'domain=slow.com'") == [(0,)]
        assert engine.rows("SELECT count(*) FROM lookups WHERE subject LIKE 'domain=many%'") == [(40,)]
