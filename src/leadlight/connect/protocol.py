"""What a connector is: how one system is described, read, mapped and written to.

A connector is a folder with `describe.py` (objects and fields), `read.py` (records since a cursor), `map.py` (what they
are to Leadlight), `write.py` (scores back) and an `__init__.py` that names it `CONNECTOR`. It knows one vendor's API
and nothing of the store: pages of rows come out, batches of writes go in. What all have in common (sign-in, retries,
limits, histories, files, what has changed) is done around it, once.

All times are naive UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Setting

from leadlight.expr.types import Type

if TYPE_CHECKING:
    from leadlight.connect.http import Http, Way

Value = str | float | bool | datetime | None
"""A value of a record: text, number, bool, or naive UTC. Several values of one field: joined by ";" in their order."""

Cursor = Mapping[str, Any]
"""Where reading goes on, as plain JSON values of the connector's own choice."""


# ------------------------------------------------------------------------------------------------------- what it is


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that signs in, told in the environment or in a file of secrets, never in the workspace."""

    name: str
    """Its key in leadlight.yaml and in a file of secrets: `token`, `client_secret` …"""
    variable: str
    """The environment variable it is taken from unless told otherwise: `HUBSPOT_TOKEN`."""
    where: str
    """Where one finds or makes it in the system's own settings, in words."""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """What the vendor allows; what is told in leadlight.yaml goes first."""

    per_second: float
    """Requests a second."""
    per_day: int | None = None
    """Requests a day, where there is such a quota; only a share of it is used (`share`)."""
    at_once: int = 1
    """Requests at the same time."""
    batch: int = 100
    """Records in one write."""
    page: int = 100
    """Records in one page."""


@dataclass(frozen=True, slots=True)
class About:
    """What a connector is, said once."""

    name: str
    """As in `system: hubspot`."""
    title: str
    secrets: tuple[Secret, ...]
    limits: Limits
    documentation: str
    """The address of the vendor's published reference."""
    scopes: tuple[str, ...] = ()
    """What the key must be allowed, in the vendor's own words."""
    writes: bool = True
    listens: bool = False
    """Whether it can tell of changes by webhook."""


