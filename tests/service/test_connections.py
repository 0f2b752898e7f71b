"""Connections while the service runs: who may ask, webhooks, what is told; and the schedule, over a real stand-in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service.shop import Inside, inside, make_shop, outside

from connect.hubspot.stand_in import StandIn
from connect.stand_in import START
from leadlight.errors import RemoteError
from leadlight.service.problems import problem_of
from leadlight.workspace import utc_now

WEBHOOK = "/v1/connections/crm/webhook"
ADDRESS = f"http://service{WEBHOOK}"


@pytest.fixture(scope="module")
def hubspot() -> Iterator[StandIn]:
    with StandIn().serving() as made:
        yield made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, hubspot: StandIn) -> Iterator[Inside]:
    """A service whose connections are asked, and never read: what it says is looked at."""
    folder = make_shop(tmp_path_factory.mktemp("connected") / "shop")
    connect(folder, f"""
  crm: {{system: hubspot, url: "{hubspot.url}", push: {{fields: {{score: leadlight_score}}}}}}
  sales: {{system: pipedrive}}
  mail: {{system: mailchimp}}
  books: {{system: tryton, url: "http://127.0.0.1:9", database: lead}}
""")  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in hubspot.secrets.items():
            patch.setenv(f"HUBSPOT_{name.upper()}", secret)
        for name, secret in (("PIPEDRIVE_WEBHOOK_USER", "us"), ("PIPEDRIVE_WEBHOOK_PASSWORD", "hook-1"),
                             ("MAILCHIMP_WEBHOOK_SECRET", "hook-2")):  # fmt: skip
            patch.setenv(name, secret)
        with inside(folder) as found:
            object.__setattr__(found.state, "now", lambda: START)
            yield found


def connect(folder: Path, connections: str, *more: tuple[str, str]) -> None:
    file = folder / "leadlight.yaml"
    text = file.read_text()
    for old, new in more:
        assert old in text
        text = text.replace(old, new)
    file.write_text(f"{text}\nconnections:{connections}")


def hook(served: Inside, hubspot: StandIn, **changed: Any) -> Any:
    headers, body = hubspot.webhook("contacts", ADDRESS)
    return served.request("POST", WEBHOOK, headers={**headers, **changed.get("headers", {})},
                          content=changed.get("body", body))  # fmt: skip


def woken(served: Inside) -> Any:
    return {one["name"]: one["woken_at"] for one in served.get("/v1/connections").json()["connections"]}["crm"]


def test_a_webhook_that_is_signed_lets_its_connection_be_read_soon(served: Inside, hubspot: StandIn) -> None:
    served.state.connections.states.note("crm", woken_at=None)

    answer = hook(served, hubspot)

    assert (answer.status_code, answer.text) == (200, "ok")
    first = woken(served)
    assert first is not None
    assert hook(served, hubspot).status_code == 200
    assert woken(served) == first


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"headers": {"X-HubSpot-Signature-v3": "bm8="}}, 401),
        ({"body": b"[]"}, 401),
        ({"body": b"{" * 100}, 401),
        ({"headers": {"X-HubSpot-Request-Timestamp": "1"}}, 401),
        ({"headers": {"X-HubSpot-Request-Timestamp": "soon"}}, 401),
        ({"body": b"x" * (1024 * 1024 + 1)}, 413),
    ],
    ids=["signature", "body", "no json", "old", "no time", "large"],
)
def test_one_that_is_not_is_refused_and_wakes_nobody(
    served: Inside, hubspot: StandIn, changed: dict[str, Any], status: int
) -> None:
    served.state.connections.states.note("crm", woken_at=None)

    answer = hook(served, hubspot, **changed)

    assert answer.status_code == status, answer.text
    assert woken(served) is None


def test_systems_that_ask_whether_webhooks_are_welcome_are_answered(served: Inside) -> None:
    assert served.request("GET", WEBHOOK, headers={}).status_code == 200
    assert served.request("GET", "/v1/connections/none/webhook", headers={}).status_code == 404
    assert served.request("POST", "/v1/connections/none/webhook", headers={}).status_code == 404
    assert served.request("POST", "/v1/connections/books/webhook", headers={}).status_code == 405


def test_each_system_proves_in_its_own_way_that_it_is_itself(served: Inside) -> None:
    person, note = (json.dumps({"meta": {"entity": entity}}) for entity in ("person", "currency"))
    joined = "type=subscribe&data%5Bemail%5D=ann@acme.example"
    calls: list[tuple[str, str, tuple[str, str] | None, int, bool]] = [
        ("sales", person, ("us", "guess"), 401, False),
        ("sales", person, None, 401, False),
        ("sales", note, ("us", "hook-1"), 200, False),
        ("sales", person, ("us", "hook-1"), 200, True),
        ("mail?secret=guess", joined, None, 401, False),
        ("mail?secret=hook-2", "", None, 200, False),
        ("mail?secret=hook-2", joined, None, 200, True),
    ]
    for where, body, auth, status, wakes in calls:
        name, _, query = where.partition("?")
        served.state.connections.states.note(name, woken_at=None)
        path = f"/v1/connections/{name}/webhook?{query}"
        answer = served.request("POST", path, content=body, headers={}, auth=auth)
        assert (answer.status_code, where) == (status, where)
        known = served.state.connections.states.all()[name]
        assert (known["woken_at"] is not None) == wakes, where


def test_connections_are_told_with_what_there_is_to_know(served: Inside) -> None:
    crm, _, _, books = served.get("/v1/connections").json()["connections"]

    assert (crm["system"], crm["title"], crm["webhook"]) == ("hubspot", "HubSpot", WEBHOOK)
    assert (crm["pushes"], crm["live"], crm["every_seconds"], crm["quota"]) == (
        True, False, None, {"used": 0, "most": 200_000},
    )  # fmt: skip
    assert (books["webhook"], books["sync"]) == (None, None)


def test_keys_are_needed_but_for_webhooks(served: Inside) -> None:
    reader, _ = served.state.keys.make("reader", ["read"], at=served.state.now())
    headers = {"Authorization": f"Bearer {reader}"}
    assert served.request("GET", "/v1/connections", headers={}).status_code == 401
    assert served.request("GET", "/v1/connections", headers=headers).status_code == 200
    for verb in ("sync", "push"):
        assert served.request("POST", f"/v1/connections/crm/{verb}", json={}, headers=headers).status_code == 403
    assert served.post("/v1/connections/none/sync", {}).status_code == 404
    assert served.post("/v1/connections/crm/push", {"dry": True}).status_code == 400


def test_a_push_that_makes_no_sense_fails_as_a_job_and_is_noted(served: Inside) -> None:
    job = finished(served, served.post("/v1/connections/crm/push", {"dry_run": True}))

    assert job["options"] == {"connection": "crm", "dry_run": True}
    assert (job["state"], job["problem"]["status"]) == ("failed", 400)
    assert "brings leads by the ids of their records" in job["problem"]["detail"]
    crm = served.get("/v1/connections").json()["connections"][0]
    assert "brings leads" in crm["push"]["problem"]
    assert not crm["busy"]
    acts = [(act["what"], act["on"]) for act in served.get("/v1/audit").json()["entries"]]
    assert ("POST /v1/connections/{name}/push", "crm") in acts
    assert b'leadlight_pushes_total{connection="crm",outcome="UsageError"} 1.0' in served.get("/metrics").content


def finished(served: Inside, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = {}

    def is_done() -> bool:
        nonlocal found
        found = served.get(answer.headers["location"]).json()
        return found["state"] in ("done", "failed")

    until(is_done)
    return found


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("trouble", "status"), [("sign_in", 502), ("quota", 503), ("unreachable", 502)])
def test_faults_of_a_system_are_problems_that_say_what_to_do(trouble: Any, status: int) -> None:
    problem = problem_of(RemoteError("HubSpot", trouble, "does not work", fix="Do this.", status=401))

    assert (problem.status, problem.more["fix"], problem.more["trouble"]) == (status, "Do this.", trouble)
    assert problem.more["remote_status"] == 401
    assert ("Retry-After" in problem.headers) == (trouble == "quota")
    assert problem.response().status_code == status


# ------------------------------------------------------------------------------------------- read and written to


FOLDER = """
store: {store}
connections:
  crm:
    system: hubspot
    url: "{url}"
    every: 1h
    push: {{live: true, fields: {{score: leadlight_score, grade: leadlight_grade}}}}
