"""Which values people are merged by are there, held in memory: a new one that nobody has need not be looked for."""

from __future__ import annotations

from leadlight.engines.base import Engine
from leadlight.store.known_keys import Hashes, KnownKeys, hashes_of
from leadlight.store.sql import Sql, fill


class KnownValues:
    """Hashes of all values that `merge_by` makes count, and perhaps of more; read anew when another rule is told.

    It is for the one process that holds a store of one file; `forget` it when others have written.
    """

    def __init__(self) -> None:
        self._known: KnownKeys | None = None
        self._rule: object = None

    def forget(self) -> None:
        """Read them anew at the next question."""
        self._known = None

    def may_share(self, engine: Engine, mentions: Sql, fresh: Sql, *, rule: object) -> bool:
        """Return whether any value of `fresh` may be somebody's already; know those too from then on.

        `mentions` and `fresh` are queries of (attribute, value); `rule` is what `mentions` follows from.
        """
        if self._known is None or self._rule != rule:
            self._known, self._rule = KnownKeys(), rule
            self._known.add(_hashes(engine, mentions))
            return True  # the fresh ones are among them: who else has them, only the store knows
        hashes = _hashes(engine, fresh)
        shared = self._known.may_have(hashes)
        self._known.add(hashes)
        return shared


def _hashes(engine: Engine, values: Sql) -> Hashes:
    return hashes_of(engine, fill("SELECT attribute || '=' || value AS _key FROM ({values}) v", values=values))
