"""What a message says: as data for programs, as text for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadlight.spec.entity import many
from leadlight.store.outbox import Outgoing

SHOWN = 20
"""Changes that a text tells one by one, of a message about many."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The workspace's words: what a lead is called, and of each scorecard its grades, the best first."""

    entity: str
    grades: Mapping[str, Sequence[str]] = field(default_factory=dict)
    of_accounts: frozenset[str] = frozenset()
    """The scorecards that are about accounts."""

    def noun(self, change: Outgoing) -> str:
        """Say what a change is about."""
        return "account" if change.scorecard in self.of_accounts else self.entity

    def rises(self, change: Outgoing) -> bool:
        """Say whether a change is one for the better; a first grade is, unless it is the lowest."""
        grades = list(self.grades.get(change.scorecard, ()))
        places = {grade: place for place, grade in enumerate(grades)}
        before = len(grades) - 1 if change.grade_from is None else places.get(change.grade_from, len(grades))
        return places.get(change.grade_to, len(grades)) < before


@dataclass(frozen=True, slots=True)
class Message:
    """One message, about one change or many; `id` is the same at every try, so that who gets it twice can tell."""

    id: str
    changes: tuple[Outgoing, ...]
    wording: Wording

    @property
    def is_digest(self) -> bool:
        """Whether it tells of what would have been too many messages."""
        return len(self.changes) > 1

    @property
    def title(self) -> str:
        """One line for people."""
        if not self.is_digest:
            return headline(self.changes[0], self.wording)
        up = sum(self.wording.rises(change) for change in self.changes)
        down = len(self.changes) - up
        nouns = {self.wording.noun(change) for change in self.changes}
        who = many(len(self.changes), nouns.pop() if len(nouns) == 1 else self.wording.entity)
        return f"{who} changed grade: {up:,} up, {down:,} down"

    @property
    def text(self) -> str:
        """All of it for people: the title, then the reasons, or the changes one by one."""
        if not self.is_digest:
            return "\n".join([self.title, *(f"• {line}" for line in details(self.changes[0]))])
        lines = [f"• {headline(change, self.wording)}" for change in self.changes[:SHOWN]]
        more = len(self.changes) - len(lines)
        return "\n".join([self.title, *lines, *([f"… and {more:,} more"] if more else [])])

    def as_dict(self) -> dict[str, Any]:
        """Return it as a webhook carries it: `type`, `timestamp` and `data`, as Standard Webhooks suggests."""
        changes = [data(change, self.wording) for change in self.changes]
        if self.is_digest:
            at = max(change.at for change in self.changes)
            return {"type": "grades.changed", "timestamp": moment(at), "data": {"changes": changes}}
        return {"type": "grade.changed", "timestamp": moment(self.changes[0].at), "data": changes[0]}


def data(change: Outgoing, wording: Wording) -> dict[str, Any]:
    """Return a change as plain JSON values."""
    said: dict[str, Any] = {
        "change": change.message, "entity": wording.noun(change), "id": change.who, "scorecard": change.scorecard,
        "version": change.version, "rule": change.rule, "direction": "up" if wording.rises(change) else "down",
        "from": change.grade_from, "to": change.grade_to, "score": change.score, "probability": change.probability,
        "reasons": reasons(change), "at": moment(change.at),
    }  # fmt: skip
    return said if change.attributes is None else {**said, "attributes": json.loads(change.attributes)}


def headline(change: Outgoing, wording: Wording) -> str:
    """Say in a line what happened."""
    noun, rises = wording.noun(change), wording.rises(change)
    if change.grade_from is None:
        moved = f"begins as {change.grade_to}"
    else:
        moved = f"{'rose' if rises else 'fell'} from {change.grade_from} to {change.grade_to}"
    score = "" if change.score is None else f", {change.score:.0f} points"
    chance = "" if change.probability is None else f", {change.probability:.0%} likely"
    return on_a_line(f"{noun} {change.who} {moved} by {change.scorecard}{score}{chance}")


def details(change: Outgoing) -> list[str]:
    """Return the reasons, and what is said along, in words."""
    said = json.loads(change.attributes) if change.attributes is not None else {}
    along = [f"{name}: {value}" for name, value in said.items() if value is not None]
    return [on_a_line(text) for text in [*reasons(change), *along]]


def on_a_line(text: str) -> str:
    """Put blanks in the place of what would break a line or steer a terminal.

    >>> on_a_line("a\\nb")
    'a b'
    """
    return "".join(character if character.isprintable() else " " for character in text)


def reasons(change: Outgoing) -> list[str]:
    """Return the reasons in words."""
    return [str(reason) for reason in json.loads(change.reasons)] if change.reasons is not None else []


def moment(at: datetime) -> str:
    """Write a moment as RFC 3339 does."""
    return at.isoformat() + "Z"
