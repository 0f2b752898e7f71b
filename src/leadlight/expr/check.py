"""From sqlglot's tree to ours: only whitelisted nodes pass, every value gets its type, all faults are gathered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlglot import exp

from leadlight.errors import shorten
from leadlight.expr import build
from leadlight.expr.functions import (
    ALIASES,
    ANY,
    FUNCTIONS,
    NUMBER,
    ORDERED,
    TEXT,
    Function,
    Parameter,
    Result,
    Whole,
    Words,
)
from leadlight.expr.pattern import pattern_fault
from leadlight.expr.problems import Problem, problem_at
from leadlight.expr.scan import Kind, Piece, read_time
from leadlight.expr.types import Type
from leadlight.expr.words import phrase_fault

MAX_DEPTH = 60
"""How deep a tree may be; chains of AND, OR and || count as one level."""

SPOKEN: Mapping[Type | None, str] = {
    Type.NUMBER: "a number",
    Type.TEXT: "text",
    Type.BOOL: "true or false",
    Type.TIME: "a time",
    None: "always missing",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A piece of our tree, its type, and the text's piece it begins with.

    `sure` is False after a fault, so that one fault does not cause others.
    """

    node: exp.Expr
    type: Type | None
    at: Piece
    sure: bool = True

    @property
    def spoken(self) -> str:
        """How a message names it: as it is written when that is one piece, else as a thing."""
        single = isinstance(self.node, (exp.Column, exp.Literal, exp.Boolean, exp.Null)) or self.at.kind is Kind.TIME
        return shorten(self.at.written) if single else f"what begins with {shorten(self.at.written)}"


class TooDeepError(Exception):
    """The tree is deeper than `MAX_DEPTH`; never leaves this package."""


