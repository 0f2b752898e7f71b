"""Find organisation, e-mail, phone and address on annotated pages of small businesses, next to what others find.

    python benchmarks/enrich/extraction.py              # the half that nobody tuned on
    python benchmarks/enrich/extraction.py --half tuned

How a value counts as found is said in annotated.py. For each field, over the pages that hold it: precision, recall and
F1 over all values of all pages together, and the mean of the pages' own F1 (a page with 60 numbers counts as much as
one with a single number). `elsewhere` counts what was found on annotated pages that hold no such value: mostly wrong,
but annotators missed some too. CPU is per page, all fields together, in this process.

Systems: leadlight; regex (patterns over the text of the page, the title as the name); phonenumbers (its matcher, for
two countries); extruct (JSON-LD, microdata, RDFa, microformats and Open Graph); trafilatura (its metadata).
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from annotated import Page, annotated, email_key, matched_addresses, pages, phone_key, same_name, words

FIELDS = ("email", "phone", "organisation", "address")


@dataclass(frozen=True, slots=True)
class Finds:
    """What a system finds on a page."""

    emails: Sequence[str] = ()
    phones: Sequence[str] = ()
    addresses: Sequence[str] = ()
    organisation: str = ""


@dataclass(slots=True)
class Tally:
    """What was right, wrong and missing, over the pages that hold a field."""

    right: int = 0
    wrong: int = 0
    missing: int = 0
    pages: list[float] = field(default_factory=list)
    elsewhere: int = 0

    def add(self, found: int, true: int, right: int) -> None:
        """Count a page; one that holds nothing only where something was found on it."""
        if not true:
            self.elsewhere += found
            return
        self.right += right
        self.wrong += found - right
        self.missing += true - right
        self.pages.append(2 * right / (found + true))


@dataclass(frozen=True, slots=True)
class Measure:
    """A system's figures for a field."""

    system: str
    field: str
    precision: float
    recall: float
    f1: float
    page_f1: float
    pages: int
    elsewhere: int


def measure(system: str, find: Callable[[str, str], Finds], chosen: Sequence[Page]) -> list[Measure]:
    """Hold what a system finds on pages against what they hold."""
    tallies = {name: Tally() for name in FIELDS}
    for page in chosen:
        count(find(page.markup, page.url), page, tallies)
    return [_measure(system, name, tallies[name]) for name in FIELDS]


def count(finds: Finds, page: Page, tallies: dict[str, Tally]) -> None:
    """Count one page."""
    truth = page.truth
    assert truth is not None
    emails = {email_key(one) for one in finds.emails}
    phones = {key for one in finds.phones if (key := phone_key(one))}
    addresses = list(dict.fromkeys(map(words, finds.addresses)))
    tallies["email"].add(len(emails), len(truth.emails), len(emails & truth.emails))
    tallies["phone"].add(len(phones), len(truth.phones), len(phones & truth.phones))
    tallies["address"].add(len(addresses), len(truth.addresses), matched_addresses(addresses, truth.addresses))
    named = bool(finds.organisation)
    right = named and same_name(finds.organisation, truth.organisations)
    tallies["organisation"].add(int(named), int(bool(truth.organisations)), int(right))


def _measure(system: str, name: str, tally: Tally) -> Measure:
    precision = tally.right / (tally.right + tally.wrong) if tally.right + tally.wrong else 0.0
    recall = tally.right / (tally.right + tally.missing) if tally.right + tally.missing else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    page_f1 = sum(tally.pages) / len(tally.pages) if tally.pages else 0.0
    return Measure(system, name, precision, recall, f1, page_f1, len(tally.pages), tally.elsewhere)


# Leadlight


def leadlight(markup: str, url: str) -> Finds:
    """Read a page with our own extraction."""
    from leadlight.enrich.extract.page import read_page

    page = read_page(markup, url)
    return Finds(
        [one.value for one in page.emails], [one.value for one in page.phones], [one.text for one in page.addresses],
        page.names[0].value if page.names else "",
    )  # fmt: skip


# Baselines

EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
PHONE = re.compile(r"(?<!\d)(?:\+?\d{1,3}[\s.-]?)?(?:\(\d{2,5}\)|\d{2,5})[\s.-]?\d{3,4}[\s.-]?\d{3,4}(?!\d)")
ADDRESS = re.compile(
    r"\d{1,6}\s[\w .,#-]{3,60}?"
    r"\b(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Boulevard|Blvd|Lane|Ln|Court|Ct|Way|Place|Circle)\b\.?"
    r"[\w ,.#-]{0,40}?(?:\b[A-Z]{2}\b\s{0,2}\d{5}(?:-\d{4})?|\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b)"
)


