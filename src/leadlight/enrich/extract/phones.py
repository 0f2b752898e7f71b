"""Phone numbers in a page, fax numbers told apart, in international form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers

from leadlight.enrich.extract.document import Document, Line
from leadlight.enrich.extract.found import Found, around, surest
from leadlight.enrich.extract.items import everything
from leadlight.enrich.extract.regions import regions

MAX_NUMBERS = 200
_DIGITS = re.compile(r"\d[\s().\[\]/·‐‑–—-]{0,3}\d[\s().\[\]/·‐‑–—-]{0,3}\d")
_RUN = re.compile(r"(?<![\w.,/@#=&$€£%-])(?:\+{1,2}|00)?\s?[(\[]?\s?\+?\d[\d\s().\[\]/·‐‑–—-]{5,34}\d(?![\w%])(?!\.\d)")
"""Digits with what may stand between them, and nothing that makes them a part of something else."""
_NORTH_AMERICAN = re.compile(
    r"(?<!\d)(?:\+?1[\s.·-]{0,3})?[(\[]?([2-9]\d\d)[)\]]?[\s./·‐‑–—-]{0,4}([2-9]\d\d)[\s.·‐‑–—-]{0,4}(\d{4})(?!\d)"
)
_VANITY = re.compile(
    r"(?<!\w)(?:1[\s.-])?[(]?8(?:00|88|77|66|55|44|33)[)]?[\s.-]{1,2}([A-Z0-9]{2,7}-?[A-Z0-9]{2,7})(?![\w-])"
)
_LABEL = re.compile(
    r"(?i)(?P<fax>\b(?:tele|e-?)?fax(?:e|ova)?\b|\bfacsimile\b|(?<![\w'.])f(?=\s?[:.)|]|\s[+(\d]|\s?\Z))|"
    r"(?P<phone>\b(?:tele)?phone\w*|\btel\w{0,6}\b|\bcalls?\b|\bcalling\b|\bph\b|\bmobile\b|\bmob\b|\bcell\w*|"
    r"\btoll[\s-]?free|"
    r"\bdial\b|\bhotline\b|\bfree(?:phone|call)?\b|\bline\b|\boffice\b|\btél\w*|\bfon\b|\btfno?\b|\bcontact\b|\bext\b|"
    r"\bwhatsapp\b|\btext\b|\bn[uú]mero\b|\bnumber\b|\bsales\b|\bsupport\b|\bservice\b|"
    r"(?<![\w'.])[tpm](?=\s?[:.)|]|\s[+(\d]|\s?\Z))"
)
_FAX_AFTER = re.compile(r"(?i)\s{0,3}(?:[(\[]\s?(?:tele)?fax\s?[)\]]|[-–]?\s?(?:tele)?fax\W{0,3}\Z)")
_NOT_NUMBERS = re.compile(
    r"(?i)(?:\bvat|reg(?:istration|istered)?|company|\babn\b|\bacn\b|licen[cs]e|\bisbn|\bid\b|account|sort code|"
    r"order|item|"
    r"part|\bsku\b|model|patent|\bein\b|\btin\b|\bnpi\b|\bcin\b|charity)\W{0,3}(?:no|nr|number|num)?\W{0,4}\Z"
)
_DATE = re.compile(
    r"\s*(?:(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d|(?:19|"
    r"20)\d\d\s?[-–—]\s?(?:19|20)\d\d)\s*"
)
_EXTENSION = re.compile(r"(?i)\s*(?:x|ext\.?|extn\.?|extension)\s*\.?\s*\d{1,6}\s*\Z")
_LABEL_REACH = 45


def phones(document: Document, *, countries: Sequence[str] = ()) -> tuple[Found, ...]:
    """Return the numbers of a page in E.164, in the order in which they stand there; those of fax machines left out.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> page = take_apart("<p>Phone: (413) 732-8702 Fax: (413) 732-8703</p>", "http://acme.com/")
    >>> [one.value for one in phones(page)]
    ['+14137328702']
    """
    found: list[Found] = []
    faxes: set[str] = set()
    for one, is_fax in _all(document, tuple(countries) or regions(document)):
        if is_fax:
            faxes.add(one.value)
        else:
            found.append(one)
        if len(found) >= MAX_NUMBERS:
            break
    told = {one.value for one in found if one.how != "text"}
    return surest(one for one in found if one.value not in faxes or one.value in told)


def _all(document: Document, countries: tuple[str, ...]) -> Iterator[tuple[Found, bool]]:
    for item in everything(document.items):
        for name in ("telephone", "faxNumber"):
            for text in item.texts(name):
                number = international(text, countries, labelled=True)
                if number:
                    yield Found(number, 0.95, item.source, text), name == "faxNumber"
    for link in document.links:
        scheme, _, rest = link.url[:60].partition(":")
        if scheme.lower() in ("tel", "callto", "fax"):
            number = international(unquote(rest).removeprefix("//"), countries, labelled=True)
            if number:
                fax = scheme.lower() == "fax" or re.match(r"(?i)\s*f(?:ax)?\b", link.text) is not None
                yield Found(number, 0.95, "tel", link.text or rest), fax
    before: Line | None = None
    for line in document.lines:
        if _DIGITS.search(line.text):
            yield from _in_line(line.text, before.text if before else "", countries)
        before = line


def _in_line(text: str, before: str, countries: tuple[str, ...]) -> Iterator[tuple[Found, bool]]:
    label = _label_of(before) if len(before) <= _LABEL_REACH else ""
    last = 0
    for number, start, end, shaped in _numbers(text, countries):
        between = text[max(last, start - _LABEL_REACH) : start]
        told = _label_of(between)
        label = told or (label if last == 0 or len(between) < 12 else "")
        is_fax = label == "fax"
        if _FAX_AFTER.match(text, end) and not told:
            is_fax = True
        if not _NOT_NUMBERS.search(between) and (label or shaped):
            yield Found(number, 0.9 if label else 0.75, "text", around(text, start, end, width=40)), is_fax
        last = end


def _label_of(text: str) -> str:
    """Return what the last label in a text says: fax or phone; "Phone/Fax" is a phone; "" where there is none."""
    found = list(_LABEL.finditer(text[-_LABEL_REACH:]))
    if not found:
        return ""
    kind = found[-1].lastgroup or ""
    if kind == "fax" and len(found) > 1:
        gap = text[-_LABEL_REACH:][found[-2].end() : found[-1].start()]
        if found[-2].lastgroup == "phone" and re.fullmatch(r"\s?(?:/|&|and|or|\+|und|et)?\s?", gap):
            return "phone"
    return kind


def _numbers(text: str, countries: tuple[str, ...]) -> Iterator[tuple[str, int, int, bool]]:
    """Return numbers with their place, and whether they are written as only phone numbers are."""
    place = 0
    for run in _RUN.finditer(text):
        if run.start() < place or _DATE.fullmatch(run[0]):
            continue
        for number, start, end, shaped in _in_run(text, run.start(), run.end(), countries):
            yield number, start, end, shaped
            place = end
    for vanity in _VANITY.finditer(text):
        if any(letter.isalpha() for letter in vanity[1]):
            number = international(phonenumbers.convert_alpha_characters_in_number(vanity[0]), ("US",), labelled=False)
            if number:
                yield number, vanity.start(), vanity.end(), True


def _in_run(text: str, start: int, end: int, countries: tuple[str, ...]) -> Iterator[tuple[str, int, int, bool]]:
    run = text[start:end]
    inside = list(_NORTH_AMERICAN.finditer(run)) if countries[:1] in (("US",), ("CA",)) and "+" not in run[1:] else []
    if (inside and not run.lstrip("([ ").startswith(("+", "0"))) or (inside and run.lstrip("([ ").startswith("+1")):
        for match in inside:
            number = international(match[0], ("US",), labelled=False)
            if number:
                yield number, start + match.start(), start + match.end(), _is_shaped(match[0])
        return
    whole = international(run, countries, labelled=False)
    if whole:
        yield whole, start, end, _is_shaped(run)
        return
    offset = start
    for part in re.split(r"(\s?/\s?|\s{1,2}[-–—]\s{1,2}|\)\s?\(|\s(?=[(+0]))", run):
        if len(part) >= 8:
            number = international(part, countries, labelled=False)
            if number:
                yield number, offset, offset + len(part), _is_shaped(part)
        offset += len(part)


def _is_shaped(text: str) -> bool:
    """Whether separators, brackets, a plus or a leading zero make it look like a number to call."""
    digits = sum(letter.isdigit() for letter in text)
    groups = len(re.findall(r"\d+", text))
    if text.lstrip("([ ").startswith(("+", "00")):
        return digits >= 8
    if text.lstrip("([ ").startswith("0"):
        return digits >= 9 and (groups > 1 or digits in (10, 11))
    return digits >= 10 and groups >= 3


def international(text: str, countries: Sequence[str], *, labelled: bool) -> str:
    """Return a number in E.164 as read in the first country where it is valid, "" where it is none.

    With `labelled`, a number that could exist is enough: numbering plans change.

    >>> international("0191 276 3261", ("GB",), labelled=False), international("12345", ("US",), labelled=True)
    ('+441912763261', '')
    """
    text = _EXTENSION.sub("", text[:60].strip())
    return _parsed(text, tuple(countries), labelled)


@lru_cache(maxsize=8_192)
def _parsed(text: str, countries: tuple[str, ...], labelled: bool) -> str:
    possible = ""
    for country in (None,) if text.startswith(("+", "00", "(+")) and text.startswith(("+", "(+")) else countries:
        try:
            number = phonenumbers.parse(text.lstrip("("), country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if labelled and not possible and phonenumbers.is_possible_number(number) and country in (None, *countries[:1]):
            possible = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return possible
