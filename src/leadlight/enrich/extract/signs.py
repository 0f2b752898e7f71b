"""What a page shows of how a company sells and grows: open positions, prices, trials, demos, a log-in."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from leadlight.enrich.extract.document import Document, Link
from leadlight.enrich.extract.found import Found, around
from leadlight.enrich.extract.hosts import registrable
from leadlight.enrich.extract.items import everything
from leadlight.enrich.extract.organisation import host_of

KINDS = {
    "about": r"about|company|who[ -]we[ -]are|our[ -]story|über[ -]?uns|ueber[ -]?uns|unternehmen|"
    r"a[ -]propos|qui[ -]sommes|sobre|"
    r"quienes[ -]somos|chi[ -]siamo|azienda|over[ -]ons|om[ -]os|om[ -]oss|o[ -]nas|team|impressum|imprint|"
    r"mentions[ -]legales|aviso[ -]legal",
    "contact": r"contact|kontakt|contacto|contatti|contato|get[ -]in[ -]touch|reach[ -]us|locations?|"
    r"standorte|find[ -]us|impressum",
    "pricing": r"pricing|prices|price[ -]list|plans|plans[ -]and[ -]pricing|preise?|preisliste|"
    r"tarife?|tarifs|prix|precios?|planes|prezzi|prijzen|priser|"
    r"cennik|precos|preços|pakete|editions",
    "careers": r"careers?|jobs?|join[ -]us|join[ -]our[ -]team|work[ -](?:with|for)[ -]us|vacanc(?:y|ies)|"
    r"open[ -](?:positions|roles)|we.?re[ -]hiring|"
    r"hiring|karriere|stellen(?:angebote)?|stellenanzeigen|offene[ -]stellen|recrutement|carri[eè]res?|emplois?|"
    r"nous[ -]rejoindre|empleo|"
    r"trabaja[ -]con[ -]nosotros|lavora[ -]con[ -]noi|vacatures|werken[ -]bij|ledige[ -]stillinger|praca|kariera|"
    r"vagas|trabalhe[ -]conosco|employment",
}  # fmt: skip
"""Pages that matter → words of several languages in their addresses and in the links to them."""
_WORDS = {kind: re.compile(rf"(?i)(?<![a-z])(?:{words})(?![a-z])") for kind, words in KINDS.items()}

_HIRERS = (
    "greenhouse.io", "lever.co", "workable.com", "personio.de", "personio.com", "smartrecruiters.com", "ashbyhq.com",
    "recruitee.com", "teamtailor.com", "bamboohr.com", "breezy.hr", "join.com", "myworkdayjobs.com", "icims.com",
    "jobvite.com", "applytojob.com", "welcometothejungle.com", "softgarden.io", "taleo.net", "successfactors.com",
    "rippling.com", "paylocity.com", "recruiterbox.com", "pinpointhq.com", "jobs.personio.de", "workday.com",
)  # fmt: skip
"""Hosts of applicant tracking: a link to one is a sign of hiring."""
_NOT_HIRING = re.compile(
    r"(?i)\b(?:no (?:(?:open|current|job)\s?)?(?:positions|openings|vacancies|opportunities)|(?:currently|"
    r"at (?:the|this) (?:moment|time))[^.]{0,30}"
    r"(?:no|not)[^.]{0,20}(?:hiring|vacanc|opening|position)|not (?:currently )?hiring|keine offenen stellen|"
    r"aucun poste|no hay vacantes)"
)
_HIRING = re.compile(
    r"(?i)\b(?:we(?:'|’)?(?: a)?re (?:now )?hiring|now hiring|join our (?:growing )?team|open (?:positions|roles)|"
    r"current (?:openings|vacancies)|"
    r"job openings|wir stellen ein|wir suchen (?:dich|sie)|offene stellen|nous recrutons|we are looking for (?:a|"
    r"an)\b|estamos contratando)"
)
_HIRING_WORDS = (
    "hiring", "join our", "open positions", "open roles", "current ", "job openings", "wir stellen", "wir suchen",
    "offene stellen", "nous recrutons", "we are looking", "estamos contratando",
)  # fmt: skip
_TRIAL = re.compile(
    r"(?i)\b(?:free trial|trial (?:period|version)|start (?:your |a )?(?:free )?trial|(?:\d{1,2}|fourteen|"
    r"thirty)[- ]days? (?:free )?trial|try (?:it )?(?:now )?"
    r"(?:for )?free|start (?:now )?for free|get started (?:for )?free|free (?:forever )?plan|kostenlos (?:testen|"
    r"ausprobieren)|testversion|gratis testen|"
    r"essai gratuit|essayer gratuitement|prueba gratuita?|prueba gratis|prova gratuita|gratis proberen|"
    r"teste gr[aá]tis|prøv gratis|prova gratis)\b"
)
_DEMO = re.compile(
    r"(?i)\b(?:(?:request|book|get|schedule|see|watch|arrange|take) (?:a |an |your |our )?(?:free |live |"
    r"personal |product |interactive )?demo|live demo|"
    r"demo (?:anfordern|vereinbaren|buchen|aanvragen|request)|request a demonstration|demander une d[ée]mo\w*|"
    r"solicit(?:ar|a|e) (?:una |uma )?demo\w*|"
    r"richiedi (?:una )?demo|book en demo)\b"
)
_LOGIN = re.compile(
    r"(?i)^(?:log ?in|sign ?in|log on|my account|customer (?:log ?in|portal|area)|client (?:log ?in|portal|area)|"
    r"member log ?in|anmelden|einloggen|kundenlogin|"
    r"mein konto|kundenportal|connexion|se connecter|espace client|mon compte|iniciar sesi[oó]n|acceder|mi cuenta|"
    r"accedi|area clienti|inloggen|entrar|"
    r"logg? inn?|log ind|zaloguj.*|my \w{2,20})$"
)
_LOGIN_PATH = re.compile(
    r"(?i)(?:^|/)(?:log-?in|sign-?in|signin|wp-login\.php|my-?account|account/login|users/sign_in|"
    r"customer/account|anmelden|connexion)(?:$|[/.?])"
)
_PRICE = re.compile(
    r"(?:(?:[$€£¥]|\b(?:USD|EUR|GBP|CHF)\b)\s?\d{1,6}(?:[.,]\d{2,3})?|\d{1,6}(?:[.,]\d{2})?\s?(?:[€£]|\b(?:USD|"
    r"EUR|GBP|CHF|kr|zł)))"
)
_PER = re.compile(
    r"(?i)(?:/|\bper\b|\bpro\b|\bpar\b|\bal\b|\bje\b)\s?(?:mo(?:nth|nat|is)?|user|seat|year|jahr|nutzer|an|mes|mese)\b"
)
_JOB_PATH = re.compile(
    r"(?i)/(?:careers?|jobs?|positions?|vacanc(?:y|ies)|openings?|stellen\w*|karriere|vacatures?|recrutement|"
    r"empleo|o)/[^/?]{1,120}/?$"
)
_JOB_WORDS = re.compile(
    r"(?i)\(?\b(?:m/w/d|w/m/d|f/m/x|m/f/d|f/h|h/f|full[- ]time|part[- ]time|engineer|developer|manager|designer|"
    r"analyst|assistant|technician|"
    r"specialist|consultant|accountant|representative|director|intern(?:ship)?|nurse|driver|mechanic|electrician|"
    r"sales|entwickler|mitarbeiter\w*|"
    r"ingenieur\w*|d[ée]veloppeu\w*|comptable|desarrollador\w*)\b"
)
_BOAST = re.compile(r"(?i)\b(?:low|lowest|best|great|guaranteed?|compare|unbeatable)\b")
"""Words beside "prices" of shops that have no page of prices."""
_MOST_WORDS = 4
"""Words in a link to a page that matters, and in the last part of its address: titles of stories are longer."""


def is_page_of(link: Link, kind: str) -> bool:
    """Whether a link leads to a page that matters, by its words or address.

    >>> from leadlight.enrich.extract.document import Link
    >>> is_page_of(Link("https://acme.de/unternehmen/karriere", "Arbeiten bei Acme"), "careers")
    True
    """
    return _speaks_of(link.text[:100], link.path[-120:] or link.url.partition("://")[2].partition("/")[2][-120:], kind)


@lru_cache(maxsize=16_384)
def _speaks_of(text: str, path: str, kind: str) -> bool:
    if text.count(" ") < _MOST_WORDS and _WORDS[kind].search(text) and not _BOAST.search(text):
        return True
    path = _readable(path)
    return len(path) > 1 and bool(_WORDS[kind].search(path))


def _readable(path: str) -> str:
    """Return the last part of an address's path, where that is short enough to be a name."""
    path = path[-120:].rstrip("/").rpartition("/")[2]
    path = (unquote(path) if "%" in path else path).replace("_", "-")
    return path if path.count("-") < _MOST_WORDS else ""


