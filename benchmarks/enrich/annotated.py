"""The annotated pages of small businesses: what each of them holds, and how a value found is held against it.

A page is the `source` file, the truth the `wa` file of the same name. All is counted per page, on sets of values:

- phone: the digits of a TEL annotation, letters by the keypad, without extension, "(0)" and what follows a slash; two
  numbers are the same when their last nine digits are. A fax number that is given as a phone number is wrong.
- address: a run of STREET, CITY, STATE and ZIPCODE annotations that holds a STREET and one of the others; a new one
  begins at a STREET after one of the others, at a CITY after CITY and ZIPCODE, and after 80 characters between. Two
  addresses are the same when the Dice coefficient of their sets of lower-case alphanumeric words is at least .7; pairs
  are made best first, each once.
- organisation: one name per page. The own names of a site are the ORG annotation that is commonest on all its pages,
  those that are like the name of its domain (rapidfuzz ratio of at least 80, letters and digits only), and those
  that begin with one of these or are its beginning. A page holds its organisation when it holds an own name; what is
  found is right when its rapidfuzz token_sort_ratio with an own name is at least 85, in lower case, without
  punctuation, legal form and "the".
- e-mail: the data set declares EMAIL annotations and has none. `emails.json` holds those that stand on each page, in
  its text or as the target of a mailto link, as the first 12 digits of the SHA-256 of the address in lower case. They
  were listed by a script that took everything around an @, "at" and mailto on all pages, and read through by eye.

The sites, not the pages, are halved by the SHA-256 of their registrable domain: what is odd was looked at and tuned on,
what is even is held out.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tldextract
from rapidfuzz import fuzz
from selectolax.lexbor import LexborHTMLParser

DATA = Path(__file__).parents[3] / "shared" / "data" / "html_business_pages" / "business_pages.tar.xz"
EMAILS = Path(__file__).with_name("emails.json")
SAME_ADDRESS = 0.7
SAME_NAME = 85
LIKE_DOMAIN = 80
GAP = 80
LEGAL = frozenset(
    [
        "inc",
        "incorporated",
        "llc",
        "llp",
        "lp",
        "ltd",
        "limited",
        "co",
        "corp",
        "corporation",
        "company",
        "plc",
        "pvt",
        "pty",
        "gmbh",
        "ag",
        "sa",
        "srl",
        "the",
        "and",
    ]
)
KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")


@dataclass(frozen=True, slots=True)
class Truth:
    """What a page holds, normalised; see above."""

    emails: frozenset[str]
    phones: frozenset[str]
    addresses: tuple[frozenset[str], ...]
    organisations: tuple[str, ...]
    """The own names of its site, where the page holds one of them."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and what it holds."""

    name: str
    url: str
    site: str
    markup: str
    truth: Truth | None = None
    """None where it is not annotated."""

    @property
    def held_out(self) -> bool:
        """Whether it is one of the half that nobody has tuned on."""
        return hashlib.sha256(self.site.encode()).digest()[0] % 2 == 0


@dataclass(slots=True)
class _Noted:
    """The annotations of a page."""

    names: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    addresses: list[list[str]] = field(default_factory=list)


@cache
def pages() -> tuple[Page, ...]:
    """Return all pages in the order of their numbers, truth with them."""
    source, noted = _read()
    emails = json.loads(EMAILS.read_text())
    found = []
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    for name, markup in sorted(source.items(), key=lambda item: int(item[0].partition(".")[0])):
        url = _base(markup)
        site = extract(url).top_domain_under_public_suffix
        found.append(Page(name, url, site, markup))
    names = _own_names(found, noted)
    return tuple(_with_truth(page, noted.get(page.name), names, emails.get(page.name, [])) for page in found)


def annotated() -> list[Page]:
    """Return the pages that have a truth."""
    return [page for page in pages() if page.truth is not None]