@dataclass(slots=True)
class Checker:
    """Walks a tree of sqlglot's whose leaves are numbers of pieces, and makes ours."""

    text: str
    pieces: Sequence[Piece]
    names: Mapping[str, Type]
    problems: list[Problem] = field(default_factory=list)
    depth: int = 0

    def check(self, node: exp.Expr) -> Checked:
        """Check one node and all below it."""
        rule = _RULES.get(type(node))
        if rule is None:
            return self._refuse(node)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeepError
        checked = rule(self, node)
        self.depth -= 1
        return checked

    def fault(self, at: Checked | Piece, message: str) -> None:
        """Note what is wrong with a piece."""
        start = (at.at if isinstance(at, Checked) else at).start
        self.problems.append(problem_at(self.text, start, message))

    def _refuse(self, node: exp.Expr) -> Checked:
        leaf = node.find(exp.Identifier)
        at = self.pieces[int(leaf.name)] if leaf is not None else self.pieces[0]
        self.fault(at, "this is not allowed in an expression")
        return Checked(exp.Null(), None, at, sure=False)

    # ----------------------------------------------------------------------------------------------------- leaves

    def _column(self, node: exp.Expr) -> Checked:
        piece = self.pieces[int(node.this.name)]
        value = piece.value
        if piece.kind is Kind.NUMBER and isinstance(value, float):
            return Checked(build.number(value), Type.NUMBER, piece)
        if piece.kind is Kind.TEXT:
            return Checked(build.text(str(value)), Type.TEXT, piece)
        if isinstance(value, datetime):
            return Checked(build.moment(value), Type.TIME, piece)
        if piece.kind is Kind.CONSTANT:
            word = piece.written.lower()
            return Checked(exp.Null(), None, piece) if word == "null" else Checked(_boolean(word), Type.BOOL, piece)
        name = str(value)
        return Checked(build.col(name), self.names.get(name), piece, sure=name in self.names)

    def _paren(self, node: exp.Expr) -> Checked:
        return self.check(node.this)

    # -------------------------------------------------------------------------------------------------- and, or, not

    def _chain(self, node: exp.Expr) -> Checked:
        """AND and OR: chains of any length, made into balanced trees so that no engine meets a deep one."""
        parts = [self._condition(self.check(part), type(node).__name__.lower()) for part in _spine(node)]
        return Checked(balanced(type(node), [part.node for part in parts]), Type.BOOL, parts[0].at)

    def _not(self, node: exp.Expr) -> Checked:
        part = self._condition(self.check(node.this), "not")
        return Checked(exp.Not(this=part.node), Type.BOOL, part.at)

    def _condition(self, part: Checked, around: str) -> Checked:
        if part.sure and part.type is not Type.BOOL:
            self.fault(part, f"{part.spoken} is {SPOKEN[part.type]}, but {around!r} needs conditions: {_compare(part)}")
        return part

    # -------------------------------------------------------------------------------------------------- comparisons

    def _equality(self, node: exp.Expr) -> Checked:
        return self._comparison(node, ANY)

    def _order(self, node: exp.Expr) -> Checked:
        return self._comparison(node, ORDERED)

    def _comparison(self, node: exp.Expr, allowed: frozenset[Type]) -> Checked:
        left, right = self.check(node.this), self.check(node.args["expression"])
        self._comparable([left, right], allowed)
        return Checked(type(node)(this=left.node, expression=right.node), Type.BOOL, left.at)

    def _between(self, node: exp.Expr) -> Checked:
        parts = [self.check(node.args[key]) for key in ("this", "low", "high")]
        self._comparable(parts, ORDERED)
        made = exp.Between(this=parts[0].node, low=parts[1].node, high=parts[2].node)
        return Checked(_negated(node, made), Type.BOOL, parts[0].at)

    def _in(self, node: exp.Expr) -> Checked:
        value, items = self.check(node.this), [self.check(item) for item in node.expressions]
        for item in items:
            if not _written_out(item.node) and item.sure:
                self.fault(item, f"a list holds values written out; {item.spoken} is none")
        self._comparable([value, *items], ANY)
        made = exp.In(this=value.node, expressions=[item.node for item in items])
        return Checked(_negated(node, made), Type.BOOL, value.at)

    def _comparable(self, parts: Sequence[Checked], allowed: frozenset[Type]) -> None:
        """Note what keeps these values from being compared with the first."""
        for part in parts:
            if part.sure and part.type is None:
                self.fault(part, "a comparison with null is never true: write is null or is not null")
        known = [part for part in parts if part.sure and part.type is not None]
        for part in known[1:]:
            if part.type is not known[0].type:
                self.fault(known[0], _mismatch(known[0], part))
                return
        if known and known[0].type not in allowed:
            self.fault(known[0], _unordered(known[0]))

    def _is(self, node: exp.Expr) -> Checked:
        value, constant = self.check(node.this), self.check(node.args["expression"])
        if constant.type is Type.BOOL and value.sure and value.type is not Type.BOOL:
            word = constant.at.written.lower()
            self.fault(value, f"{value.spoken} is {SPOKEN[value.type]}, so it cannot be tested with is {word}")
        return Checked(_negated(node, exp.Is(this=value.node, expression=constant.node)), Type.BOOL, value.at)

    # ------------------------------------------------------------------------------------------------------- like

    def _like(self, node: exp.Expr) -> Checked:
        return self._pattern(node, None)

    def _escape(self, node: exp.Expr) -> Checked:
        like = node.this
        escape = str(self.pieces[int(node.args["expression"].name)].value)
        return self._pattern(like, escape) if isinstance(like, (exp.Like, exp.ILike)) else self._refuse(node)

    def _pattern(self, node: exp.Expr, escape: str | None) -> Checked:
        value, pattern = self.check(node.this), self.check(node.args["expression"])
        word = type(node).__name__.lower()
        self._expect(value, TEXT, f"the left side of {word}")
        if not isinstance(pattern.node, exp.Literal) or pattern.type is not Type.TEXT:
            self.fault(pattern, f"after {word} stands a pattern in single quotes, as in '/pricing%'")
        elif (fault := pattern_fault(pattern.node.name, escape)) is not None:
            self.fault(pattern, fault)
        made: exp.Expr = type(node)(this=value.node, expression=pattern.node)
        if escape is not None:
            made = exp.Escape(this=made, expression=build.text(escape))
        return Checked(_negated(node, made), Type.BOOL, value.at)

    # ----------------------------------------------------------------------------------------- numbers and text

    def _arithmetic(self, node: exp.Expr) -> Checked:
        left, right = self.check(node.this), self.check(node.args["expression"])
        what = f"a value beside {_SIGNS[type(node)]}"
        sure = [self._expect(part, NUMBER, what, hint=_sum_hint(node, part)) for part in (left, right)]
        return Checked(type(node)(this=left.node, expression=right.node), Type.NUMBER, left.at, all(sure))

    def _negative(self, node: exp.Expr) -> Checked:
        part = self.check(node.this)
        sure = self._expect(part, NUMBER, "the value after a minus")
        return Checked(exp.Neg(this=part.node), Type.NUMBER, part.at, sure)

    def _join(self, node: exp.Expr) -> Checked:
        """||: a chain of texts; conditions show that or was meant."""
        parts = [self.check(part) for part in _spine(node)]
        conditions = [part for part in parts if part.sure and part.type is Type.BOOL]
        for part in parts:
            if conditions and part is conditions[0]:
                self.fault(part, "|| joins texts, and these are conditions: write or")
            elif not conditions:
                self._expect(part, TEXT, "a value beside ||")
        return Checked(balanced(exp.DPipe, [part.node for part in parts]), Type.TEXT, parts[0].at, not conditions)

    # --------------------------------------------------------------------------------------------------------- case

    def _case(self, node: exp.Expr) -> Checked:
        subject = self.check(node.this) if node.this is not None else None
        ifs = [self._branch(branch, subject) for branch in node.args["ifs"]]
        default = self.check(node.args["default"]) if node.args.get("default") is not None else None
        results = [result for _, result in ifs] + ([default] if default is not None else [])
        kind = self._shared(results, "the values of a case")
        made = exp.Case(
            this=subject.node if subject is not None else None,
            ifs=[exp.If(this=condition.node, true=result.node) for condition, result in ifs],
            default=default.node if default is not None else None,
        )
        return Checked(made, kind, (subject or ifs[0][0]).at, sure=all(result.sure for result in results))

    def _branch(self, node: exp.Expr, subject: Checked | None) -> tuple[Checked, Checked]:
        condition, result = self.check(node.this), self.check(node.args["true"])
        if subject is None:
            self._condition(condition, "when")
        else:
            self._comparable([subject, condition], ANY)
        return condition, result

    def _shared(self, parts: Sequence[Checked], what: str) -> Type | None:
        """Return the type that these values share; null goes with any."""
        known = [part for part in parts if part.sure and part.type is not None]
        for part in known[1:]:
            if part.type is not known[0].type:
                self.fault(part, f"{what} must be of one type: {_two(known[0], part)}")
                break
        return known[0].type if known else None

    # --------------------------------------------------------------------------------------------------- functions

    def _call(self, node: exp.Expr) -> Checked:
        piece = self.pieces[int(node.this.name)]
        name = str(piece.value)
        function = FUNCTIONS.get(ALIASES.get(name, name))
        arguments = [self._argument(argument, function) for argument in node.expressions]
        if function is None:
            return Checked(exp.Null(), None, piece, sure=False)
        if not function.least <= len(arguments) <= function.most:
            self.fault(piece, f"{name} takes {_count(function)}, found {len(arguments)}: write {function.usage}")
            return Checked(exp.Null(), None, piece, sure=False)
        cast = any(isinstance(argument, exp.Alias) for argument in node.expressions)
        if function.name == "try_cast" and not cast:
            self.fault(piece, f"try_cast needs as: write {function.usage}")
        kind = self._arguments(function, arguments)
        made = exp.Anonymous(this=function.name, expressions=[argument.node for argument in arguments])
        return Checked(made, kind, piece, sure=function.result is not Result.SAME or kind is not None)

    def _argument(self, node: exp.Expr, function: Function | None) -> Checked:
        if not isinstance(node, exp.Alias):
            return self.check(node)
        wanted = self.pieces[int(node.args["alias"].name)]
        if function is not None and function.name != "try_cast":
            self.fault(wanted, "as stands only in try_cast(text as number)")
        elif str(wanted.value) not in ("number", "double", "float", "numeric", "real"):
            self.fault(wanted, f"{shorten(wanted.written)} is not a type that text can be made: write {_CAST}")
        return self.check(node.this)

    def _arguments(self, function: Function, arguments: Sequence[Checked]) -> Type | None:
        for index, argument in enumerate(arguments):
            self._parameter(argument, function.parameter(index), f"argument {index + 1} of {function.name}")
        if function.result is not Result.SAME:
            return function.result
        return self._shared(arguments, f"the arguments of {function.name}")

    def _parameter(self, argument: Checked, parameter: Parameter, what: str) -> None:
        if isinstance(parameter, Whole):
            value = argument.at.value if isinstance(argument.node, exp.Literal) else None
            if not isinstance(value, float) or value != int(value) or not parameter.low <= value <= parameter.high:
                self.fault(argument, f"{what} is a whole number from {parameter.low} to {parameter.high}, written out")
        elif parameter is Words:
            if not isinstance(argument.node, exp.Literal) or argument.type is not Type.TEXT:
                self.fault(argument, f"{what} is a word or phrase in single quotes, as in 'data loss'")
            elif (fault := phrase_fault(argument.node.name)) is not None:
                self.fault(argument, f"{what} {fault}")
        elif isinstance(parameter, frozenset):
            self._expect(argument, parameter, what)

    def _expect(self, part: Checked, allowed: frozenset[Type], what: str, *, hint: str = "") -> bool:
        """Note a value of a type not allowed here; return whether all is well."""
        if not part.sure or part.type in allowed:
            return True
        if part.type is None:
            self.fault(part, f"{what} cannot be null: missing values are found with is null, replaced with coalesce")
            return False
        wanted = " or ".join(SPOKEN[kind] for kind in Type if kind in allowed)
        self.fault(part, f"{what} must be {wanted}, but {part.spoken} is {SPOKEN[part.type]}{hint}")
        return False


