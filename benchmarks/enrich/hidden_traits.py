"""A world whose leads give an e-mail address, a phone number and a company's name, and nothing else.

What drives the outcome is hidden from the file and shows outside: the mail suite and the tools in use in the DNS; the
size, open positions and prices on the company's site; the age of the domain in its register. The rest is luck. In
logits, with the standard deviation of the noise beside it:

    1.1 HubSpot in use + 0.9 hiring + size (-0.8 below 10 people, 0.9 from 50 to 999) + 0.7 Google Workspace
    - 1.2 parked site + domain (-0.8 younger than 4 years, 0.4 from 12) + 0.5 prices on the site
    - 1.2 free mail - 0.8 role address + 0.5 British number + N(0, 0.5) - centre

Lists of leads arrive every second week (unless told), at eight in the morning; outcomes follow within 3 to 27 days. The
clock is set: at six in the evening of each of these days what has come is read, and looked up.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

import leadlight
from internet import companies as made
from internet.companies import TOOLS, Companies
from leadlight.evaluate.metrics import Metrics, measure
from leadlight.scorecards.scores_at import scores_at
from leadlight.simulate.draws import Draws

START = datetime(2025, 1, 6, 8)
EVENING = timedelta(hours=10)
HORIZON = timedelta(days=30)
FREE = ("gmail.com", "outlook.com", "yahoo.com", "gmx.de")
ROLES = ("info", "sales", "office", "contact")
FIRST = ("anna", "ben", "clara", "david", "elena", "felix", "greta", "hugo", "ines", "jonas", "marta", "nils")
LAST = ("abel", "bauer", "castro", "dubois", "ernst", "fischer", "huber", "jansen", "keller", "lopez", "meyer", "novak")
LOCAL = {"email", "phone"}
CENTRE = 2.3


@dataclass(frozen=True, slots=True)
class Traits:
    """The leads as they are, in order of arrival."""

    companies: Companies
    company: np.ndarray
    place: np.ndarray
    """How many of its company came before it."""
    batch: np.ndarray
    """Which of the lists each came with."""
    free: np.ndarray
    role: np.ndarray
    british: np.ndarray
    probability: np.ndarray
    won: np.ndarray
    days: np.ndarray
    """Days from arrival to the outcome."""
    every: timedelta
    """From one list to the next."""

    def __len__(self) -> int:
        return len(self.company)

    def created(self, lead: int) -> datetime:
        """Return when a lead arrived."""
        return START + int(self.batch[lead]) * self.every + timedelta(seconds=lead % 3600)

    def closed(self, lead: int) -> datetime:
        """Return when its outcome came."""
        return self.created(lead) + timedelta(days=float(self.days[lead]))


def make_traits(*, lists: int, per_list: int, seed: int = 1, weeks: int = 2) -> Traits:
    """Draw the leads of so many lists; seven companies for ten leads."""
    leads = lists * per_list
    draws, number = Draws(seed), np.arange(leads)
    companies = made.make_companies(max(1, leads * 7 // 10), seed=seed)
    company = np.floor(draws.uniform("lead/company", number) * len(companies)).astype(int)
    place = _place(company)
    free = draws.uniform("lead/free", number) < 0.2
    role = ~free & (place < len(ROLES)) & (draws.uniform("lead/role", number) < 0.12)
    british = draws.uniform("lead/british", number) < 0.35
    logit = _of_company(companies)[company] - 1.2 * free - 0.8 * role + 0.5 * british - CENTRE
    probability = 1 / (1 + np.exp(-(logit + 0.5 * draws.normal("lead/noise", number))))
    return Traits(
        companies, company, place, number // per_list, free, role, british, probability,
        draws.uniform("lead/won", number) < probability, 3 + 24 * draws.uniform("lead/days", number),
        timedelta(weeks=weeks),
    )  # fmt: skip


def _place(company: np.ndarray) -> np.ndarray:
    order = np.argsort(company, kind="stable")
    found = np.empty(len(company), int)
    found[order] = np.arange(len(company)) - np.searchsorted(company[order], company[order])
    return found


def _of_company(companies: Companies) -> np.ndarray:
    size, age = companies.employees, 2025 - companies.registered
    return (
        1.1 * companies.tools[:, TOOLS.index("hubspot")]
        + 0.9 * (~companies.parked & (companies.openings > 0))
        + np.select([size < 10, (size >= 50) & (size < 1000)], [-0.8, 0.9], 0.0)
        + 0.7 * (companies.suite == "google_workspace")
        - 1.2 * companies.parked
        + np.select([age < 4, age >= 12], [-0.8, 0.4], 0.0)
        + 0.5 * (~companies.parked & companies.pricing)
    )


def add(internet: Any, lists: int, per_list: int, seed: int = 1) -> None:
    """Add the companies of a world to an internet."""
    made.add(internet, make_traits(lists=lists, per_list=per_list, seed=seed).companies, kilobytes=10)


def write_workspace(folder: Path, ask: list[str], network: Mapping[str, Any]) -> None:
    """Write leadlight.yaml (JSON is YAML); with nobody to ask, nothing is looked up."""
    folder.mkdir(parents=True, exist_ok=True)
    spec: dict[str, Any] = {
        "entity": "lead",
        "store": "duckdb:leadlight.duckdb",
        "sources": {
            "leads": {"csv": "leads.csv", "id": "lead_id", "created_at": "created"},
            "deals": {"csv": "deals.csv", "lead": "lead_id", "at": "closed", "outcome": "stage"},
        },
        "outcome": {"win": "stage = 'won'", "lose": "stage = 'lost'", "horizon": f"{HORIZON.days}d"},
        "learn": {"every": "14d"},
    }
    if ask:
        spec["enrich"] = {
            "ask": ask,
            "always": True,
            "never": "outcome is not null",
            "providers": {"rdap": {"per_second": 100.0}} if "rdap" in ask else {},
            "network": dict(network),
        }
    (folder / "leadlight.yaml").write_text(json.dumps(spec, indent=2) + "\n")


def write_files(folder: Path, traits: Traits, moment: datetime) -> None:
    """Write what has come by a moment: leads, and the outcomes of those that have one."""
    leads = [lead for lead in range(len(traits)) if traits.created(lead) <= moment]
    closed = [lead for lead in leads if traits.closed(lead) <= moment]
    _write(folder / "leads.csv", ("lead_id", "created", "email", "phone", "company"), (_told(traits, n) for n in leads))
    stages = ((f"L{n:06d}", traits.closed(n), "won" if traits.won[n] else "lost") for n in closed)
    _write(folder / "deals.csv", ("lead_id", "closed", "stage"), stages)


def _write(path: Path, header: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _told(traits: Traits, lead: int) -> tuple[Any, ...]:
    """What a lead gives."""
    company = int(traits.company[lead])
    place, name = int(traits.place[lead]), company * 7 + int(traits.place[lead])
    person = f"{FIRST[name % len(FIRST)]}.{LAST[name // len(FIRST) % len(LAST)]}"
    local = ROLES[place] if traits.role[lead] else person if not traits.free[lead] else f"{person}{lead}"
    domain = FREE[lead % len(FREE)] if traits.free[lead] else traits.companies.domain[company]
    phone = f"+44 20 7946 0{lead % 1000:03d}" if traits.british[lead] else f"+1 518 555 01{lead % 100:02d}"
    return f"L{lead:06d}", traits.created(lead), f"{local}@{domain}", phone, traits.companies.name[company]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a scorecard was worth on leads that came after it was learned."""

    ask: tuple[str, ...]
    learned_at: datetime
    until: datetime
    features: tuple[str, ...]
    """What the scorecard looks at."""
    metrics: Metrics
    best: Metrics
    """The same leads ranked by their true probability: nothing can do better but by luck."""