sources:
  contacts: {{connection: crm, object: contacts, kind: leads, created_at: createdate, columns: {{job: jobtitle}}}}
features:
  job: {{attribute: job}}
exclude: "deleted"
"""
CARD = """
groups:
  fit:
    criteria:
      - {name: Job, feature: job, points: {Buyer: 5, VP: 40}, missing: 0}
grades:
  score: {A: 30, B: 10, C: null}
"""


@pytest.fixture
def crm(tmp_path: Path, hubspot: StandIn, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of nothing but HubSpot, which is empty."""
    hubspot.reset()
    hubspot.clock.advance((utc_now() - hubspot.clock.now()).total_seconds())
    for name, secret in hubspot.secrets.items():
        monkeypatch.setenv(f"HUBSPOT_{name.upper()}", secret)
    return make_crm(tmp_path / "crm", hubspot)


def make_crm(folder: Path, hubspot: StandIn, store: str = "duckdb:store.duckdb") -> Path:
    (folder / "scorecards").mkdir(parents=True)
    (folder / "leadlight.yaml").write_text(FOLDER.format(url=hubspot.url, store=store).lstrip())
    (folder / "scorecards" / "house.yaml").write_text(CARD.lstrip())
    return folder


def grade(hubspot: StandIn, record: str) -> Any:
    return hubspot.records["contacts"][record].values.get("leadlight_grade")