def email_key(address: str) -> str:
    """Return what an address is compared by."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:12]


def phone_key(number: str) -> str:
    """Return what a number is compared by, "" for what is too short to be one.

    >>> phone_key("+44 (0) 20 3167 4997") == phone_key("020 3167 4997"), phone_key("1-888-BOND-HLP")
    (True, '882663457')
    """
    number = re.split(r"(?i)\s*(?:x|ext\.?|extn\.?)\s*\d+\s*$", number.lower())[0].replace("(0)", "")
    number = number.split("/")[0]
    if re.search(r"\(?1?-?8\d\d\D+\w*[a-z]{3}", number):
        number = number.translate(KEYPAD).split("(1")[0]
    digits = re.sub(r"\D", "", number)
    return digits[-9:] if len(digits) >= 7 else ""


def words(text: str) -> frozenset[str]:
    """Return the words of an address."""
    return frozenset(re.findall(r"\w+", text.lower()))


def name_key(name: str) -> str:
    """Return what a name is compared by.

    >>> name_key("The Katz, Marshall &amp; Banks LLP")
    'katz marshall banks'
    """
    found = re.findall(r"[\w']+", name.lower().replace("&amp;", "&").replace("&", " and "))
    kept = [word for word in found if word not in LEGAL]
    return " ".join(kept or found)


def same_name(name: str, names: Iterable[str]) -> bool:
    """Whether a name is one of these."""
    key = name_key(name)
    return any(fuzz.token_sort_ratio(key, own) >= SAME_NAME for own in names)


def matched_addresses(found: Sequence[frozenset[str]], true: Sequence[frozenset[str]]) -> int:
    """Return how many of the addresses found are true ones."""
    pairs = sorted(
        ((_dice(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(true)), key=lambda pair: -pair[0]
    )
    left, right = set(range(len(found))), set(range(len(true)))
    for likeness, i, j in pairs:
        if likeness >= SAME_ADDRESS and i in left and j in right:
            left.discard(i)
            right.discard(j)
    return len(found) - len(left)


def _dice(a: frozenset[str], b: frozenset[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 0.0


def _read() -> tuple[dict[str, str], dict[str, _Noted]]:
    source: dict[str, str] = {}
    noted: dict[str, _Noted] = {}
    with tarfile.open(DATA) as archive:
        for member in archive:
            folder, _, name = member.name.rpartition("/")
            stream = archive.extractfile(member) if name.endswith(".html") else None
            if stream is None:
                continue
            markup = stream.read().decode("utf-8", "replace")
            if folder.endswith("source"):
                source[name] = markup
            else:
                noted[name] = _annotations(markup)
    return source, noted


def _base(markup: str) -> str:
    found = re.search(r'<base href="([^"]+)"', markup)
    return found[1] if found else "http://unknown.invalid/"


def _annotations(markup: str) -> _Noted:
    """Gather what is annotated; the pieces of one annotation have one number."""
    noted = _Noted()
    last = ("", "")
    gap = 0
    run: list[tuple[str, str]] = []
    for kind, number, text in _texts(markup):
        if not kind:
            gap += len(text.strip())
            continue
        again = (kind, number) == last and number != ""
        last = (kind, number)
        target = noted.names if kind == "ORG" else noted.phones if kind == "TEL" else None
        if target is not None:
            if again and target:
                target[-1] += " " + text
            else:
                target.append(text)
        elif kind in ("STREET", "CITY", "STATE", "ZIPCODE"):
            if gap > GAP or (not again and _ends_before(kind, {k for k, _ in run})):
                noted.addresses.append(_address(run))
                run = []
            run.append((kind, text))
        gap = 0 if target is None else gap
    noted.addresses.append(_address(run))
    noted.addresses = [address for address in noted.addresses if address]
    return noted


def _ends_before(kind: str, kinds: set[str]) -> bool:
    return bool(kind == "STREET" and kinds - {"STREET"}) or (kind == "CITY" and {"CITY", "ZIPCODE"} <= kinds)


def _texts(markup: str) -> Iterator[tuple[str, str, str]]:
    """Return the texts of a page with the kind and number of the annotation that each stands in, "" for none."""
    root = LexborHTMLParser(markup).root
    assert root is not None
    kind, number, inside = "", "", 0
    for node in root.traverse(include_text=True):
        if node.tag == "span" and (found := node.attributes.get("wa-type")):
            kind, number = found, node.attributes.get("wa-id") or ""
            inside = sum(one.tag == "-text" for one in node.traverse(include_text=True))
        elif node.tag == "-text" and node.parent is not None and node.parent.tag not in ("script", "style", "wa-color"):
            text = re.sub(r"\s+", " ", node.text_content or "")
            yield (kind, number, text) if inside else ("", "", text)
            inside = max(inside - 1, 0)


def _address(run: list[tuple[str, str]]) -> list[str]:
    kinds = {kind for kind, _ in run}
    return [text for _, text in run] if "STREET" in kinds and len(kinds) > 1 else []


def _own_names(found: Sequence[Page], noted: dict[str, _Noted]) -> dict[str, list[str]]:
    names: dict[str, Counter[str]] = {}
    for page in found:
        if page.name in noted:
            counts = names.setdefault(page.site, Counter())
            counts.update(key for key in map(name_key, noted[page.name].names) if len(key) > 1)
    own = {}
    for site, counts in names.items():
        if not counts:
            continue
        most = max(counts.values())
        label = re.sub(r"\W", "", site.partition(".")[0])
        core = [
            key
            for key, count in counts.items()
            if count == most or fuzz.ratio(re.sub(r"\W", "", key.removesuffix(" com")), label) >= LIKE_DOMAIN
        ]
        own[site] = [
            key for key in counts
            if any(f"{key} ".startswith(f"{one} ") or f"{one} ".startswith(f"{key} ") for one in core)
        ]  # fmt: skip
    return own


def _with_truth(page: Page, noted: _Noted | None, names: dict[str, list[str]], emails: list[str]) -> Page:
    if noted is None:
        return page
    own = names.get(page.site, [])
    holds = any(name_key(name) in own for name in noted.names)
    addresses = tuple(dict.fromkeys(words(" ".join(address)) for address in noted.addresses))
    truth = Truth(
        emails=frozenset(emails),
        phones=frozenset(filter(None, map(phone_key, noted.phones))),
        addresses=addresses,
        organisations=tuple(own) if holds else (),
    )
    return Page(page.name, page.url, page.site, page.markup, truth)
