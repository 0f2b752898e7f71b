"""Whether a company found in a register is the lead's.

A register finds companies by name, and names are shared: "Acme Ltd" of Leeds is not "Acme, Inc." of Albany. Each
company found is judged by what is known of the lead's, and the answer is how sure it is that they are the same:

* **name**: both are folded (case, accents, punctuation, legal forms such as GmbH, "the", "and") and their words sorted;
  the likeness is rapidfuzz's ratio of the two, 0 to 1, of the best of the found company's names (present, former,
  short). The same folded name begins at .75; a likeness of .92 and more at .6, but only among names of 12 letters and
  more: Loom is not Bloom. Less is another company, unless the web site says otherwise.
* **web site**, where the register knows it and the lead's domain is known: the same domain makes it .97 (.85 if the
  names are unlike); another domain halves what all else makes.
* **country**, where both are known: the same adds .15, another leaves .4 of it. The same city or postal code adds .05.
* **closed** companies keep .8 of it.
* **rivals**: where n other companies come within .1, each is as likely, and it is divided by n + 1; a company whose web
  site is the lead's has no rivals.
* Below .5 there is no answer: a wrong company is worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from leadlight.enrich.convert import country_of
from leadlight.enrich.provider import Clue, Query

LEAST = 0.5
"""Below this, nothing is given."""
NEAR = 0.1
SAME, NEARLY = 0.75, 0.6
"""How sure a company is by its name alone: the same, or one that is nearly so."""
NEARLY_ALIKE, LONG = 0.92, 12
"""From which likeness on, and from how many letters on, names are nearly the same."""

_WORDS = """
inc incorporated corp corporation co company companies ltd limited llc llp lp lllp plc pllc pc gmbh mbh ag kg kgaa
ohg ug se ev eg sa sas sasu sarl eurl snc sca scs bv nv cv vof ab as asa aps oy oyj ky hf ehf sl slu srl srls spa
sapa sro zrt kft nyrt doo dd ood ead eood ad sia uab ou pty pte bhd sdn tbk pt jsc pjsc oao ooo zao kk gk cic lda
ltda eireli sapi
"""
_FORMS = frozenset(_WORDS.split())
_DROPPED = frozenset({"the", "and", "of", "et", "und", "y", "e"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of the lead's company."""

    name: str
    country: str | None = None
    """Two letters."""
    domain: str | None = None
    city: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A company that a register found."""

    names: tuple[str, ...]
    """The present one first."""
    country: str | None = None
    sites: tuple[str, ...] = ()
    """Addresses or domains of its web sites; empty where the register does not know them."""
    city: str | None = None
    postal_code: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Match:
    """The company that is taken to be the lead's."""

    index: int
    """Its place among the candidates."""
    confidence: float
    why: str = field(default="")
    """What speaks for it, in words."""


def wanted_of(query: Query) -> Wanted | None:
    """Return what a query says of a company; None without a name that has letters or digits."""
    name = query.get(Clue.COMPANY)
    if not name or not folded(name):
        return None
    return Wanted(
        " ".join(name.split()),
        country_of(query.get(Clue.COUNTRY)),
        (query.get(Clue.DOMAIN) or "").strip().lower() or None,
        query.get(Clue.CITY),
        query.get(Clue.POSTAL_CODE),
    )


def company_key(query: Query) -> str | None:
    """Return the key of a question about a company: its folded name, and all else that the judgement looks at."""
    wanted = wanted_of(query)
    if wanted is None:
        return None
    rest = (wanted.country, wanted.domain, wanted.city, wanted.postal_code)
    return "|".join([" ".join(wanted.name.lower().split()), *((each or "").strip().lower() for each in rest)])


def choose(wanted: Wanted, candidates: Sequence[Candidate]) -> Match | None:
    """Return the candidate that is the lead's company, and how sure that is; None where none is, or which is open.

    >>> choose(Wanted("Acme Inc.", "US"), [Candidate(("ACME, INC.",), "US"), Candidate(("Acme Ltd",), "GB")])
    Match(index=0, confidence=0.9, why='name 1.00, same country')
    >>> choose(Wanted("Acme"), [Candidate(("Acme Inc",), "US"), Candidate(("Acme Ltd",), "GB")])
    """
    judged = [judge(wanted, candidate) for candidate in candidates]
    if not judged:
        return None
    index = max(range(len(judged)), key=lambda i: judged[i][0])
    best, why, by_site = judged[index]
    rivals = [i for i, (sure, _, _) in enumerate(judged) if i != index and sure >= best - NEAR and sure > 0]
    if rivals and not by_site:
        best, why = best / (len(rivals) + 1), f"{why}, {len(rivals)} as likely"
    return Match(index, round(best, 3), why) if best >= LEAST else None


