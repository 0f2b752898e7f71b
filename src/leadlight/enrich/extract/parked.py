"""Pages that nobody lives behind: parked domains, domains for sale, pages that servers show before there are any."""

from __future__ import annotations

import re

from leadlight.enrich.extract.document import Document
from leadlight.enrich.extract.found import Found, around

MOST_WORDS = 400
_SAYS = re.compile(
    r"(?i)\b(?:(?:this |the |domain |website )?domain (?:name )?(?:\S{1,60} )?(?:is|may be|could be) (?:for sale|"
    r"available for (?:sale|purchase))|"
    r"[\w.-]{1,60}\.[a-z]{2,12} is for sale|buy this domain|this domain is parked|domain parking|parked (?:free|"
    r"domain|page)|"
    r"is parked (?:free|by|with|at)|make (?:an )?offer (?:on|for) this domain|"
    r"domain has (?:recently )?(?:been registered|expired)|"
    r"future home of something|diese domain (?:steht zum verkauf|ist geparkt|kaufen)|domain zu verkaufen|"
    r"ce domaine est (?:à vendre|en vente)|"
    r"este dominio está en venta|inquire about this domain|purchase this domain|get this domain|"
    r"domain(?:name)? te koop)\b"
)
_EMPTY = re.compile(
    r"(?i)(?:apache2? (?:ubuntu |debian )?default page|welcome to nginx|it works!|iis windows server|index of /|"
    r"default web ?site page|"
    r"website (?:is )?coming soon|site (?:is )?(?:under construction|coming soon)|account (?:has been )?suspended|"
    r"test page for the|"
    r"placeholder page|web hosting by|this is the default (?:web|server) page|plesk|cpanel, inc|"
    r"hier entsteht eine neue (?:internet|web))"
)
_PARKERS = (
    "sedoparking.com", "sedo.com/search", "parkingcrew.net", "bodis.com", "above.com", "hugedomains.com", "dan.com",
    "afternic.com", "parklogic.com", "uniregistry.com", "domainmarket.com", "namedrive.com", "voodoo.com", "skenzo.com",
    "cashparking", "smartname.com", "domainsponsor", "undeveloped.com", "parking.godaddy", "parked-content.godaddy",
    "d38psrni17bvxu.cloudfront.net", "img1.wsimg.com/parking-lander",
)  # fmt: skip


def parked(document: Document, *, words: int) -> Found | None:
    """Return the sign that a page is parked, for sale or empty; None for pages with a life of their own.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> parked(take_apart("<h1>acme.com</h1><p>This domain is for sale.", "http://acme.com/"), words=6).evidence
    'This domain is for sale.'
    """
    if words > MOST_WORDS:
        return None
    lowered = f"{document.title}\n{document.text}".lower()
    says = ("domain", "for sale", "future home", "parked")
    for text in (
        (document.title, *(line.text for line in document.lines[:200])) if any(word in lowered for word in says) else ()
    ):
        if (match := _SAYS.search(text[:1_000])) is not None:
            return Found("parked", 0.9, "text", around(text, match.start(), match.end()))
    loaded = "\n".join((*document.scripts, *(link.url for link in document.links[:100]))).lower()
    for parker in _PARKERS:
        if parker in loaded:
            return Found("parked", 0.85, "link", parker)
    if words <= 120:
        for text in (document.title, *(line.text for line in document.lines[:50])):
            if (match := _EMPTY.search(text[:500])) is not None:
                return Found("parked", 0.75, "text", around(text, match.start(), match.end()))
    return None