# --------------------------------------------------------------------------------------------------------- describe


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, as the system calls it."""

    name: str
    type: Type
    label: str = ""
    custom: bool = False
    history: bool = False
    """Whether the system keeps (and we read) what it was before, and since when."""
    writable: bool = True
    options: tuple[str, ...] = ()
    """The values it may have, where they are listed."""


def only_read(*fields: tuple[str, Type, str]) -> tuple[Field, ...]:
    """Return fields of a system's own that nothing is written to, from names, types and labels.

    >>> only_read(("email", Type.TEXT, "Email"))[0].writable
    False
    """
    return tuple(Field(name, type_, label, writable=False) for name, type_, label in fields)


@dataclass(frozen=True, slots=True)
class Object:
    """A kind of record: `contacts`, `Lead`, `crm.lead`."""

    name: str
    title: str
    fields: tuple[Field, ...]
    id: str = "id"
    created_at: str | None = None
    """The field that says when a record came to exist."""
    modified_at: str | None = None
    """The field that says when it last changed."""
    whole: bool = False
    """Only ever read as a whole: no cursor, and what does not come again is gone."""
    deletions: bool = True
    """Whether reading tells what was deleted (or it is `whole`)."""

    def field(self, name: str) -> Field | None:
        """Return a field by its name."""
        return next((one for one in self.fields if one.name == name), None)


# ------------------------------------------------------------------------------------------------------------- read


@dataclass(frozen=True, slots=True)
class Row:
    """What a record was from a moment on: all its wanted values, not only those that changed.

    `known_at` is when it came to be so, where the system keeps history: then there is one row for each change, oldest
    first. Null: the system says only what it is now (the caller dates it by the record's own `modified_at`, and what
    is read the very first time counts as known since the record exists).
    """

    id: str
    values: Mapping[str, Value]
    known_at: datetime | None = None
    gone: bool = False
    """It was deleted (or archived, and so out of everybody's sight); `values` may be empty."""
    into: str | None = None
    """It was merged or converted into the record of this id (of this object or another one), which lives on."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where to go on after them: kept together, so that a reading that was killed goes on there."""

    rows: Sequence[Row]
    cursor: Cursor
    there: Sequence[str] | None = None
    """Ids that exist, where the system tells of deletions in no other way: of a pass over all of them, in its pages.

    When a reading has come to its end within one run, a record that was kept and was in no `there` of this reading is
    gone. The cursor of such a page is one from which the pass starts anew, so that half a pass is never believed.
    """


@dataclass(frozen=True, slots=True)
class Want:
    """What is to be read of an object."""

    object: Object
    """Only with the fields that are wanted."""
    cursor: Cursor | None = None
    """Of the last page that was kept; None at the very first time."""
    history: bool = True
    """Whether rows of the past are wanted, where there are any."""


# ------------------------------------------------------------------------------------------------------------ write


@dataclass(frozen=True, slots=True)
class PushField:
    """A field that takes what we say."""

    name: str
    """As the system calls it (`leadlight_score`, `Leadlight_Score__c`)."""
    type: Type
    label: str
    description: str
    length: int | None = None
    """Characters that a text may have, where it matters."""


@dataclass(frozen=True, slots=True)
class Readied:
    """What became of a field that takes scores: it was there, it was made, or a person has to make it."""

    field: str
    was: Literal["there", "made", "missing"]
    todo: str | None = None
    """What to do in the system's own settings."""


@dataclass(frozen=True, slots=True)
class Write:
    """Values for one record."""

    id: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Note:
    """A task (or note, where the system knows no tasks) on a record."""

    id: str
    """The record."""
    subject: str
    text: str
    kind: Literal["task", "note"] = "task"
    due: datetime | None = None
    key: str = ""
    """Of its own, so that one that was sent before is not sent again; put where the system lets it be found."""


@dataclass(frozen=True, slots=True)
class Written:
    """How a write (or note) of one record ended; with `error`, in words that say what to do."""

    id: str
    error: str | None = None
    again: bool = False
    """It may go well if tried again (locked, too busy), unlike what the system refuses."""
    gone: bool = False
    """There is no such record any more."""


# ------------------------------------------------------------------------------------------------------------- whole


class Settings(BaseModel):
    """What leadlight.yaml may say of a connection; each connector adds its own keys (`domain`, `region` …)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Setting(
        None, description="the API's address, where it is not the usual one (own server, sandbox, test)"
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connector is made with."""

    secrets: Mapping[str, str] = field(repr=False)
    """By `Secret.name`; those that are not needed may be absent."""
    http: Http | None
    """The way out, paced, retried, counted (None where `Connector.way` gives none): all requests go by it."""
    now: datetime
    """When this run began."""


class Session(Protocol):
    """A system that is signed in to."""

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return the objects there are (or those named) with all their fields, custom ones too.

        Raises RemoteError; NotFoundError for an object that does not exist (with `did_you_mean`).
        """
        ...

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor, the oldest change first where the system can order so.

        Memory is bounded by a page. What has been read before may come again; it is told apart by its content. The
        cursor of the last page is where the next reading begins: nothing that changes meanwhile may be missed (take
        the vendor's late commits and clock into account: an overlap is free).
        """
        ...

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that fields are there to be written to, and make those that are not (unless `dry`)."""
        ...

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields of at most `limits.batch` records hold now; records that are gone are left out."""
        ...

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write at most `limits.batch` records; one answer for each, in order. Only these fields are touched.

        Raises RemoteError where nothing at all could be written.
        """
        ...

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add tasks or notes to at most `limits.batch` records; one answer for each, in order."""
        ...


class Connector(Protocol):
    """A system that can be connected."""

    @property
    def about(self) -> About:
        """What it is."""
        ...

    @property
    def settings(self) -> type[Settings]:
        """What leadlight.yaml may say of it."""
        ...

    @property
    def mapping(self) -> Mapping[str, Mapping[str, Any]]:
        """The sources it gives, as they stand under `sources:`, without `connection` (see `map.py` of each)."""
        ...

    @property
    def starter(self) -> str:
        """What else `init --from` writes into leadlight.yaml, as YAML: outcome, features, exclude, push."""
        ...

    @property
    def scorecard(self) -> str:
        """The scorecard that `init --from` writes (scorecards/house.yaml): points for what the mapping brings."""
        ...

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way | None:
        """Say where the API is, how requests are signed and what its refusals mean; None: it does not speak HTTP."""
        ...

    def open(self, settings: Settings, surroundings: Surroundings) -> Session:
        """Sign in, lazily: the first request may be the one that finds out that the secrets are wrong."""
        ...

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Verify a webhook of the vendor's and return which objects have changed; nothing else of it is believed.

        `url` is the address it was sent to, as the vendor signs it. Raises PermissionError where it is not the
        vendor's (or too old), NotImplementedError where the vendor sends none.
        """
        ...
