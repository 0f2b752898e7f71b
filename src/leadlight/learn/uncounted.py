"""What cannot be learned from, counted and said: too few outcomes, what is out of time, values never seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.errors import TooFewOutcomes
from leadlight.learn.candidates import FEW_VALUES
from leadlight.learn.examples import Examples, Ints
from leadlight.learn.fit import FEWEST
from leadlight.learn.training import Counts, Training, listed
from leadlight.spec.words import Words


def check_enough(table: Training, older: Ints, oldest: Ints, *, repeats: bool = False) -> None:
    """Raise TooFewOutcomes where there are too few wins or others to learn from, in all or in a part.

    `older` are the rows that the card to be judged is learned from, `oldest` those of the card that says what its
    scores mean. A lead that is looked at several times before it is won is one win, unless wins repeat; for the oldest
    rows it is enough that they can be fitted. What was not counted is said along, so that nobody wonders where outcomes
    went.
    """
    examples, words = table.examples, table.examples.words
    everything = np.arange(len(examples))
    for part, by_row in ((everything, repeats), (older, repeats), (oldest, True)):
        if min(_ended(examples, part, won, by_row=by_row) for won in (True, False)) < FEWEST:
            wins, losses = (_ended(examples, part, won, by_row=repeats) for won in (True, False))
            all_wins = _ended(examples, everything, True, by_row=repeats)
            kept = f"These are the older ones of {all_wins:,} {words.wins}: the others are kept to judge by."
            because = [kept] if len(part) < len(examples) else []
            because += [f"{sentence}." for sentence in not_counted(table.counts, words)]
            raise TooFewOutcomes(wins=wins, losses=losses, needed=FEWEST, called=words.wins, because=because)


def _ended(examples: Examples, part: Ints, won: bool, *, by_row: bool) -> int:
    """Return how many leads of some rows were won or not, or how many rows."""
    rows = part[examples.won[part] == won]
    return len(rows) if by_row else len(np.unique(examples.lead[rows]))


def not_counted(counts: Counts, said: Words) -> list[str]:
    """Say which rows, outcomes, entities and events were not learned from, and why.

    >>> counts = Counts(9, 9, 2, too_young=0, undated=0, before_creation=3, in_future=0, share=1, born_later=1_200)
    >>> for sentence in not_counted(counts, Words()):
    ...     print(sentence)
    3 outcomes are dated before their lead was created: left out
    1,200 leads are dated after the moment of learning: not looked at
    """
    after = "dated after the moment of learning: not looked at"
    found = [
        (counts.too_young, "rows are too young to know how they end: left out, not counted as lost"),
        (
            counts.taken_as_lost,
            f"{said.entities} not {said.won} are taken for lost, though they are younger than the horizon: most are",
        ),
        (counts.undated, f"{said.wins} have no time: their {said.entities} are left out"),
        (counts.before_creation, f"outcomes are dated before their {said.entity} was created: left out"),
        (counts.in_future, f"outcomes are {after}"),
        (counts.born_later, f"{said.entities} are {after}"),
        (counts.events_later, f"events are {after}"),
    ]
    return [f"{count:,} {what}" for count, what in found if count]


def without_values(names: Sequence[str]) -> tuple[str, ...]:
    """Say which features have no value in any row: a playbook knows more columns than a file has.

    >>> without_values(["fax"]), without_values(["fax", "car"])
    (('fax is not used: it has no value',), ('fax, car are not used: they have no value',))
    """
    if len(names) < 2:
        return tuple(f"{name} is not used: it has no value" for name in names)
    return (f"{listed(names)} are not used: they have no value",)


def unseen_values(learned_from: Examples, others: Examples) -> tuple[str, ...]:
    """Say how many of other rows have a value of a category that no row learned from has.

    Texts of more than a few values are not looked at: new ones are the rule there.

    >>> old, new = (
    ...     Examples(features=pa.table({"land": land}), won=np.ones(2, bool)) for land in (["A", "B"], ["A", "C"])
    ... )
    >>> print(*unseen_values(old, new))
    1 of the 2 rows judged by have a value of land that was not learned from: they get the points of other values
    """
    found = []
    for name in learned_from.names:
        column = others.features.column(name).drop_null()
        if not pa.types.is_string(column.type):
            continue
        known = pc.unique(learned_from.features.column(name).drop_null())
        new = len(column) - (pc.sum(pc.is_in(column, known)).as_py() or 0)
        if new and len(known) <= FEW_VALUES:
            found.append(
                f"{new:,} of the {len(others):,} rows judged by have a value of {name} that was not learned from: "
                "they get the points of other values"
            )
    return tuple(found)
