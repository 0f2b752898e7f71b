"""A page taken apart once: its lines of text, links, metadata and items, for everything that reads facts from it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from leadlight.enrich.extract.items import Item, ItemBuilder, from_json
from leadlight.enrich.extract.tame import tame

MAX_LINES = 20_000
MAX_LINE = 4_000
MAX_LINKS = 5_000
MAX_SCRIPTS = 50
MAX_SCRIPT = 300_000

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "button",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "frame",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "iframe",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "select",
        "summary",
        "table",
        "tbody",
        "td",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ]
)
_ITEMS = ("itemscope", "itemtype", "typeof=", "typeof =", "vcard", "h-card", '"adr', "'adr", " adr ", "h-adr")
"""Signs of structured data in the markup itself."""
_SILENT = frozenset(
    ["script", "style", "noscript", "template", "svg", "math", "object", "iframe", "head", "textarea", "select"]
)
"""Elements whose text is not read."""
_CHANGING = _SILENT | {"a", "header", "footer", "nav", "aside", "address", "h1", "h2", "h3", "h4", "h5", "h6"}
"""Elements that change what holds inside them, with or without attributes."""
_AREAS = {"header": "header", "footer": "footer", "nav": "nav", "aside": "aside", "address": "address"}
_AREA_WORDS = re.compile(
    r"(?i)(?:^|[\s_-])(footer|foot|bottom|copyright|header|masthead|logo|brand|nav|menu)(?=$|[\s_-])"
)
_AREA_OF_WORD = {
    "footer": "footer", "foot": "footer", "bottom": "footer", "copyright": "footer", "header": "header",
    "masthead": "header", "logo": "logo", "brand": "logo", "nav": "nav", "menu": "nav",
}  # fmt: skip
_WHOLE = re.compile(r"(?:https?://[\w.-]+(?::\d+)?(?:/[\w./~%+?&=;,@!$*-]*)?(?:#|$)|mailto:[\w.@+-]+$)")
"""An address that needs nothing done to it."""
_PLAIN = re.compile(r"(?:/(?=[\w?])|/$|\w)(?:[\w%+&=,~$!*?-]|[./](?![./]))*$")
"""A reference that can be put behind the address of its folder or host as it is."""
_ORIGIN = re.compile(r"(https?://[^/?#]+)((?:/[^/?#]*)*/)")
_SPACES = re.compile(r"[\s\u200b\u200e\u200f\ufeff\u00ad\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A run of text that no block element or line break divides, with single spaces."""

    text: str
    area: str = ""
    """header, footer, nav, aside, address or logo; "" in the body of the page."""
    heading: int = 0
    """1 to 6 in a heading."""
    linked: bool = False
    """Whether it begins inside a link."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that can be followed, or a mailto:, tel: or similar one."""

    url: str
    """Absolute, without fragment."""
    text: str
    area: str = ""
    rel: str = ""
    host: str = ""
    """In lower case; "" of a link that is no web address."""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture with words to it."""

    alt: str
    source: str
    area: str
    marks: str
    """Its class and id, in lower case."""


@dataclass(frozen=True, slots=True)
class Document:
    """A page taken apart."""

    url: str
    title: str = ""
    language: str = ""
    """As declared, in lower case."""
    lines: Sequence[Line] = ()
    links: Sequence[Link] = ()
    metas: Mapping[str, str] = field(default_factory=dict)
    """Name, property or http-equiv in lower case → content, the first of each."""
    generators: Sequence[str] = ()
    resources: Sequence[tuple[str, str, str]] = ()
    """`<link>` elements: rel, address, type."""
    scripts: Sequence[str] = ()
    """Addresses of scripts, frames and forms' targets."""
    inline: Sequence[str] = ()
    """Scripts that stand in the page."""
    images: Sequence[Image] = ()
    items: Sequence[Item] = ()
    """Structured data: JSON-LD, microdata, RDFa, microformats; those that stand inside another are in that one."""
    inputs: Sequence[str] = ()
    """Kinds of the form fields: password, email …, and their names."""
    times: Sequence[str] = ()
    """`datetime` of the `<time>` elements."""
    protected: Sequence[str] = ()
    """Addresses as Cloudflare hides them."""
    text: str = ""
    """All its lines."""
    markup: str = ""
    """The markup in lower case."""


def tidy(text: str | None, limit: int = 500) -> str:
    """Return text on one line with single spaces and no control characters.

    >>> tidy(" Better\\n  Builders\\x00 ")
    'Better Builders'
    """
    if not text:
        return ""
    words = " ".join(text[: limit * 4].split())
    return (words if words.isprintable() else _SPACES.sub(" ", words).strip())[:limit]


def absolute(base: str, reference: str | None) -> str:
    """Return the address that a reference means, "" where it means none.

    >>> absolute("https://acme.com/a/b", "../contact#form")
    'https://acme.com/contact'
    """
    if not reference or len(reference) > 2_000:
        return ""
    reference = reference.strip()
    if _WHOLE.match(reference):
        return reference.partition("#")[0]
    if _PLAIN.match(reference) and (whole := _ORIGIN.match(base)):
        return (whole[1] if reference[0] == "/" else whole[1] + whole[2]) + reference
    try:
        url = urljoin(base, _SPACES.sub(" ", reference).strip()).partition("#")[0]
        urlsplit(url)
    except ValueError:
        return ""
    return url


