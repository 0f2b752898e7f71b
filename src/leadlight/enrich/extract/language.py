"""The language of a page: as it declares it, or as its words show."""

from __future__ import annotations

import re

from leadlight.enrich.extract.document import Document
from leadlight.enrich.extract.found import Found

ENOUGH = 80
"""Characters of text below which a language is not guessed."""
MOST = 800
SURE = 0.9


def language(document: Document) -> Found | None:
    """Return the language, two letters, None where nothing tells.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> language(take_apart('<html lang="de-AT"><p>Servus', "")).value
    'de'
    """
    declared = document.language or document.metas.get("content-language", "") or document.metas.get("og:locale", "")
    match = re.match(r"[a-z]{2}(?=$|[-_,])", declared.strip().lower())
    if match is not None:
        return Found(match[0], 0.9, "declared", declared)
    text = " ".join(line.text for line in document.lines if len(line.text) > 20)[:MOST]
    if len(text) < ENOUGH:
        return None
    import py3langid

    guessed, _ = py3langid.classify(text)
    return Found(str(guessed)[:2], 0.7, "words", text[:100])
