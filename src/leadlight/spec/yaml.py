"""YAML with its places kept: plain values, and for each of them the line and column where it stands.

ruamel.yaml reads (YAML 1.2: `no` and `on` are text); the tree is built here from its events, so that nesting and
aliases are bounded before anything is built, repeated keys are found, and no tag ever makes an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.reader import ReaderError

from leadlight.errors import MAX_VALUE_SHOWN, Fault, shorten

MAX_DEPTH = 50
"""How deep lists and maps may be nested; the deepest that means anything is 8."""
MAX_VALUES = 300_000
"""How many values a file may hold once its aliases are followed."""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that only escapes can bring in, and that terminals and databases choke on."""

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
    """A map or list that is written over lines, so that its key is the better place to point at."""
    source: str = ""
    """A scalar as it is written, with its quotes."""
    keys: Mapping[Any, Mark] = field(default_factory=dict)
    children: Mapping[Any, Node] = field(default_factory=dict)
    size: int = 1
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """Where each value of a file stands; a path is the keys and list positions that lead to it.

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
            words.append(part if is_list or isinstance(part, str) else str(part)[:MAX_VALUE_SHOWN])
            node = node.children.get(part) if node else None
        return tuple(words)

    def _node(self, path: Path) -> Node | None:
        node = self.root
        for part in path:
            node = node.children.get(part) if node else None
        return node


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds; `marks.root` is None where it could not be read at all."""

    value: Any
    marks: Marks
    faults: Sequence[Fault] = ()


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


def read_yaml(text: str, file: str) -> Parsed:
    """Read one YAML document; what is wrong with it comes back as faults, never as an exception.

    >>> read_yaml("answer: no", "a.yaml").value
    {'answer': 'no'}
    >>> print(read_yaml("a: 1\\na: 2", "a.yaml").faults[0])
    a.yaml:2:1: a: the key 'a' is given twice (first on line 1)
    """
    builder = _Builder(text, file)
    try:
        for event in _events(text, file):
            builder.feed(event)
    except _Stop as stop:
        return Parsed(None, Marks(file), [*builder.faults, stop.fault])
    if builder.root is None or builder.root.value is None:
        return Parsed(None, Marks(file), [Fault("the file is empty", file, 1, 1)])
    return Parsed(builder.root.value, Marks(file, builder.root), builder.faults)


def _events(text: str, file: str) -> Iterator[Any]:
    """Let ruamel.yaml read; whatever stops it comes out as one fault."""
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        raise _Stop(_syntax_fault(error, file)) from None
    except ReaderError as error:
        raise _Stop(_character_fault(error, text, file)) from None
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:  # "\\U99999999", say
        raise _Stop(Fault(f"this is not YAML: {shorten(str(error))}", file)) from None


class _Stop(Exception):  # noqa: N818 - control flow, never seen outside
    def __init__(self, fault: Fault) -> None:
        self.fault = fault


class _Frame:
    """A map or list that is being read."""

    def __init__(self, event: CollectionStartEvent, mark: Mark) -> None:
        self.is_map = isinstance(event, MappingStartEvent)
        self.block = not event.flow_style
        self.mark, self.anchor = mark, event.anchor
        self.items: list[Node] = []
        self.key: Node | None = None
        self.merged: list[Node] = []
        self.keys: dict[Any, Mark] = {}
        self.children: dict[Any, Node] = {}

    def node(self) -> Node:
        for node in self.merged:  # `<<`: what is written here wins, then the first map that is merged
            for key, child in node.children.items():
                self.keys.setdefault(key, node.keys[key])
                self.children.setdefault(key, child)
        value: Any = {key: child.value for key, child in self.children.items()}
        if not self.is_map:
            self.children = dict(enumerate(self.items))
            value = [item.value for item in self.items]
        inside = self.children.values()
        return Node(
            value,
            self.mark,
            self.block,
            keys=self.keys,
            children=self.children,
            size=1 + sum(child.size for child in inside),
            depth=1 + max((child.depth for child in inside), default=0),
        )


