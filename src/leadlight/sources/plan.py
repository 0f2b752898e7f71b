"""The form of every column of a source: as told, as the format says, or as a sample of the values shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, Fault, shorten
from leadlight.expr.types import Type
from leadlight.sources.form import Context, Form, Numbers, text_sql
from leadlight.sources.guess import Dates, Guess, evidence, guess, time_form, widen
from leadlight.sources.layout import Slot
from leadlight.sources.numbers import loose_number
from leadlight.sources.part import TEXTS, Cell, Kind, Part, named
from leadlight.sources.times import Evidence, Order

SAMPLE_ROWS = 20_000
SAMPLE_PARTS = 20
_NATIVE = {
    Kind.INTEGER: Type.NUMBER, Kind.NUMBER: Type.NUMBER, Kind.BOOL: Type.BOOL,
    Kind.TIME: Type.TIME, Kind.ZONED: Type.TIME,
}  # fmt: skip


@dataclass(slots=True)
class Plan:
    """The form of each slot, and, for texts that are nearly something else, what."""

    forms: list[Form]
    nearly: dict[int, Form] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Planner:
    """What is needed to tell the forms of a source's columns."""

    engine: DuckDBEngine
    source: str
    parts: Sequence[Part]
    slots: Sequence[Slot]
    dates: Dates
    context: Context
    nearly: float

    def plan(self) -> Plan:
        """Tell the form of every slot from a sample of each part.

        Raises DataError for times whose day and month cannot be told apart, and for numbers where a time is needed.
        """
        plan, faults = self.try_plan()
        if faults:
            raise DataError(faults)
        return plan

    def try_plan(self) -> tuple[Plan, list[Fault]]:
        """Tell the forms as `plan` does, and return the faults; a column that has one is taken for times."""
        table = f"{self.source}_sample"
        self._sample(table)
        plan, faults = Plan([]), list[Fault]()
        try:
            for i, slot in enumerate(self.slots):
                try:
                    plan.forms.append(self._form(table, i, slot, plan))
                except DataError as error:
                    faults += error.faults
                    plan.forms.append(Form(Type.TIME))
        finally:
            self.engine.execute(f"DROP TABLE IF EXISTS {named(table)}")
        return plan, faults

    def _sample(self, table: str) -> None:
        """Take the first rows of (at most twenty, evenly spread) parts, as trimmed texts."""
        columns = ", ".join(f"c{i} VARCHAR" for i in range(len(self.slots)))
        self.engine.execute(f"CREATE OR REPLACE TEMP TABLE {named(table)} ({columns})")
        step = max(1, -(-len(self.parts) // SAMPLE_PARTS))
        chosen = self.parts[::step]
        for part in chosen:
            texts = ", ".join(text_sql(_cell(part, slot), self.context) for slot in self.slots)
            self.engine.execute(
                f"INSERT INTO {named(table)} SELECT {texts} FROM {part.source()} "  # noqa: S608
                f"LIMIT {max(SAMPLE_ROWS // len(chosen), 1_000)}"
            )

    def _form(self, table: str, i: int, slot: Slot, plan: Plan) -> Form:
        kinds = {part.columns[slot.header].kind for part in self.parts if slot.header in part.columns}
        if slot.told is not None:
            return self._told_form(table, i, slot, kinds, plan)
        if Kind.ANY in kinds or kinds <= TEXTS:
            return self._guessed(table, i, slot, kinds, plan)
        types = {_NATIVE.get(kind) for kind in kinds}
        if len(types) > 1:
            plan.notes.append(f"column {slot.header} holds different types in different files: read as text")
            return Form(Type.TEXT)
        return Form(types.pop() or Type.TEXT, required=Kind.INTEGER not in kinds)

    def _told_form(self, table: str, i: int, slot: Slot, kinds: set[Kind], plan: Plan) -> Form:
        if slot.told is not Type.TIME:
            return Form(slot.told or Type.TEXT, required=True, numbers=Numbers.ANY)
        if self.dates.unix:
            return Form(Type.TIME, required=True, unix=True)
        if not kinds & TEXTS:
            self._refuse_numbers(slot, kinds <= {Kind.INTEGER, Kind.NUMBER}, self._some_value(slot))
            return Form(Type.TIME, required=True)
        form, ambiguous = time_form(self.engine, named(table), f"c{i}", self.dates)
        if form is None:
            numbers = self.guess(named(table), f"c{i}", Kind.ANY).form.type is Type.NUMBER
            self._refuse_numbers(slot, numbers, self._some_value(slot))
            form = Form(Type.TIME)
        if ambiguous:
            form = self._disambiguated(slot, plan, required=True)
        return replace(form, required=True)

    def _guessed(self, table: str, i: int, slot: Slot, kinds: set[Kind], plan: Plan) -> Form:
        kind = Kind.ANY if Kind.ANY in kinds else Kind.STRING if Kind.STRING in kinds else Kind.FIXED
        found = self.guess(named(table), f"c{i}", kind)
        if found.nearly is not None:
            plan.nearly[i] = found.nearly
        if found.ambiguous:
            return self._disambiguated(slot, plan, required=False)
        if found.form.type is Type.TEXT and kind is Kind.ANY and self.context.decimal == ".":
            self._hint_decimal(table, i, slot, plan)
        return found.form

    def _hint_decimal(self, table: str, i: int, slot: Slot, plan: Plan) -> None:
        """Say so where a column of texts would be numbers, were the decimal mark a comma."""
        decimals = f"regexp_matches(c{i}, '[0-9],[0-9]')"
        if not self.engine.rows(f"SELECT bool_or({decimals}) FROM {named(table)}")[0][0]:  # noqa: S608
            return
        number = loose_number(f"c{i}", ",")
        total, fit, first = self.engine.rows(
            f"SELECT count(c{i}), count({number}), min(c{i}) FROM {named(table)}"  # noqa: S608
        )[0]
        if total and total == fit:
            plan.notes.append(f"{slot.name}: text such as {shorten(first)}; if that is a number, write decimal: ','")

    def guess(self, table: str, column: str, kind: Kind, dates: Dates | None = None) -> Guess:
        """Guess the form of a column of texts in a table."""
        return guess(
            self.engine, table, column, kind, dates=dates or self.dates, context=self.context, nearly=self.nearly
        )

    def _refuse_numbers(self, slot: Slot, numbers: bool, example: str | None) -> None:
        if numbers and example is not None:
            raise self._fault(
                f"column {slot.header!r} holds numbers (such as {example}), not times: if they count seconds, "
                f"milliseconds … since 1970, write `dates: unix`"
            )

    def _some_value(self, slot: Slot) -> str | None:
        for part in self.parts:
            text = text_sql(_cell(part, slot), self.context)
            rows = self.engine.rows(f"SELECT {text} FROM {part.source()} WHERE {text} IS NOT NULL LIMIT 1")  # noqa: S608
            if rows:
                return str(rows[0][0])
        return None

    def _disambiguated(self, slot: Slot, plan: Plan, *, required: bool) -> Form:
        """Look at all values of a column for what shows whether the day or the month comes first."""
        texts = " UNION ALL ".join(
            f"SELECT {text_sql(_cell(part, slot), self.context)} AS t FROM {part.source()}"  # noqa: S608
            for part in self.parts
        )
        shown = evidence(self.engine, f"({texts}) AS v", "t")
        if shown.order is None and shown.mixed and not required:
            plan.notes.append(
                f"{slot.name}: mixes dates with the day first ({shown.day}) and with the month first ({shown.month}): "
                "read as text"
            )
            return Form(Type.TEXT)
        if shown.order is None:
            raise self._fault(_doubt(slot, shown))
        table = f"(SELECT t FROM ({texts}) AS v LIMIT {SAMPLE_ROWS}) AS s"  # noqa: S608
        form, _ = time_form(self.engine, table, "t", Dates(order=shown.order))
        return form or Form(Type.TIME)

    def _fault(self, message: str) -> DataError:
        return DataError([Fault(message, path=f"sources.{self.source}")])

    def revise(self, plan: Plan, misfits: Mapping[int, str]) -> bool:
        """Look at columns again whose values did not fit, given where those lie (table of one column `t`).

        Returns whether any form has changed, so that the parts must be read again.
        """
        changed = False
        for i, table in misfits.items():
            form = plan.forms[i]
            wider = self._wider(form, table)
            if wider is None and form.required:
                continue
            if wider is None:
                plan.nearly[i], wider = form, Form(Type.TEXT)
            plan.forms[i], changed = wider, True
        return changed

    def _wider(self, form: Form, table: str) -> Form | None:
        """Return the form that fits the misfits too, if there is one."""
        dates = self.dates
        if form.type is Type.TIME:
            if dates.unix or dates.format is not None:
                return None
            more, ambiguous = time_form(self.engine, table, "t", Dates(order=dates.order or order_of(form)))
            return None if more is None or ambiguous else _unmixed(widen(form, more))
        found = self.guess(table, "t", Kind.ANY)
        if form.unseen:
            return Form(Type.TEXT) if found.ambiguous else found.form
        return widen(form, found.form)


def _doubt(slot: Slot, shown: Evidence) -> str:
    """Say why the order of day and month is not known."""
    fix = "write `dates: day_first` or `dates: month_first`"
    if shown.mixed:
        both = f"{shorten(shown.day)} has the day first, {shorten(shown.month)} the month"
        return f"column {slot.header!r} mixes two orders of day and month ({both}): {fix}"
    return f"column {slot.header!r} does not tell the day from the month ({shorten(shown.doubt)}): {fix}"


def order_of(form: Form) -> Order | None:
    """Tell the order of day and month from a form's formats."""
    if any(text.startswith(("%d/%m", "%d-%m")) for text in form.formats):
        return Order.DAY_FIRST
    return Order.MONTH_FIRST if any(text.startswith(("%m/%d", "%m-%d")) for text in form.formats) else None


def _unmixed(form: Form | None) -> Form | None:
    """Refuse a form in which both orders of day and month stand."""
    if form is None:
        return None
    starts = {text[:5] for text in form.formats} - {"%d.%m"}
    return None if {"%d/%m", "%d-%m"} & starts and {"%m/%d", "%m-%d"} & starts else form


def _cell(part: Part, slot: Slot) -> Cell:
    return part.columns.get(slot.header, Cell(Kind.FIXED, "CAST(NULL AS VARCHAR)"))
