from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadlight.errors import NotFoundError, StoreError, UsageError
from leadlight.service.keys import Keys, file_keys
from leadlight.service.shelf import Change, FileShelf

AT = datetime(2026, 3, 1)


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".leadlight"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(folder: Path, clock: Clock) -> Keys:
    found = file_keys(folder)
    found.now = clock
    return found


def test_a_key_is_found_by_its_secret_also_after_a_restart(folder: Path) -> None:
    secret, key = file_keys(folder).make("crm", ["read", "ingest", "read"], at=AT)
    found = file_keys(folder).find(secret)
    assert found == key
    assert found.scopes == ("read", "ingest")
    assert file_keys(folder).find(secret[:-1]) is None
    assert file_keys(folder).find("") is None
    assert file_keys(folder).find("\udcff") is None


def test_only_hashes_are_kept_where_only_the_owner_may_read(folder: Path) -> None:
    secret, key = file_keys(folder).make("crm", ["read"], at=AT)
    path = folder / "keys.json"
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not {"hash", "old_hash"} & key.as_dict().keys()


def test_a_revoked_key_is_none(keys: Keys, folder: Path) -> None:
    secret, key = keys.make("a", ["read"])
    other, _ = keys.make("b", ["read"])
    keys.revoke(key.id)
    assert keys.find(secret) is None
    assert [one.name for one in file_keys(folder).all()] == ["b"]
    assert keys.find(other) is not None
    with pytest.raises(NotFoundError):
        keys.revoke(key.id)


def test_what_another_process_changes_is_seen_at_the_next_look(keys: Keys, folder: Path) -> None:
    secret, key = keys.make("a", ["read"])
    elsewhere = file_keys(folder)
    fresh, _ = elsewhere.make("b", ["read"])
    assert keys.find(fresh) is None
    assert keys.look()
    assert keys.find(fresh) is not None
    elsewhere.revoke(key.id)
    assert keys.find(secret) is not None
    assert keys.look()
    assert keys.find(secret) is None
    assert not keys.look()


def test_both_secrets_of_a_rotated_key_are_good_for_a_while(keys: Keys, clock: Clock) -> None:
    old, key = keys.make("a", ["ingest"], events=100)
    new, rotated = keys.rotate(key.id, grace=timedelta(hours=2))
    assert (rotated.id, rotated.scopes, rotated.events) == (key.id, key.scopes, 100)
    assert keys.find(old) == keys.find(new) == rotated
    clock.at += timedelta(hours=2)
    assert keys.find(old) is None
    assert keys.find(new) == rotated
    again, _ = keys.rotate(key.id, grace=timedelta(0))
    assert keys.find(new) is None
    assert keys.find(again) is not None
    with pytest.raises(NotFoundError, match="no key 'x'"):
        keys.rotate("x")


def test_a_key_expires(keys: Keys, clock: Clock, folder: Path) -> None:
    secret, key = keys.make("trial", ["read"], expires=timedelta(days=1))
    assert key.as_dict()["expires_at"] == "2026-03-02T00:00:00Z"
    assert keys.find(secret) == key
    clock.at += timedelta(days=1)
    assert keys.find(secret) is None
    assert keys.all() == [key]


def test_the_last_use_is_told_once_in_a_while(keys: Keys, clock: Clock, folder: Path) -> None:
    secret, key = keys.make("a", ["read"])
    assert keys.last_used() == {}
    keys.find(secret)
    assert keys.last_used() == {key.id: "2026-03-01T00:00:00Z"}
    assert file_keys(folder).last_used() == {}
    keys.note_use()
    elsewhere = file_keys(folder)
    elsewhere.now = lambda: clock.at + timedelta(hours=1)
    elsewhere.find(secret)
    elsewhere.note_use()
    keys.find(secret)
    keys.note_use()
    assert keys.last_used() == {key.id: "2026-03-01T01:00:00Z"}
    keys.revoke(key.id)
    fresh, other = keys.make("b", ["read"])
    keys.find(fresh)
    keys.note_use()
    assert json.loads((folder / "keys-used.json").read_text()) == {other.id: "2026-03-01T00:00:00Z"}


def test_a_browsers_key_may_send_and_no_more(keys: Keys) -> None:
    _, page = keys.make("page", ["browser"])
    _, server = keys.make("server", ["ingest"])
    assert [page.may(scope) for scope in ("ingest", "read", "manage")] == [True, False, False]
    assert [server.may(scope) for scope in ("ingest", "read", "manage")] == [True, False, False]


@pytest.mark.parametrize("scopes", [[], ["reed"], ["read", "admin"]])
def test_scopes_there_are_not_are_said(keys: Keys, folder: Path, scopes: list[str]) -> None:
    with pytest.raises(UsageError, match="scope"):
        keys.make("x", scopes, at=AT)
    assert not (folder / "keys.json").exists()


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_rates_that_are_none_are_said(keys: Keys, rate: float) -> None:
    with pytest.raises(UsageError, match="requests is how many a second"):
        keys.make("x", ["read"], requests=rate)


@pytest.mark.parametrize("text", ['[{"id": 1}]', "{", "[1]"])
def test_a_file_that_holds_no_keys_is_said_so(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "keys.json").write_text(text)
    with pytest.raises(StoreError, match=r"keys\.json"):
        file_keys(folder)


def test_keys_of_a_leadlight_before_this_one_are_read(folder: Path) -> None:
    folder.mkdir()
    before = [{"id": "1", "name": "admin", "scopes": ["ingest"], "hash": "x", "created_at": "2026-01-01T00:00:00Z"}]
    (folder / "keys.json").write_text(json.dumps(before))
    assert [(key.id, key.expires_at, key.requests) for key in file_keys(folder).all()] == [("1", None, None)]


class Meanwhile(FileShelf):
    """A shelf on which another process makes a change right behind a change of ours."""

    happens: Callable[[], object] | None = None

    def change(self, name: str, change: Change) -> Any:
        content, happens = super().change(name, change), self.happens
        self.happens = None
        if happens is not None:
            happens()
        return content


def test_a_key_that_another_process_revokes_while_one_is_made_is_none_here_either(folder: Path) -> None:
    shelf = Meanwhile(folder)
    here, there = Keys(shelf), Keys(FileShelf(folder))
    secret, key = here.make("first", ["read"])
    there.look()
    shelf.happens = lambda: there.revoke(key.id)
    here.make("second", ["read"])
    here.look()
    assert here.find(secret) is None
    assert [one.name for one in here.all()] == ["second"]