def kinds_of(url: str, title: str) -> set[str]:
    """Return what kinds of page an address and title speak of."""
    path = _readable(url.partition("://")[2].partition("/")[2].partition("?")[0])
    return {kind for kind, words in _WORDS.items() if words.search(path) or words.search(title[:60])}


def hiring(document: Document) -> Found | None:
    """Return "true" or "false" with the sign for it, None where nothing speaks of it."""
    for item in everything(document.items):
        if item.is_a("JobPosting"):
            return Found("true", 0.95, item.source, item.text("title") or item.text("name"))
    if "careers" in kinds_of(document.url, document.title):
        for line in document.lines:
            if (no := _NOT_HIRING.search(line.text)) is not None:
                return Found("false", 0.8, "text", around(line.text, no.start(), no.end()))
    for link in document.links:
        if registrable(link.host) in _HIRERS:
            return Found("true", 0.9, "link", f"{link.text} {link.url}"[:300])
    lowered = document.text.lower()
    if any(word in lowered for word in _HIRING_WORDS) and (yes := _HIRING.search(document.text)) is not None:
        return Found("true", 0.8, "text", around(document.text, yes.start(), yes.end()))
    own = [link for link in document.links if is_page_of(link, "careers") and _is_own(document, link)]
    return Found("true", 0.6, "link", f"{own[0].text} {own[0].url}"[:300]) if own else None


