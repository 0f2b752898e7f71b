"""Requests that mean harm, or nothing: each gets the right 4xx, and the store is as it was."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from tests.service.shop import Inside, inside, make_shop

from leadlight.service.app import operations
from leadlight.service.keys import Keys
from leadlight.service.operation import Operation, Parameter
from leadlight.service.shelf import FileShelf

TEXTS = {
    "a quote": "' OR '1'='1", "a statement": '"; DROP TABLE leads; --', "a path": "../../../etc/passwd",
    "a lookup": "${jndi:ldap://127.0.0.1/x}", "a template": "{{7*7}}", "markup": "<script>alert(1)</script>",
    "NUL": "a\x00b", "right to left": "\u202eabc", "very long": "x" * 4_000, "an emoji": "😀" * 50,
    "a header": "x\r\nSet-Cookie: a=1", "infinite": "1e400", "NaN": "NaN", "an array": "[]", "an object": "{}",
    "negative": "-1", "hexadecimal": "0x10", "a wild card": "%_%", "a command": "$(touch /tmp/x)", "nothing": "",
}  # fmt: skip
BODIES = {
    "deep": b'{"a":' * 30_000, "as deep as JSON is read": b'{"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    "an array": b"[]", "a text": b'"x"', "null": b"null", "NaN": b'{"limit": NaN}',
    "beyond all numbers": b'{"limit": 1e999}', "bad UTF-8": b'{"name": "\xff\xfe"}',
    "half a pair": b'{"name": "\\ud800"}', "an unknown name": b'{"colour": 1}',
    "a key twice": b'{"name": "a", "name": "b"}', "a huge number": b'{"seed": ' + b"9" * 400 + b"}",
    "cut off": b'{"name": "a', "no gzip": b"\x1f\x8bnothing",
    "a bomb": gzip.compress(b'{"x":"' + b"a" * 20_000_000 + b'"}'),
    "a prototype": b'{"__proto__": {"scope": "manage"}}',
}  # fmt: skip
OPERATIONS = [one for one in operations() if one.template.startswith("/v1/")]
GUARDED = [one for one in OPERATIONS if one.scope is not None]
OURS = (
    "leads", "accounts", "rank", "explain", "why", "history", "similar", "next", "facts", "letter", "score", "evaluate",
    "watch", "threshold", "profile", "allocate", "report", "export", "sql", "scorecards", "jobs", "access", "ingest",
    "scores", "learn", "uplift", "adjust", "backtest",
)  # fmt: skip


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.template}"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with inside(make_shop(tmp_path_factory.mktemp("hostile") / "shop")) as found:
        found.state.keys.misses.free = 10**9
        yield found


@pytest.fixture(scope="module")
def sender(target: Inside) -> str:
    return target.state.keys.make("sender", ["ingest"])[0]


@pytest.fixture(scope="module")
def first(target: Inside, sender: str) -> str:
    """What there is before anything was tried."""
    assert sender  # it is made before
    return content(target)


@pytest.fixture(autouse=True)
def _unchanged(target: Inside, first: str) -> Iterator[None]:
    yield
    assert content(target) == first


def content(service: Inside) -> str:
    """A hash of all the store holds, of the workspace's files and of the keys."""

    def rows(workspace: Any) -> list[Any]:
        tables = sorted(workspace.engine.tables())
        return [workspace.engine.rows(f"SELECT count(*), bit_xor(hash(t)) FROM {table} t")[0] for table in tables]

    said = [service.state.worker.do(rows).result(20), [key.id for key in service.state.keys.all()]]
    root = service.state.folder
    files = [path.read_bytes().hex() for path in sorted(root.glob("*.yaml")) + sorted(root.glob("*/*.yaml"))]
    return hashlib.sha256(json.dumps([str(said), files]).encode()).hexdigest()


def url(operation: Operation, value: str = "crm-1") -> str:
    """The operation's address with something in place of each part of its path."""
    path = operation.template
    for one in operation.all_parameters:
        if one.where == "path":
            path = path.replace("{" + one.name + "}", quote(value, safe=""))
    return path


