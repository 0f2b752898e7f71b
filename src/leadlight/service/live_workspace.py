"""A workspace whose store is held open by the service: the verbs of the library, answered without opening anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.engines.base import Engine
from leadlight.engines.desk import desk
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.enrich.forget import forget_person
from leadlight.errors import Fault, LeadlightError, SpecError
from leadlight.service import enrich_queue, rewriting
from leadlight.service.staging import drop_calls
from leadlight.service.words import settle_words
from leadlight.spec.load import SCORECARD_FOLDER, WORKSPACE_FILE, load_workspace
from leadlight.spec.models import AttributeFeature
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.apart import any_apart
from leadlight.store.erase import Erased
from leadlight.store.names import catalog
from leadlight.store.standing import read_at
from leadlight.workspace import Workspace, utc_now

if TYPE_CHECKING:
    from leadlight.connect.sync_report import SyncReport
    from leadlight.sources.read import ProgressUpdate


class AsksNobody(Workspace):
    """A workspace that reads sources and leaves it to the service to look up whom it read of."""

    def _enrich_read(self, moment: datetime, progress: object) -> None:
        """Look nobody up: `enrich_queue.prepare` notes who was read last."""


@contextmanager
def opened(folder: Path) -> Iterator[LiveWorkspace]:
    """Open a workspace to change who is who beside a service: what was said live is told anew, as the service does.

    Raises StoreInUse where a service holds the embedded store.
    """
    with Workspace(folder).store(write=True) as engine:
        yield LiveWorkspace(folder, engine)


class LiveWorkspace(AsksNobody):
    """A workspace over an engine of its own, for one thread at a time.

    Several of them in one process see the same store, each what was committed when it asks.
    """

    def __init__(self, folder: Path, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> None:
        self._files = _look(folder)
        super().__init__(folder, now=now)
        self.engine = engine

    @contextmanager
    def store(self, *, write: bool = False, create: bool = False) -> Iterator[Engine]:
        """Lend the engine; it stays open."""
        del write, create  # it can be written to, and is there
        yield self.engine

    @property
    def resolved(self) -> ResolvedWorkspace:
        """The workspace as the store's names make it, kept until `refresh`."""
        if self._session is None:
            self.refresh()
        assert self._session is not None
        return self._session[1]

    @property
    def scorecards(self) -> list[ResolvedScorecard]:
        """All scorecards, ready to run."""
        return list(self.resolved.scorecards.values())

    @property
    def feature_names(self) -> frozenset[str]:
        """The names of features that are no attribute's of the same name: no attribute may have them."""
        named = [self.resolved.features, *(card.features for card in self.scorecards)]
        return frozenset(
            name
            for features in named
            for name, feature in features.items()
            if not (isinstance(feature.spec, AttributeFeature) and feature.spec.attribute == name)
        )

    def scorecard(self, name: str | None) -> ResolvedScorecard:
        """Return a scorecard, the usual one for None.

        Raises NotFoundError.
        """
        return self._card(self.resolved, name)

    def moment(self, text: str | None) -> datetime:
        """Return the moment that is asked for, now for None.

        Raises UsageError.
        """
        return self._as_of(text)

    def _ready(self, engine: Engine) -> ResolvedWorkspace:
        """Return the workspace as the store's names make it, also where nobody was heard of yet."""
        if self._session is not None:
            return self._session[1]
        return self._resolved(catalog(engine))[0]

    def refresh(self) -> None:
        """Look again which names the store has.

        Raises SpecError where the scorecards do not fit them; all stays as it was then.
        """
        before, self._session = self._session, None
        try:
            self._session = (self.engine, self._ready(self.engine))
        except LeadlightError:
            self._session = before
            raise

    def _enrich_read(self, moment: datetime, progress: object = None) -> None:
        """Note to be looked up in the background of whom something new was read at a moment."""
        del progress  # nothing is waited for
        enrich_queue.note_leads(self.engine, read_at(self.engine, moment), self.now())

    def take_in(
        self, connections: Sequence[str], *, reading: Callable[[ProgressUpdate], None] | None = None
    ) -> SyncReport:
        """Bring what was read of connections into the store; whom it concerns is looked up in the background."""
        taken, rules = super().take_in(connections, reading=reading), self.loaded.workspace.spec.enrich
        if rules is not None and rules.on_ingest and taken.changed and taken.ingested is not None:
            self._enrich_read(taken.ingested.at)
        return taken

    def settle_words(self) -> None:
        """Let words be of who people are now, where that was changed by somebody who knew nothing of a service."""
        if any_apart(self.engine):
            with self._changing() as engine:
                self._settle_words(engine, everybody=True)

    def _settle_words(self, engine: Engine, *, everybody: bool = False) -> None:
        merge_by = {name: source.merge_by for name, source in self.loaded.workspace.spec.sources.items()}
        if not {"live_traits", "live_links", "live_owners"} <= set(engine.tables()):
            return
        with desk(engine) as beside:
            settle_words(engine, beside, self.feature_names, merge_by, at=self.now(), everybody=everybody)
            drop_calls(beside)
        drop_calls(engine)

    def erase(self, lead: str) -> Erased:
        """Remove a person everywhere, at once.

        The bytes in the embedded store's file go when the service ends: see `rewriting`.
        """
        embedded = isinstance(self.engine, DuckDBEngine)
        if embedded:
            rewriting.owe(self.root)
        return forget_person(
            self.engine, self.loaded.workspace.spec.enrich, self.root, lead, now=self.now(), rewrite=not embedded
        )

    def renew(self) -> None:
        """Look again at the files and at the store's names; files with faults count when they are right."""
        with suppress(SpecError):
            self.reload()
        self.refresh()

    def reload(self) -> bool:
        """Read the workspace's files again where they have changed since; return whether they had.

        Raises SpecError, once for each change, where they have faults; all stays as it was then.
        """
        if (seen := _look(self.root)) == self._files:
            return False
        self._files = seen
        before = self.loaded, self._session
        try:
            self.loaded = load_workspace(self.root)
            self.refresh()
        except LeadlightError as error:
            self.loaded, self._session = before
            raise error if isinstance(error, SpecError) else SpecError([Fault(error.message)]) from None
        return True


def _look(folder: Path) -> frozenset[tuple[str, int, int, int]]:
    """Return what is another value whenever leadlight.yaml or a scorecard is another file."""
    found = []
    for path in (folder / WORKSPACE_FILE, *(folder / SCORECARD_FOLDER).glob("*.yaml")):
        with suppress(FileNotFoundError):
            stat = path.stat()
            found.append((path.name, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return frozenset(found)
