"""From text to tokens: everything that is not a name, a value or one of our operators is refused here.

sqlglot's tokenizer finds the tokens. Each name and value is then handed to sqlglot's parser as a bare identifier that
is the token's number, so the parser can never see a keyword, a function or a type that is not ours, whatever the text
says; and every leaf of its tree leads back to its place in the text.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from sqlglot import Token, TokenType
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import TokenError

from leadlight.errors import shorten
from leadlight.expr.problems import Problem, problem_at

MAX_LENGTH = 20_000
"""The longest text, in characters."""


class Kind(Enum):
    """What a piece of the text is."""

    NAME = "a name"
    FUNCTION = "a function"
    NUMBER = "a number"
    TEXT = "a text"
    TIME = "a time"
    CONSTANT = "true, false or null"
    OPERATOR = "an operator"


VALUES = frozenset({Kind.NAME, Kind.NUMBER, Kind.TEXT, Kind.TIME, Kind.CONSTANT})


@dataclass(frozen=True, slots=True)
class Piece:
    """One token: how it is written, what it stands for, and where it begins (from 0)."""

    kind: Kind
    written: str
    start: int
    token_type: TokenType
    value: str | float | datetime | None = None

    def is_(self, *types: TokenType) -> bool:
        """Whether it is one of these operators or keywords."""
        return self.kind in (Kind.OPERATOR, Kind.CONSTANT) and self.token_type in types


@dataclass(frozen=True, slots=True)
class Scan:
    """The pieces of a text and what is wrong with them."""

    pieces: tuple[Piece, ...]
    problems: tuple[Problem, ...]


OPERATORS = frozenset(
    {
        TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA, TokenType.PLUS, TokenType.DASH, TokenType.STAR,
        TokenType.SLASH, TokenType.MOD, TokenType.DPIPE, TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE,
        TokenType.GT, TokenType.GTE, TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.IN, TokenType.BETWEEN,
        TokenType.LIKE, TokenType.ILIKE, TokenType.IS, TokenType.ESCAPE, TokenType.CASE, TokenType.WHEN,
        TokenType.THEN, TokenType.ELSE, TokenType.END, TokenType.ALIAS,
    }
)  # fmt: skip
CONSTANTS = frozenset({TokenType.TRUE, TokenType.FALSE, TokenType.NULL})
SPELLINGS = frozenset(
    {
        "(", ")", ",", "+", "-", "*", "/", "%", "||", "=", "<>", "!=", "<", "<=", ">", ">=", "and", "or", "not", "in",
        "between", "like", "ilike", "is", "escape", "case", "when", "then", "else", "end", "as",
    }
)  # fmt: skip
"""How the operators may be written; sqlglot knows more spellings (`==`, `~~`)."""

NOT_OPERATORS = {
    "==": "write = to compare",
    "&&": "write and",
    "&": "write and",
    "|": "write or, or || to join texts",
    "!": "write not",
    "~": "write like",
    "~~": "write like",
    "~~*": "write ilike",
    "^": "write power(number, number)",
    "**": "write power(number, number)",
    "//": "write floor(number / number)",
    "::": "write try_cast(text as number)",
    ";": "one expression is all there is: statements and ; are not allowed",
    ".": "names stand alone, without a table; numbers begin with a digit (0.5)",
    "?": "parameters are not allowed: write the value",
    "$": "parameters are not allowed: write the value",
    ":": "parameters are not allowed: write the value",
    "@": "parameters are not allowed: write the value",
    "[": "lists stand in parentheses, after in",
    "]": "lists stand in parentheses, after in",
}
ALLOWED = "allowed are and, or, not, = <> < <= > >=, between, in, like, is null, + - * / % ||, case, and functions"

_NAME = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_UNFINISHED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|[^'"]""", re.DOTALL)
_CURLY = "‘’‚‛“”„‟`´"
_DIALECT = Dialect.get_or_raise("duckdb")


def scan(text: str) -> Scan:
    """Cut a text into pieces.

    >>> [piece.written for piece in scan("crm = 'x' and employees>50").pieces]
    ['crm', '=', "'x'", 'and', 'employees', '>', '50']
    >>> scan("a == 1").problems[0].message
    "'==' is not used here: write = to compare"
    """
    unreadable = _unreadable(text)
    if unreadable is not None:
        return Scan((), (unreadable,))
    try:
        tokens = _DIALECT.tokenize(text)
    except TokenError:
        return Scan((), (_unfinished(text),))
    problems = [*_comments(text, tokens)]
    pieces: list[Piece] = []
    for made in _pieces(text, tokens):
        if isinstance(made, Piece):
            pieces.append(made)
        else:
            problems.append(made)
    return Scan(tuple(pieces), tuple(problems))


def _unreadable(text: str) -> Problem | None:
    """Refuse what no tokenizer should see."""
    if not text.strip():
        return Problem("nothing is written here")
    if len(text) > MAX_LENGTH:
        return Problem(f"this is {len(text)} characters long; {MAX_LENGTH} are allowed")
    for offset, character in enumerate(text):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            return problem_at(text, offset, f"the character {describe(character)} is not allowed")
    return None


