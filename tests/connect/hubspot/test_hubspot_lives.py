"""Random lives of an account, read by readings that are killed: in the end everything is known, and nothing else."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from connect.hubspot.stand_in import StandIn
from leadlight.connect.protocol import Cursor, Row

FIELDS = ["jobtitle", "city"]
STEPS = 40
PAUSES = (0.0, 0.001, 1.0, 90.0, 4000.0, 90_000.0)


class Reader:
    """What somebody knows who reads and is killed, over and over."""

    def __init__(self, account: StandIn) -> None:
        self.account = account
        self.cursor: Cursor | None = None
        self.rows: dict[str, Row] = {}
        self.gone: set[str] = set()
        self.into: dict[str, str] = {}

    def read(self, pages: int | None) -> None:
        """Read so many pages, or to the end."""
        with self.account.open(per_second=1000) as opened:
            for number, page in enumerate(opened.pages("contacts", FIELDS, cursor=self.cursor), 1):
                self.take(page.rows)
                self.cursor = opened.cursor
                if number == pages:
                    return

    def take(self, rows: list[Row]) -> None:
        for row in rows:
            if row.into is not None:
                self.into[row.id] = row.into
            elif row.gone:
                self.gone.add(row.id)
            else:
                self.rows[row.id] = row


@pytest.mark.parametrize("seed", range(4))
def test_in_the_end_everything_is_known(hubspot: StandIn, seed: int) -> None:
    chance = random.Random(seed)
    hubspot.searches = 1_000_000
    hubspot.page_most = chance.choice((2, 3, 5, 9))
    reader, seen = Reader(hubspot), set()
    for _ in range(chance.randint(0, 12)):
        hubspot.add("contacts", jobtitle="First")
    for step in range(STEPS):
        alive = sorted(hubspot.alive("contacts"))
        what = chance.choice(("add", "edit", "edit", "import", "delete", "merge", "anew", "wait", "read", "read"))
        hubspot.lag = timedelta(seconds=chance.choice((0, 0, 30, 300)))
        if what == "add":
            hubspot.add("contacts", jobtitle=f"Added {step}")
        elif what == "edit" and alive:
            hubspot.edit("contacts", chance.choice(alive), jobtitle=f"Edited {step}")
        elif what == "import":
            for one in alive:
                hubspot.edit("contacts", one, city=f"City {step}")
        elif what == "delete" and len(alive) > 3:
            hubspot.delete("contacts", chance.choice(alive))
        elif what == "merge" and len(alive) > 3:
            hubspot.merge("contacts", *chance.sample(alive, 2))
        elif what == "anew" and len(alive) > 3:
            hubspot.merge_anew("contacts", *chance.sample(alive, 2))
        elif what == "wait":
            hubspot.clock.advance(chance.choice(PAUSES))
        else:
            reader.read(chance.choice((1, 2, 3, None)))
            seen |= set(reader.rows)
    hubspot.lag = timedelta(0)
    for _ in range(2):  # a reading that was killed ends first; then comes what has been since
        hubspot.clock.advance(7 * 3600)
        reader.read(None)
    alive = hubspot.alive("contacts")
    assert {one: reader.rows[one].values for one in alive} == {
        one: {name: record.values[name] for name in FIELDS} for one, record in alive.items()
    }
    records = hubspot.records["contacts"]
    merged = {one: record.into for one, record in records.items() if record.into is not None}
    still = {one: into for one, into in merged.items() if into in alive}
    assert {one: reader.into.get(one) for one in still} == still
    assert {one for one in seen if one not in alive and one not in merged} <= reader.gone
    assert not reader.gone & set(alive)
