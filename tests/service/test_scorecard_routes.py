"""A scorecard's way over HTTP: read, drafted, compared on real leads, published, put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service.shop import HOUSE, Inside

CARD = "/v1/scorecards/house"
EDITED = HOUSE.lstrip().replace("vp: 12", "vp: 18")


def put(service: Inside, text: str | bytes = EDITED, path: str = f"{CARD}/draft", **headers: str) -> httpx.Response:
    more = {"Authorization": f"Bearer {service.key}", "Content-Type": "application/yaml", **headers}
    return service.request("PUT", path, content=text, headers=more)


def post(service: Inside, what: str, body: Any = None, **headers: str) -> httpx.Response:
    more = {"Authorization": f"Bearer {service.key}", **headers}
    return service.request("POST", f"{CARD}/{what}", json=body or {}, headers=more)


def fit(service: Inside) -> float:
    return float(service.get("/v1/leads/crm-1", fields="groups.fit").json()["groups"]["fit"])


def test_from_a_draft_to_use_and_back(service: Inside, shop: Path) -> None:
    first = service.get(CARD)
    assert first.text == HOUSE.lstrip()
    assert first.headers["content-type"].startswith("application/yaml")
    version, points = service.get("/v1/scorecards").json()["scorecards"][1]["version"], fit(service)

    kept = put(service)
    assert kept.status_code == 201, kept.text
    assert put(service).status_code == 200
    assert service.get(f"{CARD}/draft").text == EDITED
    assert fit(service) == points, "a draft is not in use"

    told = service.get(f"{CARD}/diff").json()
    assert (told["old"], told["new"]) == (version, kept.json()["version"])
    assert told["moved"] == 1
    assert told["most_moved"][0]["items"] == {"Job": 6.0}

    published = post(service, "publish").json()
    assert published == {"name": "house", "version": kept.json()["version"], "replaced": True}
    assert fit(service) == points + 6
    assert service.get(f"{CARD}/draft").status_code == 404
    assert (shop / "scorecards" / "house.yaml").read_text() == EDITED
    silent = service.rows("SELECT DISTINCT silent FROM grade_history WHERE version = ?", [published["version"]])
    assert silent == [(True,)]

    assert post(service, "revert").json()["version"] == version
    assert fit(service) == points
    used = service.get(f"{CARD}/versions").json()["versions"]
    assert [one["version"] for one in used] == [version, published["version"], version]
    assert "vp: 18" in service.get(f"{CARD}/versions/{published['version']}").text


def test_as_json_where_that_is_asked_for(past: Inside) -> None:
    headers = {"Authorization": f"Bearer {past.key}", "Accept": "application/json"}
    found = past.request("GET", CARD, headers=headers).json()
    assert found["groups"]["fit"]["criteria"][0]["points"] == {"vp": 12.0, "c_level": 20.0}


def test_all_faults_at_once_with_their_lines(past: Inside) -> None:
    wrong = HOUSE.lstrip().replace("feature: job", "feature: jib").replace("cap: [0, 60]", "cap: [60, 0]")
    answer = put(past, wrong)
    assert answer.status_code == 400
    faults = answer.json()["faults"]
    assert {(fault["file"], fault["line"]) for fault in faults} >= {("drafts/house.yaml", 9)}
    assert past.get(f"{CARD}/draft").status_code == 404
    both = put(past, HOUSE.lstrip().replace("feature: job", "feature: jib").replace("feature: staff", "feature: stuff"))
    assert [fault["line"] for fault in both.json()["faults"]] == [5, 6, 12]


@pytest.mark.parametrize(
    ("text", "status"),
    [("", 400), ("- a list", 400), ("a: [", 400), (b"\xff\xfe", 400), ("a: &a [*a]", 400),
     ("!!python/name:os.system", 400), ("groups: {}\ngroups: {}", 400), (b"\x00", 400)],
    ids=["nothing", "list", "broken", "no UTF-8", "alias of itself", "a tag", "a key twice", "NUL"],
)  # fmt: skip
def test_drafts_that_are_none(past: Inside, text: str | bytes, status: int) -> None:
    answer = put(past, text)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert past.get(f"{CARD}/draft").status_code == 404


def test_a_draft_that_changed_since_it_was_read_is_not_overwritten(service: Inside) -> None:
    assert put(service, **{"If-Match": '"x"'}).status_code == 412
    assert put(service, **{"If-None-Match": "*"}).status_code == 201
    assert put(service, **{"If-None-Match": "*"}).status_code == 412
    tag = service.get(f"{CARD}/draft").headers["etag"]
    assert put(service, EDITED + "# mine\n", **{"If-Match": tag}).status_code == 200
    assert put(service, EDITED + "# theirs\n", **{"If-Match": tag}).status_code == 412
    assert post(service, "publish", **{"If-Match": tag}).status_code == 412
    assert service.get(f"{CARD}/draft").text.endswith("# mine\n")
    now = service.get(f"{CARD}/draft").headers["etag"]
    headers = {"Authorization": f"Bearer {service.key}", "If-None-Match": now}
    assert service.request("GET", f"{CARD}/draft", headers=headers).status_code == 304
    assert service.request("DELETE", f"{CARD}/draft").status_code == 204
    assert service.request("DELETE", f"{CARD}/draft").status_code == 404


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fhouse", "a%00b", ".hidden", "x" * 65, "house.before", "a b"])
def test_names_that_no_scorecard_has(past: Inside, name: str) -> None:
    answer = put(past, path=f"/v1/scorecards/{name}/draft")
    assert answer.status_code == 404
    before = {path.name for path in (past.state.folder / "scorecards").iterdir()}
    assert before == {"house.yaml", "firms.yaml"}


def test_a_new_scorecard_can_be_published(service: Inside) -> None:
    new = "groups:\n  fit:\n    criteria:\n      - {name: Job, feature: job, points: {vp: 1}, other: 0, missing: 0}\n"
    path = "/v1/scorecards/tiny"
    assert put(service, new, f"{path}/draft").status_code == 201
    assert service.get(f"{path}/diff").status_code == 404, "there is nothing to compare with"
    assert service.request("POST", f"{path}/publish").json()["replaced"] is False
    assert service.get("/v1/leads/crm-1", scorecard="tiny").json()["score"] == 1


def test_what_there_is_not(past: Inside) -> None:
    for what in ("", "/draft", "/diff", "/versions", "/versions/abcdef"):
        assert past.get(f"/v1/scorecards/nothing{what}").status_code == 404, what
    assert post(past, "publish").status_code == 404
    assert post(past, "revert").status_code == 404
