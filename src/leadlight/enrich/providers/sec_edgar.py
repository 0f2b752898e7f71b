"""Companies whose shares are traded in the United States: the SEC's EDGAR, https://www.sec.gov/edgar/sec-api-documentation.

The list of all of them is fetched once a month (about 1 MB) and searched here; then two requests a company.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from leadlight.enrich.answer import answered, at, items_at, json_from, number_at, text_at
from leadlight.enrich.convert import country_of
from leadlight.enrich.industries import industry_of
from leadlight.enrich.match import Candidate, choose, company_key, folded, wanted_of
from leadlight.enrich.network import MONTH, Network, NetworkError, Reply, Why
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.errors import UsageError

TICKERS = "https://www.sec.gov/files/company_tickers.json"
SUBMISSIONS = "https://data.sec.gov/submissions/CIK{:010d}.json"
CONCEPT = "https://data.sec.gov/api/xbrl/companyconcept/CIK{:010d}/us-gaap/{}.json"
REVENUES = ("RevenueFromContractWithCustomerExcludingAssessedTax", "Revenues")
"""What companies call their revenue, in XBRL; most use the first."""
LIMIT = 8_000_000
FOUND = 5
LIKE = 80.0

ABOUT = About(
    name="sec_edgar",
    title="US SEC, EDGAR",
    needs=(frozenset({Clue.COMPANY}),),
    gives=(
        "legal_name", "listed", "industry", "industry_code", "revenue", "company_number", "company_phone", "city",
        "region", "postal_code", "country",
    ),
    ttl=timedelta(days=30),
    licence="public domain; no key; ten requests a second, with a contact in the User-Agent (sec.gov/privacy)",
    per_second=5.0,
)  # fmt: skip


class SecEdgarSettings(Settings):
    """Settings of sec_edgar: none; it needs `network.contact`."""


class SecEdgar:
    """Finds a company by its name, as `leadlight.enrich.match` judges."""

    def __init__(self, settings: SecEdgarSettings, surroundings: Surroundings) -> None:
        if not surroundings.contact:
            raise UsageError(
                "the SEC answers only those who say how to reach them",
                fix="Set `network: {contact: you@example.com}` under `enrich:`.",
            )
        self.about, self.settings = ABOUT, settings
        self._list: tuple[datetime, dict[str, tuple[int, str, str]]] | None = None

    def key(self, query: Query) -> str | None:
        """Return the company's name and all that it is judged by."""
        return company_key(query)

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what is filed of the company. Raises NetworkError."""
        wanted = wanted_of(query)
        if wanted is None:
            return ()
        near = _near(folded(wanted.name), await self._companies(query, network))
        filed = [(number, ticker, await _get(SUBMISSIONS.format(number), query, network)) for number, _, ticker in near]
        found = [(number, ticker, answer) for number, ticker, answer in filed if answer is not None]
        match = choose(wanted, [_candidate(answer) for _, _, answer in found])
        if match is None:
            return ()
        number, ticker, answer = found[match.index]
        revenue = await _revenue(number, query, network)
        return tuple(_facts(answer, number, ticker, revenue, match.confidence, match.why))

    async def _companies(self, query: Query, network: Network) -> dict[str, tuple[int, str, str]]:
        """Return all companies by their folded names: number, name, ticker. Read anew when the list is."""

        def read(reply: Reply) -> dict[str, tuple[int, str, str]]:
            if not reply.ok:
                raise NetworkError(Why.BROKEN, f"the SEC's list of companies answered with status {reply.status}")
            if self._list is None or self._list[0] != reply.fetched_at:
                self._list = (reply.fetched_at, _listed(reply.json()))
            return self._list[1]

        async def send(ttl: timedelta) -> Reply:
            return await network.get(TICKERS, headers={"Accept": "application/json"}, ttl=ttl, limit=LIMIT)

        return await answered(send, read, ttl=MONTH, at=query.at)


PROVIDER = Offer(ABOUT, SecEdgarSettings, SecEdgar)


def _listed(answer: Any) -> dict[str, tuple[int, str, str]]:
    """Read the list: {"0": {"cik_str": …, "ticker": …, "title": …}, …}; a company's first ticker stands first."""
    known: dict[str, tuple[int, str, str]] = {}
    for row in answer.values() if isinstance(answer, dict) else ():
        number, title, ticker = number_at(row, "cik_str"), text_at(row, "title"), text_at(row, "ticker")
        if number and 0 < number < 1e10 and title and ticker:
            known.setdefault(folded(title), (int(number), title, ticker))
    return known


