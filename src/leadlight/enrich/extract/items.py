"""Structured data of a page as items, whichever way it is written: JSON-LD, microdata, RDFa or microformats."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_ITEMS = 500
MAX_VALUES = 3_000
MAX_DEPTH = 30
MAX_TEXT = 500
_SPACES = re.compile(r"\s+")

_MICROFORMATS = {
    "vcard": "vcard", "h-card": "vcard", "adr": "adr", "h-adr": "adr",
}  # fmt: skip
_MICROFORMAT_NAMES = {
    "fn": "name", "org": "name", "p-name": "name", "p-org": "name", "organization-name": "name",
    "street-address": "streetAddress", "p-street-address": "streetAddress", "extended-address": "extendedAddress",
    "locality": "addressLocality", "p-locality": "addressLocality", "region": "addressRegion",
    "p-region": "addressRegion", "postal-code": "postalCode", "p-postal-code": "postalCode",
    "country-name": "addressCountry", "p-country-name": "addressCountry", "tel": "telephone", "p-tel": "telephone",
    "email": "email", "u-email": "email", "adr": "address", "p-adr": "address", "h-adr": "address",
}  # fmt: skip


@dataclass(slots=True)
class Item:
    """A thing with types and properties; a value is text or another item."""

    types: tuple[str, ...]
    """Without the vocabulary's address: "LocalBusiness", "PostalAddress", "vcard"."""
    values: dict[str, list[str | Item]] = field(default_factory=dict)
    source: str = "json-ld"

    def texts(self, name: str) -> list[str]:
        """Return the values of a property as text; of an item, its name."""
        found = []
        for value in self.values.get(name, ()):
            text = value if isinstance(value, str) else value.text("name")
            if text:
                found.append(text)
        return found

    def text(self, name: str) -> str:
        """Return the first value of a property as text, "" where there is none."""
        return next(iter(self.texts(name)), "")

    def inner(self, name: str) -> list[Item]:
        """Return the items that are values of a property."""
        return [value for value in self.values.get(name, ()) if isinstance(value, Item)]

    def is_a(self, *types: str) -> bool:
        """Whether it is of one of these types."""
        return any(kind in types for kind in self.types)


def everything(items: Sequence[Item]) -> Iterator[Item]:
    """Return the items and all that stand inside them, outer ones first."""
    waiting = list(items)
    for count, item in enumerate(waiting):
        if count >= MAX_ITEMS * 2:
            return
        yield item
        waiting += [value for values in item.values.values() for value in values if isinstance(value, Item)]


def from_json(value: Any, base: str) -> list[Item]:
    """Return the items of a JSON-LD value: a thing, a list of things, or a graph.

    >>> [item] = from_json({"@type": "Organization", "name": "Acme", "address": {"@type": "PostalAddress"}}, "")
    >>> item.types, item.text("name"), item.inner("address")[0].types
    (('Organization',), 'Acme', ('PostalAddress',))
    """
    del base
    found: list[Item] = []
    waiting: list[Any] = [value]
    count = 0
    while waiting and len(found) < MAX_ITEMS and count < MAX_VALUES:
        count += 1
        thing = waiting.pop(0)
        if isinstance(thing, list):
            waiting += thing[:MAX_ITEMS]
        elif isinstance(thing, dict):
            graph = thing.get("@graph")
            if isinstance(graph, list):
                waiting += graph[:MAX_ITEMS]
            if "@type" in thing:
                found.append(_item(thing, [0], 0))
    return found


def _item(thing: Mapping[str, Any], count: list[int], depth: int) -> Item:
    kinds = thing.get("@type")
    types = tuple(short(kind) for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str))
    item = Item(types)
    for name, value in thing.items():
        if name.startswith("@") and name != "@id":
            continue
        for one in value if isinstance(value, list) else [value]:
            count[0] += 1
            if count[0] > MAX_VALUES:
                return item
            if isinstance(one, dict):
                if "@value" in one:
                    one = one["@value"]
                elif depth < MAX_DEPTH:
                    item.values.setdefault(short(name), []).append(_item(one, count, depth + 1))
                    continue
            if isinstance(one, str | int | float) and not isinstance(one, bool):
                item.values.setdefault(short(name), []).append(_tidy(str(one)[: MAX_TEXT * 2]))
    return item


def short(name: str) -> str:
    """Return a type or property without its vocabulary.

    >>> short("https://schema.org/Organization"), short("v:Organization"), short("org#Thing")
    ('Organization', 'Organization', 'Thing')
    """
    return re.split(r"[/#:]", name.strip()[:300].rstrip("/#:"))[-1]


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", text).replace("\0", "").strip()[:MAX_TEXT]