def describe(character: str) -> str:
    """Say which character it is, for people who cannot see the difference."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}{f' {name}' if name else ''}"


def _unfinished(text: str) -> Problem:
    """Say which quote or comment never ends."""
    end = 0
    while (found := _UNFINISHED.match(text, end)) is not None:
        opens_comment = found[0] == "/" and text.startswith("/*", end)
        if opens_comment:
            break
        end = found.end()
    if end >= len(text):
        return Problem("this cannot be read")
    what = {"'": "the text that begins here", '"': "the quoted name that begins here"}.get(text[end], "the comment")
    return problem_at(text, end, f"{what} does not end: a closing {'*/' if text[end] == '/' else text[end]} is missing")


def _comments(text: str, tokens: Sequence[Token]) -> Iterator[Problem]:
    """Refuse all that lies between tokens and is no space."""
    end = 0
    for start, next_end in [*((token.start, token.end + 1) for token in tokens), (len(text), len(text))]:
        gap = text[end:start]
        if gap.strip():
            yield problem_at(text, end + len(gap) - len(gap.lstrip()), "comments are not allowed inside an expression")
        end = next_end


def _pieces(text: str, tokens: Sequence[Token]) -> Iterator[Piece | Problem]:
    skip = False
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if skip:
            skip = False
            continue
        written = text[token.start : token.end + 1]
        if following is not None and following.token_type is TokenType.STRING and written.lower() in _TIME_WORDS:
            skip = True
            yield _time(text, token, following)
        else:
            yield _piece(text, token, following)


_TIME_WORDS = frozenset({"timestamp", "date", "datetime", "timestamptz"})


def _piece(text: str, token: Token, following: Token | None) -> Piece | Problem:
    written = text[token.start : token.end + 1]
    kind = token.token_type
    if kind in CONSTANTS:
        return Piece(Kind.CONSTANT, written, token.start, kind)
    if kind in OPERATORS and written.lower() in SPELLINGS:
        return Piece(Kind.OPERATOR, written, token.start, kind)
    if kind is TokenType.STRING:
        return Piece(Kind.TEXT, written, token.start, kind, token.text)
    if kind is TokenType.NUMBER:
        return _number(text, token, written)
    if kind is TokenType.IDENTIFIER:
        return Piece(Kind.NAME, written, token.start, kind, token.text.lower())
    if _NAME.fullmatch(written):
        called = following is not None and following.token_type is TokenType.L_PAREN
        return Piece(Kind.FUNCTION if called else Kind.NAME, written, token.start, kind, written.lower())
    return problem_at(text, token.start, _refusal(written))


def _number(text: str, token: Token, written: str) -> Piece | Problem:
    if not _NUMBER.fullmatch(written):
        return problem_at(text, token.start, f"{shorten(written)} is no number: write it like 1000, 0.5 or 1e6")
    value = float(written)
    if not math.isfinite(value):
        return problem_at(text, token.start, f"{shorten(written)} is too large for a number")
    return Piece(Kind.NUMBER, written, token.start, token.token_type, value)


def _time(text: str, word: Token, literal: Token) -> Piece | Problem:
    """Read TIMESTAMP '…' or DATE '…'; a time with an offset is taken to UTC."""
    written = text[word.start : literal.end + 1]
    moment = read_time(literal.text)
    if moment is None:
        message = f"{shorten(literal.text)} is no time: write it like TIMESTAMP '2026-01-31 12:00:00'"
        return problem_at(text, word.start, message)
    return Piece(Kind.TIME, written, word.start, word.token_type, moment)


def read_time(written: str) -> datetime | None:
    """Read an ISO date or time as naive UTC, or return None.

    >>> read_time("2026-01-31T01:00:00+02:00")
    datetime.datetime(2026, 1, 30, 23, 0)
    """
    if not re.match(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
        return None
    try:
        moment = datetime.fromisoformat(written.strip())
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo is not None else moment
    except (ValueError, OverflowError):
        return None


def _refusal(written: str) -> str:
    """Say why a token cannot stand here, and what to write."""
    odd = next((character for character in written if ord(character) > 127), None)
    if odd is not None and odd in _CURLY:
        return f"the quote {odd} is not understood: write text in straight single quotes, 'like this'"
    if odd is not None:
        return f"{shorten(written)} is not understood: it holds {describe(odd)}"
    if re.match(r"[a-zA-Z$]", written) and len(written) > 1 and written.endswith(("'", "$")):
        return f"{shorten(written)} is not understood: write text in plain single quotes, 'like this'"
    if written.startswith("`"):
        return "the quote ` is not understood: write names without quotes or in double quotes"
    return f"{shorten(written)} is not used here: {NOT_OPERATORS.get(written, ALLOWED)}"
