"""What identifies a lead: taken from its attributes, and nobody's company is that of a mail provider."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.clues import ATTRIBUTES, find_clues, registrable
from leadlight.enrich.provider import Clue
from leadlight.spec.enrich import EnrichSpec


def clues(told: dict[str, str] | None = None, /, **values: Any) -> dict[str, str]:
    found = find_clues(EnrichSpec(clues=told or {}), values).of(values)
    return {str(clue): value for clue, value in found.items()}


@pytest.mark.parametrize(
    "email",
    [
        "ada@gmail.com", "ada@GoogleMail.com", "ada@outlook.com", "ada@yahoo.co.uk", "ada@web.de", "x@mailinator.com",
        "ada@mail.ru", "ada@icloud.com", "ada@qq.com", "ada@proton.me", " ada@gmail.com ", "ada+x@gmail.com",
    ],
)  # fmt: skip
def test_a_free_or_disposable_address_gives_no_domain(email: str) -> None:
    assert "domain" not in clues(email=email)
    assert clues(email=email)["email"] == email.strip()


def test_neither_does_a_domain_or_site_of_a_mail_provider() -> None:
    assert "domain" not in clues(domain="gmail.com")
    assert not {"domain", "website"} & set(clues(website="https://mail.gmail.com/"))
    assert clues(domain="gmail.com", email="ada@acme.com")["domain"] == "acme.com"


@pytest.mark.parametrize(
    ("values", "domain"),
    [
        ({"email": "ada@mail.acme.co.uk"}, "acme.co.uk"),
        ({"email": "ada@bücher.de"}, "xn--bcher-kva.de"),
        ({"website": "http://www.Acme.com:8080/about?x=1"}, "acme.com"),
        ({"website": "acme.com"}, "acme.com"),
        ({"website": "https://acme.github.io/"}, "acme.github.io"),
        ({"domain": "acme.com", "website": "https://other.com"}, "acme.com"),
        ({"website": "https://acme.com", "email": "ada@gmail.com"}, "acme.com"),
        ({"account": "acme.com"}, "acme.com"),
        ({"email": "ada@localhost"}, None),
        ({"email": "ada@10.0.0.1"}, None),
        ({"website": "javascript:alert(1)"}, None),
        ({"website": "http://[::1]/"}, None),
        ({"email": "no address"}, None),
        ({"email": "@"}, None),
        ({}, None),
    ],
)
def test_the_domain_of_the_company(values: dict[str, str], domain: str | None) -> None:
    assert clues(**values).get("domain") == domain


def test_a_page_elsewhere_is_a_profile_and_no_site() -> None:
    found = clues(website="https://www.facebook.com/acme", links="https://github.com/acme")
    assert found == {"links": "https://github.com/acme https://www.facebook.com/acme"}
    assert clues(email="ada@google.com")["domain"] == "google.com", "who writes from there works there"


def test_names_and_numbers() -> None:
    assert clues(first_name="Ada", last_name="Lovelace")["person"] == "Ada Lovelace"
    assert "person" not in clues(first_name="Ada", last_name=None)
    assert clues(phone=12125550123.0)["phone"] == "12125550123"
    assert clues(company=True) == {}


@pytest.mark.parametrize(
    ("account", "company"), [("Acme Ltd", "Acme Ltd"), ("A-123", None), ("0012x00000AbCdEfGH", None)]
)
def test_an_account_that_is_called_by_a_number_names_no_company(account: str, company: str | None) -> None:
    assert clues(account=account).get("company") == company


def test_what_clues_says_goes_first_and_what_is_found_comes_after() -> None:
    assert clues({"company": "firm"}, firm="Acme", company="Other")["company"] == "Acme"
    assert clues({"company": "firm"}, firm=None, company_name="Found Inc.")["company"] == "Found Inc."
    assert clues({"email": "Kontakt"}, Kontakt="ada@acme.com")["domain"] == "acme.com"


def test_the_attributes_that_a_clue_comes_from() -> None:
    found = find_clues(EnrichSpec(clues={"email": "contact"}), {"contact"})
    assert found.sources([Clue.PHONE])[0] == "phone"
    assert {"contact", "website", "domain"} <= set(found.sources([Clue.DOMAIN]))
    assert {"first_name", "last_name"} <= set(found.sources([Clue.PERSON]))


def test_every_clue_has_attributes() -> None:
    assert set(ATTRIBUTES) == set(Clue)


@given(
    st.dictionaries(
        st.sampled_from(["email", "website", "domain", "company", "links", "message"]), st.text(max_size=60)
    )
)
def test_whatever_stands_there_gives_plain_clues_or_none(values: dict[str, str]) -> None:
    found = clues(**values)
    assert all(found.values())
    assert not any(unicodedata.category(character) == "Cc" for value in found.values() for character in value)
    if "domain" in found:
        assert registrable(found["domain"]) == found["domain"]
