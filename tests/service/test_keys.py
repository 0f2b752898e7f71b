from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path

import pytest

from leadlight.errors import NotFoundError, StoreError, UsageError
from leadlight.service.keys import Keys

AT = datetime(2026, 3, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".leadlight" / "keys.json"


def test_a_key_is_found_by_its_secret_also_after_a_restart(path: Path) -> None:
    secret, key = Keys(path).make("crm", ["read", "ingest", "read"], at=AT)
    found = Keys(path).find(secret)
    assert found == key
    assert found.scopes == ("read", "ingest")
    assert Keys(path).find(secret[:-1]) is None
    assert Keys(path).find("") is None


def test_only_hashes_are_kept_where_only_the_owner_may_read(path: Path) -> None:
    secret, key = Keys(path).make("crm", ["read"], at=AT)
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "hash" not in key.as_dict()


def test_a_revoked_key_is_none(path: Path) -> None:
    keys = Keys(path)
    secret, key = keys.make("a", ["read"], at=AT)
    other, _ = keys.make("b", ["read"], at=AT)
    keys.revoke(key.id)
    assert keys.find(secret) is None
    assert [one.name for one in Keys(path).all()] == ["b"]
    assert keys.find(other) is not None
    with pytest.raises(NotFoundError):
        keys.revoke(key.id)


@pytest.mark.parametrize("scopes", [[], ["reed"], ["read", "admin"]])
def test_scopes_there_are_not_are_said(path: Path, scopes: list[str]) -> None:
    with pytest.raises(UsageError, match="scope"):
        Keys(path).make("x", scopes, at=AT)
    assert not path.exists()


def test_a_file_that_holds_no_keys_is_said_so(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('[{"id": 1}]')
    with pytest.raises(StoreError, match="holds no keys"):
        Keys(path)
