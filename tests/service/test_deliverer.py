"""From an event to a webhook, through the running service, on both stores."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.notify.receivers import SECRET, Receiver, receiver
from tests.service.shop import Inside, inside, make_shop, outside

from leadlight.service.serve import running

NOTIFY = """
notify:
  destinations:
    crm: {{webhook: "{address}", secret: "${{HOOK_SECRET}}"}}
  rules:
    hot: {{scorecard: house, change: both, again: always, tell: crm, include: [job]}}
"""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with receiver() as made:
        yield made


def shop_of(folder: Path, hook: Receiver, store: str | None = None) -> Path:
    """The shop, with somebody who hears of it."""
    shop = make_shop(folder)
    text = (shop / "leadlight.yaml").read_text()
    if store is not None:
        text = re.sub(r"^store: .*$", lambda _: f"store: {store}", text, flags=re.MULTILINE)
    (shop / "leadlight.yaml").write_text(text + NOTIFY.format(address=hook.address))
    return shop


def demo(who: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Demo Requested", "userId": who, **more}


def figure(service: Inside, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", service.request("GET", "/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def until(what: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_an_event_becomes_a_webhook(
    engine: str, tmp_path: Path, hook: Receiver, request: pytest.FixtureRequest
) -> None:
    store = request.getfixturevalue("postgres_store") if engine == "postgres" else None
    with inside(shop_of(tmp_path / "shop", hook, store)) as service:
        assert hook.heard == []  # the first ingest and its scores alert nobody
        service.send(demo("crm-2"), demo("crm-2", messageId="again"))
        service.settle()
        (heard,) = hook.wait(1)
        said = heard.verified()
        change = said["data"]
        assert (said["type"], change["id"], change["to"], change["direction"]) == ("grade.changed", "crm-2", "A", "up")
        assert change["attributes"] == {"job": None}
        assert any("demo" in reason.lower() for reason in change["reasons"]), change["reasons"]
        lead = service.get("/v1/leads/crm-2", scorecard="house").json()
        assert (lead["score"], lead["grade"]) == (pytest.approx(change["score"], abs=0.01), "A")
        until(lambda: figure(service, 'leadlight_messages_total{destination="crm",outcome="sent"}') == 1)
        until(lambda: figure(service, "leadlight_call_to_delivery_seconds_count") == 1)
        assert figure(service, "leadlight_score_to_delivery_seconds_count") == 1
        until(lambda: service.get("/v1/outbox", state="sent").json()["messages"][0]["message"] == heard.id)


def test_what_is_put_aside_is_listed_and_replayed_over_http(tmp_path: Path, hook: Receiver) -> None:
    hook.answers = [410]
    with inside(shop_of(tmp_path / "shop", hook)) as service:
        service.send(demo("crm-2"))
        hook.wait(1)
        until(lambda: service.get("/v1/outbox", state="dead").json()["messages"])
        (dead,) = service.get("/v1/outbox", state="dead").json()["messages"]
        assert dead["error"].startswith("410")
        until(lambda: figure(service, 'leadlight_outbox{state="dead"}') == 1)
        wrong = service.post("/v1/outbox/replay", {"messages": ["msg_none"]})
        assert (wrong.status_code, "msg_none" in wrong.json()["detail"]) == (404, True)
        assert service.post("/v1/outbox/replay", {"messages": []}).status_code == 400
        assert service.post("/v1/outbox/replay", {"messages": "all"}).json()["replayed"] == [dead["message"]]
        assert [heard.id for heard in hook.wait(2)] == [dead["message"]] * 2
        hook.answers = [410]
        service.send({"type": "identify", "userId": "crm-1", "traits": {"job": "c_level", "staff": 900}}, demo("crm-1"))
        hook.wait(3)
        until(lambda: service.get("/v1/outbox", state="dead").json()["messages"])
        (dead,) = service.get("/v1/outbox", state="dead").json()["messages"]
        dropped = service.post("/v1/outbox/drop", {"messages": [dead["message"]]}).json()
        assert dropped == {"counts": dropped["counts"], "dropped": [dead["message"]]}
        assert dropped["counts"]["dead"] == 0
        key = {"Authorization": f"Bearer {service.state.keys.make('r', ['read'])[0]}"}
        assert service.request("GET", "/v1/outbox", headers=key).status_code == 403


@pytest.mark.slow
def test_a_kill_while_a_message_is_on_its_way_sends_it_again_after_the_start(tmp_path: Path, hook: Receiver) -> None:
    shop = shop_of(tmp_path / "shop", hook)
    hook.answers = ["hang"]
    with outside(shop) as service:
        body = {"batch": [demo("crm-2")]}
        assert httpx.post(f"{service.address}/v1/batch", json=body, headers=service.auth, timeout=20).status_code == 200
        hook.wait(1)
        service.kill()
    with outside(shop) as service:
        first, second = hook.wait(2)
        assert first.id == second.id
        assert first.body == second.body
        until(lambda: service.get("/v1/outbox", state="sent")["counts"]["sent"] == 1)
        assert service.stop()[0] == 0
    assert len(hook.heard) == 2


def test_a_destination_that_cannot_be_used_is_said_at_the_start(
    tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_of(tmp_path / "shop", hook)
    monkeypatch.delenv("HOOK_SECRET")
    said: list[str] = []
    with running(shop, say=said.append):
        until(lambda: any("crm hears of nothing: HOOK_SECRET is not set" in line for line in said))
