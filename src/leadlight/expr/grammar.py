"""Whether values and operators alternate as they must, said in the user's terms.

sqlglot decides what binds to what; but it forgives much (a THEN left out, a comma too many), and its messages are for
people who know SQL. So the order of the pieces is checked first, and sqlglot gets only what is well formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from sqlglot import TokenType

from leadlight.errors import shorten
from leadlight.expr.problems import Problem, problem_at
from leadlight.expr.scan import VALUES, Kind, Piece

MAX_NESTING = 20
"""How deep parentheses, CASE and runs of NOT or minus may go; far below where a recursive parser fails."""

TOO_DEEP = "this is nested too deep: {} levels are allowed; make parts of it features of their own"

_INFIX = frozenset(
    {
        TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.MOD, TokenType.DPIPE, TokenType.EQ,
        TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT, TokenType.GTE, TokenType.OR,
    }
)  # fmt: skip
_AFTER_NOT = (TokenType.IN, TokenType.LIKE, TokenType.ILIKE, TokenType.BETWEEN)
_CASE_WORDS = (TokenType.WHEN, TokenType.THEN, TokenType.ELSE, TokenType.END)


class Inside(Enum):
    """What surrounds a place in the text."""

    GROUP = "parentheses"
    CALL = "the arguments of a function"
    LIST = "a list"
    CASE = "case"


@dataclass(slots=True)
class _Frame:
    inside: Inside
    opened: Piece
    betweens: int = 0
    part: TokenType = TokenType.CASE
    """Of a CASE: the word last seen."""


class _Fault(Exception):
    def __init__(self, start: int, message: str) -> None:
        super().__init__(message)
        self.start = start
        self.message = message


def check_order(text: str, pieces: Sequence[Piece]) -> Problem | None:
    """Return the first place where the pieces cannot follow each other, or None.

    >>> from leadlight.expr.scan import scan
    >>> print(check_order("a and", scan("a and").pieces))
    1:6: a value is missing after 'and'
    """
    try:
        _Order(text, pieces).check()
    except _Fault as fault:
        return problem_at(text, fault.start, fault.message)
    return None


@dataclass(slots=True)
class _Order:
    text: str
    pieces: Sequence[Piece]
    index: int = 0
    wants_value: bool = True
    run: int = 0
    """How many NOTs and minus signs stand in a row."""
    frames: list[_Frame] = field(default_factory=list)

    def check(self) -> None:
        outermost = _Frame(Inside.GROUP, self.pieces[0])
        self.frames = [outermost]
        while self.index < len(self.pieces):
            piece = self.pieces[self.index]
            self.index += 1
            if self.wants_value:
                self._value(piece)
            else:
                self._operator(piece)
            if len(self.frames) + self.run > MAX_NESTING:
                raise _Fault(piece.start, TOO_DEEP.format(MAX_NESTING))
        self._end()

    def _end(self) -> None:
        if self.wants_value:
            raise _Fault(len(self.text), f"a value is missing after {shorten(self.pieces[-1].written)}")
        self._no_open_between(len(self.text))
        top = self.frames[-1]
        if len(self.frames) > 1:
            missing = "end" if top.inside is Inside.CASE else "a closing parenthesis"
            raise _Fault(top.opened.start, f"{missing} is missing: {shorten(top.opened.written)} is never closed")

    def _next(self) -> Piece | None:
        return self.pieces[self.index] if self.index < len(self.pieces) else None

    def _next_is(self, *types: TokenType) -> bool:
        following = self._next()
        return following is not None and following.is_(*types)

    # ------------------------------------------------------------------------------------- where a value is wanted

    def _value(self, piece: Piece) -> None:
        if piece.is_(TokenType.NOT, TokenType.DASH):
            self.run += 1
            return
        self.run = 0
        if piece.kind in VALUES:
            self.wants_value = False
        elif piece.kind is Kind.FUNCTION:
            self._call()
        elif piece.is_(TokenType.L_PAREN):
            self._open(Inside.GROUP, piece)
        elif piece.is_(TokenType.CASE):
            self.frames.append(_Frame(Inside.CASE, piece))
        elif piece.is_(TokenType.WHEN) and self._just_after_case():
            self.frames[-1].part = TokenType.WHEN
        else:
            raise _Fault(piece.start, self._missing_value(piece))

    def _just_after_case(self) -> bool:
        return self.pieces[self.index - 2].is_(TokenType.CASE)

    def _just_after_pattern(self) -> bool:
        before = self.pieces[max(self.index - 3, 0) : self.index - 1]
        return len(before) == 2 and before[0].is_(TokenType.LIKE, TokenType.ILIKE) and before[1].kind is Kind.TEXT

    def _missing_value(self, piece: Piece) -> str:
        if piece.is_(TokenType.PLUS):
            return "a + stands between two values: leave it out here"
        if piece.is_(TokenType.STAR):
            return "* stands between two numbers: name the value you want"
        return f"a value is missing before {shorten(piece.written)}"

    def _call(self) -> None:
        opening = self.pieces[self.index]
        self.index += 1
        if self._next_is(TokenType.R_PAREN):
            self.index += 1
            self.wants_value = False
        else:
            self.frames.append(_Frame(Inside.CALL, opening))

    def _open(self, inside: Inside, piece: Piece) -> None:
        if self._next_is(TokenType.R_PAREN):
            raise _Fault(piece.start, "there is nothing between these parentheses")
        self.frames.append(_Frame(inside, piece))

    # ---------------------------------------------------------------------------------------- where a value was

    def _operator(self, piece: Piece) -> None:
        if piece.is_(*_INFIX):
            self.wants_value = True
        elif piece.is_(TokenType.AND):
            top = self.frames[-1]
            top.betweens = max(0, top.betweens - 1)
            self.wants_value = True
        elif piece.is_(TokenType.NOT):
            if not self._next_is(*_AFTER_NOT):
                raise _Fault(piece.start, "an operator is missing before 'not'")
        elif piece.is_(*_AFTER_NOT):
            self._predicate(piece)
        elif piece.is_(TokenType.IS):
            self._is(piece)
        elif piece.is_(TokenType.R_PAREN):
            self._close(piece)
        elif piece.is_(TokenType.COMMA):
            self._comma(piece)
        elif piece.is_(*_CASE_WORDS):
            self._case_word(piece)
        elif piece.is_(TokenType.ESCAPE, TokenType.ALIAS):
            self._word_and_value(piece)
        else:
            before = self.pieces[self.index - 2].written
            message = f"an operator is missing between {shorten(before)} and {shorten(piece.written)}"
            raise _Fault(piece.start, message)

    def _predicate(self, piece: Piece) -> None:
        self.wants_value = True
        if piece.is_(TokenType.BETWEEN):
            self.frames[-1].betweens += 1
        elif piece.is_(TokenType.IN):
            opening = self._next()
            if opening is None or not opening.is_(TokenType.L_PAREN):
                raise _Fault(piece.start, "in needs a list in parentheses, as in ('a', 'b')")
            self.index += 1
            self._open(Inside.LIST, opening)

    def _is(self, piece: Piece) -> None:
        if self._next_is(TokenType.NOT):
            self.index += 1
        following = self._next()
        if following is None or following.kind is not Kind.CONSTANT:
            raise _Fault(piece.start, "after is stands null, true or false, or not and one of them; else write =")
        self.index += 1

    def _close(self, piece: Piece) -> None:
        top = self.frames[-1]
        if top.inside is Inside.CASE:
            raise _Fault(top.opened.start, f"end is missing: {shorten(top.opened.written)} is never closed")
        if len(self.frames) == 1:
            raise _Fault(piece.start, "this closing parenthesis has no opening one")
        self._no_open_between(piece.start)
        self.frames.pop()

    def _comma(self, piece: Piece) -> None:
        if self.frames[-1].inside not in (Inside.CALL, Inside.LIST):
            raise _Fault(piece.start, "a comma stands only between the arguments of a function or the values of a list")
        self._no_open_between(piece.start)
        self.wants_value = True

    def _case_word(self, piece: Piece) -> None:
        top = self.frames[-1]
        before = {
            TokenType.WHEN: (TokenType.CASE, TokenType.THEN),
            TokenType.THEN: (TokenType.WHEN,),
            TokenType.ELSE: (TokenType.THEN,),
            TokenType.END: (TokenType.THEN, TokenType.ELSE),
        }[piece.token_type]
        if top.inside is not Inside.CASE or top.part not in before:
            message = f"{shorten(piece.written)} is out of place: write case when … then … else … end"
            raise _Fault(piece.start, message)
        self._no_open_between(piece.start)
        if piece.is_(TokenType.END):
            self.frames.pop()
        else:
            top.part = piece.token_type
            self.wants_value = True

    def _no_open_between(self, start: int) -> None:
        if self.frames[-1].betweens:
            raise _Fault(start, "between needs and: write between 10 and 20")

    def _word_and_value(self, piece: Piece) -> None:
        escape = piece.is_(TokenType.ESCAPE)
        following = self._next()
        if following is None or following.kind is not (Kind.TEXT if escape else Kind.NAME):
            usage = "escape is followed by a character in quotes" if escape else "as is followed by a type"
            raise _Fault(piece.start, usage)
        if escape and not self._just_after_pattern():
            raise _Fault(piece.start, "escape stands behind the pattern of like, as in: like '5!%' escape '!'")
        if not escape and self.frames[-1].inside is not Inside.CALL:
            raise _Fault(piece.start, "as stands only in try_cast(text as number)")
        self.index += 1
