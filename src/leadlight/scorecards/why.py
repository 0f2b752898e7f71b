"""Why a score moved between two moments, item by item; the items add up to the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from leadlight.engines.base import Engine
from leadlight.features.moment import Moment
from leadlight.scorecards.ledger import SHOWN, Contribution, Ledger, ledgers
from leadlight.scorecards.sentences import amount
from leadlight.spec import models
from leadlight.spec.readable import Readable, html_table
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

Cause = Literal["new events", "time passing", "new values", "cap", "scorecard"]


@dataclass(frozen=True, slots=True)
class Move:
    """One item of a movement: how many points it took or gave, and for what cause."""

    key: str
    name: str
    cause: Cause
    points: float
    reason: str

    def __str__(self) -> str:
        return f"{amount(self.points)}  {self.reason} ({self.cause})"


@dataclass(frozen=True, slots=True, repr=False)
class Movement(Readable):
    """The difference of two ledgers of one lead: `before.score` + all moves = `after.score` within 1e-9."""

    before: Ledger
    after: Ledger
    moves: tuple[Move, ...]

    @property
    def points(self) -> float:
        """By how much the score moved."""
        return self.after.score - self.before.score

    def as_dict(self) -> dict[str, Any]:
        """Return the movement as plain JSON values."""
        return {
            "id": self.after.id,
            "scorecard": self.after.scorecard,
            "from": _end(self.before),
            "to": _end(self.after),
            "points": self.points,
            "moves": [
                {"key": m.key, "name": m.name, "cause": m.cause, "points": m.points, "reason": m.reason}
                for m in self.moves
            ],
        }

    def __str__(self) -> str:
        a, b = self.before, self.after
        head = f"{a.entity} {a.id}: {a.score:.1f} → {b.score:.1f} ({amount(self.points)})"
        if a.grade or b.grade:
            head += f", grade {a.grade} → {b.grade}"
        head += f", from {a.as_of:%Y-%m-%d %H:%M} to {b.as_of:%Y-%m-%d %H:%M} UTC"
        return "\n".join([head, *(f"  {move}" for move in self.moves)])

    def _repr_html_(self) -> str:
        rows = [[amount(move.points), move.cause, move.reason] for move in self.moves]
        return html_table(str(self).partition("\n")[0], ["points", "cause", "what"], rows, numbers=["points"])


def _end(ledger: Ledger) -> dict[str, Any]:
    return {
        "as_of": ledger.as_of.isoformat() + "Z",
        "score": ledger.score,
        "grade": ledger.grade,
        "version": ledger.version,
    }


def movement(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    key: int | str,
    since: datetime,
    until: datetime,
    *,
    earlier: ResolvedScorecard | None = None,
) -> Movement | None:
    """Return why a lead's score moved; None where it did not exist at `since` or `until`.

    `earlier` is the scorecard in use at `since`, where it was another version. The way is walked in steps whose
    differences are exact: time passing and new values with the events of `since`, then the new events, then the
    new scorecard.
    """
    old = earlier or scorecard

    def at(card: ResolvedScorecard, as_of: datetime, events_until: datetime | None = None) -> Ledger | None:
        moment = Moment(as_of=as_of, only=[key], events_until=events_until)
        found = ledgers(engine, workspace, card, moment)
        return found[0] if found else None

    start, end = at(old, since), at(scorecard, until)
    if start is None or end is None:
        return None
    waited, informed = at(old, until, since), at(old, until)
    if waited is None or informed is None:  # it exists at both ends
        return None
    moves = [*_steps(old, start, waited, by_time=True), *_steps(old, waited, informed, by_time=False)]
    if old.version != scorecard.version:
        moves += _republished(informed, end)
    moves.sort(key=lambda move: -abs(move.points))
    return Movement(start, end, tuple(moves))


def _steps(scorecard: ResolvedScorecard, before: Ledger, after: Ledger, *, by_time: bool) -> list[Move]:
    criteria = {criterion.key: criterion.spec for criterion in scorecard.criteria}
    moves = []
    for key, (old, new) in _paired(before, after).items():
        points = (new.points if new else 0.0) - (old.points if old else 0.0)
        if abs(points) <= SHOWN:
            continue
        item = new or old
        assert item is not None
        cause: Cause = "cap"
        if item.kind == "criterion":
            by_events = isinstance(criteria[key], models.EventCriterion)
            cause = ("time passing" if by_events else "new values") if by_time else "new events"
        moves.append(Move(key, item.name, cause, points, _reason(old, new)))
    return moves


def _republished(before: Ledger, after: Ledger) -> list[Move]:
    moves = []
    for key, (old, new) in _paired(before, after).items():
        points = (new.points if new else 0.0) - (old.points if old else 0.0)
        if abs(points) > SHOWN:
            item = new or old
            assert item is not None
            moves.append(Move(key, item.name, "scorecard", points, f"{item.name}: new scorecard"))
    return moves


def _paired(before: Ledger, after: Ledger) -> Mapping[str, tuple[Contribution | None, Contribution | None]]:
    old = {item.key: item for item in before.contributions}
    new = {item.key: item for item in after.contributions}
    return {key: (old.get(key), new.get(key)) for key in [*old, *(key for key in new if key not in old)]}


def _reason(old: Contribution | None, new: Contribution | None) -> str:
    if old is None or new is None or old.reason == new.reason:
        item = new or old
        assert item is not None
        return item.reason
    before = old.reason.removeprefix(old.name).lstrip(": ")
    after = new.reason.removeprefix(new.name).lstrip(": ")
    return f"{new.name}: {before} → {after}"
