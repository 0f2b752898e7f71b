"""Systems whose objects are models that tell of their own fields, any number of them (Odoo, Tryton)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from leadlight.connect.protocol import Field, Note, Object, Page, PushField, Readied, Value, Want, Write, Written
from leadlight.errors import NotFoundError, RemoteError


@dataclass(frozen=True, slots=True)
class Model:
    """A model: what it says of its own fields."""

    name: str
    title: str
    fields: Mapping[str, Mapping[str, Any]]

    def type(self, name: str) -> str:
        """Return the system's type of a field; an empty text where there is no such field."""
        return str(self.fields.get(name, {}).get("type", ""))

    def target(self, name: str) -> str | None:
        """Return the model that a field leads to."""
        found = self.fields.get(name, {}).get("relation")
        return found if isinstance(found, str) else None


M = TypeVar("M", bound=Model)


class Models(ABC, Generic[M]):
    """The models of one system, asked for once."""

    objects: Sequence[str]
    """What is shown where nothing is named; any other model can be named, too."""
    absent: Mapping[str, tuple[Field, ...]]
    """Models that the mapping names, of modules that not everybody has: there all the same, without records."""
    modified: str
    """The field that says when a record was changed."""

    def __init__(self) -> None:
        self._known: dict[str, M] = {}

    @abstractmethod
    def asked(self, name: str) -> M:
        """Ask for a model. Raises NotFoundError where there is none, RemoteError where it may not be read."""

    @abstractmethod
    def as_object(self, model: M) -> Object:
        """Return what there is to read of a model."""

    def model(self, name: str, *, anew: bool = False) -> M:
        """Return a model. Raises NotFoundError where there is none, RemoteError where it may not be read."""
        if anew or name not in self._known:
            self._known[name] = self.asked(name)
        return self._known[name]

    def has(self, name: str) -> bool:
        """Say whether there is a model. Raises RemoteError where it may not be read."""
        try:
            self.model(name)
        except NotFoundError:
            return False
        return True

    def describe(self, names: Sequence[str] | None) -> list[Object]:
        """Return what is to be read, as objects."""
        found = []
        for name in self.objects if names is None else names:
            try:
                found.append(self.as_object(self.model(name)))
            except NotFoundError:
                if name in self.absent:
                    found.append(Object(name, name, self.absent[name], modified_at=self.modified))
                elif names is not None:
                    raise
            except RemoteError as error:
                if names is not None or error.trouble != "scope":
                    raise
        return found


class Writing(Protocol):
    """How such a system is written to; see `protocol.Session`."""

    def ready(self, name: str, fields: Sequence[PushField], *, dry: bool) -> Sequence[Readied]:
        """See that fields are there."""
        ...

    def look(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:
        """Return what fields hold."""
        ...

    def write(self, name: str, batch: Sequence[Write]) -> Sequence[Written]:
        """Write fields."""
        ...

    def note(self, name: str, notes: Sequence[Note]) -> Sequence[Written]:
        """Put notes (or what comes closest) on records."""
        ...


class ModelSession(Generic[M]):
    """Such a system, signed in to."""

    def __init__(self, models: Models[M], writing: Writing, reading: Callable[[Want], Iterator[Page]]) -> None:
        self._models, self._writing, self._reading = models, writing, reading

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return models with their fields."""
        return self._models.describe(objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed."""
        if not self._models.has(want.object.name):  # a model that the mapping names, of a module that is not there
            yield Page((), want.cursor or {})
            return
        yield from self._reading(want)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that fields are there, and make those that are not, where the system's API can."""
        return self._writing.ready(object, fields, dry=dry)

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields hold."""
        return self._writing.look(object, ids, fields)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write fields."""
        return self._writing.write(object, batch)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Put notes (or what comes closest) on records."""
        return self._writing.note(object, notes)
