"""The name that the organisation behind a page goes by.

Many places of a page hint at it: structured data, the copyright line, the title, the logo, its own domain spelled out
in the text. Each is a vote; votes for the same name add up, and a name that is like the domain weighs more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from rapidfuzz import fuzz

from leadlight.enrich.extract.document import Document, tidy
from leadlight.enrich.extract.found import Found, around
from leadlight.enrich.extract.items import everything

LEGAL_FORMS = (
    "inc|incorporated|llc|l\\.l\\.c|llp|lp|ltd|limited|corp|corporation|plc|gmbh|ag|kg|ohg|ug|e\\.?k|sa|s\\.a|"
    "sarl|s\\.a\\.r\\.l|sas|srl|"
    "s\\.r\\.l|spa|s\\.p\\.a|bv|b\\.v|nv|n\\.v|ab|as|a/s|aps|oy|oyj|pty|pvt|pte|kft|sp\\.? z o\\.?o|s\\.l|sl|lda|"
    "ltda|co"
)
_FORM = re.compile(rf"(?i)[\s,]+(?:{LEGAL_FORMS})\.?(?=$|[\s,.)])")
_WITH_FORM = re.compile(
    r"(?<![\w&])((?:(?:[A-Z][\w'’.-]{0,30}|&|and|of|the)[ ,]{1,2}){1,6}"
    r"(?:Inc|LLC|LLP|Ltd|LTD|Limited|Corp|Corporation|PLC|plc|GmbH|AG|KG|S\.A|SARL|SAS|SRL|S\.r\.l|S\.p\.A|B\.V|"
    r"N\.V|Pty)\b\.?)"
)
_ANY_FORM = re.compile(
    r"\b(?:Inc|LLC|LLP|Ltd|LTD|Limited|Corp|Corporation|PLC|plc|GmbH|AG|KG|S\.A|SARL|SAS|SRL|S\.r\.l|S\.p\.A|B\.V|"
    r"N\.V|Pty)\b"
)
_COPYRIGHT_SIGNS = ("©", "opyright", "(c)", "OPYRIGHT", "(C)")
_COPYRIGHT = re.compile(
    r"(?i)(?:©|\(c\)|&copy;?|\bcopyright\b)(?:[\s,.:-]|©|\(c\)|\bcopyright\b|\bby\b|\bis\b|\bowned\b|\d{4}|"
    r"[-–]){0,12}\s*(?P<name>[^©|•·\n]{2,90})"
)
_COPYRIGHT_BEFORE = re.compile(r"(?i)(?P<name>[A-Z][^©|•·]{1,60}?)[\s,.-]{0,4}(?:©|\(c\)|\bcopyright\b)\s*\d{4}")
_COPYRIGHT_END = re.compile(
    r"(?i)[\s,|•·-]*(?:\ball\s+rights?\b|\brights\s+reserved|\bsite\s+(?:by|map|design)|\bweb\s*site\b|"
    r"\bdesign(?:ed)?\b|\bpowered\b|"
    r"\bprivacy\b|\bterms\b|\bpolicy\b|\bdisclaimer\b|\bregistered\b|\bcreated\b|\blegal\b|\bcontact\b|\bhosted\b|"
    r"\bis a\b|\btel\b|\bphone\b|"
    r"\balle\s+rechte|\btous\s+droits|\btodos\s+los|\bdeveloped\b|\bdevelopment\b|\bmaintained\b|\buse of\b|"
    r"\baccess\b|\bpage\b|\blast\b|"
    r"\bhome\b|[|•·]|\s[-–—]\s|(?:\d{4})|(?<!\binc)(?<!\bltd)(?<!\bcorp)(?<!\bco)\. |$).*"
)
_DIVIDERS = re.compile(r"\s*(?:[|»«•·:>~]|\s[-–—]\s|::|\s/\s)\s*")
_GENERIC = re.compile(
    r"(?i)^(?:home(?:\s?page)?|welcome(?: to)?|about(?: us)?|contact(?: us| information)?|index|untitled|news|"
    r"blog|shop|store|online|"
    r"products?|services?|logo|menu|main|the|our (?:team|company|story)|team|careers?|jobs?|faqs?|locations?|"
    r"site ?map|privacy.*|terms.*|"
    r"login|search|cart|checkout|company|official (?:web)?site|website|info|information|error.*|404.*|"
    r"page not found|startseite|accueil|"
    r"inicio|kontakt|impressum|über uns|new page.*|default|image|photo|banner|header|footer|facebook|twitter|"
    r"linkedin|google.*|"
    r"all rights reserved|cookies?|overview|delivery.*|returns.*|support|help|customer service.*|meet .*|"
    r"directions.*|get in touch.*)$"
)
_CONTENT_TYPES = frozenset(
    [
        "Article",
        "NewsArticle",
        "BlogPosting",
        "Person",
        "Product",
        "Review",
        "Offer",
        "Event",
        "Breadcrumb",
        "BreadcrumbList",
        "ListItem",
        "WebPage",
        "WebSite",
        "SearchAction",
        "ImageObject",
        "VideoObject",
        "PostalAddress",
        "adr",
        "GeoCoordinates",
        "AggregateRating",
        "Rating",
        "Recipe",
        "Book",
        "Movie",
        "Place",
        "Country",
        "City",
        "Question",
        "Answer",
        "SiteNavigationElement",
        "WPHeader",
        "WPFooter",
        "Comment",
        "Service",
        "JobPosting",
        "Thing",
        "CreativeWork",
        "OpeningHoursSpecification",
        "ContactPoint",
        "Blog",
        "CollectionPage",
        "ItemList",
        "ContactPage",
        "AboutPage",
        "FAQPage",
        "ItemPage",
    ]
)
WEIGHTS = {
    "json-ld": 0.9, "microdata": 0.7, "rdfa": 0.7, "microformat": 0.5, "og:site_name": 0.8, "application-name": 0.6,
    "copyright": 0.7, "domain": 0.75, "title": 0.35, "logo": 0.45, "heading": 0.2, "legal form": 0.4, "author": 0.25,
    "publisher": 0.4,
}  # fmt: skip
"""How far each hint alone is trusted."""
_MAX_LABEL = 40
_ENDINGS = frozenset(
    ("com", "net", "org", "couk", "uk", "us", "info", "biz", "io", "co", "de", "fr", "eu", "ca", "au", "comau", "ie")
)


@dataclass(slots=True)
class _Candidate:
    """A name, in the ways it is written, and who votes for it."""

    spellings: Counter[str] = field(default_factory=Counter)
    doubts: dict[str, float] = field(default_factory=dict)
    evidence: str = ""
    best: float = 0.0
    how: str = ""

    def confidence(self) -> float:
        """Return how sure the votes are together."""
        doubt = 1.0
        for one in self.doubts.values():
            doubt *= one
        return 1 - doubt


def organisation(document: Document, *, domain: str = "") -> Found | None:
    """Return the name of the organisation behind a page, None where nothing names it.

    `domain` is the registrable domain of the site; the page's own host unless told.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> page = take_apart("<title>Contact | Better Builders</title><p>© 2013 Better Builders. All rights reserved",
    ...                   "http://www.betterbuilders.com/contact")
    >>> organisation(page).value
    'Better Builders'
    """
    ranked = organisations(document, domain=domain)
    return ranked[0] if ranked else None


def organisations(document: Document, *, domain: str = "") -> list[Found]:
    """Return the names that may be meant, the likeliest first."""
    label = domain_label(domain or host_of(document.url))
    candidates: dict[str, _Candidate] = {}
    for name, how, evidence in _hints(document, label):
        clean = _clean(name)
        key = name_key(clean)
        if len(key) < 2 or _GENERIC.match(clean) or not any(letter.isalpha() for letter in key):
            continue
        candidate = candidates.setdefault(_squashed(key, label), _Candidate())
        weight = WEIGHTS[how] * (0.55 + 0.45 * likeness(key, label))
        candidate.doubts[how] = min(candidate.doubts.get(how, 1.0), 1 - weight)
        candidate.spellings[clean] += 3 if how in ("json-ld", "og:site_name", "copyright", "microdata") else 1
        if weight > candidate.best:
            candidate.best, candidate.how, candidate.evidence = weight, how, evidence
    _lend(candidates)
    found = [
        Found(
            _spelling(candidate), round(min(candidate.confidence(), 0.99), 3), candidate.how, candidate.evidence[:300]
        )
        for candidate in candidates.values()
    ]
    return sorted(found, key=lambda one: -one.confidence)[:10]


def _squashed(key: str, label: str) -> str:
    """Return a name's letters, so that AcmeTools, Acme Tools and acmetools.com are one candidate."""
    letters = key.replace(" ", "")
    return label if label and letters.startswith(label) and letters[len(label) :] in _ENDINGS else letters