def play(
    folder: Path, traits: Traits, ask: list[str], network: Mapping[str, Any], *, learn_after: int,
    told: Callable[[str], None] = lambda _: None,
) -> Judged:  # fmt: skip
    """Live through the lists one by one, learn after some of them, and judge by those that came later."""
    write_workspace(folder, ask, network)
    lists = int(traits.batch[-1]) + 1
    evenings = [START + n * traits.every + EVENING for n in range(lists)]
    outside = set(ask) - LOCAL  # what follows from a lead's own values is known since these are, whenever it is asked
    for evening in evenings if outside else evenings[-1:]:
        told(f"{evening:%Y-%m-%d}")
        write_files(folder, traits, evening)
        workspace = leadlight.open(folder, now=lambda evening=evening: evening)
        workspace.ingest()
        if ask:
            workspace.enrich()
    end = evenings[-1] + HORIZON + timedelta(days=1)
    write_files(folder, traits, end)
    workspace = leadlight.open(folder, now=lambda: end)
    workspace.ingest()
    learned_at = evenings[learn_after - 1] + timedelta(days=1)
    workspace.learn(as_of=learned_at, force=True)
    return _judged(workspace, traits, tuple(ask), learned_at, end)


def _judged(workspace: Any, traits: Traits, ask: tuple[str, ...], learned_at: datetime, end: datetime) -> Judged:
    later = [lead for lead in range(len(traits)) if traits.created(lead) > learned_at]
    with workspace.session(), workspace.store() as engine:
        resolved = workspace._ready(engine)
        card = resolved.scorecards["learned"]
        keys = dict(engine.rows("SELECT id, lead FROM leads"))
        rows = np.array([keys[f"L{lead:06d}"] for lead in later])
        at = [traits.created(lead) + timedelta(days=1) for lead in later]
        found = scores_at(engine, resolved, card, rows, _moments(at))
    won = traits.won[later]
    names = tuple(dict.fromkeys(criterion.spec.name for criterion in card.criteria))
    best = measure(np.log(traits.probability[later]), won)
    return Judged(ask, learned_at, end, names, measure(found.score, won), best)


def _moments(moments: list[datetime]) -> Any:
    import pyarrow as pa

    return pa.array(moments, pa.timestamp("us"))
