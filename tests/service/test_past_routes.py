"""Verbs about everybody and the past, over HTTP: the same answers as the workspace's own."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import Inside

from leadlight.service.answers import etag

AS_OF = "2026-03-01"


@pytest.mark.parametrize(
    ("question", "said"),
    [("evaluate", "no outcomes"), ("watch", "no outcomes"), ("threshold?per_day=5", "no outcomes"),
     ("profile", "no past cases"), ("threshold", "one thing")],
)  # fmt: skip
def test_what_is_missing_is_said(past: Inside, question: str, said: str) -> None:
    answer = past.request("GET", f"/v1/{question}")
    assert answer.status_code == (400 if question == "threshold" else 404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert answer.json()["fix"]


def test_a_report_is_one_page_of_html(past: Inside) -> None:
    answer = past.get("/v1/report", as_of=AS_OF)
    assert answer.headers["content-type"].startswith("text/html")
    assert "crm-1" in answer.text
    assert "<script" not in answer.text


def test_an_export_is_the_whole_ranking(past: Inside) -> None:
    answer = past.get("/v1/export", as_of=AS_OF)
    lines = answer.text.splitlines()
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(lines) == 1 + past.get("/v1/leads", as_of=AS_OF).json()["total"]
    assert past.get("/v1/export", as_of=AS_OF, format="parquet").content.startswith(b"PAR1")


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_an_export_is_sent_part_by_part_and_no_file_of_it_stays(
    past: Inside, format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadlight.service.answers.PART", 100)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    parts, left, query = list[bytes](), set[Path](), f"as_of={AS_OF}&format={format_}"
    scope = {"type": "http", "method": "GET", "path": "/v1/export", "query_string": query.encode(),
             "headers": [(b"authorization", f"Bearer {past.key}".encode())]}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        parts.append(message.get("body", b""))
        left.update(tmp_path.iterdir())

    asyncio.run(past.app(scope, receive, send))
    whole = past.get("/v1/export", as_of=AS_OF, format=format_)
    target = tmp_path / f"r.{format_}"
    past.ask(lambda workspace: workspace.export(str(target), as_of=AS_OF))
    assert b"".join(parts) == whole.content
    assert (format_ == "parquet") or whole.content == target.read_bytes()
    assert max(map(len, parts)) == 100
    assert left == set()
    assert whole.headers["content-length"] == str(len(whole.content))
    headers = {"Authorization": f"Bearer {past.key}", "If-None-Match": etag(whole.content)}
    assert past.request("GET", f"/v1/export?{query}", headers=headers).status_code == 304


def test_sql_is_printed_for_a_dialect(past: Inside) -> None:
    assert past.get("/v1/sql", dialect="postgres").text.startswith("WITH")
    assert past.get("/v1/sql", dialect="klingon").status_code == 400


def test_a_file_of_another_kind_is_not_acceptable(past: Inside) -> None:
    headers = {"Authorization": f"Bearer {past.key}", "Accept": "image/png"}
    assert past.request("GET", "/v1/report", headers=headers).status_code == 406


def test_allocation_by_the_options_of_the_request(past: Inside) -> None:
    found = past.post("/v1/allocate?as_of=2026-03-01", {"capacity": {"hours": 2}, "limit": 1}).json()
    assert found["by_rank"]["served"] == 2
    assert len(found["served"]) == 1
    same = past.ask(lambda workspace: workspace.allocate(as_of=AS_OF, capacity={"hours": 2}, limit=1))
    assert found["capacity"] == same.as_dict()["capacity"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"capacity": {"hours": [1]}}, "/capacity/hours"), ({"pools": "/etc/passwd"}, "/pools"),
     ({"colour": 1}, "/colour"), ({"limit": "10"}, "/limit")],
)  # fmt: skip
def test_options_that_do_not_fit(past: Inside, body: dict[str, Any], pointer: str) -> None:
    answer = past.post("/v1/allocate", body)
    assert answer.status_code == 400
    assert answer.json()["faults"][0]["pointer"].startswith(pointer)


@pytest.mark.parametrize("per_day", ["x", "0", "north", "north=x", "-1"])
def test_capacities_that_are_none(past: Inside, per_day: str) -> None:
    assert "per_day" in past.get("/v1/threshold", per_day=per_day).json()["detail"]