def _lend(candidates: dict[str, _Candidate]) -> None:
    """Give a longer name the votes of a shorter one that begins it: Callows speaks for Callows Audio too."""
    for letters, longer in candidates.items():
        words = name_key(_spelling(longer)).split()
        if len(words) > 5 or not {"title", "og:site_name", "copyright", "logo", "json-ld"} & longer.doubts.keys():
            continue
        for count in range(1, len(words)):
            shorter = candidates.get("".join(words[:count]))
            if shorter is not None and len("".join(words[:count])) >= 4 and shorter.doubts.keys() & {"domain"}:
                for how, doubt in shorter.doubts.items():
                    longer.doubts[how] = min(longer.doubts.get(how, 1.0), doubt)
        del letters


def _spelling(candidate: _Candidate) -> str:
    """Return the way a name is written most often; rather as words than all in capitals or small."""
    return max(
        candidate.spellings.items(),
        key=lambda item: (not (item[0].isupper() or item[0].islower() or "." in item[0][:-1]), item[1], len(item[0])),
    )[0]


def _hints(document: Document, label: str) -> Iterator[tuple[str, str, str]]:
    """Return names, what hints at them, and the words they stand in."""
    for item in everything(document.items):
        if item.source == "microformat" or not any(kind in _CONTENT_TYPES for kind in item.types):
            for name in (*item.texts("name")[:1], *item.texts("legalName")[:1]):
                if item.types or item.texts("address") or item.inner("address"):
                    yield name, item.source, name
        for name in item.texts("publisher")[:1]:
            yield name, "publisher", name
    for meta, how in (
        ("og:site_name", "og:site_name"), ("application-name", "application-name"), ("author", "author"),
        ("copyright", "copyright"), ("apple-mobile-web-app-title", "application-name"), ("dc.publisher", "publisher"),
    ):  # fmt: skip
        name = document.metas.get(meta, "")
        if name:
            yield (_of_copyright(f"© {name}") if meta == "copyright" else name), how, name
    yield from _title_hints(document.title)
    for image in document.images:
        if (
            image.area == "logo"
            or "logo" in image.marks
            or "logo" in image.source.lower()
            or "logo" in image.alt.lower()
        ):
            yield (
                re.sub(r"(?i)\b(?:the\s)?(?:logo|home ?page|home|image|link to)\b(?:\sof)?", "", image.alt),
                "logo",
                image.alt,
            )
    with_copyright = any(sign in document.text for sign in _COPYRIGHT_SIGNS)
    with_form = _ANY_FORM.search(document.text) is not None
    for line in document.lines:
        text = line.text
        if line.heading == 1:
            yield text, "heading", text
        if with_copyright and any(sign in text for sign in _COPYRIGHT_SIGNS):
            yield _of_copyright(text), "copyright", text
        if with_form and len(text) < 400:
            for match in _WITH_FORM.finditer(text):
                yield match[1], "legal form", text
    yield from _spelled_out(document, label)