def judge(wanted: Wanted, candidate: Candidate) -> tuple[float, str, bool]:
    """Return how sure it is that a candidate is the lead's company, why, and whether its web site says so."""
    alike = max((likeness(wanted.name, name) for name in candidate.names), default=0.0)
    why = [f"name {alike:.2f}"]
    same_site = _same_site(wanted.domain, candidate.sites)
    if same_site:
        return (0.97 if alike >= 0.6 else 0.85), f"{why[0]}, same web site", True
    sure = _by_name(wanted.name, candidate.names)
    if wanted.country and candidate.country:
        same = wanted.country.upper() == candidate.country.upper()
        sure, why = (sure + 0.15 if sure else 0.0) if same else sure * 0.4, [*why, f"{_same(same)} country"]
    if sure and _same_place(wanted, candidate):
        sure, why = sure + 0.05, [*why, "same place"]
    sure = min(sure, 0.95)
    if not candidate.active:
        sure, why = sure * 0.8, [*why, "closed"]
    if same_site is False:
        sure, why = sure * 0.5, [*why, "another web site"]
    return sure, ", ".join(why), False


def _by_name(wanted: str, names: Sequence[str]) -> float:
    sure = 0.0
    for name in names:
        alike, letters = likeness(wanted, name), min(len(folded(each).replace(" ", "")) for each in (wanted, name))
        if alike >= 0.999:
            return SAME
        if alike >= NEARLY_ALIKE and letters >= LONG:
            sure = NEARLY
    return sure


def likeness(one: str, other: str) -> float:
    """Return how alike two companies' names are, 0 to 1.

    >>> likeness("The Acme Company, Inc.", "ACME Co"), likeness("Müller & Söhne GmbH", "Mueller und Soehne") > 0.8
    (1.0, True)
    """
    from rapidfuzz import fuzz

    first, second = folded(one), folded(other)
    if not first or not second:
        return 0.0
    glued = fuzz.ratio(first.replace(" ", ""), second.replace(" ", ""))
    return max(fuzz.token_sort_ratio(first, second), glued) / 100


@lru_cache(maxsize=20_000)
def folded(name: str) -> str:
    """Return a name without case, accents, punctuation, legal forms and small words.

    >>> folded("Société Générale S.A."), folded("AT&T Inc."), folded("The Company Co.")
    ('societe generale', 'at t', 'company')
    """
    text = name[:300].translate(_SPELT)
    text = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    text = re.sub(r"\b((?:\w\.){2,}\w?|\w/\w)", lambda match: re.sub(r"\W", "", match[0]), text)  # S.A., A/S
    words = re.sub(r"[^\w]+", " ", text).replace("_", " ").split()
    kept = [word for word in words if word not in _DROPPED] or words
    while len(kept) > 1 and kept[-1] in _FORMS:
        kept = kept[:-1]
    return " ".join(kept)


_SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
    | {"ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L"}
)


def host_of(address: str) -> str:
    """Return the host of an address or domain, without `www.`; empty where it has none.

    >>> host_of("https://www.Acme.com/about"), host_of("acme.com"), host_of("http://[bad")
    ('acme.com', 'acme.com', '')
    """
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return host.rstrip(".").removeprefix("www.")


def _same_site(domain: str | None, sites: Sequence[str]) -> bool | None:
    """Say whether one of the sites is of a domain; None where nothing can be said."""
    hosts = [host for site in sites if (host := host_of(site))]
    if not domain or not hosts:
        return None
    return any(host == domain or host.endswith(f".{domain}") for host in hosts)


def _same_place(wanted: Wanted, candidate: Candidate) -> bool:
    for one, other in ((wanted.postal_code, candidate.postal_code), (wanted.city, candidate.city)):
        if one and other and re.sub(r"\W", "", one.casefold()) == re.sub(r"\W", "", other.casefold()):
            return True
    return False


def _same(same: bool) -> str:
    return "same" if same else "another"
