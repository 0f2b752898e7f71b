from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from leadlight.errors import StoreError, UsageError
from leadlight.service import people
from leadlight.service.people import People
from leadlight.service.shelf import FileShelf

AT = datetime(2026, 3, 1)


@pytest.fixture
def known(tmp_path: Path) -> People:
    return People(FileShelf(tmp_path), now=lambda: AT)


def token(known: People) -> str:
    return known.link().partition("token=")[2]


def test_a_password_is_kept_as_a_costly_hash(known: People, tmp_path: Path) -> None:
    assert people.COST["n"] * people.COST["r"] * 128 == 32 * 1024 * 1024
    person = known.set_by_link(token(known), "a few words of mine")
    assert person is not None
    assert known.who("admin", "a few words of mine") == person
    assert People(FileShelf(tmp_path), now=lambda: AT).who("admin", "a few words of mine") == person
    assert known.who("admin", "a few words of min") is None
    assert "a few words" not in (tmp_path / "people.json").read_text()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(people.COST, "n", 2**8)
    return


@pytest.mark.usefixtures("quick")
def test_the_same_password_is_another_hash_each_time(known: People) -> None:
    first, second = (known.set_by_link(token(known), "a few words of mine") for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.hash != second.hash
    assert first.version != second.version
    assert known.version("admin") == second.version
    assert known.version("nobody") is None


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 201])
def test_passwords_too_short_or_long_are_refused_and_the_link_stays_good(known: People, password: str) -> None:
    link = token(known)
    with pytest.raises(UsageError, match="12 to 200 characters"):
        known.set_by_link(link, password)
    assert known.is_link(link)
    assert not known.any
    assert known.set_by_link(link, "é\0\udcff" * 4) is not None, "any characters will do"


@pytest.mark.usefixtures("quick")
def test_no_link_is_good_where_none_was_made(known: People) -> None:
    assert not known.is_link("")
    assert known.set_by_link("", "a few words of mine") is None
    assert not known.any


def test_a_file_that_holds_no_people_is_said(tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text('{"people": [{"name": "x"}]}')
    with pytest.raises(StoreError, match="no people"):
        People(FileShelf(tmp_path), now=lambda: AT)
