"""Search: answers shaped as SearXNG's JSON format."""

from __future__ import annotations

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import Surroundings
from leadlight.enrich.providers.search import Search, SearchSettings
from leadlight.errors import UsageError


def result(url, title="…"):
    return {"url": url, "title": title, "content": "…", "engine": "x", "parsed_url": [], "template": "default.html",
            "engines": ["x"], "positions": [1], "score": 1.0, "category": "general"}  # fmt: skip


@pytest.fixture
def search(internet):
    def of(*results, number=0, **settings):
        answer = {"query": "…", "number_of_results": number, "results": list(results), "answers": [], "corrections": [],
                  "infoboxes": [], "suggestions": [], "unresponsive_engines": []}  # fmt: skip
        internet.handle("searx.example", "/search", lambda request: seen.append(dict(request.query)) or answer)
        return Search(SearchSettings(url="https://searx.example/", **settings), Surroundings(environ={}))

    seen = of.seen = []
    return of


RESULTS = [
    result("https://en.wikipedia.org/wiki/Anvil_Works", "Anvil Works - Wikipedia"),
    result("https://www.linkedin.com/company/anvil-works", "Anvil Works | LinkedIn"),
    result("https://www.linkedin.com/company/hammer-works", "Hammer Works | LinkedIn"),
    result("https://www.anvilworks.example/about?x=1", "Anvil Works: anvils since 1920"),
    result("https://anvil-works.net.example/", "Another"),
]


def test_home_page_and_profiles(search, ask):
    found = ask(search(*RESULTS, number=1200), company="Anvil Works GmbH")
    assert {name: fact.value for name, fact in found.items()} == {
        "search_results": 1200, "company_website": "https://anvilworks.example",
        "social_profiles": "https://www.linkedin.com/company/anvil-works",
    }  # fmt: skip
    assert found["company_website"].confidence == 0.66
    assert found["company_website"].evidence == "Anvil Works: anvils since 1920"
    assert search.seen == [{"q": '"Anvil Works GmbH"', "format": "json", "language": "all"}]


def test_a_known_domain_needs_no_home_page(search, ask):
    assert "company_website" not in ask(search(*RESULTS), company="Anvil Works", domain="anvil.example")


@pytest.mark.parametrize(
    "url", ["https://www.news.example/anvil-works", "https://anvilworks.wikipedia.org", "javascript://anvilworks.example",
            "https://anvilworkshops.example", "https://anvilworks", "http://[anvilworks", "", None, 7],
)  # fmt: skip
def test_what_is_no_home_page(url, search, ask):
    assert "company_website" not in ask(search(result(url)), company="Anvil Works")


def test_nothing_found_and_quotes_in_names(search, ask):
    assert ask(search(), company='Anvil" OR "x') == {}
    assert search.seen[0]["q"] == '"Anvil  OR  x"'
    assert ask(search(*RESULTS, engines=["brave", "mojeek"]), company="Anvil Works")["search_results"].value == 5
    assert search.seen[1]["engines"] == "brave,mojeek"


def test_json_that_is_switched_off(search, internet, ask):
    asked = search()
    internet.handle("searx.example", "/search", Answer(status=403))
    with pytest.raises(NetworkError) as caught:
        ask(asked, company="Anvil")
    assert caught.value.why is Why.DENIED


def test_address_is_needed():
    with pytest.raises(UsageError, match="the address of a SearXNG"):
        Search(SearchSettings(), Surroundings(environ={}))
    assert Search(SearchSettings(), Surroundings()).about.name == "search"
