"""The faults of one file, noted as they are found, each at its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from leadlight.errors import Fault, did_you_mean, shorten
from leadlight.expr.parse import Expression, ExpressionError, parse_condition, parse_expression
from leadlight.expr.scan import Kind, scan
from leadlight.expr.types import Type
from leadlight.spec.marks import Marks, Path


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that may be used at some place, each with its type.

    `twice` are names that mean two things there. `broken` are features that have a fault of their own: what uses
    them is not looked at further, so that one mistake is told once. The same goes for every unknown name where `open`,
    because some source could not be looked at.
    """

    types: Mapping[str, Type]
    twice: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    open: bool = False

    def is_lost(self, name: str) -> bool:
        """Say whether nothing can be told of a name, because something else is broken."""
        return name in self.broken or (self.open and name not in self.types)


@dataclass(slots=True)
class Findings:
    """What is wrong in one file, so far."""

    marks: Marks
    faults: list[Fault] = field(default_factory=list)

    def error(self, message: str, path: Path, *, on_key: bool = False) -> None:
        """Note a fault about the value, or the key, at a path."""
        self.faults.append(self.marks.fault(message, path, mark=self.marks.key(path) if on_key else None))

    def warn(self, message: str, path: Path, *, on_key: bool = False) -> None:
        """Note something that stops nothing."""
        mark = self.marks.key(path) if on_key else None
        self.faults.append(self.marks.fault(message, path, "warning", mark=mark))

    def condition(self, text: str, path: Path, scope: Scope) -> Expression | None:
        """Parse a condition that stands at a path; None, with all its faults noted, when it is none."""
        return self._parse(parse_condition, text, path, scope)

    def expression(self, text: str, path: Path, scope: Scope) -> Expression | None:
        """Parse an expression that stands at a path; None, with all its faults noted, when it is none."""
        return self._parse(parse_expression, text, path, scope)

    def name(self, name: str, path: Path, scope: Scope, what: str) -> Type | None:
        """Look a name up; None, with the fault noted, when it is unknown or means two things."""
        if scope.is_lost(name):
            return None
        if name not in scope.types:
            self.error(f"there is no {what} {shorten(name)}: {did_you_mean(name, scope.types)}", path)
            return None
        if name in scope.twice:
            self._means_two(name, path)
            return None
        return scope.types[name]

    def event(self, kind: str, path: Path, known: frozenset[str] | None) -> None:
        """Warn of a type of event that never came; it may come yet."""
        if known is not None and kind != "*" and kind not in known:
            self.warn(f"no event of type {shorten(kind)} has been read: {did_you_mean(kind, known)}", path)

    def _parse(
        self, parse: Callable[[str, Mapping[str, Type]], Expression], text: str, path: Path, scope: Scope
    ) -> Expression | None:
        if (scope.broken or scope.open) and any(scope.is_lost(name) for name in names_in(text)):
            return None
        try:
            expression = parse(text, scope.types)
        except ExpressionError as error:
            for problem in error.problems:
                mark = self.marks.inside(path, problem.line, problem.column)
                self.faults.append(self.marks.fault(problem.message, path, mark=mark))
            return None
        for name in sorted(expression.names & scope.twice):
            self._means_two(name, path)
        return expression

    def _means_two(self, name: str, path: Path) -> None:
        self.error(
            f"{name!r} is an attribute of leads and of accounts: leave one out with `drop: [{name}]` in its source, "
            "or rename it under `columns`",
            path,
        )


def names_in(text: str) -> frozenset[str]:
    """Return the names that an expression uses, in lower case, whether or not it is sound.

    >>> sorted(names_in("Employees > 50 and lower(country) = 'se'"))
    ['country', 'employees']
    """
    return frozenset(str(piece.value) for piece in scan(text).pieces if piece.kind is Kind.NAME)
