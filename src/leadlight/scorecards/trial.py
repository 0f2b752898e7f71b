"""Score one lead given as JSON; nothing is stored.

The very same statement runs on a store in memory that holds just this lead, in the documented shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import Fault, LeadlightError, SpecError, UsageError, did_you_mean, shorten
from leadlight.expr.types import Type
from leadlight.features.moment import Moment
from leadlight.scorecards.ledger import Ledger, ledgers
from leadlight.spec.moments import parse_moment
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import fill

ARROW = {Type.NUMBER: pa.float64(), Type.TEXT: pa.string(), Type.BOOL: pa.bool_(), Type.TIME: pa.timestamp("us")}
OUTCOMES = {"lead": pa.int32(), "at": pa.timestamp("us"), "outcome": pa.string(), "value": pa.float64()}
EVER = (datetime(1, 1, 2), datetime(9999, 12, 31))  # noqa: DTZ001
KEYS = frozenset({"id", "created_at", "account", "events"})


class TrialError(SpecError):
    """The lead given as JSON has faults."""

    exit_code = 4
    what = "the lead given"


def trial(
    workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, lead: Mapping[str, Any], as_of: datetime
) -> Ledger:
    """Score one lead: its attributes by name, with `id`, `created_at`, `account`, `events` where wanted.

    An event is `{"type": …, "at": …, property: …}`; attributes of the account stand among the lead's. Raises
    TrialError with all faults (unknown names, values of the wrong type).
    """
    trials = Trials(workspace)
    try:
        (found,) = trials.score(scorecard, [lead], as_of)
    finally:
        trials.close()
    if isinstance(found, LeadlightError):
        raise found
    return found


class Trials:
    """A store in memory that leads are scored in, some at once and again and again; for one thread at a time."""

    def __init__(self, workspace: ResolvedWorkspace) -> None:
        self.workspace = workspace
        self.engine = DuckDBEngine(None)
        self.engine.execute("SET threads = 1")  # there is too little to share

    def score(
        self, scorecard: ResolvedScorecard, leads: Sequence[Mapping[str, Any]], as_of: datetime
    ) -> list[Ledger | LeadlightError]:
        """Score leads that know nothing of each other; return the ledger of each, or what is wrong with it."""
        found: list[Ledger | LeadlightError | None] = []
        tables: list[dict[str, pa.Table]] = []
        for number, lead in enumerate(leads):
            reader = _Reader(self.workspace, as_of, number)
            tables.append(reader.tables(lead))
            found.append(_fault(scorecard, lead, reader.faults))
        for numbers in _apart([None if fault else lead for lead, fault in zip(leads, found, strict=True)]):
            self._fill([tables[number] for number in numbers])
            keys = [number if scorecard.spec.of == "lead" else str(leads[number]["account"]) for number in numbers]
            moment = Moment(as_of=as_of, only=_padded(keys))
            for item in ledgers(self.engine, self.workspace, scorecard, moment, grade_history=False):
                found[numbers[keys.index(item.key)]] = item
        return [item for item in found if item is not None]

    def _fill(self, tables: Sequence[dict[str, pa.Table]]) -> None:
        for name in tables[0]:
            self.engine.register("_given", pa.concat_tables([each[name] for each in tables]))
            self.engine.execute(fill("CREATE OR REPLACE TABLE {name} AS SELECT * FROM _given", name=name))
            self.engine.unregister("_given")

    def close(self) -> None:
        """Let go of the memory."""
        self.engine.close()


def _fault(scorecard: ResolvedScorecard, lead: Mapping[str, Any], faults: Sequence[Fault]) -> LeadlightError | None:
    if faults:
        return TrialError(faults)
    if scorecard.spec.of == "account" and lead.get("account") is None:
        return UsageError(f"{scorecard.name} scores accounts", fix='Give the lead an account: {"account": "…"}')
    return None


def _apart(leads: Sequence[Mapping[str, Any] | None]) -> list[list[int]]:
    """Part the places of leads so that no two of one account stand together: they would be taken for colleagues.

    >>> _apart([{"account": "a"}, {}, None, {"account": "a"}])
    [[0, 1], [3]]
    """
    parts: list[tuple[set[str], list[int]]] = []
    for number, lead in enumerate(leads):
        if lead is None:
            continue
        account = lead.get("account")
        part = next((part for part in parts if account is None or account not in part[0]), None)
        if part is None:
            part = (set(), [])
            parts.append(part)
        part[1].append(number)
        part[0].update([] if account is None else [account])
    return [numbers for _, numbers in parts]


def _padded(keys: Sequence[int | str]) -> list[int | str]:
    """Repeat the last key until there are a power of two: so few statements serve any number of leads.

    >>> _padded([0, 1, 2])
    [0, 1, 2, 2]
    """
    wanted = 1 << (len(keys) - 1).bit_length()
    return [*keys, *([keys[-1]] * (wanted - len(keys)))]


class _Reader:
    """Turns JSON into tables, gathering faults."""

    def __init__(self, workspace: ResolvedWorkspace, as_of: datetime, number: int) -> None:
        self.catalog = workspace.catalog
        self.number = number
        self.as_of = as_of
        self.faults: list[Fault] = []

    def tables(self, lead: Mapping[str, Any]) -> dict[str, pa.Table]:
        for name in lead:
            if name not in KEYS and name not in self.catalog.attributes and name not in self.catalog.account_attributes:
                known = [*KEYS, *self.catalog.attributes, *self.catalog.account_attributes]
                self._fault(name, f"no such attribute: {did_you_mean(str(name), known)}")
        created = self._value("created_at", lead.get("created_at"), Type.TIME) or self.as_of
        account = self._value("account", lead.get("account"), Type.TEXT)
        return {
            "leads": _table({"lead": [self.number], "id": [str(lead.get("id", "try"))], "created_at": [created]}),
            "attributes": self._attributes({"lead": self.number}, account, self.catalog.attributes, lead),
            "account_attributes": self._attributes({}, account, self.catalog.account_attributes, lead),
            "events": self._events(lead.get("events") or []),
            "outcomes": pa.table({name: pa.array([], kind) for name, kind in OUTCOMES.items()}),
        }

    def _attributes(
        self, key: Mapping[str, Any], account: Any, types: Mapping[str, Type], lead: Mapping[str, Any]
    ) -> pa.Table:
        columns = {name: [value] for name, value in key.items()}
        table = _table({**columns, "known_at": [EVER[0]], "known_until": [EVER[1]]})
        table = table.append_column("account", pa.array([account], pa.string()))
        for name, kind in types.items():
            table = table.append_column(name, pa.array([self._value(name, lead.get(name), kind)], ARROW[kind]))
        return table

    def _events(self, events: Any) -> pa.Table:
        if not isinstance(events, Sequence) or isinstance(events, str):
            self._fault("events", f"expected a list of events, found {shorten(events)}")
            events = []
        rows = [self._event(number, event) for number, event in enumerate(events)]
        types = {"type": Type.TEXT, "at": Type.TIME, **self.catalog.properties}
        table = pa.table({"lead": pa.array([self.number] * len(rows), pa.int32())})
        for name, kind in types.items():
            table = table.append_column(name, pa.array([row.get(name) for row in rows], ARROW[kind]))
        return table

    def _event(self, number: int, event: Any) -> dict[str, Any]:
        place = f"events[{number}]"
        if not isinstance(event, Mapping) or not isinstance(event.get("type"), str):
            self._fault(place, f'expected {{"type": …, "at": …}}, found {shorten(event)}')
            return {}
        row: dict[str, Any] = {"type": event["type"], "at": self._value(f"{place}.at", event.get("at"), Type.TIME)}
        row["at"] = row["at"] or self.as_of
        for name, value in event.items():
            if name in ("type", "at"):
                continue
            if name not in self.catalog.properties:
                self._fault(f"{place}.{name}", f"no such property: {did_you_mean(name, self.catalog.properties)}")
                continue
            row[name] = self._value(f"{place}.{name}", value, self.catalog.properties[name])
        return row

    def _value(self, path: str, value: Any, kind: Type) -> Any:
        if value is None:
            return None
        read: Callable[[Any], Any] = {
            Type.NUMBER: _number, Type.TEXT: _text, Type.BOOL: _bool, Type.TIME: lambda v: _time(v, self.as_of),
        }[kind]  # fmt: skip
        try:
            return read(value)
        except (ValueError, TypeError, UsageError, OverflowError):
            self._fault(path, f"expected a {kind}, found {shorten(value)}")
            return None

    def _fault(self, path: str, message: str) -> None:
        self.faults.append(Fault(message, path=str(path)))


def _table(columns: Mapping[str, list[Any]]) -> pa.Table:
    return pa.table(
        {
            name: pa.array(values, pa.timestamp("us") if isinstance(values[0], datetime) else None)
            for name, values in columns.items()
        }
    )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise ValueError(value)
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _time(value: Any, now: datetime) -> datetime:
    if not isinstance(value, str):
        raise ValueError(value)
    return parse_moment(value, now)