def needed(operation: Operation) -> dict[str, str]:
    return {one.name: str(one.example or "7d") for one in operation.parameters if one.required and one.where == "query"}


def envelope(answer: httpx.Response, *status: int) -> dict[str, Any]:
    assert answer.status_code in status, f"{answer.status_code}: {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["detail"]
    return dict(found)


PROOFS = {
    "nothing": "", "another workspace's": "Bearer {foreign}", "too short": "Bearer ll_", "no base 64": "Basic !!!",
    "very long": "Bearer " + "x" * 5_000, "another scheme": "Digest a=b",
}  # fmt: skip


@pytest.mark.parametrize("name", PROOFS)
def test_without_the_right_key(target: Inside, tmp_path: Path, name: str) -> None:
    foreign, _ = Keys(FileShelf(tmp_path / "another")).make("theirs", ["ingest", "read", "manage"])
    headers = {"Authorization": PROOFS[name].format(foreign=foreign)} if PROOFS[name] else {}
    for one in GUARDED:
        answer = target.request(one.method, url(one), headers=headers, content=b'{"a": 1}')
        assert answer.status_code == 401 or (one.scope == "ingest" and answer.status_code == 400), named(one)


def test_with_a_key_that_may_only_send(target: Inside, sender: str) -> None:
    headers = {"Authorization": f"Bearer {sender}"}
    for one in GUARDED:
        if one.scope in ("read", "manage") and one.path != "/v1/me":  # which tells any key what it may
            answer = target.request(one.method, url(one), headers=headers, content=b"{}")
            assert answer.status_code == 403, named(one)
            envelope(answer, 403)


def _asking() -> list[Any]:
    """Each parameter of a query with one of the texts, so that all texts are tried on some of them."""
    places = [(one, parameter) for one in OPERATIONS if one.method == "GET" and one.scope == "read"
              for parameter in one.parameters if parameter.where == "query"]  # fmt: skip
    names, chosen = list(TEXTS), []
    for number, (operation, parameter) in enumerate(places):
        told = tuple(names[(number * 7 + step * 5) % len(names)] for step in range(1))
        chosen.append(pytest.param(operation, parameter, told, id=f"{operation.template} {parameter.name}"))
    return chosen


@pytest.mark.parametrize(("operation", "parameter", "texts"), _asking())
def test_a_value_in_the_query(
    target: Inside, operation: Operation, parameter: Parameter, texts: tuple[str, ...]
) -> None:
    for name in texts:
        answer = target.get(url(operation), **{**needed(operation), parameter.name: TEXTS[name]})
        if answer.status_code != 200:  # as a filter, a text that nothing is called has an answer: nobody
            envelope(answer, 400, 404, 409)
        else:
            assert "text/html" not in answer.headers["content-type"] or "<script>alert" not in answer.text
        assert "etc/passwd:" not in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", TEXTS)
def test_an_id_in_the_path(target: Inside, name: str) -> None:
    text = TEXTS[name]
    for operation in OPERATIONS:
        if operation.template.split("/")[2] in OURS and operation.method in ("GET", "DELETE") and "{" in operation.path:
            path = url(operation, text)
            answer = target.request(operation.method, path, params=needed(operation))
            if text or operation.path.endswith("}"):
                assert answer.status_code in (400, 404, 405) or name == "nothing", f"{path}: {answer.text[:200]}"
            assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_none(target: Inside, name: str) -> None:
    for operation in OPERATIONS:
        if isinstance(operation.request, type) and operation.template.split("/")[2] in (*OURS, "keys"):
            answer = target.request(operation.method, url(operation, "house"), content=BODIES[name])
            envelope(answer, 400, 404, 413)