class _Builder:
    """Puts the events of one document together."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.faults: list[Fault] = []
        self.root: Node | None = None
        self._frames: list[_Frame] = []
        self._anchors: dict[str, Node | None] = {}
        self._count = 0
        self._documents = 0
        self._resolver = YAML(typ="safe", pure=True).resolver

    def feed(self, event: Any) -> None:
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._stop("a second document begins here; write one a file", _mark(event))
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, ScalarEvent):
            self._add(self._scalar(event), event.anchor)
        elif isinstance(event, CollectionStartEvent):
            self._open(event)
        elif isinstance(event, CollectionEndEvent):
            frame = self._frames.pop()
            self._add(frame.node(), frame.anchor)

    def _open(self, event: CollectionStartEvent) -> None:
        mark = _mark(event)
        self._refuse_tag(event, mark)
        frame = self._frames[-1] if self._frames else None
        if frame and frame.is_map and frame.key is None:
            raise self._stop("a key must be one plain value, not a map or list", mark)
        if len(self._frames) >= MAX_DEPTH:
            raise self._stop(f"nested more than {MAX_DEPTH} deep", mark)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame(event, mark))

    def _alias(self, event: AliasEvent) -> None:
        mark = _mark(event)
        if event.anchor not in self._anchors:
            raise self._stop(f"*{event.anchor} names nothing: no &{event.anchor} stands above", mark)
        node = self._anchors[event.anchor]
        if node is None:
            raise self._stop(f"*{event.anchor} stands inside what it names", mark)
        if len(self._frames) + node.depth > MAX_DEPTH:
            raise self._stop(f"nested more than {MAX_DEPTH} deep", mark)
        self._add(node, None, count=node.size)

    def _add(self, node: Node, anchor: str | None, *, count: int = 1) -> None:
        if anchor:
            self._anchors[anchor] = node
        self._count += count
        if self._count > MAX_VALUES:
            raise self._stop(f"more than {MAX_VALUES:,} values, aliases followed", node.mark)
        if not self._frames:
            self.root = node
        elif not self._frames[-1].is_map:
            self._frames[-1].items.append(node)
        else:
            self._add_to_map(self._frames[-1], node)

    def _add_to_map(self, frame: _Frame, node: Node) -> None:
        if frame.key is None:
            if node.children or isinstance(node.value, dict | list):
                raise self._stop("a key must be one plain value, not a map or list", node.mark)
            frame.key = node
            return
        key, frame.key = frame.key, None
        if key.value == "<<" and key.source == "<<":
            frame.merged += self._to_merge(node)
        elif key.value in frame.keys:
            self._repeated(frame, key)
        else:
            frame.keys[key.value], frame.children[key.value] = key.mark, node

    def _to_merge(self, node: Node) -> list[Node]:
        nodes = [node] if isinstance(node.value, dict) else list(node.children.values())
        if not nodes or not all(isinstance(each.value, dict) for each in nodes):
            raise self._stop("<< merges a map, or a list of maps", node.mark)
        return nodes

    def _repeated(self, frame: _Frame, key: Node) -> None:
        path = (*self._path(), key.value)
        first = frame.keys[key.value].line
        message = f"the key {shorten(key.value)} is given twice (first on line {first})"
        self.faults.append(Fault(message, self.file, *key.mark, format_path(path)))

    def _path(self) -> Path:
        frames = self._frames[:-1]
        return tuple(frame.key.value if frame.key else len(frame.items) for frame in frames)

    def _scalar(self, event: ScalarEvent) -> Node:
        mark = _mark(event)
        self._refuse_tag(event, mark)
        source = self.text[event.start_mark.index : event.end_mark.index]
        prefix = re.match(r"(?:[&!]\S*\s+)+", source) if event.anchor or event.tag else None
        if prefix:
            mark, source = _advance(mark, prefix[0]), source[prefix.end() :]
        odd = _UNPRINTABLE.search(event.value)
        if odd:
            self.faults.append(Fault(f"the text holds the character U+{ord(odd[0]):04X}: remove it", self.file, *mark))
        plain = event.implicit[0] and event.style is None
        value = self._plain(event.value, mark) if plain else event.value
        return Node(value, mark, source=source)

    def _plain(self, text: str, mark: Mark) -> Any:
        kind = str(self._resolver.resolve(ScalarNode, text, (True, False))).rpartition(":")[2]
        if kind in ("int", "float") and len(text) > 400:
            raise self._stop(f"a number of {len(text):,} digits", mark)
        if kind == "int":
            return _integer(text)
        if kind == "float":
            return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        if kind == "bool":
            return text.lower() == "true"
        return None if kind == "null" else text  # dates stay text: nothing we read wants one

    def _refuse_tag(self, event: Any, mark: Mark) -> None:
        if event.tag is not None and str(event.tag) != "!":
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            message = f"the tag {shorten(tag)} is not allowed: values are plain text, numbers, lists and maps"
            self.faults.append(Fault(message, self.file, *mark))

    def _stop(self, message: str, mark: Mark) -> _Stop:
        return _Stop(Fault(message, self.file, *mark))


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2], 10)
    return sign * int(digits if base == 10 else digits[2:], base)


# ------------------------------------------------------------------------------------------ places inside a scalar


def _advance(mark: Mark, text: str) -> Mark:
    breaks = text.count("\n")
    return Mark(mark.line + breaks, len(text) - text.rfind("\n") if breaks else mark.column + len(text))


def _place(node: Node, index: int) -> Mark:
    """Return where a character of a scalar's value stands in the file."""
    for position, offset in enumerate(_offsets(node.source, node.value)):
        if position >= index:
            return _advance(node.mark, node.source[:offset])
    return _advance(node.mark, node.source.rstrip())


