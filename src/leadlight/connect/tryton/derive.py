"""What Tryton knows, but not as a field: since when a record is in its state, and whose activity an activity was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.protocol import Want
from leadlight.connect.tryton.describe import OPPORTUNITY, STATE_SINCE, Model
from leadlight.connect.tryton.history import CLOSED, Move
from leadlight.connect.tryton.rest import Rest
from leadlight.connect.tryton.values import moment

LATE = timedelta(seconds=5)
"""The log is written at a transaction's end, the record before."""
FIRST = datetime.fromisoformat("0001-01-01")
PARTY, LEAD, SALE = "party.party", "sale.opportunity", "sale.sale"


class Derived:
    """Looks up, for a page of records at a time, what they do not say themselves."""

    def __init__(self, rest: Rest, want: Want) -> None:
        self._rest = rest
        wanted = {field.name for field in want.object.fields}
        self._states, self._owners = STATE_SINCE in wanted, OPPORTUNITY in wanted
        self._moves: dict[int, list[Move]] = {}
        self._leads: dict[str, list[tuple[datetime, int]]] = {}

    def prepare(self, model: Model, found: Sequence[Mapping[str, Any]]) -> None:
        """Look up what is needed of these records."""
        if self._states and model.type("state"):
            self._moves = self._transitions(model.name, [one["id"] for one in found])
        if self._owners and not model.type(OPPORTUNITY):
            self._leads = self._opportunities(sorted({_reference(one) for one in found} - {""}))

    def state_since(
        self, record: Mapping[str, Any], known_at: datetime | None, revisions: Sequence[Move]
    ) -> datetime | None:
        """Return when a record came into the state it was in at a moment: by its revisions, else as logged.

        Where neither tells, it was written with that state: by its end where it has one, else by its beginning.
        """
        for moves in (revisions, self._moves.get(record["id"], [])):
            before = [one for one in moves if known_at is None or one[0] <= known_at + LATE]
            times = [time for time, state in before if state == record.get("state")]
            if times:
                created = moment(record.get("create_date"))
                ended = moment(record.get("end_date")) if record.get("state") in CLOSED else None
                return ended if ended is not None and max(times) == created else max(times)
        ended = moment(record.get("end_date")) if record.get("state") in CLOSED else None
        return ended or moment(record.get("create_date"))

    def opportunity(self, record: Mapping[str, Any]) -> str | None:
        """Return the opportunity of an activity's party that was the newest one then."""
        leads, at = self._leads.get(_reference(record), []), moment(record.get("at"))
        if not leads:
            return None
        before = [number for time, number in leads if at is None or time <= at]
        return str(before[-1] if before else leads[0][1])

    def _transitions(self, model: str, numbers: Sequence[int]) -> dict[int, list[Move]]:
        domain = [
            ["event", "=", "transition"],
            ["resource", "in", [f"{model},{number}" for number in numbers]],
            ["target", "like", "state:%"],
        ]
        moves: dict[int, list[Move]] = defaultdict(list)
        for row in self._rest.search("ir.model.log", domain, ["resource", "target", "create_date"]):
            number, time = _number(row.get("resource")), moment(row.get("create_date"))
            if number is not None and time is not None:
                moves[number].append((time, str(row.get("target")).partition(":")[2]))
        return moves

    def _opportunities(self, references: Sequence[str]) -> dict[str, list[tuple[datetime, int]]]:
        """Return the opportunities of parties and sales, the oldest first."""
        leads: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        parties = [_number(one) for one in references if one.startswith(f"{PARTY},")]
        if parties:
            for row in self._rest.search(LEAD, [["party", "in", parties]], ["party", "create_date"]):
                leads[f"{PARTY},{row.get('party')}"].append((moment(row.get("create_date")) or FIRST, row["id"]))
        sales = [_number(one) for one in references if one.startswith(f"{SALE},")]
        if sales:
            domain = [["id", "in", sales], ["origin", "like", f"{LEAD},%"]]
            for row in self._rest.search(SALE, domain, ["origin"]):
                if (number := _number(row.get("origin"))) is not None:
                    leads[f"{SALE},{row['id']}"].append((FIRST, number))
        return {reference: sorted(found) for reference, found in leads.items()}


def _reference(record: Mapping[str, Any]) -> str:
    inner = record.get("record.")
    found = inner.get("record") if isinstance(inner, Mapping) else None
    return found if isinstance(found, str) else ""


def _number(reference: Any) -> int | None:
    text = reference.partition(",")[2] if isinstance(reference, str) else ""
    return int(text) if text.isdecimal() else None
