"""Who has no account belongs to the domain of their e-mail address, since the address is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store.attributes import load_leads
from leadlight.store.domains import account_of, settle_domains
from leadlight.store.history import LEADS
from leadlight.store.leads import refresh_leads
from leadlight.store.periods import rebuild
from leadlight.store.staged import Staged

Stage = Callable[..., Staged]
NOW = datetime(2026, 1, 1)


def day(number: int) -> datetime:
    return datetime(2025, 1, number)


def tell(store: Engine, stage: Stage, rows: list[tuple[object, ...]], roles: list[str]) -> None:
    load_leads(store, stage("crm" if "account" not in roles else "calls", roles, {"email": Type.TEXT}, rows), NOW)


def settled(store: Engine, attribute: str | None = "email") -> list[tuple[object, ...]]:
    settle_domains(store, attribute)
    refresh_leads(store)
    rebuild(store, LEADS)
    store.execute("DELETE FROM touched")
    return store.rows(
        "SELECT l.id, extract('day' FROM a.known_at), a.account FROM attributes a JOIN leads l USING (lead) "
        "ORDER BY 1, 2"
    )


def test_by_the_registered_domain_and_not_by_providers(store: Engine, stage: Stage) -> None:
    tell(store, stage, [
        ("ann", day(1), "Ann@Mail.Acme.CO.UK "), ("bob", day(1), "bob@gmail.com"), ("cyd", day(1), None),
        ("dan", day(1), "dan@acme.co.uk"), ("eve", day(1), "no address"), ("fay", day(1), "fay@mailinator.com"),
    ], ["id", "created_at"])  # fmt: skip
    found = {name: account for name, _, account in settled(store)}
    assert found == {"ann": "acme.co.uk", "bob": None, "cyd": None, "dan": "acme.co.uk", "eve": None, "fay": None}


def test_as_of_and_taken_back_by_a_free_mailer(store: Engine, stage: Stage) -> None:
    rows = [("ann", day(1), "a@one.com"), ("ann", day(5), "a@two.com"), ("ann", day(9), "a@gmail.com")]
    tell(store, stage, rows, ["id", "known_at"])
    assert settled(store) == [("ann", 1, "one.com"), ("ann", 5, "two.com"), ("ann", 9, None)]


def test_an_account_that_was_given_wins_whenever_it_was(store: Engine, stage: Stage) -> None:
    tell(store, stage, [("ann", day(4), "Acme", None)], ["id", "known_at", "account"])
    tell(store, stage, [("ann", day(1), "a@one.com"), ("ann", day(9), "a@two.com")], ["id", "known_at"])
    assert [(at, account) for _, at, account in settled(store)] == [(1, "one.com"), (4, "Acme"), (9, "Acme")]


def test_switched_on_and_off_later(store: Engine, stage: Stage) -> None:
    tell(store, stage, [("ann", day(1), "a@one.com")], ["id", "created_at"])
    assert settled(store, None) == [("ann", 1, None)]
    assert settled(store) == [("ann", 1, "one.com")]
    tell(store, stage, [("bob", day(2), "b@one.com")], ["id", "created_at"])
    assert settled(store) == [("ann", 1, "one.com"), ("bob", 2, "one.com")]
    assert settled(store, None) == [("ann", 1, None), ("bob", 2, None)]


def test_hosts() -> None:
    assert account_of("xn--bcher-kva.example") == "xn--bcher-kva.example"
    assert account_of("localhost") is None
