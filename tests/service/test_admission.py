from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.service.gate import gate

from leadlight.service.admission import Admission, first_key, open_admission
from leadlight.service.audit import Act, audited


def workspace(folder: Path, store: str) -> Path:
    folder.mkdir()
    (folder / "leadlight.yaml").write_text(f"store: {store}\n")
    return folder


@pytest.fixture
def two_schemas(postgres_store: str, postgres_uri: str) -> Iterator[tuple[str, str]]:
    """Two stores in one database."""
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA leadlight_next_door")
        yield postgres_store, f"{postgres_uri}&options=-csearch_path%3Dleadlight_next_door"
        connection.execute("DROP SCHEMA leadlight_next_door CASCADE")


def test_workspaces_in_one_database_know_nothing_of_each_other(two_schemas: tuple[str, str], tmp_path: Path) -> None:
    first, second = (workspace(tmp_path / name, store) for name, store in zip("ab", two_schemas, strict=True))
    with open_admission(first, watch=False) as here, open_admission(second, watch=False) as there:
        secret, key = here.keys.make("a", ["manage"])
        cookie = here.sessions.start(key)
        link = here.people.link()
        here.audit.append(here.now(), Act(key.id, "POST /v1/keys", "", "201"))
        there.look()
        assert there.keys.find(secret) is None
        assert there.sessions.read(cookie) is None
        assert there.sessions.cookie != here.sessions.cookie
        assert there.people.set_by_link(link.partition("token=")[2], "a few words of mine") is None
        assert audited(there.audit).count == 0
        assert here.sessions.read(cookie) is not None
        assert here.digest([b"x"]) != there.digest([b"x"])


def seen(condition: object) -> None:
    end = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["embedded", "postgresql"])
def test_processes_of_one_workspace_know_the_same_within_seconds(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = "duckdb:leadlight.duckdb" if kind == "embedded" else request.getfixturevalue("postgres_store")
    folder = workspace(tmp_path / "a", store)
    with open_admission(folder) as here, open_admission(folder) as there:
        said: list[str] = []
        for one in (here, there):
            first_key(one.keys, said.append)
        assert len(said) == 1
        secret = said[0].rpartition(" ")[2]
        assert there.keys.find(secret) is not None
        person = there.people.set_by_link(here.people.link().partition("token=")[2], "a few words of mine")
        assert person is not None
        cookie = there.sessions.start(person.key, version=person.version)
        session = here.sessions.read(cookie)
        assert session is not None
        seen(lambda: here.people.version("admin") == person.version)
        here.sessions.end(session)
        here.keys.revoke(here.keys.all()[0].id)
        seen(lambda: there.sessions.read(cookie) is None and there.keys.find(secret) is None)


def test_what_is_known_is_the_same_after_a_restart(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "a", "duckdb:leadlight.duckdb")

    def opened() -> Admission:
        with open_admission(folder, watch=False) as found:
            return found

    before = opened()
    _, key = before.keys.make("a", ["read"])
    cookie = before.sessions.start(key)
    after = opened()
    session = after.sessions.read(cookie)
    assert session is not None
    assert session.person.scopes == ("read",)
    assert before.digest([b"x", b"y"]) == after.digest([b"xy"])
    assert before.digest([]) == before.digest([b""]) == ""


def test_where_people_come_over_https_they_always_do(tmp_path: Path) -> None:
    with gate(tmp_path, "service: {address: 'https://leads.example'}\n") as house:
        assert house.browser().get("/").headers["strict-transport-security"] == "max-age=31536000"
    with gate(tmp_path / "other") as house:
        assert "strict-transport-security" not in house.browser().get("/").headers
