"""Accounts: what they are, and what the file says about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.simulate.columns import texts
from leadlight.simulate.draws import Bools, Codes, Floats, Ints
from leadlight.simulate.world import (
    ACCOUNTS_PER_BLOCK,
    BLOCK,
    COUNTRIES,
    COUNTRY_SHARE,
    EMPLOYEES_LOG_MEAN,
    EMPLOYEES_LOG_SD,
    INDUSTRIES,
    INDUSTRY_SHARE,
    TOOL_SHARE,
    TOOLS,
    World,
)

FIRST_WORDS = (
    "Nord", "Sund", "Alpen", "Lumen", "Vector", "Harbor", "Quartz", "Silver", "Amber", "Cobalt", "Delta", "Ember",
    "Falcon", "Granit", "Helio", "Indigo", "Juniper", "Kestrel", "Linden", "Marble", "Nimbus", "Onyx", "Pioneer",
    "Rowan", "Sable", "Tundra", "Umbra", "Vesper", "Willow", "Zephyr", "Birch", "Cedar", "Drift", "Fjord", "Glen",
    "Heather", "Iris", "Jade", "Karst", "Lark", "Mistral",
)  # fmt: skip
SECOND_WORDS = (
    "wind", "works", "line", "field", "gate", "bridge", "stone", "point", "path", "cast", "craft", "mark", "port",
    "ridge", "shore", "spring", "view", "ware", "well", "wood", "yard", "brook", "crest", "dale", "fold", "grove",
    "haven", "key", "land", "mere", "peak", "quay", "reach", "side", "tide", "vale", "way",
)  # fmt: skip
SUFFIXES = ("Labs", "Industries", "Stores", "Capital", "Health", "Academy", "Logistics", "Partners")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts as they are, by number, with what is hidden."""

    number: Ints
    industry: Codes
    employees: Floats
    country: Codes
    tool: Codes
    quality: Floats
    heat: Floats
    gateway: Bools

    def __len__(self) -> int:
        return len(self.number)


def account_count(leads: int) -> int:
    """How many accounts the world of so many leads has."""
    return -(-leads // BLOCK) * ACCOUNTS_PER_BLOCK


def make_accounts(world: World, number: Ints) -> Accounts:
    """Draw the accounts of these numbers."""
    draws = world.draws
    industry = draws.choice("account/industry", number, np.array(INDUSTRY_SHARE))
    log_size = np.array(EMPLOYEES_LOG_MEAN)[industry]
    log_size = log_size + np.array(EMPLOYEES_LOG_SD)[industry] * draws.normal("account/employees", number)
    employees = np.clip(np.rint(np.exp(log_size)), 1, 300_000)
    gateway = draws.uniform("account/gateway", number) < np.where(employees > 500, 0.35, 0.08)
    return Accounts(
        number=number,
        industry=industry,
        employees=employees,
        country=draws.choice("account/country", number, np.array(COUNTRY_SHARE)),
        tool=draws.choice("account/tool", number, np.array(TOOL_SHARE)),
        quality=draws.normal("account/quality", number),
        heat=draws.normal("account/heat", number),
        gateway=gateway,
    )


def accounts_table(world: World, accounts: Accounts) -> pa.Table:
    """What accounts.csv says of them: some industries and tools unknown at random, sizes mostly of the small."""
    draws, number = world.draws, accounts.number
    unknown_size = draws.uniform("account/no employees", number) < np.where(accounts.employees < 20, 0.35, 0.05)
    founded = 2020 - np.floor(-20 * np.log(draws.uniform("account/founded", number))).astype(np.int64)
    return pa.table(
        {
            "company": company_names(accounts),
            "domain": domains(accounts.number),
            "industry": texts(INDUSTRIES, accounts.industry, draws.uniform("account/no industry", number) < 0.08),
            "employees": pa.array(accounts.employees.astype(np.int64), mask=unknown_size),
            "hq_country": texts(COUNTRIES, accounts.country),
            "crm": texts(TOOLS, accounts.tool, draws.uniform("account/no crm", number) < 0.3),
            "founded": pa.array(np.maximum(founded, 1850)),
        }
    )


def company_names(accounts: Accounts) -> pa.Array:
    """Names that no two accounts share."""
    first, second, again = _words(accounts.number)
    parts = [texts(FIRST_WORDS, first), texts(SECOND_WORDS, second), " ", texts(SUFFIXES, accounts.industry)]
    return pc.binary_join_element_wise(*parts, _numbered(again, " "), "")


def domains(number: Ints) -> pa.Array:
    """Mail domains that no two accounts share, all under the reserved .example."""
    first, second, again = _words(number)
    parts = [texts([word.lower() for word in FIRST_WORDS], first), texts(SECOND_WORDS, second)]
    return pc.binary_join_element_wise(*parts, _numbered(again, "-"), ".example", "")


def _words(number: Ints) -> tuple[Ints, Ints, Ints]:
    # 41 and 37 have no common divisor, so number → (number mod 41, number mod 37) repeats after 41 × 37 only
    first, second = number % len(FIRST_WORDS), number % len(SECOND_WORDS)
    return first, second, number // (len(FIRST_WORDS) * len(SECOND_WORDS))


def _numbered(again: Ints, before: str) -> pa.Array:
    """Nothing for the first use of a name, a number from the second on."""
    text = pc.binary_join_element_wise(before, pa.array(again + 1).cast(pa.string()), "")
    return pc.if_else(pa.array(again == 0), "", text)
