"""The API over a store in PostgreSQL: the same answers, drafts, jobs, access and erasure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import HOUSE, Inside, inside, make_shop, settle

AS_OF = "2026-03-01"


@pytest.fixture
def shared(tmp_path: Path, postgres_store: str) -> Iterator[Inside]:
    folder = make_shop(tmp_path / "shop")
    file = folder / "leadlight.yaml"
    file.write_text(file.read_text().replace("duckdb:store.duckdb", postgres_store))
    with inside(folder) as found:
        yield found


def near(content: Any) -> Any:
    """Plain values with floats rounded: sums of floats have no fixed order."""
    return json.loads(json.dumps(content), parse_float=lambda text: round(float(text), 6))


def test_all_of_it_on_both_stores(shared: Inside, past: Inside) -> None:
    for path in ("leads", "leads/crm-1", "explain/crm-2", "facts/crm-1", "letter/crm-3", "leads/crm-1/access",
                 "scorecards/house"):  # fmt: skip
        asked = {} if "access" in path or "scorecards" in path else {"as_of": AS_OF}
        here, there = (service.get(f"/v1/{path}", **asked) for service in (shared, past))
        assert here.status_code == there.status_code == 200, here.text
        if "access" in path:
            assert {table: len(rows) for table, rows in here.json()["tables"].items()} == {
                table: len(rows) for table, rows in there.json()["tables"].items()
            }
        elif "scorecards" in path:
            assert here.text == there.text
        else:
            assert _timeless(near(here.json())) == _timeless(near(there.json()))
    filtered = [service.get("/v1/leads", as_of=AS_OF, where="staff < 50", account="acme").json()["rows"]
                for service in (shared, past)]  # fmt: skip
    assert near(filtered[0]) == near(filtered[1])
    _published_scored_and_erased(shared)


def _timeless(content: dict[str, Any]) -> dict[str, Any]:
    """Without the scores that were given at the start of each service, which was at another moment."""
    return {name: value for name, value in content.items() if name != "history"}


def _published_scored_and_erased(shared: Inside) -> None:
    headers = {"Authorization": f"Bearer {shared.key}", "Content-Type": "application/yaml"}
    draft = HOUSE.lstrip().replace("vp: 12", "vp: 18")
    kept = shared.request("PUT", "/v1/scorecards/house/draft", content=draft, headers=headers)
    assert kept.status_code == 201, kept.text
    assert shared.get("/v1/scorecards/house/diff").json()["moved"] == 1
    assert shared.request("POST", "/v1/scorecards/house/publish").json()["version"] == kept.json()["version"]
    assert shared.get("/v1/leads/crm-1").json()["groups"]["fit"] == 30

    begun = shared.post("/v1/scores", {"scorecard": "house"}).headers["location"]
    settle(lambda: {"waiting": shared.get(begun).json()["state"] in ("waiting", "running"), "unscored": 0})
    assert shared.get(begun).json()["result"]["scores"][0]["scored"] == 3

    shared.send({"type": "track", "event": "order", "userId": "crm-1", "messageId": "m"})
    erased = shared.request("DELETE", "/v1/leads/crm-1")
    assert erased.status_code == 200, erased.text
    assert shared.get("/v1/leads/crm-1").status_code == 404
    again = {**headers, "Content-Type": "application/json", "Idempotency-Key": "one"}
    made = [shared.request("POST", "/v1/keys", json={"name": "web", "scopes": ["ingest"]}, headers=again)
            for _ in range(2)]  # fmt: skip
    assert made[0].json() == made[1].json()
