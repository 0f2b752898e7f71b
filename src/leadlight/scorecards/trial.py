"""Score one lead given as JSON; nothing is stored.

The very same statement runs on tables that hold just this lead, in the documented shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import Fault, LeadlightError, SpecError, UsageError, did_you_mean, shorten
from leadlight.expr.types import Type
from leadlight.scorecards.compile import Options
from leadlight.scorecards.given import MEMBERS, WHENEVER, GivenStatement, given_statement
from leadlight.scorecards.ledger import Ledger, ledger
from leadlight.spec.moments import parse_moment
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

EVER = {"known_at": datetime(1, 1, 2), "known_until": datetime(9999, 12, 31)}  # noqa: DTZ001
UNNAMED = "account of lead "
"""What an account is called whose attributes are given and whose name is not: they count all the same."""
NEVER_GIVEN = frozenset({"outcomes"})
OF_ACCOUNTS = frozenset({"account_attributes", MEMBERS})
"""The tables that have no rows where no lead has an account."""
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
    """Scores leads that are given, some at once and again and again; for one thread at a time."""

    def __init__(self, workspace: ResolvedWorkspace) -> None:
        self.workspace = workspace
        self._engine = DuckDBEngine(None)
        self._engine.execute("SET threads = 1")  # there is too little to share
        self._statements: dict[tuple[str, bool], GivenStatement] = {}

    def score(
        self, scorecard: ResolvedScorecard, leads: Sequence[Mapping[str, Any]], as_of: datetime
    ) -> list[Ledger | LeadlightError]:
        """Score leads that know nothing of each other; return the ledger of each, or what is wrong with it."""
        readers = [_Reader(self.workspace, as_of, number) for number in range(len(leads))]
        rows = [reader.rows(lead) for reader, lead in zip(readers, leads, strict=True)]
        found = [_fault(scorecard, lead, reader.faults) for reader, lead in zip(readers, leads, strict=True)]
        answers: list[Ledger | LeadlightError | None] = list(found)
        for numbers in _apart([None if fault else lead for lead, fault in zip(leads, found, strict=True)]):
            places = {_key(scorecard, number, leads[number]): number for number in numbers}
            for row in self._rows(scorecard, [rows[number] for number in numbers], as_of):
                answers[places[row[scorecard.spec.of]]] = ledger(self.workspace, scorecard, row)
        return [answer for answer in answers if answer is not None]

    def ready(self, scorecard: ResolvedScorecard) -> None:
        """Plan the statement of a scorecard, so that nobody who asks has to wait for that."""
        lead = _Reader(self.workspace, WHENEVER, 0)
        for given in ({}, {"account": "any"}):
            self._rows(scorecard, [lead.rows(given)], WHENEVER)

    def _rows(self, scorecard: ResolvedScorecard, rows: Sequence[_Rows], as_of: datetime) -> list[dict[str, Any]]:
        together = {table: [row for each in rows for row in each[table]] for table in (rows[0] if rows else ())}
        alone = scorecard.spec.of == "lead" and all(row["account"] is None for row in together.get("attributes", ()))
        statement = self._statement(scorecard, alone=alone)
        return self._engine.prepared(statement.text, statement.parameters(together, as_of))

    def _statement(self, scorecard: ResolvedScorecard, *, alone: bool) -> GivenStatement:
        """Return what scores, kept from the first time; `alone` is that no lead has an account."""
        key = scorecard.name, alone
        if key not in self._statements:
            options, without = (
                Options(evidence=True, excluded=True),
                (NEVER_GIVEN | OF_ACCOUNTS if alone else NEVER_GIVEN),
            )
            self._statements[key] = given_statement(self.workspace, scorecard, options, without=without)
        return self._statements[key]

    def close(self) -> None:
        """Let go of the memory."""
        self._engine.close()


def _fault(scorecard: ResolvedScorecard, lead: Mapping[str, Any], faults: Sequence[Fault]) -> LeadlightError | None:
    if faults:
        return TrialError(faults)
    if scorecard.spec.of == "account" and lead.get("account") is None:
        return UsageError(f"{scorecard.name} scores accounts", fix='Give the lead an account: {"account": "…"}')
    return None


def _key(scorecard: ResolvedScorecard, number: int, lead: Mapping[str, Any]) -> int | str:
    return number if scorecard.spec.of == "lead" else str(lead["account"])


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


_Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""The rows of each table that a lead is given by."""


class _Reader:
    """Turns JSON into rows, gathering faults."""

    def __init__(self, workspace: ResolvedWorkspace, as_of: datetime, number: int) -> None:
        self.catalog = workspace.catalog
        self.number = number
        self.as_of = as_of
        self.faults: list[Fault] = []

    def rows(self, lead: Mapping[str, Any]) -> _Rows:
        for name in lead:
            if name not in KEYS and name not in self.catalog.attributes and name not in self.catalog.account_attributes:
                known = [*KEYS, *self.catalog.attributes, *self.catalog.account_attributes]
                self._fault(name, f"no such attribute: {did_you_mean(str(name), known)}")
        created = self._value("created_at", lead.get("created_at"), Type.TIME) or self.as_of
        if created > self.as_of:
            self._fault("created_at", f"nobody is known before being there: expected at most {self.as_of} (as of)")
        name = self._value("id", str(lead.get("id", "try")), Type.TEXT)
        own, of_account = (
            {name: self._value(name, lead.get(name), kind) for name, kind in types.items()}
            for types in (self.catalog.attributes, self.catalog.account_attributes)
        )
        account = self._value("account", lead.get("account"), Type.TEXT)
        if account is None and any(value is not None for value in of_account.values()):
            account = f"{UNNAMED}{self.number}"
        period = {**EVER, "account": account}
        return {
            "leads": [{"lead": self.number, "id": name, "created_at": created}],
            "attributes": [{**own, **period, "lead": self.number}],
            "account_attributes": [{**of_account, **period}],
            "events": self._events(lead.get("events") or []),
        }

    def _events(self, events: Any) -> list[dict[str, Any]]:
        if not isinstance(events, Sequence) or isinstance(events, str):
            self._fault("events", f"expected a list of events, found {shorten(events)}")
            return []
        return [self._event(number, event) for number, event in enumerate(events)]

    def _event(self, number: int, event: Any) -> dict[str, Any]:
        place = f"events[{number}]"
        if not isinstance(event, Mapping) or not isinstance(event.get("type"), str):
            self._fault(place, f'expected {{"type": …, "at": …}}, found {shorten(event)}')
            return {}
        kind = self._value(f"{place}.type", event["type"], Type.TEXT)
        at = self._value(f"{place}.at", event.get("at"), Type.TIME) or self.as_of
        row: dict[str, Any] = {"lead": self.number, "type": kind, "at": at}
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


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise ValueError(value)
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    value.encode()  # half a character is none
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _time(value: Any, now: datetime) -> datetime:
    if not isinstance(value, str):
        raise ValueError(value)
    return parse_moment(value, now)