_CAST = "try_cast(text as number)"
_SIGNS: Mapping[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_RULES: Mapping[type[exp.Expr], Callable[[Checker, exp.Expr], Checked]] = {
    exp.Column: Checker._column,
    exp.Paren: Checker._paren,
    exp.And: Checker._chain,
    exp.Or: Checker._chain,
    exp.Not: Checker._not,
    exp.EQ: Checker._equality,
    exp.NEQ: Checker._equality,
    **dict.fromkeys((exp.LT, exp.LTE, exp.GT, exp.GTE), Checker._order),
    exp.Between: Checker._between,
    exp.In: Checker._in,
    exp.Is: Checker._is,
    exp.Like: Checker._like,
    exp.ILike: Checker._like,
    exp.Escape: Checker._escape,
    **dict.fromkeys(_SIGNS, Checker._arithmetic),
    exp.Neg: Checker._negative,
    exp.DPipe: Checker._join,
    exp.Case: Checker._case,
    exp.Anonymous: Checker._call,
}
"""The whitelist: what is not here is refused."""


def balanced(kind: type[exp.Expr], parts: Sequence[exp.Expr]) -> exp.Expr:
    """Join parts by a two-sided operator into a tree of the least depth, in their order.

    >>> balanced(exp.And, [build.col(name) for name in "abc"]).sql()
    '"a" AND "b" AND "c"'
    """
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return kind(this=balanced(kind, parts[:middle]), expression=balanced(kind, parts[middle:]))


def _spine(node: exp.Expr) -> list[exp.Expr]:
    """Return the parts of a chain `a and b and c`, which sqlglot nests to the left."""
    kind, parts = type(node), []
    while type(node) is kind:
        parts.append(node.args["expression"])
        node = node.this
    return [node, *reversed(parts)]


def _negated(node: exp.Expr, made: exp.Expr) -> exp.Expr:
    return exp.Not(this=made) if node.args.get("negate") else made


def _boolean(word: str) -> exp.Boolean:
    return exp.Boolean(this=word == "true")


def _written_out(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, (exp.Neg, exp.Cast)) else node
    return isinstance(inner, (exp.Literal, exp.Boolean, exp.Null))


def _two(left: Checked, right: Checked) -> str:
    return f"{left.spoken} is {SPOKEN[left.type]} and {right.spoken} is {SPOKEN[right.type]}"


def _mismatch(left: Checked, right: Checked) -> str:
    """Say why two values cannot be compared, and how to write the one that is written out."""
    fix = _rewrite(left, right) or _rewrite(right, left)
    return f"{_two(left, right)}, so they cannot be compared{f': write {fix}' if fix else ''}"


def _rewrite(wanted: Checked, literal: Checked) -> str | None:
    """Return how a literal must be written to be of the type wanted."""
    value = literal.at.value
    if not isinstance(literal.node, exp.Literal):
        return None
    if literal.type is Type.NUMBER and wanted.type is Type.TEXT:
        return f"'{literal.at.written}'"
    if literal.type is Type.NUMBER and wanted.type is Type.BOOL and value in (0.0, 1.0):
        return "true" if value else "false"
    written = str(value).strip()
    if literal.type is not Type.TEXT:
        return None
    if wanted.type is Type.NUMBER and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", written):
        return f"{shorten(written)[1:-1]} without quotes"
    if wanted.type is Type.TIME and read_time(written) is not None:
        return f"TIMESTAMP {shorten(written)}"
    return written.lower() if wanted.type is Type.BOOL and written.lower() in ("true", "false") else None


def _unordered(part: Checked) -> str:
    if part.type is Type.TEXT:
        return f"{part.spoken} is text, and engines sort text differently: compare text with =, <>, in or like"
    return f"{part.spoken} is true or false, which has no order: write it alone, or with not before it"


def _compare(part: Checked) -> str:
    if part.type is Type.TEXT:
        return "compare it, as in = 'a'"
    if part.type is Type.NUMBER:
        return "compare it, as in > 0"
    return "compare it" if part.type is not None else "leave it out"


def _sum_hint(node: exp.Expr, part: Checked) -> str:
    if part.type is Type.TEXT and isinstance(node, exp.Add):
        return ": texts are joined with ||"
    if part.type is Type.TIME and isinstance(node, exp.Sub):
        return ": write days_between(start, end)"
    return ""


def _count(function: Function) -> str:
    least, most = function.least, function.most
    plural = "argument" if most == 1 else "arguments"
    return f"{least} {plural}" if least == most else f"{least} to {most} {plural}"
