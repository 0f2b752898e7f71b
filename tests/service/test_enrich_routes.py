"""Look-ups over HTTP: the verb's options and report, who may, cancelling, and what is known of a lead."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.looking import Vendor, crunch, make, until
from tests.service.shop import Inside, inside

from internet import Internet
from leadlight.workspace import Workspace


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Internet, Vendor]]:
    with crunch() as found:
        yield found


@pytest.fixture
def vendor(running: tuple[Internet, Vendor]) -> Vendor:
    running[1].__dict__.update(Vendor().__dict__)
    return running[1]


@pytest.fixture
def folder(tmp_path: Path, running: tuple[Internet, Vendor], vendor: Vendor) -> Path:
    """Nobody is looked up in it unless that is asked for."""
    return make(tmp_path / "shop", running[0], on_ingest=False)


@pytest.fixture
def service(folder: Path) -> Iterator[Inside]:
    with inside(folder) as found:
        yield found


def ended(service: Inside, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    where = answer.headers["location"]
    until(lambda: service.get(where).json()["state"] not in ("waiting", "running"))
    return dict(service.get(where).json())


def test_a_job_looks_up_as_the_verb_does_and_whoever_has_new_values_is_scored_at_once(
    service: Inside, folder: Path, tmp_path: Path, vendor: Vendor
) -> None:
    other = tmp_path / "verb"
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns(".leadlight", "store*"))
    workspace = Workspace(other)
    workspace.ingest()
    workspace.score()
    verb = workspace.enrich().as_dict()
    vendor.asked.clear()

    job = ended(service, service.post("/v1/enrich", {}))

    found = job["result"]
    assert (job["state"], job["options"]) == ("done", {})
    assert found["notes"] == ["those of whom something new is known were scored again at once"]
    for name in ("leads", "asked", "skipped", "questions", "cost", "budget", "providers", "facts", "changed", "traffic",
                 "entity", "dry_run", "stopped"):  # fmt: skip
        assert found[name] == verb[name], name
    assert found.keys() == verb.keys()
    assert sorted(vendor.asked) == ["acme.com", "beta.com"]
    until(lambda: service.get("/v1/leads/L1").json()["history"][-1]["grade"] == "A")
    assert [one["change"] for one in service.get("/v1/history/L1").json()["scores"]] == [None, "up"]
    assert 'outcome="found",provider="crunch"} 2.0' in service.get("/metrics").text

    again = ended(service, service.post("/v1/enrich", {}))["result"]
    assert (again["asked"], again["notes"]) == (0, [])
    assert len(vendor.asked) == 2


def test_options_say_whom_by_whom_and_for_how_much(service: Inside, vendor: Vendor) -> None:
    dry = ended(service, service.post("/v1/enrich", {"dry_run": True}))
    assert (dry["result"]["questions"], dry["result"]["cost"], dry["options"]) == (2, 1.0, {"dry_run": True})
    cheap = ended(service, service.post("/v1/enrich", {"dry_run": True, "budget": 0.5}))["result"]
    assert (cheap["questions"], cheap["budget"]) == (1, {"money": 0.5, "requests": None})
    assert vendor.asked == []
    assert service.rows("SELECT count(*) FROM lookups") == [(0,)]

    one = ended(service, service.post("/v1/enrich", {"lead": "L2", "provider": ["crunch"]}))
    assert (one["result"]["leads"], vendor.asked, one["options"]) == (1, ["beta.com"], {"provider": ["crunch"]})
    large = ended(service, service.post("/v1/enrich", {"where": "size > 100", "requests": 0}))
    assert (large["result"]["leads"], large["options"]) == (2, {"requests": 0})
    assert large["result"]["skipped"]["the budget is spent"] == 1
    assert vendor.asked == ["beta.com"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"lead": "nobody"}, 404, "nobody"),
        ({"provider": ["crunsh"]}, 404, "did you mean 'crunch'"),
        ({"where": "size >"}, 400, "where is no condition"),
        ({"budget": -1}, 400, "/budget"),
        ({"requests": 1.5}, 400, "/requests"),
        ({"colour": 1}, 400, "/colour"),
    ],
)
def test_faults_are_told_before_anything_begins(service: Inside, body: Any, status: int, says: str) -> None:
    answer = service.post("/v1/enrich", body)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert service.get("/v1/jobs").json() == {"jobs": []}


def test_only_for_who_may_manage_and_only_where_leadlight_yaml_says_whom_to_ask(service: Inside, past: Inside) -> None:
    key, _ = service.state.keys.make("reader", ["read"])
    headers = {"Authorization": f"Bearer {key}"}
    for method, path in (("POST", "/v1/enrich"), ("DELETE", "/v1/jobs/x")):
        assert service.request(method, path, headers=headers).status_code == 403
    assert service.request("GET", "/v1/enrich", headers=headers).json() == {
        "on_ingest": False, "providers": ["crunch"], "waiting": 0, "busy": False,
        "budget": {"money": None, "requests": None}, "spent": {"money": 0.0, "requests": 0}, "trouble": None,
    }  # fmt: skip
    refused = past.post("/v1/enrich", {})
    assert (refused.status_code, refused.json()["fix"][:14]) == (409, "Write `enrich:")
    assert past.get("/v1/enrich").json()["providers"] == []


def test_one_that_runs_is_cancelled_and_keeps_nobody_else_waiting(service: Inside, vendor: Vendor) -> None:
    vendor.delay = 60.0
    begun = service.post("/v1/enrich", {})
    where = begun.headers["location"]
    until(lambda: vendor.asked)
    assert service.get("/v1/enrich").json()["busy"]
    assert ended(service, service.post("/v1/scores", {}))["state"] == "done"
    waits = service.post("/v1/enrich", {"lead": "L2"}).headers["location"]

    assert service.request("DELETE", waits).status_code == 200
    assert service.request("DELETE", where).status_code == 200

    until(lambda: [service.get(one).json()["state"] for one in (where, waits)] == ["cancelled", "cancelled"], 20)
    assert service.get(where).json()["result"]["stopped"]
    assert service.get(waits).json()["result"] in (None, {})
    assert vendor.asked.count("beta.com") == 1
    for path, status in ((where, 409), ("/v1/jobs/none", 404)):
        assert service.request("DELETE", path).status_code == status
    until(lambda: not service.get("/v1/enrich").json()["busy"])
    assert service.rows("SELECT count(*) FROM lookups") == [(0,)]


def test_an_erasure_breaks_a_job_off_which_then_goes_on(service: Inside, vendor: Vendor) -> None:
    vendor.delay = 2.0
    begun = service.post("/v1/enrich", {})
    until(lambda: len(vendor.asked) == 2)
    assert service.request("DELETE", "/v1/leads/L2").status_code == 200
    job = ended(service, begun)
    assert (job["state"], job["result"]["stopped"]) == ("done", False)
    assert (job["result"]["leads"], job["result"]["facts"], job["result"]["changed"]) == (3, 1, 1)
    assert [row[0] for row in service.rows("SELECT subject FROM lookups")] == ["domain=acme.com"]
    assert service.get("/v1/leads/L2").status_code == 404


def test_facts_of_a_lead_with_fields_and_etag(service: Inside) -> None:
    ended(service, service.post("/v1/enrich", {"lead": "L1"}))
    whole = service.get("/v1/leads/L1/facts")
    named = service.get("/v1/facts/L1")
    assert whole.json()["attributes"] == named.json()["attributes"] or whole.json().keys() == named.json().keys()
    assert [one["outcome"] for one in whole.json()["asked"]] == ["found"]
    path = "/v1/leads/L1/facts?fields=id,attributes.attribute,attributes.value&as_of=2026-02-01"
    then = service.request("GET", path)
    assert then.json() == {"id": "L1", "attributes": [{"attribute": "email", "value": "ann@acme.com"},
                                                      {"attribute": "size", "value": 500.0}]}  # fmt: skip
    headers = {"Authorization": f"Bearer {service.key}", "If-None-Match": then.headers["etag"]}
    assert service.request("GET", path, headers=headers).status_code == 304
    assert service.get("/v1/leads/nobody/facts").status_code == 404
