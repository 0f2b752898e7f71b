"""What a file of leads holds, found out without being told: which column is what, who was won, who is still open."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import MAX_CHOICES_SHOWN, NotFoundError, UsageError, did_you_mean, shorten
from leadlight.expr.types import Type
from leadlight.sources.clues import rank_of
from leadlight.sources.endings import Endings, endings, shown_values, told_endings
from leadlight.sources.layout import find
from leadlight.sources.profile import Profile, along_file, how_to_read, need_rows, opened, profiles, value_text
from leadlight.sources.read import Column, Reading
from leadlight.spec.models import SourceSpec
from leadlight.store.sql import Sql, fill, joined, literal

AGREE = 0.99
"""Two columns whose wins are the same in this share of rows tell the same outcome."""
ID_SHARE = 0.9
"""A column named as an id is one if so many of its values differ; rows of one id are one lead."""
SAME_ORDER = 0.99
NO_LOSS = "no column says when a lead was lost"
CLOSED_SHARE = 0.8
WORTH_SHARE = 0.5
EMAIL_SHARE = 0.8
MERGE_SHARE = 0.95
HORIZONS = (30, 60, 90, 180, 365)
USUAL_HORIZONS = (7, 14, 30, 60, 90)
"""Where nothing tells how long a win takes, the longest of these within `HORIZON_SHARE` of the time there is."""
HORIZON_SHARE = 0.25
WINS_IN_HORIZON = 0.8
ALL_LEADS = "Export all leads, the won with the lost and the open ones; or name another column with --outcome NAME."


@dataclass(frozen=True, slots=True)
class Choice:
    """The column that was chosen for a role, None where there is none, and why, as a sentence."""

    column: Column | None
    why: str

    @property
    def header(self) -> str | None:
        """The column as the file calls it."""
        return None if self.column is None else self.column.header

    def __str__(self) -> str:
        return f"{self.header or '(none)'}: {self.why}"


@dataclass(frozen=True, slots=True)
class Discovered:
    """What was found in a file; each choice says why.

    `win`, `lose` and `waiting` are values of the outcome as text; a lead of a waiting value, or of none, is open.
    Where `final` is false nobody says that a loss is one (a column of 0 and 1): those not won are open too, are learned
    from and ranked. `horizon` is in days.
    """

    file: Path
    source: SourceSpec
    """How the file is read: decimal mark, dates, texts that stand for no value."""
    rows: int
    columns: tuple[Column, ...]
    id: Choice
    outcome: Choice
    created_at: Choice
    closed_at: Choice
    lost_at: Choice
    """When the lost were: mostly the same column."""
    worth: Choice
    email: Choice
    account: Choice
    order: Choice
    """A number that rises with time, where no column has dates."""
    win: tuple[str, ...]
    lose: tuple[str, ...]
    waiting: tuple[str, ...]
    final: bool
    won: int
    lost: int
    blank: int
    """Rows that have no outcome at all."""
    undecided: int
    """Rows of a waiting value."""
    merge_by_email: bool
    horizon: int
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> int:
        """How many leads are to be ranked."""
        return self.blank + self.undecided + (0 if self.final else self.lost)

    @property
    def dated(self) -> bool:
        """Whether it is known when leads came and when they were won."""
        return self.created_at.column is not None and self.closed_at.column is not None

    @property
    def choices(self) -> dict[str, Choice]:
        """All choices by role, in the order in which people ask for them."""
        names = ("id", "created_at", "outcome", "closed_at", "lost_at", "worth", "email", "account", "order")
        return {name: getattr(self, name) for name in names}

    def as_dict(self) -> dict[str, Any]:
        """Return what was found as plain JSON values."""
        return {
            "file": self.file.name,
            "rows": self.rows,
            "columns": {role: {"column": choice.header, "why": choice.why} for role, choice in self.choices.items()},
            "win": list(self.win),
            "lose": list(self.lose),
            "waiting": list(self.waiting),
            "won": self.won,
            "lost": self.lost,
            "open": self.open,
            "horizon_days": self.horizon,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lost, left = ("lost", "open") if self.final else ("not won", "to be ranked")
        head = f"{self.file.name}: {self.rows:,} rows; {self.won:,} won, {self.lost:,} {lost}, {self.open:,} {left}"
        lines = [f"  {role.replace('_', ' ')}: {choice}" for role, choice in self.choices.items()]
        return "\n".join([head, *lines, *(f"  {note}" for note in self.notes)])


def discover(
    file: Path,
    *,
    outcome: str | None = None,
    win: Sequence[str] = (),
    id: str | None = None,  # noqa: A002 -- the word of the source's key
    created_at: str | None = None,
    worth: str | None = None,
    dates: str | None = None,
) -> Discovered:
    """Find out what a file of leads holds; what is told (by header, or in snake case) is taken as told.

    `win` are the outcome's values that mean won; `dates` is as in a source. Raises NotFoundError where there is no such
    file, DataError where it cannot be read, UsageError where the outcome is not clear, with the line to type.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "leads.csv"
    ...     _ = file.write_text("Lead ID,City,Converted\\n1,Ulm,1\\n2,Bonn,0\\n3,Kiel,0\\n")
    ...     found = discover(file)
    >>> found.id.header, found.outcome.header, found.win, found.open
    ('Lead ID', 'Converted', ('1',), 2)
    """
    if not file.is_file():
        raise NotFoundError(f"there is no file {file}", fix="Name a file of leads: leadlight rank leads.csv")
    source = how_to_read(file, dates=dates)
    with opened(file, source) as (engine, reading):
        need_rows(file, reading)
        told = {"outcome": outcome, "id": id, "created_at": created_at, "worth": worth}
        return _Look(file, source, engine, reading, profiles(engine, reading), told, win).run()


@dataclass
class _Look:
    """One look at a file that is open."""

    file: Path
    source: SourceSpec
    engine: DuckDBEngine
    reading: Reading
    profiles: list[Profile]
    told: Mapping[str, str | None]
    win: Sequence[str]
    notes: list[str] = field(default_factory=list)

    def run(self) -> Discovered:
        """Choose the columns, those first on which others depend."""
        outcome, ends = self._outcome()
        won, lost, undecided, blank = self._count(outcome, ends)
        _need_both(self.file, outcome, won, self.reading.rows)
        is_win = _among(outcome.column, ends.win)
        taken: set[str | None] = {outcome.header}
        lead = self._id(taken)
        created = self._created_at(taken)
        closed = self._closed_at({*taken, created.header}, is_win)
        email = self._email(taken)
        lost_at = self._lost_at(closed, {*taken, created.header}, _among(outcome.column, ends.lose))
        final = ends.final or lost_at.column is not None
        if final and ends.lose and closed.column is not None and lost_at.column is None:
            closed = Choice(None, f"few of the lost have {shorten(closed.header)}, so leads are judged as they came")
        self._note_reading()
        return Discovered(
            file=self.file, source=self.source, rows=self.reading.rows, columns=self.reading.columns,
            id=lead, outcome=self._why_outcome(outcome, ends), created_at=created, closed_at=closed, lost_at=lost_at,
            worth=self._worth({*taken, lead.header}, is_win), email=email,
            account=self._account({*taken, lead.header, email.header}),
            order=self._order(created, {*taken, lead.header}),
            win=ends.win, lose=ends.lose, waiting=ends.waiting, final=final,
            won=won, lost=lost, undecided=undecided, blank=blank, merge_by_email=self._merges(email, lead),
            horizon=self._horizon(created, closed, is_win), notes=tuple(self.notes),
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------------------- outcome

    def _outcome(self) -> tuple[Profile, Endings]:
        """Find the outcome and read its values. Raises UsageError where that is not clear."""
        told = self._told("outcome", "--outcome")
        if told is not None:
            return told, self._endings_of(told)
        named = [one for one in self.profiles if rank_of("outcome", one.header) is not None and one.filled]
        if self.win:  # values are told, so the column has them
            return self._clearest([(one, told_endings(one, self.win)) for one in self._having(self.win, named)])
        found = [(one, ends) for one in self.profiles if (ends := endings(one, named=one in named)) is not None]
        clear = [(one, ends) for one, ends in found if one in named]
        if not clear and not named and found:
            return self._clearest(found)
        if not clear:
            raise _no_outcome(self.file, self.profiles, named)
        return self._clearest(clear)

    def _endings_of(self, profile: Profile) -> Endings:
        if self.win:
            return told_endings(profile, self.win)
        found = endings(profile)
        if found is None and profile.distinct > 1:
            raise UsageError(
                f"which values of {shorten(profile.header)} mean that a lead was won? It has {shown_values(profile)}",
                fix=f"Type: --outcome {_typed(profile.header)} --win VALUE",
            )
        return found or Endings(tuple(value for value, _ in profile.values), (), final=False)

    def _having(self, win: Sequence[str], named: Sequence[Profile]) -> list[Profile]:
        """Return the columns that have all the values told: named ones, or else any."""
        wanted = {value.strip().lower() for value in win}
        having = [one for one in self.profiles if wanted <= {value.strip().lower() for value, _ in one.values}]
        found = [one for one in having if one in named] or having
        if not found:
            raise UsageError(
                f"no column of {self.file.name} has the value {shorten(win[0])}",
                fix="Name the column too, with --outcome NAME.",
            )
        return found

    def _clearest(self, found: Sequence[tuple[Profile, Endings]]) -> tuple[Profile, Endings]:
        """Take the column whose name is clearest, or a richer one that tells the same. Raises UsageError for a tie."""

        def rank(pair: tuple[Profile, Endings]) -> int:
            place = rank_of("outcome", pair[0].header)
            return len(self.profiles) if place is None else place

        best = min(rank(pair) for pair in found)
        first = [pair for pair in found if rank(pair) == best]
        same = [pair for pair in found if self._agree(first[0], pair)]
        if any(pair not in same for pair in first):
            raise _which_outcome(self.file, [profile for profile, _ in first])
        others = [profile.header for profile, _ in found if profile not in [one for one, _ in same]]
        if others:
            self.notes.append(f"The outcome could also be {_listed(others)}: name it with --outcome NAME.")
        return next((pair for pair in same if pair[1].is_rich), first[0])

    def _agree(self, one: tuple[Profile, Endings], other: tuple[Profile, Endings]) -> bool:
        """Whether two columns have nearly the same wins."""
        if one[0] is other[0]:
            return True
        both = [_among(profile.column, ends.win) for profile, ends in (one, other)]
        counts = self._row("count(*) FILTER (WHERE ({a}) AND ({b})), count(*) FILTER (WHERE ({a}) OR ({b}))",
                           a=both[0], b=both[1])  # fmt: skip
        return bool(counts[0] >= AGREE * counts[1])

    def _why_outcome(self, profile: Profile, ends: Endings) -> Choice:
        if self.told["outcome"]:
            why = "as you said"
        elif rank_of("outcome", profile.header) is None:
            why = "no other column has values that say yes or no, won or lost"
        else:
            why = "its name and values are those of an outcome"
        parts = [f"won is {_listed(ends.win)}"]
        parts += [f"lost is {_listed(ends.lose)}"] if ends.lose and ends.final else []
        parts += [f"{_listed(ends.lose)} is not won, and may be yet"] if ends.lose and not ends.final else []
        parts += [f"still open is {_listed(ends.waiting)}"] if ends.waiting else []
        return Choice(profile.column, f"{why}; {'; '.join(parts)}")

    def _count(self, profile: Profile, ends: Endings) -> tuple[int, int, int, int]:
        counts = dict(profile.values)
        won, lost, waiting = (sum(counts[value] for value in part) for part in (ends.win, ends.lose, ends.waiting))
        return won, lost, waiting, profile.rows - profile.filled

    # ------------------------------------------------------------------------------------------------ other columns

    def _id(self, taken: set[str | None]) -> Choice:
        told = self._told("id", "--id")
        if told is not None:
            return Choice(told.column, "as you said")
        ranked = [(place, one) for one in self._free(taken) if (place := rank_of("id", one.header)) is not None]
        for _, one in sorted(ranked, key=lambda pair: pair[0]):
            if one.is_unique and (one.type is Type.TEXT or one.whole):
                return Choice(one.column, f"its name is that of an id, and all {one.rows:,} values differ")
        for place, one in sorted(ranked, key=lambda pair: pair[0]):
            if place < 2 and one.filled == one.rows and one.distinct >= ID_SHARE * one.rows:
                repeats = one.rows - one.distinct
                said = f"{repeats:,} rows repeat one, and are taken as one lead" if repeats else "all values differ"
                return Choice(one.column, f"its name is that of an id; {said}")
        for one in self._free(taken):
            if one.is_unique and (one.addresses >= EMAIL_SHARE or rank_of("email", one.header) == 0):
                return Choice(one.column, f"no column is an id, and all {one.rows:,} addresses differ")
        return Choice(None, "no column names the lead, so rows are numbered as they stand in the file")

    def _created_at(self, taken: set[str | None]) -> Choice:
        told = self._told("created_at", "--created")
        if told is not None:
            return Choice(told.column, "as you said")
        times = [one for one in self._free(taken) if one.type is Type.TIME]
        ranked = [(place, one) for one in times if (place := rank_of("created_at", one.header)) is not None]
        full = sorted(((place, one) for place, one in ranked if one.is_full), key=lambda pair: pair[0])
        if full:
            return Choice(full[0][1].column, "its name says that the lead came then, and it has times")
        rest = [one for one in times if one.is_full and rank_of("closed_at", one.header) is None]
        if len(rest) == 1 and not ranked:
            return Choice(rest[0].column, "the only column of times that every lead has")
        if not times:
            return Choice(None, "no column has times")
        return Choice(
            None, f"none of {_listed([one.header for one in times])} is named as the time at which a lead came"
        )

    def _closed_at(self, taken: set[str | None], is_win: Sql) -> Choice:
        times = [one for one in self._free(taken) if one.type is Type.TIME]
        ranked = [(place, one) for one in times if (place := rank_of("closed_at", one.header)) is not None]
        for _, one in sorted(ranked, key=lambda pair: pair[0]):
            share = self._filled(one.column, is_win)
            if share >= CLOSED_SHARE:
                return Choice(one.column, f"its name says that it ended then, and {share:.0%} of the won have it")
        return Choice(None, "no column says when a lead was won")

    def _lost_at(self, closed: Choice, taken: set[str | None], is_lost: Sql) -> Choice:
        """Find the time of a loss: where most of the lost have none, nobody says that they are lost for good."""
        if closed.column is None:
            return Choice(None, NO_LOSS)
        times = [
            one for one in self._free(taken) if one.type is Type.TIME and rank_of("closed_at", one.header) is not None
        ]
        for one in sorted(times, key=lambda one: one.column != closed.column):
            share = self._filled(one.column, is_lost)
            if share >= CLOSED_SHARE:
                return Choice(one.column, f"{share:.0%} of the lost have it")
        return Choice(None, NO_LOSS)

    def _worth(self, taken: set[str | None], is_win: Sql) -> Choice:
        told = self._told("worth", "--worth")
        if told is not None:
            return Choice(told.column, "as you said")
        numbers = [one for one in self._free(taken) if one.type is Type.NUMBER and one.distinct > 2]
        ranked = [(place, one) for one in numbers if (place := rank_of("worth", one.header)) is not None]
        for _, one in sorted(ranked, key=lambda pair: pair[0]):
            positive = fill("({won}) AND {name} > 0", won=is_win, name=one.column.name)
            share = self._share(positive, is_win)
            if share >= WORTH_SHARE:
                return Choice(one.column, f"its name is that of a worth, and {share:.0%} of the won have one above 0")
        return Choice(None, "no column says what a won lead brought")

    def _email(self, taken: set[str | None]) -> Choice:
        texts = [one for one in self._free(taken) if one.type is Type.TEXT and one.addresses >= EMAIL_SHARE]
        ranked = sorted(
            texts, key=lambda one: (rank_of("email", one.header) is None, rank_of("email", one.header) or 0)
        )
        if not ranked:
            return Choice(None, "no column has addresses")
        return Choice(ranked[0].column, f"{ranked[0].addresses:.0%} of its values are addresses")

    def _account(self, taken: set[str | None]) -> Choice:
        texts = [one for one in self._free(taken) if one.type is Type.TEXT and one.distinct > 1]
        ranked = [(place, one) for one in texts if (place := rank_of("account", one.header)) is not None]
        if not ranked:
            return Choice(None, "no column is named as a company")
        best = min(ranked, key=lambda pair: pair[0])[1]
        return Choice(best.column, f"its name is that of a company; there are {best.distinct:,}")

    def _order(self, created: Choice, taken: set[str | None]) -> Choice:
        """Find a number that runs along the file, and is no mere count of its rows."""
        if created.column is not None:
            return Choice(None, "not needed, as there are times")
        for one in self._free(taken):
            if not (one.type is Type.NUMBER and one.is_unique and one.whole):
                continue
            low, high = self._row("min({name}), max({name})", name=one.column.name)
            rank = along_file(self.engine, self.reading, one.column)
            if abs(rank) >= SAME_ORDER and high - low >= one.rows:
                way = "rises" if rank > 0 else "falls"
                return Choice(one.column, f"there are no dates, and it {way} along the file: taken as higher is newer")
        return Choice(None, "nothing tells which lead came first, so quality cannot be judged on newer leads")

    def _merges(self, email: Choice, lead: Choice) -> bool:
        """Whether rows of one address are one lead: not where many rows share one, as deals do."""
        if email.column is None or email.column == lead.column:
            return False
        profile = next(one for one in self.profiles if one.column == email.column)
        return profile.distinct >= MERGE_SHARE * profile.filled

    def _horizon(self, created: Choice, closed: Choice, is_win: Sql) -> int:
        """Choose the shortest usual horizon within which most wins came; where that is not known, one that fits."""
        if created.column is None:
            return USUAL_HORIZONS[-1]
        if closed.column is None:
            name = created.column.name
            span = self._row("epoch(max({created}) - min({created})) / 86400", created=name)[0] or 0.0
            fitting = [horizon for horizon in USUAL_HORIZONS if horizon <= HORIZON_SHARE * span]
            return max(fitting, default=USUAL_HORIZONS[0])
        days = self._row(
            "quantile_cont(epoch({closed} - {created}) / 86400, {share}) FILTER (WHERE {won})",
            closed=closed.column.name, created=created.column.name, share=Sql(str(WINS_IN_HORIZON)), won=is_win,
        )[0]  # fmt: skip
        return next((horizon for horizon in HORIZONS if horizon >= (days or 0)), HORIZONS[-1])

    def _note_reading(self) -> None:
        if self.source.missing:
            self.notes.append(f"Taken as no value, in whatever column: {_listed(self.source.missing)}.")
        if self.source.decimal == ",":
            self.notes.append("Numbers are written with a decimal comma.")
        if self.reading.rejected:
            self.notes.append(f"{self.reading.rejected:,} rows could not be read, and are left out.")
        self.notes += [f"{note}." for note in self.reading.notes]

    # ---------------------------------------------------------------------------------------------------- questions

    def _told(self, role: str, option: str) -> Profile | None:
        """Find the column that was told for a role. Raises UsageError where there is none of that name."""
        told = self.told[role]
        if told is None:
            return None
        headers = [one.header for one in self.profiles]
        header = find(headers, told)
        if header is None:
            raise UsageError(f"{self.file.name} has no column {shorten(told)}: {did_you_mean(told, headers)}",
                             fix=f"Name one of its columns: {option} NAME")  # fmt: skip
        return self.profiles[headers.index(header)]

    def _free(self, taken: set[str | None]) -> Iterator[Profile]:
        return (one for one in self.profiles if one.header not in taken and one.filled)

    def _filled(self, column: Column, among: Sql) -> float:
        return self._share(fill("({among}) AND {name} IS NOT NULL", among=among, name=column.name), among)

    def _share(self, condition: Sql, among: Sql) -> float:
        """Return which share of the rows among some satisfy a condition."""
        hits, rows = self._row("count(*) FILTER (WHERE {a}), count(*) FILTER (WHERE {b})", a=condition, b=among)
        return float(hits / rows) if rows else 0.0

    def _row(self, what: str, **parts: str) -> tuple[Any, ...]:
        asked = fill(what, **parts)
        return self.engine.rows(fill("SELECT {asked} FROM {table}", asked=asked, table=self.reading.table))[0]


def _among(column: Column, values: Sequence[str]) -> Sql:
    """Return a condition: the column has one of the values (as they are shown)."""
    if not values:
        return Sql("false")
    return fill("coalesce({value} IN ({values}), false)", value=value_text(column), values=joined(map(literal, values)))


def _need_both(file: Path, outcome: Profile, won: int, rows: int) -> None:
    """Raise UsageError where all rows are won, or none is."""
    if won in (0, rows):
        what = "was won" if won else "was not won"
        raise UsageError(
            f"every lead of {file.name} {what}, as {shorten(outcome.header)} has it ({shown_values(outcome)}): "
            "there is nothing to tell apart",
            fix=ALL_LEADS,
        )


def _no_outcome(file: Path, columns: Sequence[Profile], named: Sequence[Profile]) -> UsageError:
    """Say that no column tells how it ended, and what to type."""
    if named and all(one.distinct == 1 for one in named):
        return UsageError(
            f"{shorten(named[0].header)} has one value only in all rows of {file.name} ({shown_values(named[0])}): "
            "there is nothing to tell apart",
            fix=ALL_LEADS,
        )
    if named:
        one = named[0]
        return UsageError(
            f"which values of {shorten(one.header)} mean that a lead was won? It has {shown_values(one)}",
            fix=f"Type: leadlight rank {_typed(file.name)} --outcome {_typed(one.header)} --win VALUE",
        )
    return UsageError(
        f"no column of {file.name} says how it ended (won, converted, a stage or a status). It has "
        f"{_listed([one.header for one in columns])}",
        fix=f"Name it: leadlight rank {_typed(file.name)} --outcome NAME --win VALUE. "
        "Without any outcome, write points by hand: leadlight init.",
    )


def _which_outcome(file: Path, columns: Sequence[Profile]) -> UsageError:
    """Say that several columns could be the outcome, and what to type."""
    shown = "\n".join(f"  {one.header}: {shown_values(one)}" for one in columns[:MAX_CHOICES_SHOWN])
    lines = "\n".join(f"  leadlight rank {_typed(file.name)} --outcome {_typed(one.header)}" for one in columns[:3])
    return UsageError(
        f"{len(columns)} columns of {file.name} could be the outcome:\n{shown}", fix=f"Type one of:\n{lines}"
    )


def _typed(text: str) -> str:
    """Write a name as it is typed in a shell."""
    return shlex.quote(text)


def _listed(values: Sequence[str]) -> str:
    shown = [shorten(value, 40) for value in values[:MAX_CHOICES_SHOWN]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
