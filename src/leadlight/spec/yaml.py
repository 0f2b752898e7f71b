"""YAML with its places kept: plain values, and for each of them the line and column where it stands.

ruamel.yaml reads (YAML 1.2: `no` and `on` are text); the tree is built here from its events, so that nesting and
aliases are bounded before anything is built, repeated keys are found, and no tag ever makes an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

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

from leadlight.errors import Fault, shorten
from leadlight.spec.marks import Mark, Marks, Node, Path, advance, format_path, written_key
from leadlight.spec.syntax import character_fault, syntax_fault

MAX_DEPTH = 50
"""How deep lists and maps may be nested; the deepest that means anything is 8."""
MAX_VALUES = 300_000
"""How many values a file may hold once its aliases are followed."""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that only escapes can bring in, and that terminals and databases choke on."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds; `marks.root` is None where it could not be read at all."""

    value: Any
    marks: Marks
    faults: Sequence[Fault] = ()


def read_yaml(text: str, file: str) -> Parsed:
    """Read one YAML document; what is wrong with it comes back as faults, never as an exception.

    >>> read_yaml("answer: no", "a.yaml").value
    {'answer': 'no'}
    >>> print(read_yaml("a: 1\\na: 2", "a.yaml").faults[0])
    a.yaml:2:1: a: the key 'a' is given twice (first on line 1)
    """
    parsed = _read(text, file)
    return replace(parsed, value=deepcopy(parsed.value), faults=list(parsed.faults))


@lru_cache(maxsize=64)  # a service, and whoever holds a workspace open, reads the same files again and again
def _read(text: str, file: str) -> Parsed:
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
        raise _Stop(syntax_fault(error, file)) from None
    except ReaderError as error:
        raise _Stop(character_fault(error, text, file)) from None
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:  # "\\U99999999", say
        raise _Stop(Fault(f"this is not YAML: {shorten(str(error))}", file)) from None


class _Stop(Exception):
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
        shown = key.value if isinstance(key.value, str) else written_key(key.value)
        first = frame.keys[key.value].line
        message = f"the key {shorten(shown)} is given twice (first on line {first})"
        self.faults.append(Fault(message, self.file, *key.mark, format_path((*self._path(), shown))))

    def _path(self) -> Path:
        frames = self._frames[:-1]
        return tuple(frame.key.value if frame.key else len(frame.items) for frame in frames)

    def _scalar(self, event: ScalarEvent) -> Node:
        mark = _mark(event)
        self._refuse_tag(event, mark)
        source = self.text[event.start_mark.index : event.end_mark.index]
        prefix = re.match(r"(?:[&!]\S*\s+)+", source) if event.anchor or event.tag else None
        if prefix:
            mark, source = advance(mark, prefix[0]), source[prefix.end() :]
        odd = _UNPRINTABLE.search(event.value)
        if odd:
            self.faults.append(Fault(f"the text holds the character U+{ord(odd[0]):04X}: remove it", self.file, *mark))
        plain = event.implicit[0] and event.style is None and event.tag is None
        value = self._plain(event.value, mark) if plain else event.value
        return Node(value, mark, block=not source, source=source)

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