def link_to(base: str, reference: str, text: str, area: str = "", rel: str = "") -> Link:
    """Return a link with its address taken apart."""
    url = absolute(base, reference)
    host = path = ""
    if url[:4].lower() == "http":
        place, slash, path = url.partition("://")[2].partition("?")[0].partition("/")
        host, path = place.rpartition("@")[2].partition(":")[0].lower(), slash + path
    return Link(url, tidy(text, 200), area, rel, host, path)


def take_apart(markup: str, url: str) -> Document:
    """Take a page apart; whatever the markup is, this fails for none."""
    tamed = tame(markup)
    tree = LexborHTMLParser(tamed or "<html></html>", options=LexborDocumentOptions.WO_EVENTS)
    lowered = tamed.lower()
    walk = _Walk(url, items=any(sign in lowered for sign in _ITEMS))
    if tree.root is not None:
        walk.through(tree.root)
    return walk.document(lowered)


@dataclass(slots=True)
class _Place:
    """What holds inside an element."""

    area: str = ""
    heading: int = 0
    silent: bool = False
    link: list[str] | None = None


_NOWHERE = _Place()


class _Walk:
    """One walk through the tree, in the order of the page."""

    def __init__(self, url: str, *, items: bool = True) -> None:
        self.with_items = items
        self.url = url
        self.base = url
        self.title = ""
        self.language = ""
        self.lines: list[Line] = []
        self.links: list[tuple[str, list[str], str, str]] = []
        self.metas: dict[str, str] = {}
        self.generators: list[str] = []
        self.resources: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []
        self.inline: list[str] = []
        self.images: list[Image] = []
        self.inputs: list[str] = []
        self.times: list[str] = []
        self.protected: list[str] = []
        self.items = ItemBuilder()
        self.parsed: list[Item] = []
        self._run: list[str] = []
        self._run_place = _Place()

    def through(self, root: LexborNode) -> None:
        """Visit all nodes without recursion: the tree may be deep."""
        node: LexborNode | None = root
        places: list[tuple[LexborNode, str, _Place]] = []
        place = _Place()
        while node is not None:
            tag = node.tag or ""
            child: LexborNode | None = None
            if tag == "-text":
                if not place.silent:
                    self._text(node.text_content or "", place)
            elif tag[:1] not in "-!":
                inside = self._enter(node, tag, place)
                child = node.child if tag not in ("script", "style") else None
                if child is not None:
                    places.append((node, tag, place))
                    place, node = inside, child
                    continue
                if tag in _BLOCKS or self.with_items:
                    self._leave(tag)
            following = node.next
            while following is None and places:
                node, tag, place = places.pop()
                if tag in _BLOCKS or self.with_items:
                    self._leave(tag)
                following = node.next
            node = following
        self._break(_NOWHERE)

    def document(self, markup: str) -> Document:
        """Return what was gathered."""
        links = [link_to(self.base, href, " ".join(words), area, rel) for href, words, area, rel in self.links]
        return Document(
            url=self.url,
            title=tidy(self.title),
            language=self.language,
            lines=tuple(self.lines),
            links=tuple(link for link in links if link.url),
            metas=self.metas,
            generators=tuple(self.generators),
            resources=tuple((rel, absolute(self.base, href), kind) for rel, href, kind in self.resources),
            scripts=tuple(filter(None, (absolute(self.base, source) for source in self.scripts))),
            inline=tuple(self.inline),
            images=tuple(self.images),
            items=(*self.parsed, *self.items.finished()),
            inputs=tuple(self.inputs),
            times=tuple(self.times),
            protected=tuple(self.protected),
            text="\n".join(line.text for line in self.lines),
            markup=markup,
        )

    def _text(self, text: str, place: _Place) -> None:
        if not self._run:
            if text.isspace():
                return
            self._run_place = place
        self._run.append(text)
        if place.link is not None and len(place.link) < 20:
            place.link.append(text)
        if self.with_items:
            self.items.text(text)

    def _break(self, place: _Place) -> None:
        if self._run:
            text = tidy(self._run[0] if len(self._run) == 1 else "".join(self._run), MAX_LINE)
            if text and len(self.lines) < MAX_LINES:
                at = self._run_place
                self.lines.append(Line(text, at.area, at.heading, at.link is not None))
            self._run = []
        self._run_place = place

    def _enter(self, node: LexborNode, tag: str, place: _Place) -> _Place:
        attributes = node.attributes
        if tag in _BLOCKS:
            if self._run:
                self._break(place)
            if self.with_items:
                self.items.text(" ")
        if tag in _VISITED:
            getattr(self, f"_{tag}")(node, attributes, place)
        if self.with_items:
            self.items.enter(tag, attributes, self.base)
        if tag in _CHANGING:
            return self._inside(tag, attributes, place)
        if not attributes:
            return place
        if "data-cfemail" in attributes and len(self.protected) < 200:
            self.protected.append(attributes["data-cfemail"] or "")
        area = _area(attributes)
        return place if not area or area == place.area else _Place(area, place.heading, place.silent, place.link)

    def _leave(self, tag: str) -> None:
        if tag in _BLOCKS:
            if self._run:
                self._break(_NOWHERE)
            if self.with_items:
                self.items.text(" ")
        if self.with_items:
            self.items.leave()

    def _inside(self, tag: str, attributes: Mapping[str, str | None], place: _Place) -> _Place:
        area = _AREAS.get(tag) or _area(attributes) or place.area
        heading = int(tag[1]) if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456" else place.heading
        silent = place.silent or tag in _SILENT
        link = self.links[-1][1] if tag == "a" and attributes.get("href") and self.links else place.link
        if (area, heading, silent) == (place.area, place.heading, place.silent) and link is place.link:
            return place
        return _Place(area, heading, silent, link)

    # What single elements hold

    def _html(self, _node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        self.language = self.language or tidy(attributes.get("lang") or attributes.get("xml:lang"), 35).lower()

    def _base(self, _node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        if self.base == self.url:
            url = absolute(self.url, attributes.get("href"))
            self.base = url if url.startswith("http") else self.base

    def _title(self, node: LexborNode, _attributes: Mapping[str, str | None], place: _Place) -> None:
        if not self.title and place.silent:  # in the head, and no picture's title
            self.title = (node.text() or "")[:2_000]

    def _meta(self, _node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        name = attributes.get("property") or attributes.get("name") or attributes.get("http-equiv")
        content = tidy(attributes.get("content"), 1_000)
        if name and content and len(self.metas) < 300:
            name = name.strip().lower()[:100]
            self.metas.setdefault(name, content)
            if name == "generator" and len(self.generators) < 10:
                self.generators.append(content.lower())

    def _link(self, _node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        href = attributes.get("href")
        if href and len(self.resources) < 500:
            kind = (attributes.get("type") or attributes.get("hreflang") or "").lower()
            self.resources.append(((attributes.get("rel") or "").lower(), href, kind))

    def _script(self, node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        source = attributes.get("src")
        if source:
            self._loads(source)
        elif len(self.inline) < MAX_SCRIPTS:
            text = (node.text() or "")[:MAX_SCRIPT]
            if "ld+json" in (attributes.get("type") or "").lower():
                self.parsed += _json_items(text, self.base)
            else:
                self.inline.append(text)

    def _iframe(self, _node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        self._loads(attributes.get("src") or attributes.get("data-src"))

    _frame = _iframe

    def _form(self, _node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        self._loads(attributes.get("action"))

    def _loads(self, source: str | None) -> None:
        if source and len(self.scripts) < 500:
            self.scripts.append(source)

    def _a(self, _node: LexborNode, attributes: Mapping[str, str | None], place: _Place) -> None:
        href = attributes.get("href")
        if href and len(self.links) < MAX_LINKS:
            if "email-protection#" in href and len(self.protected) < 200:
                self.protected.append(href.rpartition("#")[2])
            words = [attributes.get("title") or attributes.get("aria-label") or ""] if not place.silent else []
            self.links.append((href, words, place.area, (attributes.get("rel") or "").lower()))

    def _area(self, node: LexborNode, attributes: Mapping[str, str | None], place: _Place) -> None:
        self._a(node, attributes, place)

    def _img(self, _node: LexborNode, attributes: Mapping[str, str | None], place: _Place) -> None:
        alt = tidy(attributes.get("alt"), 200)
        if alt and len(self.images) < 500:
            marks = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".lower()
            self.images.append(Image(alt, attributes.get("src") or "", place.area, marks))
            if place.link is not None and len(place.link) < 20:
                place.link.append(f" {alt} ")

    def _input(self, _node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        if len(self.inputs) < 300:
            self.inputs.append(f"{attributes.get('type') or 'text'} {attributes.get('name') or ''}".lower()[:100])

    def _time(self, _node: LexborNode, attributes: Mapping[str, str | None], _place: _Place) -> None:
        moment = attributes.get("datetime")
        if moment and len(self.times) < 200:
            self.times.append(moment[:40])


_VISITED = frozenset(
    ["html", "base", "title", "meta", "link", "script", "iframe", "frame", "form", "a", "area", "img", "input", "time"]
)


def _area(attributes: Mapping[str, str | None]) -> str:
    """Return the part of the page that an element's class or id names."""
    if not attributes:
        return ""
    one, other = attributes.get("id"), attributes.get("class")
    marks = f"{one} {other}" if one and other else one or other
    return _area_of(marks) if marks and 3 < len(marks) <= 300 else ""


@lru_cache(maxsize=8_192)
def _area_of(marks: str) -> str:
    found = _AREA_WORDS.search(marks)
    return _AREA_OF_WORD[found[1].lower()] if found else ""


def _json_items(text: str, base: str) -> list[Item]:
    """Read JSON-LD, tolerant of what pages wrap around it."""
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip().removeprefix("//<![CDATA[").strip().rstrip(";")
    try:
        value: Any = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return []
    return from_json(value, base)
