"""What reports call things: leads, wins, what a win is worth, and what is done with those ranked first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from leadlight.spec.entity import plural

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from leadlight.spec.models import WorkspaceSpec


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a line of business.

    >>> ours, theirs = Words(), Words("vulnerability", won="exploited", worth="impact", action="patched")
    >>> [f"32 {ours.wins}", f"32 {theirs.wins}", ours.rate, theirs.rate, theirs.entities]
    ['32 wins', '32 exploited', 'win rate', 'share exploited', 'vulnerabilities']
    >>> Words("subscriber", won="renewed", noun="renewal").wins
    'renewals'
    """

    entity: str = "lead"
    won: str = "won"
    """What became of a lead that is won: exploited, missed, bought."""
    noun: str | None = None
    """A win, where it has a name: exploit, renewal, purchase."""
    worth: str = "worth"
    action: str = "called"
    """What is done with those ranked first: patched, taken up, inspected."""

    @property
    def own(self) -> bool:
        """Whether wins are called something else than wins."""
        return self.won != "won" or self.noun is not None

    @property
    def entities(self) -> str:
        """Several leads."""
        return plural(self.entity)

    @property
    def win(self) -> str:
        """One win."""
        return self.noun or (self.won if self.own else "win")

    @property
    def wins(self) -> str:
        """Several wins."""
        return plural(self.noun) if self.noun else self.won if self.own else "wins"

    @property
    def deals(self) -> str:
        """What a backtest counts."""
        return self.wins if self.own else "deals"

    @property
    def rate(self) -> str:
        """The share of leads that are won."""
        return f"share {self.won}" if self.own else "win rate"

    @property
    def per_action(self) -> str:
        """Of what costs are told."""
        return "a call" if self.action == "called" else f"{self.entity} {self.action}"

    @property
    def nobody(self) -> str:
        """Say that the line lets nobody through."""
        return "call nobody" if self.action == "called" else f"nobody {self.action}"


USUAL = Words()
"""The words where a workspace has none of its own."""


def without_words(found: DataclassInstance) -> dict[str, Any]:
    """Return a dataclass as plain values, without the words it speaks in."""
    return {name: value for name, value in asdict(found).items() if name != "words"}


def words_of(spec: WorkspaceSpec) -> Words:
    """Return the words of a workspace, and of its outcome (as `ResolvedWorkspace.toward` has chosen it)."""
    outcome = spec.outcome
    if outcome is None:
        return Words(spec.entity, action=spec.action)
    return Words(spec.entity, won=outcome.called, noun=outcome.noun, worth=outcome.worth, action=spec.action)