def _title_hints(title: str) -> Iterator[tuple[str, str, str]]:
    parts = [part for part in _DIVIDERS.split(title) if part]
    for part in parts:
        yield (
            re.sub(r"(?i)^(?:welcome to|about|contact|home of|the official site of)\s+(?=[A-Z])", "", part),
            "title",
            title,
        )


def _of_copyright(text: str) -> str:
    text = text[-600:] if "©" in text[-600:] or "opyright" in text[-600:] else text[:600]
    match = _COPYRIGHT.search(text)
    name = _COPYRIGHT_END.sub("", match["name"]).strip(" ,-–:;") if match else ""
    if len(name) > 1:
        return name
    match = _COPYRIGHT_BEFORE.search(text)
    return match["name"].strip() if match else ""


def _spelled_out(document: Document, label: str) -> Iterator[tuple[str, str, str]]:
    """Find the domain's name in the text as it is written there: homedecorhut → Home Decor Hut."""
    pattern = _spelling_pattern(label)
    if pattern is None:
        return
    counts: Counter[str] = Counter()
    places: dict[str, str] = {}
    text = "\n".join((document.title, document.text, *(image.alt for image in document.images)))
    for match in islice(pattern.finditer(text), 500):
        counts[match[0]] += 1
        places.setdefault(match[0], around(text, match.start(), match.end()))
    for name, _ in counts.most_common(3):
        yield name, "domain", places[name]


