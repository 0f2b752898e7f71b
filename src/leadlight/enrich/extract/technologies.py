"""Technologies behind a page, by fingerprints: words in headers, cookies, addresses of scripts, metadata and markup.

Fingerprints are plain words, never patterns, so that no file of anybody's can make a page slow to read; the longest of
the words must stand in the page as a whole. Those that ship
stand in technologies.yaml; a file of the same shape adds to them, and its entries take the place of those of the same
name:

    technologies:
      acme_cart:
        categories: [ecommerce]
        scripts: [cdn.acmecart.example]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from ruamel.yaml import YAML

from leadlight.enrich.extract.document import Document
from leadlight.errors import Fault, NotFoundError, SpecError
from leadlight.spec.base import Name, Spec
from leadlight.spec.validation import validate
from leadlight.spec.yaml import read_yaml

Category = Literal[
    "cms", "ecommerce", "analytics", "advertising", "marketing", "crm", "support", "finance", "chat", "framework",
    "library", "server", "language", "cdn", "hosting", "consent", "hiring", "scheduling", "forms", "search", "video",
    "reviews", "monitoring", "personalisation", "security", "builder", "fonts", "maps", "community", "login",
]  # fmt: skip
Word = Annotated[str, Field(min_length=2, max_length=200)]
MAX_BYTES = 2_000_000
_PART = re.compile(r"[a-z0-9_]+")
_COMMON = frozenset(
    [
        "com",
        "net",
        "org",
        "www",
        "http",
        "https",
        "js",
        "css",
        "min",
        "html",
        "src",
        "href",
        "img",
        "script",
        "class",
        "data",
        "id",
        "name",
        "static",
        "cdn",
        "assets",
        "app",
        "plugins",
        "plugin",
        "form",
        "forms",
        "powered",
        "by",
        "window",
        "content",
        "widget",
        "widgets",
        "embed",
        "api",
        "load",
        "init",
        "page",
        "view",
        "shop",
        "store",
        "media",
        "core",
        "version",
        "lib",
        "library",
        "frontend",
        "skin",
        "site",
        "sites",
        "default",
        "files",
        "bundle",
        "bundles",
        "web",
        "analytics",
        "player",
        "push",
        "create",
        "config",
        "container",
        "tag",
        "track",
        "tracking",
        "video",
        "secure",
        "seal",
        "link",
        "links",
        "platform",
        "button",
        "buttons",
        "social",
        "google",
        "facebook",
        "twitter",
        "youtube",
        "share",
        "maps",
        "customer",
        "online",
        "module",
        "wp",
        "themes",
        "theme",
        "tracker",
        "cookie",
        "consent",
        "title",
        "meta",
        "powered",
        "this",
        "is",
        "website",
    ]
)
_BETWEEN = bytes(code if (chr(code).isalnum() and code < 128) or code == ord("_") else ord(" ") for code in range(256))
"""What separates words becomes a space."""


class Fingerprint(Spec):
    """How a technology shows; one sign is enough. All words are compared in lower case."""

    title: str | None = Field(None, max_length=100, description="its name for people; the key, if there is none")
    categories: list[Category] = Field(min_length=1, max_length=6)
    headers: dict[str, str] = Field(default_factory=dict, description="header → words in its value; '' for any value")
    cookies: list[Word] = Field(default_factory=list, description="how the name of a cookie begins")
    scripts: list[Word] = Field(
        default_factory=list, description="words in the address of a script, frame or form's target"
    )
    links: list[Word] = Field(default_factory=list, description="words in the address of a style sheet or other <link>")
    generator: list[Word] = Field(default_factory=list, description="words at the beginning of <meta name=generator>")
    metas: dict[str, str] = Field(default_factory=dict, description="<meta> name → words in it; '' for any")
    markup: list[Word] = Field(default_factory=list, description="words in the page's source")
    implies: list[Name] = Field(default_factory=list, description="technologies that are there too")

    @model_validator(mode="after")
    def _check(self) -> Fingerprint:
        if not (
            self.headers or self.cookies or self.scripts or self.links or self.generator or self.metas or self.markup
        ):
            raise ValueError("nothing to know it by: give headers, cookies, scripts, links, generator, metas or markup")
        return self


class Fingerprints(Spec):
    """A file of fingerprints."""

    technologies: dict[Name, Fingerprint]

    @model_validator(mode="after")
    def _check(self) -> Fingerprints:
        if not self.technologies:
            raise ValueError("the file names no technologies")
        return self


@dataclass(frozen=True, slots=True)
class Technology:
    """A technology that was found, and the sign of it."""

    name: str
    categories: tuple[str, ...]
    confidence: float
    evidence: str


@dataclass(frozen=True, slots=True)
class _Sign:
    name: str
    word: str


Index = Mapping[bytes, Sequence[_Sign]]
"""Word → the signs that hold it."""


@dataclass(frozen=True, slots=True)
class Known:
    """Fingerprints made ready to be looked for."""

    fingerprints: Mapping[str, Fingerprint]
    headers: tuple[tuple[str, str, str], ...]
    cookies: tuple[_Sign, ...]
    scripts: Index
    links: Index
    generator: tuple[_Sign, ...]
    metas: tuple[tuple[str, str, str], ...]
    markup: Index

    def __len__(self) -> int:
        return len(self.fingerprints)


def known(fingerprints: Mapping[str, Fingerprint]) -> Known:
    """Make fingerprints ready."""

    def signs(kind: str) -> tuple[_Sign, ...]:
        return tuple(_Sign(name, word.lower()) for name, one in fingerprints.items() for word in getattr(one, kind))

    def pairs(kind: str) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (name, key.lower(), word.lower())
            for name, one in fingerprints.items()
            for key, word in getattr(one, kind).items()
        )

    return Known(
        fingerprints, pairs("headers"), signs("cookies"), _index(signs("scripts")), _index(signs("links")),
        signs("generator"), pairs("metas"), _index(signs("markup")),
    )  # fmt: skip


def _index(signs: Iterable[_Sign]) -> Index:
    index: dict[bytes, list[_Sign]] = {}
    for sign in signs:
        index.setdefault(_key(sign.word).encode(), []).append(sign)
    return index


def _key(word: str) -> str:
    """Return the longest part of a sign's words that is not on every other page.

    >>> _key("cdn.shopify.com"), _key("/wp-content/"), _key("nreum")
    ('shopify', 'content', 'nreum')
    """
    parts: list[str] = _PART.findall(word)
    if not parts:
        return ""
    rare = [part for part in parts if part not in _COMMON]
    return max(rare or parts, key=len)


@cache
def shipped() -> Known:
    """Return the fingerprints that ship with Leadlight."""
    text = (files(__package__) / "technologies.yaml").read_text(encoding="utf-8")
    return known(Fingerprints.model_validate(YAML(typ="safe", pure=True).load(text)).technologies)


def with_own(path: Path, *, shown: str) -> Known:
    """Return the shipped fingerprints and those of a user's own file, which win.

    `shown` is how the file is called in messages. Raises NotFoundError, or SpecError with all faults and their lines.
    """
    try:
        data = path.read_bytes()[: MAX_BYTES + 1]
        text = data.decode("utf-8-sig")
    except OSError:
        raise NotFoundError(f"no file {shown}", fix="`technologies` names a file, relative to the workspace.") from None
    except UnicodeDecodeError:
        raise SpecError([Fault("the file is no text in UTF-8", shown)]) from None
    if len(data) > MAX_BYTES:
        raise SpecError([Fault(f"the file is larger than {MAX_BYTES // 1_000_000} MB", shown)])
    return known({**shipped().fingerprints, **_fingerprints(text, shown)})


def _fingerprints(text: str, shown: str) -> Mapping[str, Fingerprint]:
    parsed = read_yaml(text, shown)
    if parsed.faults:
        raise SpecError(parsed.faults)
    if not isinstance(parsed.value, dict):
        raise SpecError([parsed.marks.fault("the file must be a map with the key `technologies`")])
    spec, faults = validate(Fingerprints, parsed)
    if spec is None:
        raise SpecError(faults)
    return spec.technologies


def technologies(
    document: Document, headers: Mapping[str, str], *, fingerprints: Known | None = None
) -> tuple[Technology, ...]:
    """Return the technologies that a page shows, the surest sign of each, in alphabetical order.

    `headers` by names in lower case, set-cookie among them.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> markup = '<meta name="generator" content="WordPress 6.8"><script src="//js.hs-scripts.com/1.js"></script>'
    >>> page = take_apart(markup, "https://a.com/")
    >>> [(one.name, one.categories) for one in technologies(page, {})]
    [('hubspot', ('marketing', 'crm')), ('php', ('language',)), ('wordpress', ('cms',))]
    """
    all_of = fingerprints or shipped()
    found: dict[str, tuple[float, str]] = {}
    for name, confidence, evidence in _signs(document, headers, all_of):
        if name not in found or confidence > found[name][0]:
            found[name] = (confidence, evidence)
    waiting = list(found)
    for name in waiting:
        fingerprint = all_of.fingerprints[name]
        for other in fingerprint.implies:
            if other in all_of.fingerprints and other not in found:
                found[other] = (found[name][0] * 0.9, f"goes with {name}")
                waiting.append(other)
    return tuple(
        Technology(name, tuple(all_of.fingerprints[name].categories), round(confidence, 3), evidence[:300])
        for name, (confidence, evidence) in sorted(found.items())
    )


def _signs(document: Document, headers: Mapping[str, str], of: Known) -> Iterable[tuple[str, float, str]]:
    for name, header, word in of.headers:
        value = headers.get(header)
        if value is not None and word in value.lower():
            yield name, 0.95, f"{header}: {value[:100]}"
    cookies = cookie_names(headers.get("set-cookie", ""))
    if cookies:
        for sign in of.cookies:
            for cookie in cookies:
                if cookie.startswith(sign.word):
                    yield sign.name, 0.9, f"cookie {cookie[:60]}"
    for generator in document.generators:
        for sign in of.generator:
            if generator.startswith(sign.word):
                yield sign.name, 0.97, f"generator {generator[:100]}"
    yield from _in_addresses(document.scripts, of.scripts, 0.9)
    yield from _in_addresses([url for _, url, _ in document.resources], of.links, 0.85)
    for name, meta, word in of.metas:
        value = document.metas.get(meta)
        if value is not None and word in value.lower():
            yield name, 0.9, f"meta {meta}"
    for sign in _held(document.markup, of.markup):
        yield sign.name, 0.8, f"markup {sign.word}"


def _held(text: str, index: Index) -> Iterable[_Sign]:
    """Return the signs that a text holds: only those are looked for of which one part stands in it as a whole word."""
    words = set(text.encode("ascii", "replace").translate(_BETWEEN).split())
    for part in index.keys() & words:
        for sign in index[part]:
            if sign.word in text:
                yield sign


def _in_addresses(addresses: Sequence[str], signs: Index, confidence: float) -> Iterable[tuple[str, float, str]]:
    if not addresses:
        return
    together = "\n".join(addresses).lower()
    for sign in _held(together, signs):
        place = together.find(sign.word)
        start = together.rfind("\n", 0, place) + 1
        end = together.find("\n", place)
        yield sign.name, confidence, together[start : end if end >= 0 else len(together)][:200]


def cookie_names(header: str) -> tuple[str, ...]:
    """Return the names of the cookies that a Set-Cookie header sets, several joined by commas or lines too.

    >>> cookie_names("PHPSESSID=1; expires=Wed, 21 Oct 2026 07:28:00 GMT; path=/, _shopify_y=2; path=/")
    ('phpsessid', '_shopify_y')
    """
    names = []
    for piece in header[:8_000].replace("\n", ",").split(","):
        name, equals, _ = piece.strip().partition("=")
        if equals and 1 < len(name) <= 60 and " " not in name and ";" not in name:
            names.append(name.lower())
    return tuple(names)
