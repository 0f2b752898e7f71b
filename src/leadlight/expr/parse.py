"""Conditions and expressions as people write them, parsed by sqlglot, held to a whitelist, typed against known names.

scan      text → pieces; everything that is not ours is refused (statements, comments, parameters, casts)
names     pieces → names and functions that are not known
grammar   pieces → the first place where they cannot follow each other
syntax    pieces → sqlglot's tree, whose leaves are numbers of pieces
check     sqlglot's tree → ours, with types
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadlight.expr import build
from leadlight.expr.check import MAX_DEPTH, SPOKEN, Checked, Checker, TooDeepError
from leadlight.expr.expression import Expression as Expression
from leadlight.expr.grammar import TOO_DEEP, check_order
from leadlight.expr.names import REFUSED, unknown_names
from leadlight.expr.problems import ExpressionError as ExpressionError
from leadlight.expr.problems import Problem as Problem
from leadlight.expr.scan import Kind, Piece, scan
from leadlight.expr.sql import TooLargeError, translate
from leadlight.expr.syntax import build_tree
from leadlight.expr.types import Type


def parse_expression(text: str, names: Mapping[str, Type]) -> Expression:
    """Parse an expression over these names, which match whatever their case.

    Raises ExpressionError with everything that is wrong.

    >>> names = {"employees": Type.NUMBER, "crm": Type.TEXT}
    >>> expression = parse_expression("employees / 10", names)
    >>> expression.type, sorted(expression.names)
    (<Type.NUMBER: 'number'>, ['employees'])
    >>> parse_expression("crms / crm", names)
    Traceback (most recent call last):
    leadlight.expr.problems.ExpressionError: 1:1: there is no name 'crms': did you mean 'crm'? Known: crm, employees
    1:8: a value beside / must be a number, but 'crm' is text
    """
    known = {name.lower(): kind for name, kind in names.items()}
    scanned = scan(text)
    pieces, problems = scanned.pieces, list(scanned.problems)
    problems += unknown_names(text, pieces, known)
    if scanned.problems or not pieces or any(_is_statement(problem) for problem in problems):
        raise ExpressionError(text, problems)
    misplaced = check_order(text, pieces)
    if misplaced is not None:
        raise ExpressionError(text, [*problems, misplaced])
    checked, faults = _checked(text, pieces, known)
    if problems or faults or checked is None:
        raise ExpressionError(text, [*problems, *faults])
    used = frozenset(str(piece.value) for piece in pieces if piece.kind is Kind.NAME) & known.keys()
    return Expression(text=text, tree=checked.node, type=checked.type, names=used)


def parse_condition(text: str, names: Mapping[str, Type]) -> Expression:
    """Parse an expression that is true or false.

    >>> parse_condition("employees", {"employees": Type.NUMBER})
    Traceback (most recent call last):
    leadlight.expr.problems.ExpressionError: 1:1: a condition must be true or false; this is a number
    """
    expression = parse_expression(text, names)
    if expression.type is not Type.BOOL:
        raise ExpressionError(text, [Problem(f"a condition must be true or false; this is {SPOKEN[expression.type]}")])
    return expression


def _checked(text: str, pieces: Sequence[Piece], names: Mapping[str, Type]) -> tuple[Checked | None, list[Problem]]:
    """Type the tree; also make its SQL once, so that what was accepted can always be run."""
    tree = build_tree(pieces)
    if isinstance(tree, Problem):
        return None, [tree]
    checker = Checker(text, pieces, names)
    try:
        checked = checker.check(tree)
        if not checker.problems and checked.sure:
            translate(checked.node, build.col)
    except TooDeepError:
        return None, [Problem(TOO_DEEP.format(MAX_DEPTH))]
    except TooLargeError:
        return None, [Problem("this grows too large as SQL: make its parts features of their own")]
    return checked, checker.problems


def _is_statement(problem: Problem) -> bool:
    return any(problem.message.endswith(refusal) for refusal in REFUSED.values())
