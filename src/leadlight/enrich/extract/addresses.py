"""Postal addresses in a page: structured ones, and those that stand in its text.

In text an address is found from its end: a postal code in the way of its country (with the state or town beside it), or
a town and a state. From there the words before it, over line breaks, are searched for where a street begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from leadlight.enrich.extract.document import Document, Line
from leadlight.enrich.extract.found import MAX_EVIDENCE
from leadlight.enrich.extract.items import Item, everything
from leadlight.enrich.extract.regions import country_code, regions

MAX_ADDRESSES = 100
_DIGIT = re.compile(r"\d")
_LONG_NUMBER = re.compile(r"\d{4}|\d{3}\s\d{2}|\d{2}-\d{3}")
_LETTER_DIGIT = re.compile(r"[A-Z]\d")
LINES_BEFORE = 6
LONGEST = 200

_TWO_LETTERS = (
    "AL|AK|AZ|AR|CA|CO|CT|DC|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|"
    "OK|OR|PA|PR|RI|SC|"
    "SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)
_STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|"
    "Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|"
    "Montana|"
    "Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|"
    "Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|"
    "West Virginia|"
    "Wisconsin|Wyoming|District of Columbia"
)
_ST = (
    "A[LKZR]|C[AOT]|D\\.?C|DE|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|PR|RI|S[CD]|T[NX]|UT|V[TA]|"
    "W[AVIY]"
)
_ST_LOOSE = "(?:" + _ST + "|Ala|Ariz|Az|Calif|Colo|Conn|Fla|Ill|Ind|Mass|Mich|Minn|Ohio|Penn|Tenn|Tex|Tx|Wash|Wis)"
_PROVINCES = (
    "AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT|B\\.C\\.|Alberta|British Columbia|Manitoba|New Brunswick|Nova Scotia|"
    "Ontario|"
    "Quebec|Québec|Saskatchewan|Newfoundland"
)
_SEPARATOR = r"[\s,.;|·•–-]{1,5}"
_ANCHORS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("US", re.compile(
        rf"\b(?P<region>{_STATES}|{_ST_LOOSE})\.?{_SEPARATOR}(?:USA{_SEPARATOR})?"
        r"(?P<code>\d{5}(?:-\d{4})?)(?![\d-])"
    )),
    ("US", re.compile(r"(?<=[A-Za-z] )(?P<region>)(?P<code>\d{5}-\d{4})(?![\d-])")),
    ("CA", re.compile(
        rf"(?:\b(?P<region>{_PROVINCES})\b{_SEPARATOR}(?:Canada{_SEPARATOR})?)?"
        r"(?P<code>[ABCEGHJ-NPRSTVXY]\d[A-Z][\s-]?\d[A-Z]\d)\b"
    )),
    ("GB", re.compile(r"(?P<region>)\b(?P<code>[A-Z]{1,2}\d[A-Z\d]?\s{0,2}\d[ABD-HJLNP-UW-Z]{2})\b")),
    ("AU", re.compile(
        r"\b(?P<region>NSW|VIC|QLD|SA|WA|TAS|NT|ACT|Victoria|Queensland|New South Wales|Western Australia|"
        rf"South Australia|Tasmania)\.?{_SEPARATOR}(?P<code>\d{{4}})(?!\d)"
    )),
    ("IE", re.compile(
        r"\b(?P<region>Co\.?\s(?:[A-Z][a-z]+)|County\s[A-Z][a-z]+)"
        r"(?:[\s,]{1,3}(?P<code>[A-Z]\d[\dW]\s?[A-Z\d]{4}))?\b"
    )),
    ("IN", re.compile(r"(?<=[a-z)])\s?[-–,]?\s?(?P<region>)(?P<code>[1-8]\d{2}\s?\d{3})(?!\s?\d)(?![-/])")),
)  # fmt: skip
_TOWN_NAMES = ("New York|", "Washington|")
"""States whose name is more often that of a town."""
_US_TOWN = re.compile(
    rf"\b(?P<region>{_STATES.replace(_TOWN_NAMES[0], '').replace(_TOWN_NAMES[1], '')}|{_ST})\b(?P<code>)(?!\w)"
)
_STATE_WORDS = frozenset(
    word for name in f"{_STATES}|{_TWO_LETTERS}".split("|") for word in name.split()[:1]
)  # fmt: skip
_CONTINENTAL = re.compile(
    r"(?<![\w.,/+-])(?:(?P<country>D|A|CH|F|B|NL|L|I|E|DK|SE|S|FI|PL|CZ)\s?[-–]\s?)?"
    r"(?P<code>\d{5}|\d{4}(?:\s[A-Z]{2}\b)?|\d{3}\s\d{2}|"
    r"\d{2}-\d{3})\s(?P<city>[A-ZÄÖÜÉÈŁŚÅØ][\w'.-]+(?:[\s-][A-ZÄÖÜ(]?[\w'.)-]+){0,3})"
)
_CONTINENTAL_STREET = re.compile(
    r"(?i)(?:\w*(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|ring|damm|ufer|markt|hof|chaussee|laan|straat|gracht|"
    r"plein|kade|"
    r"dijk|vej|gade|gatan|vägen|väg|katu|tie)\b|\b(?:rue|avenue|av\.|boulevard|bd|place|quai|chemin|route|allée|"
    r"impasse|via|"
    r"viale|piazza|corso|largo|calle|c/|avenida|avda|plaza|paseo|rua|praça|ulica|ul\.|al\.)\s)"
)
_STREET_WORDS = (
    "street|st|str|avenue|ave|av|road|rd|drive|drv|dr|boulevard|blvd|blv|lane|ln|court|ct|circle|cir|way|place|pl|"
    "plaza|plz|"
    "parkway|pkwy|pky|highway|hwy|route|rte|terrace|ter|trail|trl|square|sq|loop|pike|turnpike|tpke|freeway|fwy|"
    "expressway|"
    "broadway|commons|crossing|crescent|cres|close|gardens|grove|hill|mews|row|walk|wharf|quay|gate|green|park|parade|"
    "esplanade|causeway|alley|bypass|center|centre|ridge|run|path|point|heights|landing|cove|extension|ext|mall|"
    "estate|box|"
    "yard|rise|view|vale|dale|wood|lodge|gr|pde|tce"
)
_STREET = re.compile(rf"(?i)\b(?:{_STREET_WORDS})\b\.?")
_POST_BOX = r"(?:P\.?\s?O\.?\s?|post\s?office\s)box:?\s{0,2}#?\s?\w{1,8}"
_UNIT = (
    r"(?:unit|suite|ste|floor|level|flat|apartment|apt|room|bldg|building|block|shop|office)\b"
    r"\.?\s{0,2}#?\s?[\w-]{1,6}\b"
)
_BUILDING = re.compile(
    r"(?i)\b(?:house|court|centre|center|building|works|park|mill|mills|chambers|tower|towers|plaza|campus|floor|"
    r"suite|unit|hall|farm|"
    r"barn|barns|studios?|lodge|box|yard|wharf|point|place|gardens|estate|square|lane|street|road|avenue|"
    r"hillington|village)\b"
)
_START = re.compile(
    rf"(?i)(?<![\w.,#/:-])(?:{_POST_BOX}|{_UNIT}(?=[\s,])|(?:no\.?\s?|"
    rf"#\s?)?\d{{1,6}}[a-z]?(?:\s?[-–/&]\s?\d{{1,5}}[a-z]?)?(?:\s?½)?,?\s(?=[a-z])|"
    r"[nsew]\s?\d{2,5}\s?[nsew]\s?\d{2,6}\s|(?:one|two|three|four|five|ten)\s(?=[a-z]+\s))"
)  # fmt: skip
"""Where a street may begin: a number before a word, a post box, a unit, or Wisconsin's grid."""
_BARRIER = re.compile(
    r"(?i)@|https?:|www\.|\(\d{3}\)|\d{3}[.\s-]\d{3}[.\s-]\d{4}|\+\d|(?:©|copyright|all rights|\bfax\b|\btel\b|"
    r"\bphone\b|\bemail\b|"
    r"\be-mail\b|\bhours?\b|\bmonday|\bam\b|\bpm\b|\bsince\b|\bcall\b)"
)
_LABEL = re.compile(
    r"(?i)^.{0,40}?\b(?:address|location|located at|office|headquarters|visit us|mailing|mail to|post|by post|"
    r"where|venue|"
    r"registered in|contact us|adresse|anschrift|at)\b[^,:\d]{0,20}[:–-]\s*"
)
_COMPANY = re.compile(
    r"(?i)\b(?:inc|llc|llp|ltd|limited|corp|corporation|gmbh|plc|company|pty|associates)\b\.?|&\sco\b"
)
_SENTENCE = re.compile(r"[a-z]{3,}[.!?]\s+(?=[A-Z][a-z]+\s)|[!?]\s")
_TOO_PLAIN = re.compile(
    r"\b(?:is|are|was|were|have|has|you|your|our|we|with|for|from|this|that|will|can|more|years?|over|about)\b"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address on one line, with the parts that are sure."""

    text: str
    confidence: float
    how: str
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    evidence: str = ""


def addresses(document: Document, *, countries: Sequence[str] = ()) -> tuple[Address, ...]:
    """Return the postal addresses of a page, each once, those in structured data first.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> [one] = addresses(take_apart("<p>Visit us:<br>12 Main Street<br>Albany, NY 12207</p>", "http://acme.com/"))
    >>> one.text, one.city, one.region, one.postal_code, one.country
    ('12 Main Street, Albany, NY 12207', 'Albany', 'NY', '12207', 'US')
    """
    countries = tuple(countries) or regions(document)
    found: dict[str, Address] = {}
    read = chain(_structured(document), _written(document.lines, countries))
    for one in islice(read, 3 * MAX_ADDRESSES):
        key = re.sub(r"\W", "", one.text).lower()
        known = found.get(key)
        if known is None:
            found[key] = one
        elif known.how != one.how:
            found[key] = replace(known, confidence=min(0.99, 1 - (1 - known.confidence) * (1 - one.confidence)))
        if len(found) >= MAX_ADDRESSES:
            break
    return _without_parts(list(found.values()))


def _without_parts(found: list[Address]) -> tuple[Address, ...]:
    """Leave out an address that is only the end or the like of another."""
    kept: list[tuple[Address, frozenset[str]]] = []
    for one in sorted(found, key=lambda one: -len(one.text)):
        words = frozenset(re.findall(r"\w+", one.text.lower()))
        if not any(words <= other for _, other in kept):
            kept.append((one, words))
    order = {id(one): place for place, one in enumerate(found)}
    return tuple(sorted((one for one, _ in kept), key=lambda one: order[id(one)]))


def _structured(document: Document) -> Iterator[Address]:
    for item in everything(document.items):
        if item.is_a("PostalAddress", "Address", "adr") or (item.is_a("vcard") and item.texts("streetAddress")):
            one = _of_item(item)
            if one is not None:
                yield one
        else:
            for text in item.texts("address"):
                if 12 <= len(text) <= LONGEST and any(letter.isdigit() for letter in text):
                    yield Address(text, 0.8, item.source, evidence=text)


def _of_item(item: Item) -> Address | None:
    street = ", ".join(dict.fromkeys([*item.texts("streetAddress"), *item.texts("extendedAddress")])).strip(" ,")
    city, region = item.text("addressLocality").strip(" ,"), item.text("addressRegion").strip(" ,")
    code, country = item.text("postalCode").strip(" ,"), item.text("addressCountry")
    if not street or not (city or code):
        return None
    tail = " ".join(filter(None, (region, code)))
    text = ", ".join(filter(None, (street, city, tail)))[:LONGEST]
    return Address(text, 0.95, item.source, city, region, code, country_code(country), text)


def _written(lines: Sequence[Line], countries: Sequence[str]) -> Iterator[Address]:
    numbered = -LINES_BEFORE
    for number, line in enumerate(lines):
        text = line.text
        if _DIGIT.search(text):
            numbered = number
        if number - numbered >= LINES_BEFORE // 2:
            continue  # no address is without a number
        if len(text) < 5 or not (text[0].isupper() or numbered == number):
            continue
        last = 0
        for country, match in _ends(text, countries):
            if match.start() < last:
                continue
            one = _backwards(lines, number, match, country, last)
            if one is not None:
                last = match.end()
                yield one


def _ends(text: str, countries: Sequence[str]) -> list[tuple[str, re.Match[str]]]:
    """Return where addresses may end in a line, in order; a place is read in one way only."""
    ends: list[tuple[str, re.Match[str]]] = []
    numeric = _LONG_NUMBER.search(text) is not None
    mixed = _LETTER_DIGIT.search(text) is not None
    for country, pattern in _ANCHORS:
        possible = mixed if country in ("GB", "CA") else numeric or country == "IE"
        if possible and (country in countries or country in ("US", "GB", "CA")):
            ends += [(country, match) for match in pattern.finditer(text)]
    if numeric:
        ends += [(_continental(match, countries), match) for match in _CONTINENTAL.finditer(text)]
    taken = [(match.start(), match.end()) for _, match in ends]
    if _STATE_WORDS.isdisjoint(text.replace(",", " ").replace(".", " ").split()):
        return sorted(ends, key=lambda end: end[1].start())
    for match in _US_TOWN.finditer(text):
        if not any(start <= match.start() <= end for start, end in taken):
            ends.append(("us", match))
    return sorted(ends, key=lambda end: end[1].start())


_LETTERS = {"D": "DE", "A": "AT", "F": "FR", "B": "BE", "L": "LU", "I": "IT", "E": "ES", "S": "SE"}


def _continental(match: re.Match[str], countries: Sequence[str]) -> str:
    letters = match["country"] or ""
    known = [code for code in countries if code not in ("US", "GB", "CA", "AU", "IE", "IN")]
    return "eu:" + (_LETTERS.get(letters, letters) or next(iter(known), ""))


def _backwards(lines: Sequence[Line], number: int, match: re.Match[str], kind: str, last: int) -> Address | None:
    """Go back from an address's end to where its street begins; None where there is no street."""
    text = lines[number].text
    if kind.startswith("eu:"):
        return _continental_address(lines, number, match, kind[3:], last)
    parts = [_after_label(text[max(last, match.start() - LONGEST) : match.start()])]
    before = number - 1
    while last == 0 and before >= max(0, number - LINES_BEFORE):
        one = lines[before].text
        if _is_barrier(one, kind):
            break
        parts.insert(0, _after_label(one))
        before -= 1
    start = _street_start(parts, kind)
    if start is None:
        return None
    head = start + text[match.start() : match.end()]
    head = re.sub(r"\s*[|·•]\s*", ", ", re.sub(r"\s+", " ", head)).strip(" ,.-–")
    if len(head) > LONGEST or len(head) < 10:
        return None
    region = (match["region"] or "").strip(".")
    country = kind.upper()
    city = _city(start)
    sure = 0.85 if match["code"] else 0.65
    return Address(head, sure, "text", city, region, match["code"] or "", country, head[:MAX_EVIDENCE])


def _after_label(text: str) -> str:
    """Return what follows the last label, separator or sentence in a line."""
    text = _LABEL.sub("", text)
    cut = 0
    for sentence in _SENTENCE.finditer(text):
        if len(text) - sentence.end() > 5:
            cut = sentence.end()
    return text[cut:]


def _is_barrier(text: str, kind: str) -> bool:
    """Whether a line before cannot belong to the address."""
    if len(text) > 110 or _BARRIER.search(text) or text.endswith((":", "?", "!")):
        return True
    return bool(_TOO_PLAIN.search(text)) or (_ends_address(text) and kind != "us")


def _ends_address(text: str) -> bool:
    """Whether another address ends in a line."""
    return any(pattern.search(text) for country, pattern in _ANCHORS[:5] if country != "IN")


def _street_start(parts: list[str], kind: str) -> str | None:
    """Return the words from the street to the end, the lines before being joined by commas."""
    joined = ", ".join(part.strip(" ,|·•") for part in parts[:-1] if part.strip())
    joined = f"{joined}, {parts[-1]}" if joined else parts[-1]
    barrier = max((hit.end() for hit in _BARRIER.finditer(joined)), default=0)
    tail = joined[max(barrier, len(joined) - LONGEST) :]
    if barrier:
        tail = re.sub(r"^[^A-Za-z0-9]*(?:\d[\d\s.()-]{5,}\s*[|,·•]?\s*)?", "", tail)
    strict = kind == "us"
    best: int | None = None
    for found in _START.finditer(tail):
        rest = tail[found.start() :]
        if _TOO_PLAIN.search(rest) or len(rest) > 160:
            continue
        if not _is_street(rest, strict=strict, british=kind in ("GB", "IE", "IN")):
            continue
        best = found.start()
        break
    if best is None:
        return _building_start(tail) if kind in ("GB", "IE", "IN") else None
    if kind in ("GB", "IE", "IN"):
        best = _with_building(tail, best)
    return tail[best:]


def _is_street(rest: str, *, strict: bool, british: bool) -> bool:
    """Whether what begins with a number reads like a street and a town."""
    head = rest[:70]
    if re.match(rf"(?i){_POST_BOX}", head):
        return True
    if _STREET.search(head):
        return True
    words = len(re.findall(r"[A-Za-z]{2,}", rest))
    return not strict and (british or "," in rest) and 1 <= words <= 12


def _with_building(tail: str, start: int) -> int:
    """Take the names of houses that stand before the number of a British street."""
    head = tail[:start].rstrip(" ,")
    while head:
        cut = head.rfind(",") + 1
        part = head[cut:].strip()
        if not part or len(part) > 40 or _COMPANY.search(part) or not _BUILDING.search(part):
            break
        start = cut + (len(head[cut:]) - len(head[cut:].lstrip()))
        head = head[:cut].rstrip(" ,")
    return start


def _building_start(tail: str) -> str | None:
    """Return an address without a number: from the first part that names a house or street."""
    parts = [part for part in re.split(r",\s*", tail) if part.strip()]
    for place in range(max(0, len(parts) - 5), len(parts)):
        if _BUILDING.search(parts[place]) and not _COMPANY.search(parts[place]) and len(parts[place]) < 50:
            rest = ", ".join(parts[place:])
            return f"{rest}, " if not rest.endswith((" ", ",")) else rest
    return None


def _continental_address(
    lines: Sequence[Line], number: int, match: re.Match[str], country: str, last: int
) -> Address | None:
    text = lines[number].text
    before = text[max(last, match.start() - 90) : match.start()].strip(" ,|·•-–")
    if len(before) < 5 and number > 0 and last == 0:
        before = lines[number - 1].text.strip(" ,")
    if len(before) > 110 or not _CONTINENTAL_STREET.search(before) or not re.search(r"\d", before):
        return None
    street = re.split(r"\s*[|·•:]\s*|,\s*(?=[^,]*$)", before)[-1] if len(before) > 60 else before
    city = match["city"].strip(" .,(")
    whole = f"{street.strip(' ,')}, {match['code']} {city}"
    return Address(whole, 0.8, "text", city, "", match["code"], country, whole[:MAX_EVIDENCE])


def _city(start: str) -> str:
    """Return the town: what follows the last comma, or the last word of a street."""
    text = start.strip(" ,.-–|")
    city = text.rpartition(",")[2].strip()
    if not city or any(letter.isdigit() for letter in city):
        words = list(_STREET.finditer(text))
        city = text[words[-1].end() :].strip(" ,.") if words else ""
    return city if 1 < len(city) <= 40 and not any(letter.isdigit() for letter in city) else ""
