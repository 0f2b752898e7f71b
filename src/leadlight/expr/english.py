"""An expression as a sentence for people who do not read SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from sqlglot import exp

from leadlight.expr.expression import Expression
from leadlight.expr.pattern import Part, parts

MAX_TEXT = 60
"""How much of a text literal a sentence shows."""


def to_english(expression: Expression) -> str:
    """Say what an expression means.

    >>> from leadlight.expr.parse import parse_condition
    >>> from leadlight.expr.types import Type
    >>> names = {"crm": Type.TEXT, "employees": Type.NUMBER, "path": Type.TEXT}
    >>> to_english(parse_condition("crm = 'salesforce' and employees > 50", names))
    'crm is salesforce and employees is more than 50'
    >>> to_english(parse_condition("path like '/pricing%'", names))
    'path starts with /pricing'
    """
    return _say(expression.tree)


def _say(node: exp.Expr) -> str:
    return _RULES[type(node)](node)


def _operand(node: exp.Expr) -> str:
    """Say a value inside another, in brackets where it would run into it."""
    said = _say(node)
    loose = isinstance(node, (exp.And, exp.Or, exp.Case, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod))
    return f"({said})" if loose or isinstance(node, _VERBS) else said


def _name(node: exp.Expr) -> str:
    return str(node.name).replace("_", " ")


def _literal(node: exp.Expr) -> str:
    return _text(node.name) if node.is_string else _number(float(node.name))


def _number(value: float) -> str:
    """Write a number; thousands are parted from 10,000 up, so that years stay years."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    return repr(value)


def _text(value: str) -> str:
    shown = value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + "…"
    shown = shown.replace("\n", " ").replace("\r", " ").replace("\t", " ")
    plain = shown == shown.strip() and shown != "" and not any(mark in shown for mark in ",;“”()\"'")
    return shown if plain else f"“{shown}”"


def _time(node: exp.Expr) -> str:
    moment = datetime.fromisoformat(node.this.name)
    day = f"{moment.day} {moment:%b} {moment.year:04d}"
    if moment.hour == moment.minute == moment.second == moment.microsecond == 0:
        return day
    return f"{day} {moment:%H:%M}" if moment.second == moment.microsecond == 0 else f"{day} {moment.time().isoformat()}"


def _chain(node: exp.Expr) -> str:
    found = _flat(node, type(node))
    if isinstance(node, exp.And):
        return " and ".join(_part_of_chain(part) for part in found)
    alike = (list(some) for _, some in groupby(found, key=_of_what))
    return " or ".join(_patterns(some) if len(some) > 1 else _part_of_chain(some[0]) for some in alike)


def _of_what(node: exp.Expr) -> tuple[str, str] | int:
    """Return what a pattern says of whom, so that patterns that say the same can be told together; else it alone."""
    if not isinstance(node, exp.Like | exp.ILike):
        return id(node)
    verb, _ = _match(parts(node.args["expression"].name, None), node.args["expression"].name)
    return _operand(node.this), verb


def _patterns(nodes: Sequence[exp.Expr]) -> str:
    said = [_match(parts(node.args["expression"].name, None), node.args["expression"].name) for node in nodes]
    return f"{_operand(nodes[0].this)} {said[0][0]} {_or([text for _, text in said])}"


def _part_of_chain(node: exp.Expr) -> str:
    return f"({_say(node)})" if isinstance(node, (exp.And, exp.Or)) else _say(node)


