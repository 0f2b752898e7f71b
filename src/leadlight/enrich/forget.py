"""Forget: a person, or all that a provider has said, in the store and in the kept answers of the network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from leadlight.engines.base import Engine
from leadlight.enrich.clues import find_clues
from leadlight.enrich.net import cache
from leadlight.enrich.provider import Clue
from leadlight.errors import NotFoundError, did_you_mean
from leadlight.sources.erased import forget_synced
from leadlight.spec.enrich import EnrichSpec
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store import facts
from leadlight.store.archive import archives, drop_unfinished, forget_archived
from leadlight.store.erase import Erased, erase, find_person
from leadlight.store.sql import each, fill

CACHE = Path(".leadlight") / "lookups.sqlite"
"""Where, in the workspace, what the network answered is kept."""

PERSONAL = (Clue.EMAIL, Clue.PHONE, Clue.PERSON, Clue.ADDRESS, Clue.LINKS, Clue.IP)
"""Clues that are a person's own, by which kept answers about it are found."""


@dataclass(frozen=True, slots=True, repr=False)
class Forgotten(Readable):
    """What was removed of a provider: facts, and kept answers."""

    provider: str
    facts: int
    answers: int

    def __str__(self) -> str:
        return f"{self.provider} is forgotten: {many(self.facts, 'fact')}, {many(self.answers, 'kept answer')}"

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {"provider": self.provider, "facts": self.facts, "answers": self.answers}


def kept_questions(engine: Engine, spec: EnrichSpec | None, root: Path, id: str) -> list[cache.Question]:  # noqa: A002
    """Return the questions about a person whose answers are kept: those that `forget_person` erases."""
    return cache.find(root / CACHE, _texts(engine, spec or EnrichSpec(), id)) if (root / CACHE).exists() else []


def forget_person(
    engine: Engine,
    spec: EnrichSpec | None,
    root: Path,
    id: str,  # noqa: A002 - the user's word
    *,
    now: datetime,
    rewrite: bool = True,
) -> Erased:
    """Erase a person from the store, and every kept answer that was about it and about nobody else, or that names it.

    Events of theirs that `retain` has moved into archives go too, and what connected systems have said of them, which
    stays out of the lake. The store comes last: where this ends halfway, the person is still there to be erased again.
    Raises NotFoundError.
    """
    person = find_person(engine, id)
    texts = _texts(engine, spec or EnrichSpec(), id) if (root / CACHE).exists() else []
    with engine.transaction():
        drop_unfinished(engine, root)
    beside = {
        "kept_answers": cache.forget(root / CACHE, texts) if texts else 0,
        "archived_events": forget_archived(archives(engine, root), person),
        "synced_rows": forget_synced(root, person.ids),
    }
    erased = erase(engine, id, now=now, rewrite=rewrite)
    return replace(erased, rows={**erased.rows, **{name: count for name, count in beside.items() if count}})


def forget_provider(engine: Engine, spec: EnrichSpec | None, root: Path, provider: str) -> Forgotten:
    """Remove all that a provider has said, from the bytes of the files too. Raises NotFoundError."""
    known = [str(name) for (name,) in engine.rows("SELECT DISTINCT provider FROM lookups ORDER BY 1")]
    if provider not in known:
        raise NotFoundError(f"nobody was looked up by {provider!r}: {did_you_mean(provider, known)}")
    count, _ = facts.forget_provider(engine, spec, provider)
    engine.rewrite()
    return Forgotten(provider, count, cache.forget_asker(root / CACHE, provider))


def _texts(engine: Engine, spec: EnrichSpec, id: str) -> list[str]:  # noqa: A002
    """Return what a person was looked up by: subjects that nobody else has, and its own addresses and numbers."""
    found = engine.rows(
        "WITH own AS (SELECT key FROM ids WHERE lead = (SELECT lead FROM ids WHERE id = ?)) "
        "SELECT subject FROM lookups WHERE subject IS NOT NULL GROUP BY subject "
        "HAVING bool_and(_key IN (SELECT key FROM own))",
        [id],
    )
    return _long_enough([*(subject for (subject,) in found), *_values(engine, spec, id)])


def _values(engine: Engine, spec: EnrichSpec, id: str) -> list[str]:  # noqa: A002
    """Return every value that sources ever gave for what identifies a person."""
    columns = engine.columns("observations")
    clues = find_clues(spec, columns, kind=lambda _: "corporate")
    names = [name for name in clues.sources(PERSONAL) if columns.get(name) == "VARCHAR"]
    if not names:
        return []
    found = engine.rows(
        fill(
            "SELECT DISTINCT unnest([{texts}]) FROM observations WHERE lead = (SELECT lead FROM ids WHERE id = ?)",
            texts=each("{name}", names),
        ),
        [id],
    )
    return [value for (value,) in found if value is not None]


def _long_enough(texts: Iterable[str]) -> list[str]:
    return sorted({text.strip() for text in texts if len(text.strip()) >= cache.SHORTEST_SUBJECT})
