from __future__ import annotations

import json
import resource
import stat
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.service.gate import Gate, gate

from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import StoreError
from leadlight.service.audit import FIRST, Act, AuditFile, AuditLog, AuditTable, audited

AT = datetime(2026, 3, 1)


def act(number: int) -> Act:
    return Act("k1", "DELETE /v1/keys/{id}", f"key {number}", "200", "é" if number % 2 else "")


@pytest.fixture(params=["file", "table"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AuditLog]:
    if request.param == "file":
        yield AuditFile(tmp_path / ".leadlight" / "audit.jsonl")
        return
    engine = PostgresEngine(request.getfixturevalue("postgres_store"))
    yield AuditTable(engine)
    engine.close()


def test_each_entry_follows_from_the_one_before(log: AuditLog) -> None:
    assert audited(log).head == FIRST
    kept = [log.append(AT, act(number)) for number in range(5)]
    found = audited(log, limit=3)
    assert list(found.entries) == kept[2:]
    assert (found.count, found.head, found.broken_at) == (5, kept[-1].hash, None)
    assert [entry.before for entry in kept] == [FIRST, *(entry.hash for entry in kept[:-1])]
    assert audited(log, limit=2, since=1).entries == tuple(kept[1:3])


def test_several_at_once_make_one_chain(log: AuditLog) -> None:
    threads = [threading.Thread(target=lambda: [log.append(AT, act(n)) for n in range(10)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (audited(log).count, audited(log).broken_at) == (30, None)


class Counting(PostgresEngine):
    """One that notes how many rows it was asked for at once."""

    most = 0

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found = super().rows(sql, parameters)
        self.most = max(self.most, len(found) if "live_audit" in sql else 0)
        return found


def test_a_table_is_read_page_by_page(postgres_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadlight.service.audit.PAGE", 3)
    engine = Counting(postgres_store)
    log = AuditTable(engine)
    kept = [log.append(AT, act(number)) for number in range(7)]
    assert list(log.entries()) == kept
    assert engine.most == 3
    engine.execute("INSERT INTO live_audit SELECT position, entry FROM live_audit WHERE position = 3")
    assert audited(log).broken_at == 3  # though another page begins behind it
    assert (audited(log).count, audited(log, limit=1).entries) == (8, tuple(kept[6:]))
    engine.close()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    log = AuditFile(path)
    for number in range(4):
        log.append(AT, act(number))
    return path


def changed(line: str, **values: object) -> str:
    return json.dumps({**json.loads(line), **values})


def test_who_changes_removes_or_inserts_is_seen(written: Path) -> None:
    lines = written.read_text().splitlines()
    tampered = {
        "changed": ([lines[0], changed(lines[1], who="k2"), *lines[2:]], 2),
        "removed": ([lines[0], *lines[2:]], 2),
        "the first removed": (lines[1:], 1),
        "swapped": ([lines[1], lines[0], *lines[2:]], 1),
        "inserted": ([lines[0], lines[0], *lines[1:]], 1),
        "another hash": ([*lines[:3], changed(lines[3], hash="0" * 64)], 4),
        "sealed anew, alone": ([lines[0], AuditFileOf(lines[0]).anew("k2"), *lines[2:]], 3),
    }
    for how, (text, where) in tampered.items():
        written.write_text("\n".join(text) + "\n")
        found = audited(AuditFile(written)).broken_at
        assert found is not None, how
        assert abs(found - where) <= 1, how


class AuditFileOf:
    """Somebody who knows how entries are sealed, and seals another in the place of the second."""

    def __init__(self, first: str) -> None:
        self.first = first

    def anew(self, who: str) -> str:
        from leadlight.service.audit import Entry, sealed

        return json.dumps(sealed(Entry(**json.loads(self.first)), AT, Act(who, "x", "", "200")).as_dict())


def test_what_is_cut_off_at_the_end_is_seen_by_the_head_that_was_noted(written: Path) -> None:
    head = audited(AuditFile(written)).head
    lines = written.read_text().splitlines()
    written.write_text("\n".join(lines[:3]) + "\n")
    found = audited(AuditFile(written), seen=head)
    assert found.broken_at == 4
    assert "tampered" in str(found)
    assert audited(AuditFile(written), seen=json.loads(lines[1])["hash"]).broken_at is None


def test_half_a_line_of_a_crash_is_cut_off(written: Path) -> None:
    with written.open("a") as file:
        file.write('{"position": 5, "at": "2026')
    assert audited(AuditFile(written)).count == 4
    AuditFile(written).append(AT, act(4))
    assert (audited(AuditFile(written)).count, audited(AuditFile(written)).broken_at) == (5, None)


def test_a_line_that_is_no_entry_is_said(written: Path) -> None:
    written.write_text("x\n")
    with pytest.raises(StoreError, match="no entry"):
        audited(AuditFile(written))


def test_it_is_read_by_its_owner_alone(written: Path) -> None:
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


# ------------------------------------------------------------------------------------------------------------- routes


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Gate]:
    with gate(tmp_path / "house") as found:
        yield found


def test_changes_stand_there_with_who_and_how_and_no_secret(house: Gate) -> None:
    bearer = {"Authorization": f"Bearer {house.key}"}
    browser = house.browser()
    made = browser.ask("POST", "/v1/keys", headers=bearer, json={"name": "ann@acme.example", "scopes": ["read"]}).json()
    browser.ask("POST", f"/v1/keys/{made['id']}/rotate", headers=bearer)
    browser.ask("POST", "/v1/keys", headers=bearer, json={"name": "x", "scopes": ["all"]})
    browser.ask("DELETE", f"/v1/keys/{made['id']}", headers={"Authorization": f"Bearer {made['key']}"})
    browser.ask("DELETE", f"/v1/keys/{made['id']}")  # nobody's: it changes nothing, and could fill the disk
    browser.ask("DELETE", "/v1/keys/ann@acme.example", headers=bearer)
    browser.ask("DELETE", f"/v1/keys/{made['id']}", headers=bearer)
    browser.send("/login", name="nobody@acme.example", password="whatever it is")
    said = browser.get("/v1/audit", headers=bearer)
    mine = house.admission.keys.all()[0].id
    shown = [(one["who"], one["what"], one["on"], one["outcome"]) for one in said.json()["entries"]]
    assert shown == [
        (mine, "POST /v1/keys", made["id"], "201"),
        (mine, "POST /v1/keys/{id}/rotate", made["id"], "200"),
        (mine, "POST /v1/keys", "", "400"),
        (made["id"], "DELETE /v1/keys/{id}", made["id"], "403"),
        (mine, "DELETE /v1/keys/{id}", "", "404"),
        (mine, "DELETE /v1/keys/{id}", made["id"], "200"),
        ("nobody", "POST /login", "", "403"),
    ]
    assert "acme.example" not in said.text
    assert made["key"] not in said.text
    bodies = [one["body"] for one in said.json()["entries"]]
    assert len(bodies[0]) == 64
    assert bodies[-1] == "", "not even a digest of a password"
    assert browser.get("/v1/audit", headers=bearer, params={"after": 5}).json()["entries"][0]["position"] == 6


def test_only_who_may_manage_reads_it(house: Gate) -> None:
    secret, _ = house.admission.keys.make("reader", ["read"])
    browser = house.browser()
    assert browser.get("/v1/audit", headers={"Authorization": f"Bearer {secret}"}).status_code == 403
    assert browser.get("/v1/audit").status_code == 401
    bearer = {"Authorization": f"Bearer {house.key}"}
    for wrong in ({"limit": "0"}, {"limit": "1001"}, {"after": "-1"}, {"limit": "²"}, {"after": "9" * 30}):
        assert browser.get("/v1/audit", headers=bearer, params=wrong).status_code == 400, wrong


def test_an_entry_that_has_no_room_is_not_said_to_be_kept(tmp_path: Path) -> None:
    log = AuditFile(tmp_path / "audit.jsonl")
    log.append(AT, act(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.stat().st_size + 50, before[1]))
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            log.append(AT, act(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    log.append(AT, act(3))
    assert [(entry.position, entry.on) for entry in log.entries()] == [(1, "key 1"), (2, "key 3")]
    assert audited(log).broken_at is None
