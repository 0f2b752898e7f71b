"""What the tests' Tryton holds: parties, and opportunities that end as their origin and worth would have it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from connect.tryton.server import Tryton

SOURCES = ("Referral", "Fair", "Advert", "Website")
LIFT = {"Referral": 0.45, "Fair": 0.05, "Website": -0.1, "Advert": -0.25}
BATCH = 500
WEEKS = 24


@dataclass(frozen=True)
class Planned:
    """An opportunity as it is to be."""

    party: int
    source: str
    amount: int
    end: Literal["won", "lost", "open"]
    weeks_ago: int


def plan(parties: int, opportunities: int, seed: int = 11) -> list[Planned]:
    """Return what is to be: three of five are closed, and referrals and larger ones are won more often."""
    chance, made = random.Random(seed), []
    for number in range(opportunities):
        source, amount = chance.choice(SOURCES), chance.choice((500, 2_000, 8_000, 30_000))
        wins = 0.3 + LIFT[source] + (0.1 if amount >= 8_000 else -0.1)
        closed = number % 5 < 3
        end: Literal["won", "lost", "open"] = "open"
        if closed:
            end = "won" if chance.random() < wins else "lost"
        made.append(Planned(chance.randrange(parties), source, amount, end, chance.randrange(1, WEEKS)))
    return made


def fill(tryton: Tryton, planned: Sequence[Planned], parties: int) -> list[int]:
    """Make parties and opportunities through Tryton's own client, and end them by its workflow; return the ids."""
    client, told = tryton.client, tryton.told
    sources = _sources(client)
    made: list[int] = []
    for start in range(0, parties, BATCH):
        made += client(
            "create", model="party.party", records=[_party(n) for n in range(start, min(start + BATCH, parties))]
        )
    ids: list[int] = []
    for start in range(0, len(planned), BATCH):
        records = [
            {
                "party": made[one.party],
                "company": told["company"],
                "employee": told["employee"],
                "currency": told["currency"],
                "marketing_source": sources[one.source],
                "description": f"Project {start + number}",
                "amount": {"decimal": str(one.amount)},
            }
            for number, one in enumerate(planned[start : start + BATCH])
        ]
        ids += client("create", model="sale.opportunity", records=records)
    by_end = {end: [id for id, one in zip(ids, planned, strict=True) if one.end == end] for end in ("won", "lost")}  # noqa: A001
    client("click", model="sale.opportunity", ids=by_end["won"], button="opportunity")
    client("click", model="sale.opportunity", ids=by_end["lost"], button="lost")
    _win(client, {id: one.amount for id, one in zip(ids, planned, strict=True) if one.end == "won"})  # noqa: A001
    return ids


def _sources(client: Any) -> dict[str, int]:
    ids = client("create", model="marketing.source", records=[{"name": name} for name in SOURCES])
    return dict(zip(SOURCES, ids, strict=True))


def _party(number: int) -> dict[str, Any]:
    mail = {"type": "email", "value": f"buyer{number}@firm{number}.example.com"}
    return {
        "name": f"Firm {number}",
        "addresses": [["create", [{"city": ("Rome", "Paris", "Berlin")[number % 3]}]]],
        "contact_mechanisms": [["create", [mail]]],
    }


def _win(client: Any, amounts: Mapping[int, int]) -> None:
    """Sell: an opportunity is won when its sale is confirmed."""
    client("click", model="sale.opportunity", ids=[*amounts], button="convert")
    origins = {f"sale.opportunity,{one}": amount for one, amount in amounts.items()}
    found = client("rows", model="sale.sale", domain=[["origin", "in", [*origins]]], fields=["id", "origin"])
    sales = [row["id"] for row in found]
    lines = [
        {
            "sale": row["id"],
            "quantity": 1.0,
            "unit_price": {"decimal": str(origins[row["origin"]])},
            "description": "Work",
        }
        for row in found
    ]
    client("create", model="sale.line", records=lines)
    client("write", model="sale.sale", ids=sales, values={"invoice_method": "manual", "shipment_method": "manual"})
    for button in ("quote", "confirm"):
        client("click", model="sale.sale", ids=sales, button=button)


def age(
    run: Callable[[str, Sequence[Any]], object], *, postgres: bool, ids: Sequence[int], weeks: Sequence[int]
) -> None:
    """Move the lives of opportunities into the past, as SQL: Tryton dates by its own clock, and was filled in a minute.

    `run` executes a statement with parameters.
    """
    sign = "%s" if postgres else "?"
    for week in sorted(set(weeks)):
        chosen = [one for one, own in zip(ids, weeks, strict=True) if own == week]
        for table, key, times in AGED:
            mine = [f"sale.opportunity,{one}" for one in chosen] if table == "ir_model_log" else chosen
            moved = ", ".join(f"{time} = {_earlier(time, week, postgres=postgres)}" for time in times)
            run(f"UPDATE {table} SET {moved} WHERE {key} IN ({', '.join([sign] * len(mine))})", mine)


AGED = (
    ("sale_opportunity", "id", ("create_date", "write_date")),
    ("sale_opportunity__history", "id", ("create_date", "write_date")),
    ("ir_model_log", "resource", ("create_date",)),
)


def _earlier(column: str, weeks: int, *, postgres: bool) -> str:
    days = weeks * 7
    if postgres:
        return f"{column} - interval '{days} days'"
    return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-{days} days') || '000'"