def _offsets(source: str, value: str) -> Iterator[int]:
    """Walk a scalar as written and as it is meant side by side; yield for each character meant where it is written.

    A run of blanks stands for a run of blanks (folding, indentation); escapes and doubled quotes stand for one.
    """
    style = source[:1] if source[:1] in ("'", '"', "|", ">") else ""
    at = source.find("\n") + 1 if style in ("|", ">") else len(style)
    blank = False
    for char in value:
        if char.isspace() and (blank or source[at : at + 1].isspace()):
            if not blank:
                start, at = at, at + len(source[at:]) - len(source[at:].lstrip())
            blank = True
            yield start
            continue
        if style in ("|", ">"):
            at += len(source[at:]) - len(source[at:].lstrip()) if not blank else 0
        blank = False
        width, skipped = _width(source, at, style)
        yield at + skipped
        at += skipped + width


ESCAPES = {"x": 4, "u": 6, "U": 10}


def _width(source: str, at: int, style: str) -> tuple[int, int]:
    """Return how many characters stand for the next one, and how many before it stand for none."""
    skipped = 0
    while style == '"' and source[at + skipped] == "\\" and source[at + skipped + 1] in "\r\n":
        skipped += 1 + len(source[at + skipped + 1 :]) - len(source[at + skipped + 1 :].lstrip())
    if style == '"' and source[at + skipped] == "\\":
        return ESCAPES.get(source[at + skipped + 1], 2), skipped
    return (2 if style == "'" and source[at : at + 2] == "''" else 1), skipped


# ------------------------------------------------------------------------------------------------- syntax in words

_SYNTAX = (
    (r"found character '\\t'", "a tab stands where blanks should: indent with blanks"),
    (r"found character ('[@`%]')", r"a value cannot begin with {0}: put it in quotes"),
    (r"mapping values are not allowed", "a ':' where none can stand: put the text in quotes, write 'key: value' with a "
                                        "blank, or check the indentation"),
    (r"sequence entries are not allowed", "a '-' where no list can begin: check the indentation"),
    (r"could not find expected ':'", "a ':' is missing after a key"),
    (r"unexpected end of stream", "a quote is opened here and never closed"),
    (r"found '<block mapping start>'", "the indentation fits nothing above"),
    (r"found '<block sequence start>'", "the indentation fits nothing above"),
    (r"<block end>, but found '<scalar>'", "more text after a closing quote: put the whole value in double quotes"),
    (r"<block end>, but found ('[-?]')", "a list and a map are mixed at one indentation"),
    (r"expected ',' or '([\]}])'", "a ',' or the closing '{0}' is missing"),
    (r"expected the node content, but found '([^']*)'", "a value is missing before '{0}'"),
    (r"unknown escape character ('.*')", "\\ and {0} mean nothing in double quotes: write \\\\ for a backslash"),
)  # fmt: skip


def _syntax_fault(error: MarkedYAMLError, file: str) -> Fault:
    """Say in our words what the reader found; its own words where we have none."""
    problem = str(error.problem)
    mark = error.problem_mark or error.context_mark
    if "unexpected end of stream" in problem and error.context_mark is not None:
        mark = error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
    for pattern, words in _SYNTAX:
        match = re.search(pattern, problem)
        if match:
            return Fault(words.format(*match.groups()), file, *place)
    return Fault(f"this is not YAML: {problem}", file, *place)


def _character_fault(error: ReaderError, text: str, file: str) -> Fault:
    before = text[: error.position]
    code = error.character if isinstance(error.character, int) else ord(str(error.character)[0])
    message = f"the character U+{code:04X} may not stand in YAML: remove it"
    return Fault(message, file, before.count("\n") + 1, len(before) - before.rfind("\n"))