def _near(name: str, companies: dict[str, tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    if name in companies:
        return [companies[name]]
    from rapidfuzz import fuzz, process

    found = process.extract(name, companies.keys(), scorer=fuzz.token_sort_ratio, limit=FOUND, score_cutoff=LIKE)
    return [companies[key] for key, _, _ in found]


async def _get(url: str, query: Query, network: Network) -> Any:
    return await json_from(network, url, whose="the SEC", at=query.at, ttl=ABOUT.ttl, limit=LIMIT)


async def _revenue(number: int, query: Query, network: Network) -> tuple[float, str] | None:
    """Return the revenue of the newest whole year in an annual report, and that year's end."""
    years: dict[str, float] = {}
    for concept in REVENUES:
        answer = await _get(CONCEPT.format(number, concept), query, network)
        for row in items_at(answer, "units", "USD", most=2000):
            end, value = text_at(row, "end"), number_at(row, "val")
            if end and value is not None and _is_year(row):
                years[end] = value
        if years:
            break
    newest = max(years, default=None)
    return None if newest is None else (years[newest], newest)


def _is_year(row: Any) -> bool:
    try:
        start, end = (datetime.fromisoformat(text_at(row, key) or "") for key in ("start", "end"))
    except ValueError:
        return False
    return (text_at(row, "form") or "") in ("10-K", "10-K/A", "20-F", "40-F") and 340 <= (end - start).days <= 380


def _candidate(answer: Any) -> Candidate:
    former = (text_at(each, "name") for each in items_at(answer, "formerNames"))
    names = [text_at(answer, "name"), *former]
    address = at(answer, "addresses", "business")
    return Candidate(
        tuple(name for name in names if name),
        _country(address),
        tuple(site for site in (text_at(answer, "website"), text_at(answer, "investorWebsite")) if site),
        city=text_at(address, "city"),
        postal_code=text_at(address, "zipCode"),
    )


def _country(address: Any) -> str | None:
    """Return the country of an address: two letters are a state of the US, all else a code with its description."""
    state = text_at(address, "stateOrCountry") or ""
    if len(state) == 2 and state.isalpha():
        return "US"
    return country_of(text_at(address, "stateOrCountryDescription"))


def _facts(
    answer: Any, number: int, ticker: str, revenue: tuple[float, str] | None, sure: float, why: str
) -> Iterator[Fact]:
    address, code = at(answer, "addresses", "business"), text_at(answer, "sic")
    name, country = text_at(answer, "name"), _country(address)
    found = {
        "legal_name": name,
        "listed": True if any(items_at(answer, "exchanges")) else None,
        "industry_code": code and f"sic:{code}",
        "industry": code and industry_of(code, scheme="sic"),
        "company_number": f"cik:{number}",
        "company_phone": text_at(answer, "phone"),
        "city": text_at(address, "city"),
        "region": text_at(address, "stateOrCountry") if country == "US" else None,
        "postal_code": text_at(address, "zipCode"),
        "country": country,
    }
    origin = SUBMISSIONS.format(number)
    for attribute, value in found.items():
        if value is not None:
            yield Fact(attribute, value, sure, origin, f"{name}, {ticker} ({why})")
    if revenue is not None:
        yield Fact("revenue", revenue[0], sure, CONCEPT.format(number, "…"), f"year to {revenue[1]}")
