"""Fingerprints: the shipped file is sound, each of its signs is found, and a user's own file adds to it."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import pytest

from leadlight.enrich.extract.document import take_apart
from leadlight.enrich.extract.technologies import (
    Fingerprints,
    cookie_names,
    known,
    shipped,
    technologies,
    with_own,
)
from leadlight.errors import NotFoundError, SpecError
from leadlight.spec.validation import validate
from leadlight.spec.yaml import read_yaml

TEXT = (files("leadlight.enrich.extract") / "technologies.yaml").read_text(encoding="utf-8")


def names(markup="", headers=None, url="https://acme.com/", **more):
    return [one.name for one in technologies(take_apart(markup, url), headers or {}, **more)]


def test_the_shipped_file_has_no_faults():
    parsed = read_yaml(TEXT, "technologies.yaml")
    assert not parsed.faults
    spec, faults = validate(Fingerprints, parsed)
    assert not faults
    assert len(spec.technologies) >= 700
    assert set(spec.technologies) == set(shipped().fingerprints)


def test_the_shipped_file_is_in_lower_case_and_implies_what_is_there():
    fingerprints = shipped().fingerprints
    for name, one in fingerprints.items():
        words = [
            *one.cookies,
            *one.scripts,
            *one.links,
            *one.generator,
            *one.markup,
            *one.headers,
            *one.headers.values(),
        ]
        assert [word for word in words if word != word.lower()] == [], name
        assert set(one.implies) <= set(fingerprints), name


def test_each_kind_of_technology_has_many():
    counts = Counter(category for one in shipped().fingerprints.values() for category in one.categories)
    for category in (
        "cms",
        "ecommerce",
        "analytics",
        "marketing",
        "crm",
        "support",
        "finance",
        "chat",
        "framework",
        "hosting",
    ):
        assert counts[category] >= 20, (category, counts[category])


def test_every_sign_is_found():
    for name, one in shipped().fingerprints.items():
        for word in one.scripts:
            assert name in names(f'<script src="https://x.example/{word}/1.js"></script>'), (name, word)
        for word in one.links:
            assert name in names(f'<link rel="stylesheet" href="https://x.example/{word}/1.css">'), (name, word)
        for word in one.generator:
            assert name in names(f'<meta name="generator" content="{word}">'), (name, word)
        for word in one.markup:
            assert name in names(f"<!-- {word} -->"), (name, word)
        for word in one.cookies:
            assert name in names("", {"set-cookie": f"{word}1=2; path=/"}), (name, word)
        for header, word in one.headers.items():
            assert name in names("", {header: word or "x"}), (name, header)
        for meta, word in one.metas.items():
            assert name in names(f'<meta name="{meta}" content="{word or "x"}">'), (name, meta)


def test_an_empty_page_has_no_technologies():
    assert names("<p>We use Shopify, WordPress and jQuery at HubSpot and Stripe.") == []


def test_what_goes_with_a_technology_is_less_sure():
    found = {one.name: one for one in technologies(take_apart('<meta name="generator" content="WordPress 6">', ""), {})}
    assert found["php"].confidence < found["wordpress"].confidence
    assert found["php"].evidence == "goes with wordpress"


def test_cookies():
    assert cookie_names("") == ()
    assert cookie_names("a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT") == ()
    assert cookie_names("ab=1, cd=2; Path=/\nEF=3") == ("ab", "cd", "ef")


def test_own_file_adds_and_wins(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "technologies:\n  acme_cart: {categories: [ecommerce], scripts: [Cart.Acme.example]}\n"
        "  wordpress: {categories: [framework], markup: [our-own-wordpress]}\n"
    )
    own = with_own(path, shown="own.yaml")
    assert names('<script src="https://cart.acme.example/1.js"></script>', fingerprints=own) == ["acme_cart"]
    assert names('<meta name="generator" content="wordpress">', fingerprints=own) == []
    assert len(own) == len(shipped()) + 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("technologies:\n  a: {categories: [shop], scripts: [xy]}\n", 2, "shop"),
        ("technologies:\n  a: {categories: [cms]}\n", 2, "nothing to know it by"),
        ("technologies:\n  a:\n    categories: [cms]\n    script: [xy]\n", 4, "did you mean 'scripts'"),
        ("technologies:\n  a: {categories: [cms], scripts: [x]}\n", 2, "scripts"),
        ("technologies: {}\n", 1, "names no technologies"),
        ("- a\n", 1, "must be a map"),
        ("technologies: [\n", 2, "a value is missing"),
    ],
)
def test_faults_have_their_line(tmp_path, text, line, message):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as raised:
        with_own(path, shown="own.yaml")
    [fault] = raised.value.faults
    assert (fault.file, fault.line) == ("own.yaml", line), fault
    assert message in str(fault)


def test_no_file(tmp_path):
    with pytest.raises(NotFoundError, match=r"own\.yaml"):
        with_own(tmp_path / "own.yaml", shown="own.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="UTF-8"):
        with_own(tmp_path / "binary.yaml", shown="binary.yaml")


def test_signs_of_one_common_word_still_work():
    own = known({"x": shipped().fingerprints["wordpress"].model_copy(update={"scripts": ["/js/"]})})
    assert names('<script src="/js/1.js"></script>', fingerprints=own) == ["x"]