def test_it_is_read_on_schedule_and_written_to_as_scores_change(crm: Path, hubspot: StandIn) -> None:
    buyer, boss = (hubspot.add("contacts", jobtitle=job) for job in ("Buyer", "VP"))
    with inside(crm) as service:
        until(lambda: (grade(hubspot, buyer), grade(hubspot, boss)) == ("C", "A"))
        told = service.get("/v1/connections").json()["connections"][0]
        assert told["sync"]["problem"] is None
        until(lambda: service.get("/v1/connections").json()["connections"][0]["push"] is not None)


@pytest.mark.slow
def test_a_webhook_brings_a_change_into_scores_and_back(crm: Path, hubspot: StandIn) -> None:
    buyer = hubspot.add("contacts", jobtitle="Buyer")
    with inside(crm) as service:
        until(lambda: grade(hubspot, buyer) == "C")
        hubspot.edit("contacts", buyer, jobtitle="VP")
        headers, body = hubspot.webhook("contacts", ADDRESS)
        assert service.request("POST", WEBHOOK, headers=headers, content=body).status_code == 200

        until(lambda: grade(hubspot, buyer) == "A")
        assert b'leadlight_syncs_total{connection="crm",outcome="done"} 2.0' in service.get("/metrics").content
        assert service.rows("SELECT count(*) FROM pushed") == [(1,)]


def test_jobs_read_and_write_and_a_dry_run_shows_what_it_would(crm: Path, hubspot: StandIn) -> None:
    file = crm / "leadlight.yaml"
    file.write_text(file.read_text().replace("    every: 1h\n", "").replace("live: true, ", ""))
    boss = hubspot.add("contacts", jobtitle="VP")
    with inside(crm) as service:
        hubspot.clock.advance(0.5)
        other = hubspot.add("contacts", jobtitle="Buyer")
        read = finished(service, service.post("/v1/connections/crm/sync", {}))
        assert (read["state"], read["result"]["objects"][0]["new"]) == ("done", 1)

        dry = finished(service, service.post("/v1/connections/crm/push", {"dry_run": True}))
        assert [(one["record"], one["field"], one["new"]) for one in dry["result"]["connections"][0]["changes"]] == [
            (boss, "leadlight_score", 40.0), (boss, "leadlight_grade", "A"),
            (other, "leadlight_score", 5.0), (other, "leadlight_grade", "C"),
        ]  # fmt: skip
        assert grade(hubspot, boss) is None
        assert (
            finished(service, service.post("/v1/connections/crm/push", {}))["result"]["connections"][0]["written"] == 2
        )
        assert (grade(hubspot, boss), grade(hubspot, other)) == ("A", "C")

        hubspot.revoked = True
        failed = finished(service, service.post("/v1/connections/crm/sync", {}))
        assert (failed["problem"]["status"], failed["problem"]["trouble"]) == (502, "sign_in")
        crm_now = service.get("/v1/connections").json()["connections"][0]
        assert crm_now["sync"]["problem"].startswith("HubSpot")
        assert crm_now["rests_until"] is not None
    kept = "".join(file.read_text(errors="replace") for file in crm.rglob("*") if file.is_file())
    assert not [name for name, secret in hubspot.secrets.items() if secret in kept]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_several_processes_one_reads_and_writes(tmp_path: Path, hubspot: StandIn, postgres_store: str,
                                                   crm: Path) -> None:  # fmt: skip
    del crm
    folder = make_crm(tmp_path / "shared", hubspot, postgres_store)
    file = folder / "leadlight.yaml"
    file.write_text(file.read_text().replace("every: 1h", "every: 10s"))
    lead = hubspot.add("contacts", jobtitle="VP")
    with outside(folder, "--processes", "2", "--workers", "2") as service:
        until(lambda: grade(hubspot, lead) == "A")
        until(lambda: (service.get("/v1/connections")["connections"][0]["sync"] or {}).get("ended_at") is not None)
        end = time.monotonic() + 25
        until(lambda: time.monotonic() > end, 30)
        figures = httpx.get(f"{service.address}/metrics").text
        syncs = sum(float(line.split()[1]) for line in figures.splitlines() if line.startswith("leadlight_syncs_total"))
        assert 2 <= syncs <= 4
        pushed = [line for line in figures.splitlines() if line.startswith("leadlight_records_pushed_total{")]
        assert sum(float(line.split()[1]) for line in pushed) == 1
        code, said = service.stop()
        assert code == 0, said


def test_a_service_of_which_nothing_can_be_read_does_not_begin(crm: Path, hubspot: StandIn) -> None:
    hubspot.revoked = True
    with pytest.raises(RemoteError, match="HubSpot") as found, inside(crm):
        pass
    assert found.value.trouble == "sign_in"
