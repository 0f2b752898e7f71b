"""What is noted in the store while a push goes on, opening it as seldom as may be.

That records are about to be written is noted at once; how it ended is noted along with the next batch, or at the end:
who is killed in between finds the values there, and knows them by the first note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from leadlight.connect.push_house import Opening
from leadlight.engines.base import Engine
from leadlight.store import pushed
from leadlight.store.pushed import Pushed

TRIES = 5
"""Tries to write to the store, where it is busy."""
REST, TIMES = 0.05, 4
"""Seconds before the second try, and how much longer each next one waits."""


@dataclass
class Notes:
    """Notes about the records of one object."""

    store: Opening
    connection: str
    object: str
    rest: Callable[[float], None]
    dry: bool
    """Whether nothing is noted at all."""
    _kept: dict[str, Pushed] = field(default_factory=dict)
    _gone: list[str] = field(default_factory=list)

    def add(self, rows: Sequence[Pushed]) -> None:
        """Note how it ended, some time soon."""
        self._kept |= {row.record: row for row in rows}

    def forget(self, records: Sequence[str]) -> None:
        """Forget records that are gone, some time soon."""
        self._gone += records
        for record in records:
            self._kept.pop(record, None)

    def write(self, rows: Sequence[Pushed] = ()) -> None:
        """Note this, and all that was to be noted, now."""
        self.add(rows)
        kept, gone = list(self._kept.values()), self._gone
        if not self.dry and (kept or gone):
            self.with_store(lambda engine: self._write(engine, kept, gone))
        self._kept, self._gone = {}, []

    def with_store(self, step: Callable[[Engine], None]) -> None:
        """Write to the store, also where another has just written there."""
        for tries in range(TRIES):
            try:
                with self.store(write=True) as engine:
                    step(engine)
                return
            except Exception:
                if tries == TRIES - 1:
                    raise
                self.rest(REST * TIMES**tries)

    def _write(self, engine: Engine, kept: Sequence[Pushed], gone: Sequence[str]) -> None:
        with engine.transaction():
            pushed.keep(engine, self.connection, self.object, kept)
            if gone:
                pushed.forget(engine, self.connection, self.object, gone)