def visible_text(markup: str) -> tuple[str, str]:
    """Return a page's title and text."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(markup)
    title = tree.css_first("title")
    for node in tree.css("script,style,noscript"):
        node.decompose()
    text = tree.body.text(separator=" ") if tree.body else ""
    return (title.text() if title else "").strip(), re.sub(r"\s+", " ", text)


def regex(markup: str, _url: str) -> Finds:
    """Read a page with patterns over its text; the part of the title before its first divider is the name."""
    title, text = visible_text(markup)
    name = re.split(r"\s[|–—-]\s|\|", title)[0].strip()
    return Finds(EMAIL.findall(text), PHONE.findall(text), ADDRESS.findall(text), name)


def phonenumbers_matcher(markup: str, _url: str) -> Finds:
    """Find numbers with the matcher of phonenumbers, as read in the United States and in Britain."""
    import phonenumbers

    _, text = visible_text(markup)
    found = [
        phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        for country in ("US", "GB")
        for match in phonenumbers.PhoneNumberMatcher(text, country)
    ]
    return Finds(phones=found)


ADDRESS_KEYS = (
    "streetAddress", "street-address", "addressLocality", "locality", "addressRegion", "region", "postalCode",
    "postal-code",
)  # fmt: skip


def extruct_data(markup: str, url: str) -> Finds:
    """Read a page's structured data with extruct."""
    import extruct

    try:
        data = extruct.extract(markup, base_url=url, errors="ignore")
    except Exception:
        return Finds()
    emails: list[str] = []
    phones: list[str] = []
    addresses: list[str] = []
    names: list[str] = []
    for thing in _things(data):
        kind = str(thing.get("@type") or thing.get("type") or "")
        values = {**thing, **thing["properties"]} if isinstance(thing.get("properties"), dict) else thing
        emails += [text.removeprefix("mailto:") for text in _texts(values.get("email"))]
        phones += _texts(values.get("telephone")) + _texts(values.get("tel"))
        if values.get("streetAddress") or values.get("street-address"):
            addresses.append(" ".join(text for key in ADDRESS_KEYS for text in _texts(values.get(key))))
        if re.search(r"Organi[sz]ation|Business|Store|Hotel|Restaurant|Corporation|h-card|vcard", kind):
            names += _texts(values.get("name")) + _texts(values.get("org"))
        names += _texts(values.get("og:site_name"))
    site = [
        value
        for group in data.get("opengraph", [])
        for key, value in group.get("properties", [])
        if key == "og:site_name"
    ]
    return Finds(emails, phones, addresses, next(iter([*names, *site]), ""))


def _things(value: Any) -> Iterable[dict[str, Any]]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += list(one.values())
        elif isinstance(one, list):
            waiting += one


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and one.strip()]


def trafilatura_data(markup: str, url: str) -> Finds:
    """Read a page's metadata with trafilatura."""
    import trafilatura

    metadata = trafilatura.extract_metadata(markup, default_url=url)
    return Finds(organisation=(metadata.sitename or "") if metadata else "")


SYSTEMS: dict[str, Callable[[str, str], Finds]] = {
    "leadlight": leadlight, "regex": regex, "phonenumbers": phonenumbers_matcher, "extruct": extruct_data,
    "trafilatura": trafilatura_data,
}  # fmt: skip


def cpu_per_page(find: Callable[[str, str], Finds], chosen: Sequence[Page]) -> tuple[float, float]:
    """Return the mean and the highest CPU milliseconds of a page, once warm."""
    find(chosen[0].markup, chosen[0].url)
    gc.collect()
    times = []
    for page in chosen:
        began = time.process_time()
        find(page.markup, page.url)
        times.append((time.process_time() - began) * 1000)
    return sum(times) / len(times), max(times)


def chosen_pages(half: str) -> list[Page]:
    """Return the annotated pages of a half."""
    return [page for page in annotated() if half == "all" or page.held_out == (half == "held-out")]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("held-out", "tuned", "all"), default="held-out")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    chosen = chosen_pages(options.half)
    measures: list[Measure] = []
    speed: dict[str, tuple[float, float]] = {}
    for system, find in SYSTEMS.items():
        try:
            speed[system] = cpu_per_page(find, pages())
        except ImportError as error:
            print(f"{system} is left out: {error}")
            continue
        measures += measure(system, find, chosen)
    _show(options.half, chosen, measures, speed)
    if options.json:
        facts = {"half": options.half, "pages": len(chosen), "measures": [asdict(one) for one in measures],
                 "cpu_ms": {system: {"mean": mean, "max": most} for system, (mean, most) in speed.items()}}  # fmt: skip
        options.json.write_text(json.dumps(facts, indent=2) + "\n")


def _show(
    half: str, chosen: Sequence[Page], measures: Sequence[Measure], speed: dict[str, tuple[float, float]]
) -> None:
    sites = len({page.site for page in chosen})
    print(f"\n{len(chosen)} annotated pages of {sites} sites ({half})\n")
    print("| field | system | precision | recall | F1 | mean F1 of a page | pages | elsewhere |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for name in FIELDS:
        for one in measures:
            if one.field == name and (one.f1 > 0 or one.system == "leadlight"):
                print(
                    f"| {name} | {one.system} | {one.precision:.3f} | {one.recall:.3f} | {one.f1:.3f} "
                    f"| {one.page_f1:.3f} | {one.pages} | {one.elsewhere} |"
                )
    print("\n| system | CPU ms a page | the most |\n|---|--:|--:|")
    for system, (mean, most) in speed.items():
        print(f"| {system} | {mean:.1f} | {most:.0f} |")


if __name__ == "__main__":
    main()
