"""Random lives of an account, read by readings that are killed: in the end everything is known, and nothing else."""

from __future__ import annotations

import random

import pytest

from connect.stripe.stand_in import StandIn
from leadlight.connect.protocol import Cursor, Row

FIELDS = ["name", "phone"]
STEPS = 30
PAUSES = (0.0, 0.4, 1.0, 90.0, 4000.0, 90_000.0, 3_000_000.0)
"""Seconds; the last one is longer than Stripe keeps its events."""


class Reader:
    """What somebody knows who reads and is killed, over and over: kept as sync keeps it."""

    def __init__(self, account: StandIn) -> None:
        self.account = account
        self.cursor: Cursor | None = None
        self.rows: dict[str, Row] = {}

    def read(self, pages: int | None) -> None:
        """Read so many pages, or to the end."""
        there: set[str] = set()
        with self.account.open(per_second=1000) as opened:
            for number, page in enumerate(opened.pages("customers", FIELDS, cursor=self.cursor), 1):
                for row in page.rows:
                    held = self.rows.get(row.id)
                    newer = (
                        held is None or held.known_at is None or row.known_at is None or row.known_at >= held.known_at
                    )
                    if newer:
                        self.rows[row.id] = row
                there |= set(page.there or ())
                if page.there is not None and page.cursor["since"] != (self.cursor or {}).get("since"):
                    self.rows = {one: row for one, row in self.rows.items() if one in there}
                self.cursor = opened.cursor
                if number == pages:
                    return


@pytest.mark.parametrize("seed", range(3))
def test_in_the_end_everything_is_known(stripe: StandIn, seed: int) -> None:
    chance = random.Random(seed)
    stripe.page_most = chance.choice((2, 3, 5, 9))
    reader = Reader(stripe)
    for _ in range(chance.randint(0, 12)):
        stripe.add("customers", name="First")
    for step in range(STEPS):
        alive = sorted(stripe.alive("customers"))
        what = chance.choice(("add", "edit", "edit", "all", "delete", "wait", "read", "read"))
        if what == "add":
            stripe.add("customers", name=f"Added {step}")
        elif what == "edit" and alive:
            stripe.edit("customers", chance.choice(alive), name=f"Edited {step}")
        elif what == "all":
            for one in alive:
                stripe.edit("customers", one, phone=str(step))
        elif what == "delete" and len(alive) > 3:
            stripe.delete("customers", chance.choice(alive))
        elif what == "wait":
            stripe.clock.advance(chance.choice(PAUSES))
        else:
            reader.read(chance.choice((1, 2, 3, None)))
    for _ in range(2):  # a reading that was killed ends first; then comes what has been since
        stripe.clock.advance(3600)
        reader.read(None)
    known = {one: row.values for one, row in reader.rows.items() if not row.gone}
    assert known == {
        one: {name: record.values[name] for name in FIELDS} for one, record in stripe.alive("customers").items()
    }
