"""The language as declared, else as the words show."""

from __future__ import annotations

import pytest

from leadlight.enrich.extract.document import take_apart
from leadlight.enrich.extract.language import language

GERMAN = (
    "<p>Wir sind ein kleines Unternehmen und stellen seit vielen Jahren Ambosse her, die in der ganzen Welt "
    "geschätzt werden."
)
FRENCH = (
    "<p>Nous sommes une petite entreprise et nous fabriquons depuis longtemps des enclumes qui sont connues dans le "
    "monde entier."
)


@pytest.mark.parametrize(
    ("markup", "value", "how"),
    [
        ('<html lang="fr">' + GERMAN, "fr", "declared"),
        ('<html xml:lang="pt-BR"><p>x', "pt", "declared"),
        ('<meta http-equiv="content-language" content="de, en"><p>x', "de", "declared"),
        (GERMAN, "de", "words"),
        (FRENCH, "fr", "words"),
    ],
)
def test_language(markup, value, how):
    found = language(take_apart(markup, ""))
    assert (found.value, found.how) == (value, how)


@pytest.mark.parametrize("markup", ["", "<p>ok", '<html lang="klingon"><p>x', '<html lang=""><p>1234567890'])
def test_nothing_tells(markup):
    assert language(take_apart(markup, "")) is None