def _flat(node: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    if not isinstance(node, kind):
        return [node]
    return [*_flat(node.this, kind), *_flat(node.args["expression"], kind)]


def _not(node: exp.Expr) -> str:
    inner = node.this
    negated = _NEGATED.get(type(inner))
    if negated is not None:
        return negated(inner)
    return f"not {_operand(inner)}"


def _equal(node: exp.Expr) -> str:
    return _equality(node, negated=False)


def _unequal(node: exp.Expr) -> str:
    return _equality(node, negated=True)


def _equality(node: exp.Expr, *, negated: bool) -> str:
    left, right = node.this, node.args["expression"]
    if isinstance(left, exp.Literal) and not isinstance(right, exp.Literal):
        left, right = right, left
    return f"{_operand(left)} is {'not ' if negated else ''}{_operand(right)}"


_ORDER: Mapping[type[exp.Expr], str] = {
    exp.GT: "more than",
    exp.GTE: "at least",
    exp.LT: "less than",
    exp.LTE: "at most",
}
_ORDER_OF_TIMES: Mapping[type[exp.Expr], str] = {
    exp.GT: "after",
    exp.GTE: "at or after",
    exp.LT: "before",
    exp.LTE: "at or before",
}
_TURNED: Mapping[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}


def _order(node: exp.Expr) -> str:
    kind, left, right = type(node), node.this, node.args["expression"]
    if isinstance(left, (exp.Literal, exp.Cast)) and not isinstance(right, (exp.Literal, exp.Cast)):
        kind, left, right = _TURNED[kind], right, left
    words = _ORDER_OF_TIMES if isinstance(right, exp.Cast) else _ORDER
    return f"{_operand(left)} is {words[kind]} {_operand(right)}"


def _between(node: exp.Expr) -> str:
    return _range(node, "is from")


def _not_between(node: exp.Expr) -> str:
    return _range(node, "is not from")


def _range(node: exp.Expr, verb: str) -> str:
    return f"{_operand(node.this)} {verb} {_operand(node.args['low'])} to {_operand(node.args['high'])}"


def _in(node: exp.Expr) -> str:
    return f"{_operand(node.this)} is {_listed(node.expressions)}"


def _not_in(node: exp.Expr) -> str:
    return f"{_operand(node.this)} is not {_listed(node.expressions)}"


def _listed(nodes: Sequence[exp.Expr]) -> str:
    *first, last = (_operand(node) for node in nodes)
    return f"{', '.join(first)} or {last}" if first else last


def _is(node: exp.Expr) -> str:
    value, constant = node.this, node.args["expression"]
    return f"{_operand(value)} is {'missing' if isinstance(constant, exp.Null) else _say(constant)}"


def _is_not(node: exp.Expr) -> str:
    value, constant = node.this, node.args["expression"]
    return f"{_operand(value)} is {'known' if isinstance(constant, exp.Null) else 'not ' + _say(constant)}"


def _like(node: exp.Expr) -> str:
    return _pattern(node, None, negated=False)


def _not_like(node: exp.Expr) -> str:
    return _pattern(node, None, negated=True)


def _escape(node: exp.Expr) -> str:
    return _pattern(node.this, node.args["expression"].name, negated=False)


def _not_escape(node: exp.Expr) -> str:
    return _pattern(node.this, node.args["expression"].name, negated=True)


def _pattern(node: exp.Expr, escape: str | None, *, negated: bool) -> str:
    verb, object_ = _match(parts(node.args["expression"].name, escape), node.args["expression"].name)
    return f"{_operand(node.this)} {_NEGATED_VERBS[verb] if negated else verb} {object_}"


_NEGATED_VERBS = {
    "is": "is not",
    "starts with": "does not start with",
    "ends with": "does not end with",
    "contains": "does not contain",
    "looks like": "does not look like",
}


def _match(found: Sequence[Part], pattern: str) -> tuple[str, str]:
    """Return the verb for a pattern, and what it is about."""
    shape = "".join(part.text if part.wildcard else "x" for part in found)
    literal = next((part.text for part in found if not part.wildcard), "")
    verb = {"": "is", "x": "is", "x%": "starts with", "%x": "ends with", "%x%": "contains"}.get(shape)
    return (verb, _text(literal)) if verb is not None else ("looks like", f"“{pattern[:MAX_TEXT]}”")


def _case(node: exp.Expr) -> str:
    subject = f"{_operand(node.this)} is " if node.this is not None else ""
    said = [f"{_operand(branch.args['true'])} when {subject}{_say(branch.this)}" for branch in node.args["ifs"]]
    default = node.args.get("default")
    said.append(f"otherwise {_operand(default) if default is not None else 'missing'}")
    return ", ".join(said)


_WORDS: Mapping[type[exp.Expr], str] = {
    exp.Add: "plus",
    exp.Sub: "minus",
    exp.Mul: "times",
    exp.Div: "divided by",
    exp.Mod: "modulo",
}


def _arithmetic(node: exp.Expr) -> str:
    left, right = node.this, node.args["expression"]
    said = _say(left) if type(left) is type(node) else _operand(left)
    return f"{said} {_WORDS[type(node)]} {_operand(right)}"


def _negative(node: exp.Expr) -> str:
    said = _operand(node.this)
    return f"-{said}" if isinstance(node.this, exp.Literal) else f"minus {said}"


def _join(node: exp.Expr) -> str:
    return " followed by ".join(_operand(part) for part in _flat(node, exp.DPipe))


def _call(node: exp.Expr) -> str:
    arguments = [_operand(argument) for argument in node.expressions]
    return _FUNCTIONS[node.name](arguments)


def _of(what: str) -> Callable[[list[str]], str]:
    return lambda arguments: f"the {what} of {arguments[0]}"


def _all(what: str) -> Callable[[list[str]], str]:
    return lambda arguments: f"the {what} of {', '.join(arguments[:-1])} and {arguments[-1]}"


def _substr(arguments: list[str]) -> str:
    if len(arguments) == 2:
        return f"{arguments[0]} from character {arguments[1]}"
    if arguments[1] == "1":
        return f"the first {arguments[2]} characters of {arguments[0]}"
    return f"{arguments[2]} characters of {arguments[0]} from character {arguments[1]}"


def _rounded(arguments: list[str]) -> str:
    return f"{arguments[0]} rounded" + (f" to {arguments[1]} digits" if len(arguments) > 1 else "")


_FUNCTIONS: Mapping[str, Callable[[list[str]], str]] = {
    "abs": _of("size"),
    "ceil": lambda arguments: f"{arguments[0]} rounded up",
    "coalesce": lambda arguments: f"{arguments[0]} (if missing, {', then '.join(arguments[1:])})",
    "concat": lambda arguments: " followed by ".join(arguments),
    "contains": lambda arguments: f"{arguments[0]} contains {arguments[1]}",
    "contains_any": lambda arguments: f"{arguments[0]} has the word{'s'[: len(arguments) - 2]} {_or(arguments[1:])}",
    "day": _of("day of the month"),
    "days_between": lambda arguments: f"the days from {arguments[0]} to {arguments[1]}",
    "exp": lambda arguments: f"e to the power of {arguments[0]}",
    "floor": lambda arguments: f"{arguments[0]} rounded down",
    "greatest": _all("greatest"),
    "hour": _of("hour"),
    "least": _all("least"),
    "length": _of("length"),
    "ln": _of("logarithm"),
    "lower": lambda arguments: f"{arguments[0]} in lower case",
    "month": _of("month"),
    "nullif": lambda arguments: f"{arguments[0]} (missing if {arguments[1]})",
    "power": lambda arguments: f"{arguments[0]} to the power of {arguments[1]}",
    "round": _rounded,
    "sqrt": _of("square root"),
    "starts_with": lambda arguments: f"{arguments[0]} starts with {arguments[1]}",
    "substr": _substr,
    "trim": lambda arguments: f"{arguments[0]} without outer spaces",
    "try_cast": lambda arguments: f"{arguments[0]} as a number",
    "upper": lambda arguments: f"{arguments[0]} in upper case",
    "weekday": _of("day of the week (1 is Monday)"),
    "word_count": _of("number of words"),
    "year": _of("year"),
}


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _does_not(call: exp.Expr) -> str:
    if call.name == "contains_any":
        text, *words = (_operand(argument) for argument in call.expressions)
        return f"{text} has none of the words {_or(words)}" if len(words) > 1 else f"{text} lacks the word {words[0]}"
    if call.name not in ("contains", "starts_with"):
        return f"not {_operand(call)}"
    left, right = (_operand(argument) for argument in call.expressions)
    return f"{left} {_NEGATED_VERBS[call.name.replace('_', ' ')]} {right}"


_ORDERS = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_VERBS = (exp.EQ, exp.NEQ, *_ORDERS, exp.Between, exp.In, exp.Is, exp.Like, exp.ILike, exp.Escape, exp.Not)
"""What makes a sentence of its own."""

_RULES: Mapping[type[exp.Expr], Callable[[exp.Expr], str]] = {
    exp.Column: _name,
    exp.Literal: _literal,
    exp.Boolean: lambda node: "true" if node.this else "false",
    exp.Null: lambda _: "missing",
    exp.Cast: _time,
    **dict.fromkeys((exp.And, exp.Or), _chain),
    exp.Not: _not,
    exp.EQ: _equal,
    exp.NEQ: _unequal,
    **dict.fromkeys(_ORDERS, _order),
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    **dict.fromkeys((exp.Like, exp.ILike), _like),
    exp.Escape: _escape,
    exp.Case: _case,
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _arithmetic),
    exp.Neg: _negative,
    exp.DPipe: _join,
    exp.Anonymous: _call,
}

_NEGATED: Mapping[type[exp.Expr], Callable[[exp.Expr], str]] = {
    exp.EQ: _unequal,
    exp.NEQ: _equal,
    exp.Between: _not_between,
    exp.In: _not_in,
    exp.Is: _is_not,
    exp.Like: _not_like,
    exp.ILike: _not_like,
    exp.Escape: _not_escape,
    exp.Anonymous: _does_not,
}
