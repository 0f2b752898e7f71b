"""The file of leads: what it says of them, as it stands at `until`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.simulate.accounts import company_names, domains
from leadlight.simulate.columns import lead_ids, moments, texts
from leadlight.simulate.draws import Bools, Floats, Ints
from leadlight.simulate.leads import Leads
from leadlight.simulate.outcomes import Leaks
from leadlight.simulate.world import COUNTRIES, DEPARTMENTS, KINDS, SENIORITIES, SOURCES, World

FIRST_NAMES = (
    "Anna", "Ben", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Lukas", "Marta",
    "Nils", "Olga", "Pablo", "Renate", "Simon", "Tanja", "Viktor", "Wanda", "Yusuf", "Zoe", "Aisha", "Bruno", "Chloé",
    "Diego", "Emma", "Farid", "Gloria", "Henrik",
)  # fmt: skip
LAST_NAMES = (
    "Abel", "Bauer", "Castro", "Dubois", "Ernst", "Fischer", "García", "Huber", "Ivanov", "Jansen", "Keller", "Lopez",
    "Meyer", "Novak", "Okafor", "Petit", "Quinn", "Rossi", "Schmidt", "Tanaka", "Ulrich", "Vogel", "Weber", "Young",
    "Zimmer", "Andersen", "Brown", "Cohen", "de Vries", "Eriksson", "Fontaine", "Gruber", "Hansen", "Kumar", "Lang",
    "Moreau", "O'Brien",
)  # fmt: skip
FREE_DOMAINS = ("freemail.example", "webmail.example", "inbox.example")
DISPOSABLE_DOMAINS = ("tempmail.example", "tenminutes.example")
COMPETITOR_DOMAINS = ("rival.example", "contender.example")
STAFF_DOMAIN = "ourselves.example"
STUDENT_DOMAIN = "campus.example"
DEPARTMENT_TITLES = ("Sales", "Marketing", "IT", "Operations", "Finance", "People")
TITLE_FORMS = (("C", "O"), ("VP ", ""), ("Director of ", ""), ("", " Manager"), ("", " Specialist"))
CHIEFS = ("Chief Revenue Officer", "CMO", "CTO", "COO", "CFO", "Chief People Officer")


def leads_table(world: World, leads: Leads, leaks: Leaks) -> pa.Table:
    """Write down what is known of leads: with gaps, twice-entered people, and fields that know the outcome."""
    who = leads.number[leads.person]
    untold = _unless(world, "company", leads.number, np.where(leads.mailbox == 2, 0.02, 0.7))
    no_title = _unless(world, "title", leads.number, np.full(len(leads), 0.12))
    no_level = no_title | _unless(world, "seniority", leads.number, np.full(len(leads), 0.08))
    student = leads.kind == KINDS.index("student")
    return pa.table(
        {
            "lead_id": lead_ids(leads.number),
            "record_no": _record_numbers(leads),
            "created": moments(leads.created),
            "email": _mails(world, leads, who),
            "name": pc.binary_join_element_wise(*_names(world, who), " "),
            "title": _titles(leads, student, no_title),
            "seniority": texts(SENIORITIES, leads.seniority, no_level | student),
            "department": texts(DEPARTMENTS, leads.department, no_title | student),
            "company": company_names(leads.accounts).take(pa.array(leads.account, mask=untold)),
            "country": _countries(world, leads),
            "source": texts(SOURCES, leads.source),
            "phone": _phones(world, leads, who),
            "budget": _budgets(world, leads, who),
            "newsletter": pa.array(world.draws.uniform("lead/newsletter", who) < 0.4),
            "lead_quality": leaks.quality,
            "last_activity_result": leaks.last_result,
        }
    )


def _unless(world: World, what: str, index: Ints, share: Floats) -> Bools:
    found: Bools = world.draws.uniform(f"lead/no {what}", index) < share
    return found


def _record_numbers(leads: Leads) -> pa.Array:
    """YYMMDD and a running number: an id that tells the time."""
    day = leads.created.astype("datetime64[s]").astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    of_month = (day - month).astype(np.int64) + 1
    since_2000 = month.astype(np.int64) - 360
    date = since_2000 // 12 * 10_000 + (since_2000 % 12 + 1) * 100 + of_month
    return pa.array(date * 10**8 + leads.number % 10**8)


def _names(world: World, who: Ints) -> tuple[pa.Array, pa.Array]:
    first = np.floor(world.draws.uniform("lead/first name", who) * len(FIRST_NAMES)).astype(np.int64)
    last = np.floor(world.draws.uniform("lead/last name", who) * len(LAST_NAMES)).astype(np.int64)
    return texts(FIRST_NAMES, first), texts(LAST_NAMES, last)


def _mails(world: World, leads: Leads, who: Ints) -> pa.Array:
    """Addresses no two people share; a duplicate's is written another way every second time."""
    first, last = (pc.replace_substring_regex(pc.ascii_lower(name), "[^a-z]", "") for name in _names(world, who))
    local = pc.binary_join_element_wise(first, ".", last, pa.array(who + 1).cast(pa.string()), "")
    mail = pc.binary_join_element_wise(local, _mail_domains(world, leads, who), "@")
    loud = leads.is_duplicate & (world.draws.uniform("lead/loud", leads.number) < 0.5)
    return pc.if_else(pa.array(loud), pc.ascii_upper(mail), mail)