@dataclass(slots=True)
class _Open:
    """A property whose text is being gathered."""

    item: Item
    names: tuple[str, ...]
    words: list[str] = field(default_factory=list)
    length: int = 0


class ItemBuilder:
    """Gathers items while a page is walked through, element by element."""

    def __init__(self) -> None:
        self._roots: list[Item] = []
        self._items: list[Item] = []
        self._open: list[_Open] = []
        self._levels: list[tuple[bool, bool]] = []
        """For each open element, whether it began an item, and a property."""
        self._count = 0

    def enter(self, tag: str, attributes: Mapping[str, str | None], base: str) -> None:
        """An element begins."""
        del base
        if not attributes:
            self._levels.append((False, False))
            return
        kind, source = _kind(attributes)
        names = _names(attributes, bool(self._items) and self._items[-1].source == "microformat")
        parent = self._items[-1] if self._items else None
        item = None
        if kind is not None and len(self._items) < MAX_DEPTH and self._count < MAX_ITEMS:
            self._count += 1
            item = Item(kind, source=source)
            if parent is None:
                self._roots.append(item)
        opened = False
        if names and parent is not None:
            if item is not None:
                for name in names:
                    parent.values.setdefault(name, []).append(item)
            else:
                opened = self._property(tag, attributes, names, parent)
        elif item is not None and parent is not None:
            self._roots.append(item)
        if item is not None:
            self._items.append(item)
        self._levels.append((item is not None, opened))

    def _property(self, tag: str, attributes: Mapping[str, str | None], names: tuple[str, ...], parent: Item) -> bool:
        value = _value(tag, attributes)
        self._count += 1
        if self._count > MAX_VALUES:
            return False
        if value is None:
            if len(self._open) >= MAX_DEPTH:
                return False
            self._open.append(_Open(parent, names))
            return True
        for name in names:
            parent.values.setdefault(name, []).append(_tidy(value[: MAX_TEXT * 2]))
        return False

    def text(self, text: str) -> None:
        """Text stands here."""
        for one in self._open:
            if one.length < MAX_TEXT * 2:
                one.words.append(text[: MAX_TEXT * 2])
                one.length += len(text)

    def leave(self) -> None:
        """The element that was begun last ends."""
        if not self._levels:
            return
        item, opened = self._levels.pop()
        if opened and self._open:
            one = self._open.pop()
            text = _tidy("".join(one.words))
            for name in one.names:
                if text:
                    one.item.values.setdefault(name, []).append(text)
        if item:
            self._items.pop()

    def finished(self) -> list[Item]:
        """Return the items that stand in no other."""
        return self._roots


def _kind(attributes: Mapping[str, str | None]) -> tuple[tuple[str, ...] | None, str]:
    if "itemscope" in attributes or "itemtype" in attributes:
        return tuple(short(kind) for kind in (attributes.get("itemtype") or "").split()[:5]), "microdata"
    kind = attributes.get("typeof")
    if kind:
        return tuple(short(one) for one in kind.split()[:5]), "rdfa"
    marks = attributes.get("class")
    if marks and ("card" in marks or "adr" in marks):
        kinds = {_MICROFORMATS[word] for word in marks.split()[:20] if word in _MICROFORMATS}
        if kinds:
            return tuple(sorted(kinds)), "microformat"
    return None, ""


def _names(attributes: Mapping[str, str | None], microformat: bool) -> tuple[str, ...]:
    named = attributes.get("itemprop") or attributes.get("property")
    if named:
        return tuple(short(name) for name in named.split()[:5])
    marks = attributes.get("class") if microformat else None
    if marks:
        return tuple(
            dict.fromkeys(_MICROFORMAT_NAMES[word] for word in marks.split()[:20] if word in _MICROFORMAT_NAMES)
        )
    return ()


def _value(tag: str, attributes: Mapping[str, str | None]) -> str | None:
    """Return a property's value where an attribute holds it; None where the element's text is the value."""
    content = attributes.get("content")
    if content is not None:
        return content
    if tag in ("a", "link", "area"):
        href = attributes.get("href") or ""
        return None if tag == "a" and not href.startswith(("http", "mailto:", "tel:", "/")) else href
    if tag in ("img", "iframe", "audio", "video", "source"):
        return attributes.get("src") or ""
    if tag == "time":
        return attributes.get("datetime")
    return None
