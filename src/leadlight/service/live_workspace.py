"""A workspace whose store is held open by the service: the verbs of the library, answered without opening anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from leadlight.engines.base import Engine
from leadlight.spec.models import AttributeFeature
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.names import catalog
from leadlight.workspace import Workspace, utc_now


class LiveWorkspace(Workspace):
    """A workspace over an engine of its own, for one thread at a time.

    Several of them in one process see the same store, each what was committed when it asks.
    """

    def __init__(self, folder: Path, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> None:
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

        Raises SpecError where the scorecards do not fit them.
        """
        self._session = None
        self._session = (self.engine, self._ready(self.engine))
