"""Who is erased is gone from the store, from its bytes, and from the answers that were kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.enrich.fakes import Fake, Shop
from tests.enrich.fakes import shop as shop

from leadlight.enrich import forget
from leadlight.enrich.provider import Clue
from leadlight.errors import NotFoundError

Make = Callable[..., Shop]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the cache was asked to forget."""
    asked: dict[str, Any] = {"subjects": [], "askers": []}

    def forgotten(path: Path, subjects: list[str]) -> int:
        asked["subjects"] += subjects
        return len(subjects)

    monkeypatch.setattr(forget.cache, "forget", forgotten)
    monkeypatch.setattr(forget.cache, "forget_asker", lambda _, asker: asked["askers"].append(asker) or 3)
    return asked


@pytest.fixture
def made(shop: Make) -> Shop:
    people = Fake("people", ("seniority",), Clue.EMAIL, otherwise={"seniority": "a secret rank"})
    made = shop(people, Fake("firms", otherwise={"industry": "software"}), always=True)
    made.workspace.enrich()
    (made.folder / forget.CACHE).parent.mkdir(exist_ok=True)
    (made.folder / forget.CACHE).touch()
    return made


def test_a_person_is_forgotten_with_what_was_asked_of_it_alone(made: Shop, kept: dict[str, Any]) -> None:
    erased = made.workspace.erase("L1")
    assert kept["subjects"] == ["ann@acme.com"], "acme.com is of a colleague too"
    assert (erased.rows["facts"], erased.rows["lookups"], erased.rows["kept_answers"]) == (2, 2, 1)
    assert erased.as_dict()["total"] == sum(erased.rows.values())
    made.workspace.erase("L2")
    assert kept["subjects"][1:] == ["acme.com", "bob@acme.com"]
    assert made.rows("SELECT count(*) FROM facts f ANTI JOIN ids i ON i.key = f._key") == [(0,)]


def test_no_byte_of_it_stays_in_the_store(made: Shop, kept: dict[str, Any]) -> None:
    for lead in ("L1", "L2", "L3", "L4"):
        made.workspace.erase(lead)
    assert all(b"secret rank" not in file.read_bytes() for file in made.folder.glob("*.duckdb*"))
    assert "cy@gmail.com" in kept["subjects"]


def test_without_kept_answers_the_store_is_all(made: Shop, kept: dict[str, Any]) -> None:
    (made.folder / forget.CACHE).unlink()
    assert "kept_answers" not in made.workspace.erase("L1").rows
    assert kept["subjects"] == []


def test_all_that_a_provider_has_said_is_forgotten(made: Shop, kept: dict[str, Any]) -> None:
    assert made.value("L1", "seniority") == "a secret rank"
    report = made.workspace.forget_provider("people")
    assert str(report) == "people is forgotten: 4 facts, 3 kept answers"
    assert report.as_dict() == {"provider": "people", "facts": 4, "answers": 3}
    assert kept["askers"] == ["people"]
    assert made.value("L1", "seniority") is None
    assert made.value("L1", "industry") == "software"
    assert all(b"secret rank" not in file.read_bytes() for file in made.folder.glob("*.duckdb*"))


def test_a_provider_that_was_never_asked(made: Shop) -> None:
    with pytest.raises(NotFoundError, match="nobody was looked up by 'peple': did you mean 'people'"):
        made.workspace.forget_provider("peple")
