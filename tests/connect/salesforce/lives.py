"""The random life of a system whose records are read, by readings that are killed: in the end all is known."""

from __future__ import annotations

import random

from connect.stand_in import Opened, StandIn
from leadlight.connect.protocol import Cursor

STEPS = 10
PAUSES = (1, 60, 2_000, 100_000)
DAY = 90_000


class Life:
    """It, and what a reader knows of it."""

    def __init__(self, system: StandIn, seed: int) -> None:
        self.system, self.random = system, random.Random(seed)
        self.object, self.field = system.people.object, system.people.text
        self.known: dict[str, str | None] = {}
        """What the field of each record is; None: it is gone."""
        self.cursor: Cursor | None = None
        system.page_most = self.random.choice([2, 3, 5])
        for _ in range(self.random.randint(3, 12)):
            self._add()

    def lived(self) -> None:
        """Let it live and be read, with kills, and at last twice without."""
        for _ in range(STEPS):
            self._happen()
            self.system.clock.advance(self.random.choice(PAUSES))
            self._read(kill_after=self.random.randint(1, 3) if self.random.random() < 0.4 else None)
        for _ in range(2):
            self.system.clock.advance(DAY)
            self._read(kill_after=None, quiet=True)

    def truth(self) -> dict[str, str | None]:
        """Return what is to be known of who is there."""
        alive = self.system.alive(self.object)
        return {id: str(one.values[self.field]) for id, one in alive.items() if not one.values.get("merged")}  # noqa: A001

    def told(self) -> dict[str, str | None]:
        """Return what is known of who is there."""
        return {id: value for id, value in self.known.items() if value is not None}  # noqa: A001

    def _read(self, *, kill_after: int | None, quiet: bool = False) -> None:
        there: set[str] | None = None
        with self.system.open() as opened:
            for number, page in enumerate(opened.pages(self.object, [self.field], cursor=self.cursor), 1):
                self._take(opened, page.rows)
                if page.there is not None:
                    there = (there or set()) | set(page.there)
                if not quiet and self.random.random() < 0.3:
                    self._happen()
                if number == kill_after:
                    return
        if there is not None:
            self.known |= dict.fromkeys(set(self.known) - there)

    def _take(self, opened: Opened, rows: object) -> None:
        assert isinstance(rows, list | tuple)
        self.known |= {row.id: None if row.gone else str(row.values[self.field]) for row in rows}
        self.cursor = opened.cursor

    def _happen(self) -> None:
        for _ in range(self.random.randint(0, 4)):
            self._event(self.random.choice(["add", "edit", "edit", "edit", "delete", "merge", "convert", "wait"]))

    def _event(self, what: str) -> None:
        free = [id for id in self.truth() if self._is_free(id)]  # noqa: A001
        if what == "add":
            self._add()
        elif what == "wait":
            self.system.clock.advance(self.random.choice([0.5, 30, 900, DAY]))
        elif len(free) < 3:
            return
        elif what == "edit":
            self.system.edit(self.object, self.random.choice(free), **{self.field: self._text()})
        elif what == "delete":
            self.system.delete(self.object, self.random.choice(free))
        elif what == "merge":
            self.system.merge(self.object, *self.random.sample(free, 2))
        else:
            self.system.convert(self.object, self.random.choice(free))

    def _is_free(self, id: str) -> bool:  # noqa: A002
        values = self.system.held(self.object, id).values
        return not values.get("IsConverted") and values.get("statecode") in (None, "Open")

    def _add(self) -> None:
        self.system.add(self.object, **{self.field: self._text(), **self.system.people.more})

    def _text(self) -> str:
        return f"Text {self.random.random():.9f}"