@lru_cache(maxsize=512)
def _spelling_pattern(label: str) -> re.Pattern[str] | None:
    """Return a pattern of a domain's letters with at most two characters between words; it cannot backtrack far."""
    if not 4 <= len(label) <= _MAX_LABEL:
        return None
    letters = re.escape(label[0]) + "".join(f"[ '’&.,-]{{0,2}}+{re.escape(letter)}" for letter in label[1:])
    letters = letters.replace("[ '’&.,-]{0,2}+a[ '’&.,-]{0,2}+n[ '’&.,-]{0,2}+d", r"(?:[ '’&.,-]{0,2}+and| ?& ?)")
    return re.compile(rf"(?i)(?<![\w@./-]){letters}(?:\.(?:com|net|org|co\.uk|us|info|biz|io)\b)?(?![\w@/]|\.[a-z])")


def _clean(name: str) -> str:
    name = tidy(name, 120).replace("&amp;", "&")
    name = re.sub(r"^[^\w(]+|[\s,;:|•·*™®-]+$", "", name)
    name = re.sub(r"(?i)[\s.,-]*\bcopyright$", "", name)
    name = re.sub(r"[™®]|\((?:tm|r|sm)\)", "", name, flags=re.IGNORECASE).strip()
    if name.endswith(".") and not _FORM.search(name):
        name = name.rstrip(".")
    return name if len(name) <= 80 else ""


def name_key(name: str) -> str:
    """Return what two spellings of a name have in common: no legal form, punctuation, "the" or case.

    >>> name_key("The Katz, Marshall & Banks, LLP."), name_key("Acme Inc.")
    ('katz marshall and banks', 'acme')
    """
    bare = _FORM.sub("", f" {name.replace('&', ' and ')}")
    words = re.findall(r"\w+", bare.lower().replace("'", "").replace("’", ""))
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return " ".join(words)


def likeness(key: str, label: str) -> float:
    """Return how like a name is to a domain's, 0 to 1: by letters, by its beginning, or as initials."""
    if not label:
        return 0.5
    squashed = key.replace(" ", "")
    if not squashed:
        return 0.0
    best = fuzz.ratio(squashed, label) / 100
    bare = squashed.replace("and", "")
    best = max(best, fuzz.ratio(bare, label.replace("and", "")) / 100)
    if len(squashed) >= 4 and (label.startswith(squashed) or squashed.startswith(label)):
        best = max(best, 0.85)
    if len(squashed) >= 4 and len(label) >= 4 and (squashed in label or label in squashed):
        best = max(best, 0.75)
    words = key.split()
    if len(words) > 1 and "".join(word[0] for word in words) in (label, label[: len(words)]):
        best = max(best, 0.8)
    return best


def domain_label(host: str) -> str:
    """Return the letters of a domain's own name.

    >>> domain_label("www.home-decor.co.uk")
    'homedecor'
    """
    from leadlight.enrich.extract.hosts import registrable

    name = registrable(host) or host
    return re.sub(r"[^a-z0-9]", "", name.partition(".")[0].lower())


def host_of(url: str) -> str:
    """Return the host of an address in lower case."""
    return url.split("://", 1)[-1].split("/", 1)[0].rpartition("@")[2].split(":", 1)[0].lower()
