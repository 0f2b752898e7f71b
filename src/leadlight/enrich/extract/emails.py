"""E-mail addresses in a page: in its text, in links, in structured data, and as they are hidden from harvesters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote

from leadlight.enrich.extract.document import Document
from leadlight.enrich.extract.found import Found, around, surest
from leadlight.enrich.extract.items import everything

MAX_ADDRESSES = 300
_LOCAL = re.compile(r"[A-Za-z0-9._%+'&=-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}")
_HIDDEN = re.compile(
    r"(?i)\b([a-z0-9._+-]{1,64})\s?(?:[\[({<]\s?(?:at|@|arroba|ät)\s?[\])}>]|"
    r"\s(?:\(?at\)?)\s(?=[a-z0-9-]{1,40}\s?[\[({]))\s?"
    r"([a-z0-9-]{1,63}(?:\s?(?:[\[({<]\s?(?:dot|\.|punkt|punto|point)\s?[\])}>]|\.)\s?[a-z0-9-]{1,63}){1,4})"
)
"""name [at] acme [dot] com, in brackets of any kind."""
_BRACKET = re.compile(r"[\[({<]\s?(?:[Aa][Tt]|@|[Dd][Oo][Tt]|\.|arroba|ät|punkt)")
_HIDDEN_DOT = re.compile(r"(?i)\s?[\[({<]\s?(?:dot|\.|punkt|punto|point)\s?[\])}>]\s?|\s?\.\s?")
_PLACEHOLDERS = frozenset(
    (
        "example.com",
        "example.org",
        "example.net",
        "domain.com",
        "yourdomain.com",
        "email.com",
        "mysite.com",
        "yourcompany.com",
        "company.com",
        "sentry.io",
        "wixpress.com",
        "sentry-next.wixpress.com",
        "site.com",
        "test.com",
    )
)
_PLACEHOLDER_NAMES = frozenset(
    ("you", "your", "yourname", "your.name", "name", "user", "username", "john.doe", "jane.doe")
)
_SUFFIXES_NEVER = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "html", "php"))


def emails(document: Document) -> tuple[Found, ...]:
    """Return the addresses that stand in a page, in lower case, in the order in which they stand there.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> page = take_apart("<p>Write to Info@Acme.com or sales [at] acme [dot] com, see logo@2x.png", "https://acme.com/")
    >>> [one.value for one in emails(page)]
    ['info@acme.com', 'sales@acme.com']
    """
    found: list[Found] = []
    for one in _all(document):
        found.append(one)
        if len(found) >= MAX_ADDRESSES:
            break
    return surest(found)


def addresses_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Return the addresses in a text and where each begins and ends."""
    at = text.find("@")
    while at >= 0:
        before = _LOCAL.search(text, max(0, at - 64), at)
        after = _DOMAIN.match(text, at + 1, at + 256)
        if before and after:
            address = normal(f"{before[0]}@{after[0]}")
            if address:
                yield address, before.start(), after.end()
        at = text.find("@", at + 1)


def normal(address: str) -> str:
    """Return an address in lower case, "" where it is none, or one that stands for any.

    >>> normal(".Ada@Acme.com"), normal("you@example.com"), normal("x@y.invalid-suffix")
    ('ada@acme.com', '', '')
    """
    local, _, domain = address.strip().lower().rpartition("@")
    local, domain = local.strip(".'&=-%"), domain.strip(".")
    if not local or len(local) > 64 or ".." in local or not _is_domain(domain):
        return ""
    if domain in _PLACEHOLDERS or local in _PLACEHOLDER_NAMES or (len(local) >= 24 and _is_hexadecimal(local)):
        return ""
    return f"{local}@{domain}"


def _is_hexadecimal(text: str) -> bool:
    return all(letter in "0123456789abcdef" for letter in text)


@cache
def _suffixes() -> frozenset[str]:
    from tldextract import TLDExtract

    tlds = TLDExtract(suffix_list_urls=(), cache_dir=None).tlds
    return frozenset(suffix.rpartition(".")[2] for suffix in tlds) - _SUFFIXES_NEVER


def _is_domain(domain: str) -> bool:
    return (
        4 <= len(domain) <= 253 and domain.rpartition(".")[2] in _suffixes() and _DOMAIN.fullmatch(domain) is not None
    )


def _all(document: Document) -> Iterator[Found]:
    for item in everything(document.items):
        for text in item.texts("email"):
            for address, _, _ in addresses_in(unquote(text)):
                yield Found(address, 0.95, item.source, text)
    for link in document.links:
        if link.url[:7].lower() == "mailto:":
            yield from _mailto(link.url[7:], link.text)
    for hidden in document.protected:
        address = normal(_revealed(hidden))
        if address:
            yield Found(address, 0.95, "protected", "")
    for line in document.lines:
        if "@" in line.text:
            for address, start, end in addresses_in(line.text):
                yield Found(address, 0.9, "text", around(line.text, start, end))
        for match in _HIDDEN.finditer(line.text) if _BRACKET.search(line.text) else ():
            address = normal(f"{match[1]}@{_HIDDEN_DOT.sub('.', match[2])}")
            if address:
                yield Found(address, 0.8, "hidden", around(line.text, match.start(), match.end()))


def _mailto(target: str, text: str) -> Iterator[Found]:
    """Read a mailto link; where two addresses run into each other, the link's text tells which is meant."""
    target = unquote(target[:1_000].partition("?")[0])
    shown = [address for address, _, _ in addresses_in(text)]
    for one in re.split(r"[,;\s]+", target):
        if one.count("@") > 1 and shown:
            continue
        for address, _, _ in addresses_in(one):
            yield Found(address, 0.95, "mailto", text or address)
    for address in shown:
        yield Found(address, 0.9, "text", text)


def _revealed(code: str) -> str:
    """Undo what Cloudflare does to an address: each byte is combined with the first by exclusive or.

    >>> _revealed("422b2c242d0223212f276c212d2f")
    'info@acme.com'
    """
    try:
        key, *rest = bytes.fromhex(code[:400])
    except ValueError:
        return ""
    return bytes(byte ^ key for byte in rest).decode("ascii", "replace")