def open_positions(document: Document) -> Found | None:
    """Return how many positions are listed, where the page is one about careers or has job postings."""
    postings = [item for item in everything(document.items) if item.is_a("JobPosting")]
    posted = {item.text("title") or item.text("name") or str(number) for number, item in enumerate(postings)}
    if posted:
        return Found(str(len(posted)), 0.9, "structured", ", ".join(sorted(posted))[:300])
    if "careers" not in kinds_of(document.url, document.title):
        return None
    jobs = {link.url: link.text for link in document.links if _is_job(document, link)}
    if jobs:
        return Found(str(len(jobs)), 0.75, "link", ", ".join(jobs.values())[:300])
    for line in document.lines:
        if (no := _NOT_HIRING.search(line.text)) is not None:
            return Found("0", 0.7, "text", around(line.text, no.start(), no.end()))
    return None


def _is_job(document: Document, link: Link) -> bool:
    if link.area in ("nav", "header", "footer") or not 1 <= len(link.text.split()) <= 15:
        return False
    if registrable(link.host) in _HIRERS:
        return len(link.path) > 12
    return _is_own(document, link) and bool(
        (_JOB_PATH.search(link.path) and link.url != document.url) and _JOB_WORDS.search(link.text)
    )


def _is_own(document: Document, link: Link) -> bool:
    own = host_of(document.url)
    return link.host == own or registrable(link.host) == registrable(own)


def pricing(document: Document) -> Found | None:
    """Return the sign of a page with prices."""
    if "pricing" in kinds_of(document.url, document.title):
        text = document.text[:100_000]
        prices = _PRICE.findall(text)
        if len(prices) >= 2 or _PER.search(text):
            return Found("true", 0.95, "text", ", ".join(prices[:6]) or document.title)
    for link in document.links:
        if is_page_of(link, "pricing") and _is_own(document, link):
            return Found("true", 0.75, "link", f"{link.text} {link.url}"[:300])
    return None


def trial(document: Document) -> Found | None:
    """Return the sign of a trial or a free plan."""
    return _first(
        document,
        _TRIAL,
        (
            "trial",
            "for free",
            "try free",
            "try it",
            "try now",
            "free plan",
            "forever plan",
            "started free",
            "kostenlos",
            "gratis",
            "gratuit",
            "testversion",
            "grátis",
        ),
    )


def demo(document: Document) -> Found | None:
    """Return the sign that a demo can be asked for."""
    return _first(document, _DEMO, ("demo", "démo"))


def login(document: Document) -> Found | None:
    """Return the sign that customers can log in."""
    if any(kind.startswith("password") for kind in document.inputs):
        return Found("true", 0.9, "form", "a password field")
    for link in document.links:
        if _LOGIN.match(link.text) or _LOGIN_PATH.search(link.path):
            return Found("true", 0.85, "link", f"{link.text} {link.url}"[:300])
    return None


def _first(document: Document, pattern: re.Pattern[str], words: tuple[str, ...]) -> Found | None:
    """Return the first hit; the words, one of which must stand there, are looked for first, as that is faster."""
    lowered = document.text.lower()
    if not any(word in lowered for word in words):
        return None
    if (match := pattern.search(document.text)) is not None:
        return Found("true", 0.85, "text", around(document.text, match.start(), match.end()))
    return None
