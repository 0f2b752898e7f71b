"""From pieces to a tree, by sqlglot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError

from leadlight.expr.problems import Problem
from leadlight.expr.scan import Kind, Piece

_DIALECT = Dialect.get_or_raise("duckdb")


def build_tree(pieces: Sequence[Piece]) -> exp.Expr | Problem:
    """Let sqlglot say what binds to what. Each name and value in the tree is an identifier: the number of its piece.

    >>> from leadlight.expr.scan import scan
    >>> build_tree(scan("not a = 1 or b").pieces).sql()
    'NOT "1" = "3" OR "5"'
    """
    parser = _DIALECT.parser(error_level=ErrorLevel.IMMEDIATE)
    try:
        trees = parser.parse(list(_tokens(pieces)), "")
    except (ParseError, RecursionError):
        return Problem("this cannot be read as an expression")
    if len(trees) != 1 or trees[0] is None:
        return Problem("this cannot be read as an expression")
    return trees[0]


def _tokens(pieces: Sequence[Piece]) -> Iterator[Token]:
    for index, piece in enumerate(pieces):
        after_escape = index > 0 and pieces[index - 1].is_(TokenType.ESCAPE)
        if piece.kind is Kind.OPERATOR:
            yield Token(piece.token_type, piece.written, start=piece.start, end=piece.start)
        elif piece.kind is Kind.TEXT and after_escape:
            yield Token(TokenType.STRING, str(index), start=piece.start, end=piece.start)
        else:
            yield Token(TokenType.IDENTIFIER, str(index), start=piece.start, end=piece.start)
