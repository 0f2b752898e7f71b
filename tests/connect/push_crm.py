"""A CRM in memory to write to, and a workspace whose leads are its contacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from leadlight.connect.protocol import (
    Limits,
    Note,
    Object,
    Page,
    PushField,
    Readied,
    Value,
    Want,
    Write,
    Written,
)
from leadlight.connect.push import push
from leadlight.connect.push_house import House, Wish
from leadlight.connect.push_records import Aim
from leadlight.connect.push_report import PushRun
from leadlight.connect.push_values import FIELDS
from leadlight.engines.base import Engine
from leadlight.errors import LeadlightError, RemoteError
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.store.open import open_store
from leadlight.workspace import Workspace

NOW = datetime(2026, 3, 1, 9)
SCORE, GRADE, REASONS = "x_score", "leadlight_grade", "leadlight_reasons"


class Killed(BaseException):
    """The process ends here, without a chance to do anything."""


@dataclass
class Crm:
    """What a session writes to."""

    records: dict[str, dict[str, Value]]
    fields: list[str] = field(default_factory=lambda: ["x_score"])
    unmakeable: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    locked: dict[str, int] = field(default_factory=dict)
    """Record → how often it is locked yet."""
    whole: set[str] = field(default_factory=set)
    """Records for which a whole batch is refused."""
    kill_after_write: bool = False
    kill_before_write: bool = False
    requests_left: int | None = None
    asked: list[str] = field(default_factory=list)
    written: list[tuple[str, Mapping[str, Value]]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.requests_left is not None:
            if self.requests_left <= 0:
                raise RemoteError("Memory", "quota", "80% of its 10 requests a day are used up")
            self.requests_left -= 1

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        del objects
        raise AssertionError("a push needs no description")

    def read(self, want: Want) -> Iterator[Page]:
        del want
        raise AssertionError("a push reads nothing")

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        del object
        found = []
        for one in fields:
            name = "x_score" if one.name == "leadlight_score" else one.name
            if name in self.unmakeable:
                found.append(Readied(name, "missing", f"make {name} in the settings"))
                continue
            found.append(Readied(name, "there" if name in self.fields else "made"))
            if name not in self.fields and not dry:
                self.fields.append(name)
        return found

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        del object
        self._ask("look")
        assert set(fields) <= set(self.fields), "only fields that are there"
        return {id: {name: self.records[id].get(name) for name in fields} for id in ids if id in self.records}  # noqa: A001

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        del object
        self._ask("write")
        if self.kill_before_write:
            raise Killed
        if self.whole & {one.id for one in batch}:
            raise RemoteError("Memory", "invalid", "the batch makes no sense", status=400)
        answers = [self._write(one) for one in batch]
        if self.kill_after_write:
            raise Killed
        return answers

    def _write(self, one: Write) -> Written:
        if one.id not in self.records:
            return Written(one.id, "no such record", gone=True)
        if one.id in self.refused:
            return Written(one.id, self.refused[one.id])
        if self.locked.get(one.id, 0) > 0:
            self.locked[one.id] -= 1
            return Written(one.id, "locked by a person", again=True)
        self.records[one.id].update(one.values)
        self.written.append((one.id, dict(one.values)))
        return Written(one.id)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        del object
        self._ask("note")
        self.notes += notes
        if self.kill_after_write:
            raise Killed
        return [Written(one.id) for one in notes]


WORKSPACE = """
store: {store}
sources:
  people: {{csv: people.csv, id: id, created_at: created, columns: [email, staff, job, deleted]}}
features:
  staff: {{attribute: staff}}
  job: {{attribute: job}}
"""
HOUSE = """
groups:
  fit:
    criteria:
      - {name: Staff, feature: staff, bands: [[0, 10, 1.005], [10, 20, 5], [20, 30, 10.25], [30, null, 30]], missing: 0}
      - {name: Job, feature: job, points: {vp: 12, c_level: 20}, other: 0, missing: 0}
grades:
  score: {A: 30, B: 10, C: null}
"""
PEOPLE = "id,created,email,staff,job,deleted\n"


@dataclass
class Office:
    """A workspace, a CRM, and a clock."""

    workspace: LiveWorkspace
    crm: Crm
    engine: Engine
    now: list[datetime]
    rests: list[float] = field(default_factory=list)
    prefix: str = ""
    next_step: Any = None

    def set(self, lead: str, *, staff: float | None = None, job: str | None = None) -> None:
        """Let a lead's attributes be others, now and ever."""
        self.engine.execute(
            "UPDATE attributes SET staff = ?, job = ? WHERE lead = (SELECT lead FROM ids WHERE id = ?)",
            [staff, job, lead],
        )

    def score(self) -> None:
        """Keep scores, and changes of grade."""
        self.workspace.score()

    def push(self, *, batch: int = 2, **wish: Any) -> PushRun:
        """Write to the CRM."""
        names = wish.pop("names", dict.fromkeys(("score", "grade", "reasons", "scored_at")))
        aim = Aim("crm", "contacts", {"people": self.prefix}, names, wish.pop("when", None), wish.pop("tasks", {}),
                  wish.pop("tasks_at_most", 50))  # fmt: skip
        house = House(
            self.workspace.store, lambda _: (self.workspace.resolved, self.workspace.scorecard(None)),
            lambda: self.now[0], self.next_step, self.rests.append,
        )  # fmt: skip
        return push(house, aim, self.crm, Limits(10, batch=batch), system="Memory", wish=Wish(**wish))


def people(rows: Sequence[str]) -> str:
    """Return a file of people."""
    return PEOPLE + "".join(f"{row}\n" for row in rows)


def make_office(folder: Path, rows: Sequence[str], *, store: str = "duckdb:store.duckdb") -> Office:
    """Make a workspace of people, each of whom is a contact of the CRM."""
    (folder / "scorecards").mkdir(parents=True)
    for name, text in {"leadlight.yaml": WORKSPACE.format(store=store), "scorecards/house.yaml": HOUSE}.items():
        (folder / name).write_text(text.lstrip())
    (folder / "people.csv").write_text(people(rows))
    now = [NOW]
    Workspace(folder, now=lambda: now[0]).ingest()
    engine = open_store(store, folder)
    workspace = LiveWorkspace(folder, engine, now=lambda: now[0])
    return Office(workspace, Crm({row.partition(",")[0]: {} for row in rows}), engine, now)


def no_past(_: Engine, __: int) -> str | None:
    """Say that there is nothing to learn next steps from."""
    raise LeadlightError("there are no wins yet")


USUAL = tuple(one.name for one in FIELDS.values())
