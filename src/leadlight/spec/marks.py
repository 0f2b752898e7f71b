"""Where the values of a YAML file stand, down to the character inside a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from leadlight.errors import MAX_VALUE_SHOWN, Fault, shorten

Path = tuple[Any, ...]


class Mark(NamedTuple):
    """A place in a file, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """A value, where it stands, and what is inside it; an alias shares the node of its anchor."""

    value: Any
    mark: Mark
    block: bool = False
    """A map or list written over lines, or nothing at all, so that its key is the better place to point at."""
    source: str = ""
    """A scalar as it is written, with its quotes."""
    keys: Mapping[Any, Mark] = field(default_factory=dict)
    children: Mapping[Any, Node] = field(default_factory=dict)
    size: int = 1
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """Where each value of a file stands; a path is the keys and list positions that lead to it.

    >>> from leadlight.spec.yaml import read_yaml
    >>> marks = read_yaml("groups:\\n  fit: {cap: [1]}\\n", "house.yaml").marks
    >>> marks.at(("groups", "fit", "cap", 0))
    Mark(line=2, column=15)
    >>> str(marks.fault("too low", ("groups", "fit", "cap", 7)))
    'house.yaml:2:14: groups.fit.cap[7]: too low'
    """

    file: str
    root: Node | None = None

    def at(self, path: Path) -> Mark | None:
        """Return where the value at a path stands, or else the nearest thing around it that there is."""
        node, mark = self.root, None
        if node is None:
            return None
        mark = node.mark
        for part in path:
            child = node.children.get(part)
            if child is None:
                break
            mark = node.keys.get(part, child.mark) if child.block else child.mark
            node = child
        return mark

    def key(self, path: Path) -> Mark | None:
        """Return where the key at the end of a path stands, or else what `at` says."""
        parent = self._node(path[:-1])
        return parent.keys[path[-1]] if parent and path and path[-1] in parent.keys else self.at(path)

    def inside(self, path: Path, line: int, column: int) -> Mark | None:
        """Return where a character of the text at a path stands, given its line and column within that text."""
        node = self._node(path)
        if node is None or not isinstance(node.value, str):
            return self.at(path)
        lines = node.value.split("\n")
        index = sum(len(before) + 1 for before in lines[: line - 1]) + column - 1
        return _place(node, index)

    def fault(
        self,
        message: str,
        path: Path = (),
        severity: Literal["error", "warning"] = "error",
        *,
        mark: Mark | None = None,
    ) -> Fault:
        """Make a fault about the value at a path; `mark` says the place where it is not the value's own."""
        place = mark or self.at(path)
        line, column = place if place else (None, None)
        return Fault(message, self.file, line, column, format_path(self._words(path)) or None, severity)

    def _words(self, path: Path) -> Path:
        """Make numbers that are keys of a map text, so that they do not look like places in a list."""
        words: list[Any] = []
        node = self.root
        for part in path:
            is_list = node is not None and isinstance(node.value, list)
            words.append(part if is_list or isinstance(part, str) else written_key(part))
            node = node.children.get(part) if node else None
        return tuple(words)

    def _node(self, path: Path) -> Node | None:
        node = self.root
        for part in path:
            node = node.children.get(part) if node else None
        return node


def written_key(key: Any) -> str:
    """Write a key that is no text as YAML has it."""
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(key)[:MAX_VALUE_SHOWN]


def format_path(path: Path) -> str:
    """Write a path in words.

    >>> format_path(("groups", "fit", "criteria", 2, "points", "a b"))
    "groups.fit.criteria[2].points.'a b'"
    """
    text = ""
    for part in path:
        if isinstance(part, int) and not isinstance(part, bool):
            text += f"[{shorten(part)}]"
        elif isinstance(part, str) and re.fullmatch(r"[\w*-]{1,60}", part):
            text += f".{part}"
        else:
            text += f".{shorten(part)}"
    return text.removeprefix(".")


# ------------------------------------------------------------------------------------------ places inside a scalar


def advance(mark: Mark, text: str) -> Mark:
    """Return the place behind a piece of text that begins at a mark."""
    breaks = text.count("\n")
    return Mark(mark.line + breaks, len(text) - text.rfind("\n") if breaks else mark.column + len(text))


def _place(node: Node, index: int) -> Mark:
    """Return where a character of a scalar's value stands in the file."""
    for position, offset in enumerate(_offsets(node.source, node.value)):
        if position >= index:
            return advance(node.mark, node.source[:offset])
    return advance(node.mark, node.source.rstrip())


_ESCAPES = {"x": 4, "u": 6, "U": 10}
"""How many characters an escape has, by its letter; the others have 2."""
_BLANKS = re.compile(r"\s*")
_FOLDS = re.compile(r"(?:\\[\r\n]\s*)*")
"""Ends of lines that a backslash takes away."""


def _offsets(source: str, value: str) -> Iterator[int]:
    """Walk a scalar as written and as it is meant side by side; yield for each character meant where it is written.

    A run of blanks stands for a run of blanks (folding, indentation); escapes and doubled quotes stand for one.
    """
    style = source[:1] if source[:1] in ("'", '"', "|", ">") else ""
    at = source.find("\n") + 1 if style in ("|", ">") else len(style)
    run, left = 0, 0  # where the blanks began that are being walked, and how many more they stand for
    for char in value:
        at = _end(_FOLDS, source, at) if style == '"' else at
        if char.isspace() and not left and source[at : at + 1].isspace():
            run, at = at, _end(_BLANKS, source, at)
            left = _blanks_meant(source[run:at], style)
        if char.isspace() and left:
            left -= 1
            yield run
            continue
        at = _end(_BLANKS, source, at) if style in ("|", ">") else at
        left = 0
        yield at
        at += _width(source, at, style)


def _blanks_meant(written: str, style: str) -> int:
    """Return for how many blanks a run of them stands; for any number in a block, whose indentation is unknown."""
    breaks = written.count("\n")
    if style in ("|", ">"):
        return len(written)
    return max(1, breaks - 1) if breaks else len(written)


def _end(pattern: re.Pattern[str], source: str, at: int) -> int:
    match = pattern.match(source, at)
    return match.end() if match else at


def _width(source: str, at: int, style: str) -> int:
    """Return how many characters stand for the one that is meant."""
    if style == '"' and source[at : at + 1] == "\\":
        return _ESCAPES.get(source[at + 1 : at + 2], 2)
    return 2 if style == "'" and source[at : at + 2] == "''" else 1