def _mail_domains(world: World, leads: Leads, who: Ints) -> pa.Array:
    u = world.draws.uniform("lead/mail domain", who)
    found = domains(leads.accounts.number).take(pa.array(leads.account))
    special: list[tuple[Bools, tuple[str, ...]]] = [
        (leads.mailbox == 0, FREE_DOMAINS),
        (leads.mailbox == 1, DISPOSABLE_DOMAINS),
        (leads.kind == KINDS.index("student"), (STUDENT_DOMAIN,)),
        (leads.kind == KINDS.index("competitor"), COMPETITOR_DOMAINS),
        (leads.kind == KINDS.index("staff"), (STAFF_DOMAIN,)),
    ]
    for theirs, names in special:
        found = pc.if_else(pa.array(theirs), texts(names, np.floor(u * len(names)).astype(np.int64)), found)
    return found


def _titles(leads: Leads, student: Bools, missing: Bools) -> pa.Array:
    grid = [
        CHIEFS[d] if s == 0 else TITLE_FORMS[s][0] + DEPARTMENT_TITLES[d] + TITLE_FORMS[s][1]
        for s in range(len(SENIORITIES))
        for d in range(len(DEPARTMENTS))
    ]
    place = leads.seniority.astype(np.int64) * len(DEPARTMENTS) + leads.department
    return texts([*grid, "Student"], np.where(student, len(grid), place), missing)


def _countries(world: World, leads: Leads) -> pa.Array:
    """The lead's own country: mostly its company's."""
    u = world.draws.uniform("lead/country", leads.number[leads.person])
    own = leads.accounts.country[leads.account]
    away = np.floor(u / 0.15 * len(COUNTRIES)).astype(np.int64)
    country = np.where(u < 0.15, np.minimum(away, len(COUNTRIES) - 1), own)
    return texts(COUNTRIES, country, _unless(world, "country", leads.number, np.full(len(leads), 0.06)))


def _phones(world: World, leads: Leads, who: Ints) -> pa.Array:
    """Numbers reserved for fiction; the keener a lead was on arrival, the likelier it gave one."""
    given = world.draws.uniform("lead/phone given", who) < 0.2 + 0.2 * leads.first_state
    parts: list[pa.Array] = []
    for part, (low, count) in enumerate(((201, 780), (100, 100))):
        u = world.draws.uniform(f"lead/phone {part}", who)
        parts.append(pa.array(low + np.floor(u * count).astype(np.int64)).cast(pa.string()))
    phone = pc.binary_join_element_wise("+1 ", parts[0], " 555 0", parts[1], "")
    return pc.if_else(pa.array(given), phone, pa.scalar(None, pa.string()))


def _budgets(world: World, leads: Leads, who: Ints) -> pa.Array:
    """Stated budgets in €: given by the keen, near what such a company pays."""
    given = world.draws.uniform("lead/budget given", who) < 0.1 + 0.15 * leads.first_state
    size = 700 * leads.employees**0.55 * np.exp(0.5 * world.draws.normal("lead/budget", who))
    return pa.array((np.rint(size / 500) * 500).astype(np.int64), mask=~given)
