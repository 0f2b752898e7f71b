"""Which values of a column mean won, lost, or not yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadlight.errors import MAX_CHOICES_SHOWN, UsageError, shorten
from leadlight.expr.types import Type
from leadlight.sources.clues import answer_of, ending_of
from leadlight.sources.profile import Profile


@dataclass(frozen=True, slots=True)
class Endings:
    """A column's values, sorted by what they mean.

    `final` says that a loss is one (its word says so), and not just that there is no win so far, as in a column of 0/1.
    """

    win: tuple[str, ...]
    lose: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    final: bool = True

    @property
    def is_rich(self) -> bool:
        """Whether won, lost and open are told apart."""
        return bool(self.win and self.lose and self.waiting)


def endings(profile: Profile, *, named: bool = False) -> Endings | None:
    """Read a column's values; None where their words tell no win.

    Words of an ending go first ("Closed Won", "lost"; what is neither is not yet decided), then yes and no; in a column
    that is `named` as an outcome, yes and nothing.
    """
    values = [value for value, _ in profile.values]
    if profile.type is Type.TIME or not values:
        return None
    by_word = {value: ending_of(value) for value in values}
    won, lost = (tuple(value for value in values if by_word[value] == ending) for ending in ("won", "lost"))
    rest = tuple(value for value in values if by_word[value] is None)
    if won and (lost or profile.type is Type.TEXT):
        return Endings(won, lost, rest) if lost else Endings(won, rest, final=False)
    answers = {value: answer_of(value) for value in values}
    if set(answers.values()) == {True, False} and len(values) == 2:
        yes, no = (tuple(value for value in values if answers[value] is side) for side in (True, False))
        return Endings(yes, no, final=False)
    if named and set(answers.values()) == {True} and profile.filled < profile.rows:
        return Endings(tuple(values), (), final=False)
    return None


def told_endings(profile: Profile, win: Sequence[str]) -> Endings:
    """Sort the values where the user says which mean won. Raises UsageError for a value that is not there.

    Of the others, those with the words of a loss are lost; where none is, all others are.
    """
    values = [value for value, _ in profile.values]
    won = tuple(dict.fromkeys(_find(profile, values, told) for told in win))
    others = [value for value in values if value not in won]
    lost = tuple(value for value in others if ending_of(value) == "lost")
    if lost:
        return Endings(won, lost, tuple(value for value in others if value not in lost))
    return Endings(won, tuple(others), final=False)


def shown_values(profile: Profile) -> str:
    """List a column's values with their counts, bounded."""
    if not profile.values:
        return f"{profile.distinct:,} different values"
    shown = [f"{shorten(value, 40)} ({count:,})" for value, count in profile.values[:MAX_CHOICES_SHOWN]]
    more = len(profile.values) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _find(profile: Profile, values: Sequence[str], told: str) -> str:
    folded = {value.strip().lower(): value for value in reversed(values)}
    found = folded.get(told.strip().lower())
    if found is None and (answer := answer_of(told)) is not None:
        found = next((value for value in values if answer_of(value) is answer), None)
    if found is None:
        raise UsageError(
            f"no row has {shorten(told)} in {shorten(profile.header)}",
            fix=f"Its values: {shown_values(profile)}. Name one (or several) of them with --win VALUE.",
        )
    return found
