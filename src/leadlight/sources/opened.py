"""Files that several sources read are looked through, and mended or taken out of a workbook, once for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from leadlight.sources.locate import Located
from leadlight.sources.scratch import Scratch
from leadlight.sources.survey import Survey, fingerprint, survey
from leadlight.spec.models import SourceSpec

T = TypeVar("T")


class Opened:
    """What is known already of the files that more than one of these sources reads, and a folder for mended copies.

    Nothing is kept of a file that one source reads alone: a workbook's rows are large.
    """

    def __init__(self, sources: Iterable[SourceSpec] = ()) -> None:
        counts = Counter(source.location for source in sources)
        self._shared = frozenset(location for location, count in counts.items() if count > 1)
        self._kept: dict[Hashable, Any] = {}
        self._scratch = Scratch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.clear()
        self._scratch.cleanup()

    def fingerprint(self, file: Located, spec: SourceSpec) -> str:
        """Return what changes whenever the file's content does."""
        return self.once(spec, ("fingerprint", file.path), lambda: fingerprint(file.path))

    def survey(self, file: Located, spec: SourceSpec, limit: int | None) -> Survey:
        """Look through a text file, and mend a copy where it has to be."""

        def look() -> Survey:
            scratch = self._scratch.path
            return survey(file.path, file.shown, scratch=scratch, encoding=spec.encoding, limit=limit)

        return self.once(spec, ("survey", file.path, spec.encoding, limit), look)

    def once(self, spec: SourceSpec, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes, and the same again for another source of the same files."""
        if spec.location not in self._shared:
            return make()
        if key not in self._kept:
            self._kept[key] = make()
        return cast(T, self._kept[key])
