"""What our connectors ask, held against what the vendors publish of their APIs (where a licence lets it stand here)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connect.conformance import DAY, KINDS, people
from connect.contract import FORM, JSON, Contract
from connect.stand_in import Call, Kind, Opened, StandIn
from connect.test_conformance_write import FIELDS, VALUES
from leadlight.connect.protocol import Cursor, Note, Want, Write
from leadlight.connect.stripe import api as stripe

CONTRACTS = {file.parent.name: Contract(file) for file in sorted(Path(__file__).parent.glob("*/contract.json"))}
OUTSIDE: Mapping[str, Mapping[str, str]] = {
    "pipedrive": {"/oauth/token": "OAuth's own host, of which the description of the API says nothing"},
}
"""By system: paths that the connector asks for and that its contract need not know, and why."""


@pytest.fixture(scope="module", params=CONTRACTS)
def asked(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A system that was asked all that its connector knows to ask."""
    made: StandIn = import_module(f"connect.{request.param}.stand_in").StandIn()
    with made.serving() as served:
        drive(served)
        assert served.errors == []
        yield served


def drive(system: StandIn) -> None:
    """Read everything, whole and on from there, and write to whatever takes scores."""
    kinds = {kind.object: kind for name in KINDS if (kind := getattr(system, name)) is not None}
    ids = {name: [system.add(name, **more_of(kinds.get(name))) for _ in range(3)] for name in system.fields}
    ids[system.people.object] += people(system)
    with system.open() as opened:
        cursors = read(opened, {})
    system.clock.advance(DAY)
    for name, kind in kinds.items():
        system.edit(name, ids[name][0], **{kind.text: "other"})
        system.delete(name, ids[name].pop())
    with system.open() as opened:
        read(opened, cursors)
        for name in ids:
            push(system, opened, name, ids[name][:2])


def more_of(kind: Kind | None) -> dict[str, Any]:
    return {} if kind is None else {kind.text: "one", **kind.more}


def read(opened: Opened, cursors: Mapping[str, Cursor]) -> dict[str, Cursor]:
    """Read all there is from cursors on; return the last ones."""
    last = {}
    for one in opened.session.describe():
        for page in opened.session.read(Want(one, cursors.get(one.name), history=True)):
            last[one.name] = page.cursor
    return last


def push(system: StandIn, opened: Opened, name: str, ids: list[str]) -> None:
    """Make fields of an object, write to them, look, and add tasks and notes to its records."""
    opened.session.ready(name, FIELDS, dry=True)
    readied = opened.session.ready(name, FIELDS)
    if all(one.was != "missing" for one in readied):
        fields = [one.field for one in opened.session.ready(name, FIELDS)]
        values = dict(zip(fields, (VALUES[field.name] for field in FIELDS), strict=True))
        written = opened.session.write(name, [Write(one, values) for one in ids])
        assert [one.error for one in written] == [None] * len(ids)
        assert opened.session.look(name, ids, fields) == dict.fromkeys(ids, values)
        opened.session.write(name, [Write(ids[0], dict.fromkeys(fields))])
    if "note" not in system.lacks:
        due = datetime(2026, 3, 5, 9)
        opened.session.note(name, [Note(one, "Call", "Now A", due=due, key=f"t-{one}") for one in ids])
        opened.session.note(name, [Note(one, "Grade", "Now A", kind="note", key=f"n-{one}") for one in ids])


def test_asks_only_what_the_vendor_publishes(asked: StandIn) -> None:
    assert CONTRACTS[asked.system].faults(asked.calls, OUTSIDE.get(asked.system)) == []


def test_all_of_the_contract_was_asked(asked: StandIn) -> None:
    contract = CONTRACTS[asked.system]
    assert contract.operations - {contract.operation(call) for call in asked.calls} == set()


def test_what_is_outside_was_asked(asked: StandIn) -> None:
    assert set(OUTSIDE.get(asked.system, {})) <= {urlsplit(call.url).path for call in asked.calls}


def test_a_stripe_of_another_version_is_another_contract() -> None:
    assert CONTRACTS["stripe"].version == stripe.VERSION


def call(asked: str, body: bytes = b"", kind: str = "") -> Call:
    method, _, url = asked.partition(" ")
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return Call(method, url, {}, query, {"content-type": kind} if kind else {}, body, 0.0)


WRONG = {
    "stripe": [
        (call("GET /v1/coupons"), "not in the contract"),
        (call("DELETE /v1/customers"), "not in the contract"),
        (call("GET /v1/customers?per_page=5"), "no parameter per_page"),
        (call("GET /v1/customers?limit=many"), "limit: 'many' is not of type 'integer'"),
        (call("GET /v1/customers?limit=1&limit=2"), "limit comes twice"),
        (call("GET /v1/subscriptions?status=every"), "status: 'every'"),
        (call("GET /v1/events?created[after]=5"), "created: {'after'"),
        (call("GET /v1/events?types=a"), "types: 'a' is not of type 'array'"),
        (call("GET /v1/customers/cus_1", b"a=b", FORM), "takes no body"),
        (call("POST /v1/customers/cus_1", b"metadata[a][b]=c", FORM), "body.metadata: "),
        (call("POST /v1/customers/cus_1", b"grade=A", FORM), "'grade' was unexpected"),
        (call("POST /v1/customers/cus_1", b"{}", JSON), "takes no body of application/json"),
    ],
    "pipedrive": [
        (call("GET /api/v1/persons"), "not in the contract"),
        (call("PUT /api/v2/persons/5"), "not in the contract"),
        (call("GET /api/v2/persons?since=2026-01-01"), "no parameter since"),
        (call("GET /api/v2/persons?sort_by=name"), "sort_by: 'name' is not one of"),
        (call("GET /api/v2/deals?status=open,gone"), "status.1: 'gone' is not one of"),
        (call("GET /api/v1/recents?items=deal"), "since_timestamp is missing"),
        (call("GET /api/v1/persons/x/changelog"), "id: 'x' is not of type 'number'"),
        (call("PATCH /api/v2/persons/5", b'{"score": 7}', JSON), "'score' was unexpected"),
        (call("PATCH /api/v2/persons/5", b"{", JSON), "no JSON"),
        (call("POST /api/v2/activities", b'{"done": 0}', JSON), "body.done: 0 is not of type 'boolean'"),
        (call("POST /api/v2/personFields", b'{"field_name": "a"}', JSON), "'field_type' is a required property"),
        (call("POST /api/v1/notes", b'{"person_id": 5}', JSON), "'content' is a required property"),
    ],
}


@pytest.mark.parametrize(
    ("system", "wrong", "words"),
    [pytest.param(name, *one, id=f"{name}-{at}") for name, many in WRONG.items() for at, one in enumerate(many)],
)
def test_a_wrong_request_is_found(system: str, wrong: Call, words: str) -> None:
    (fault,) = CONTRACTS[system].faults([wrong])
    assert words in fault


def test_a_path_outside_is_a_fault_unless_it_is_listed() -> None:
    token = call("POST /oauth/token", b"grant_type=refresh_token", FORM)
    assert CONTRACTS["pipedrive"].faults([token])
    assert not CONTRACTS["pipedrive"].faults([token], OUTSIDE["pipedrive"])