@pytest.mark.parametrize(
    "kind", ["application/xml", "multipart/form-data; boundary=x", "image/png", "text/html", "x/y;;"]
)
def test_content_that_is_no_json(target: Inside, kind: str) -> None:
    headers = {"Authorization": f"Bearer {target.key}", "Content-Type": kind}
    for path in ("/v1/learn", "/v1/allocate", "/v1/scorecards/house/publish"):
        answer = target.request("POST", path, content=b"{}", headers=headers)
        assert envelope(answer, 415)
        assert answer.headers["accept-post"] == "application/json"


@pytest.mark.parametrize("wanted", ["image/png", "text/csv", "application/json;q=0", "x", ", ,"])
def test_an_answer_of_another_kind(target: Inside, wanted: str) -> None:
    headers = {"Authorization": f"Bearer {target.key}", "Accept": wanted}
    for path in ("/v1/leads", "/v1/leads/crm-1", "/v1/jobs", "/v1/scorecards"):
        envelope(target.request("GET", path, headers=headers), 406)


def test_a_method_there_is_not_says_which_there_are(target: Inside) -> None:
    paths = {one.template: url(one) for one in OPERATIONS}
    for path, address in paths.items():
        there = {one.method for one in OPERATIONS if one.template == path}
        # What comes behind `/v1/leads/` or `/v1/refused/` is an id as well.
        ids = {one.method for one in OPERATIONS if re.fullmatch(re.sub(r"\{\w+\}", ".+", one.template), address)}
        for method in sorted({"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"} - there - ids):
            answer = target.request(method, address)
            envelope(answer, 405)
            allow = {one.strip() for one in answer.headers["allow"].split(",")}
            assert there <= allow, (path, allow, there)
            assert method not in allow


@pytest.mark.parametrize(
    "path", ["/v1/leads", "/v1/leads/crm-1", "/v1/scorecards/house", "/v1/sql", "/v1/openapi.json"]
)
def test_head_is_get_without_the_body(target: Inside, path: str) -> None:
    params = {"as_of": "2026-03-01"} if "openapi" not in path and "scorecards" not in path else {}
    got, head = target.request("GET", path, params=params), target.request("HEAD", path, params=params)
    assert head.status_code == got.status_code == 200
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers.get("etag") == got.headers.get("etag")


WIRE = {
    "a length too short": b"POST /v1/score HTTP/1.1\r\nHost: x\r\n{key}Content-Length: 3\r\n\r\n{\"job\": \"vp\"}",
    "a length that is none": b"POST /v1/score HTTP/1.1\r\nHost: x\r\n{key}Content-Length: abc\r\n\r\n{}",
    "a negative length": b"POST /v1/score HTTP/1.1\r\nHost: x\r\n{key}Content-Length: -1\r\n\r\n{}",
    "two lengths": b"POST /v1/score HTTP/1.1\r\nHost: x\r\n{key}Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
    "smuggled": b"POST /v1/score HTTP/1.1\r\nHost: x\r\n{key}Content-Length: 4\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                b"GET /v1/keys HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x00\xa5\x01\x00\x00",
    "a bad chunk": b"POST /v1/score HTTP/1.1\r\nHost: x\r\n{key}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "no host": b"GET /v1/leads HTTP/1.1\r\n{key}\r\n",
    "a NUL in a header": b"GET /v1/leads HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
    "a huge header": b"GET /v1/leads HTTP/1.1\r\nHost: x\r\n{key}X-A: " + b"a" * 200_000 + b"\r\n\r\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def address(target: Inside) -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(target.app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize("name", WIRE)
def test_what_is_wrong_on_the_wire(target: Inside, address: tuple[str, int], name: str) -> None:
    raw = WIRE[name].replace(b"{key}", f"Authorization: Bearer {target.key}\r\nConnection: close\r\n".encode())
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        said = b""
        while part := line.recv(65536):
            said += part
    statuses = [int(one[:3]) for one in said.split(b"HTTP/1.1 ")[1:]]
    assert statuses[:1] in ([400], [401], [431], []), said[:300]
    assert 200 not in statuses
