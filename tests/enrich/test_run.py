from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.enrich.fakes import HOUSE, NOW, Fake, Shop, denied
from tests.enrich.fakes import shop as shop

from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.report import Reason
from leadlight.errors import NotFoundError, UsageError
from leadlight.store.open import open_store

Make = Callable[..., Shop]
SOFTWARE = {"industry": "software"}


def outcomes(made: Shop) -> dict[tuple[str, str], str]:
    """Lead, provider → how it ended."""
    rows = made.rows("SELECT i.id, provider, outcome FROM lookups l JOIN ids i ON i.key = l._key ORDER BY recorded_at")
    return {(lead, provider): outcome for lead, provider, outcome in rows}


def test_what_is_found_becomes_a_value_known_since_now_and_the_lead_is_scored_again(shop: Make) -> None:
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}))
    run = made.workspace.enrich()
    assert made.value("L1", "industry") == "software"
    assert made.value("L1", "industry", NOW - timedelta(seconds=1)) is None
    assert (run.asked, run.questions, run.facts) == (3, 2, 2)
    assert [(one.scored, one.silent) for one in run.scored] == [(3, False)]
    grades = made.rows("SELECT i.id, grade FROM grade_history h JOIN ids i ON i.lead = h.lead ORDER BY run, i.id")
    assert grades[-2:] == [("L1", "A"), ("L2", "B")]


def test_leads_with_the_same_question_share_one(shop: Make) -> None:
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}, cost=0.5))
    run = made.workspace.enrich()
    assert sorted(made.fakes["crunch"].asked) == ["acme.com", "zeta.org"]
    assert run.cost == 1.0
    assert made.rows("SELECT sum(cost) FROM lookups")[0][0] == 1.0


def test_a_free_address_is_nobodys_company(shop: Make) -> None:
    run = shop(Fake("crunch")).workspace.enrich()
    assert run.skipped == {Reason.CLUE: 1}


def test_nobody_is_asked_where_no_answer_could_change_the_grade(shop: Make) -> None:
    card = HOUSE.replace("B: 10, C: null", "C: null")  # of small firms, 20 points of 30 are not enough
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}), card=card)
    run = made.workspace.enrich()
    assert run.skipped == {Reason.GRADE: 2, Reason.CLUE: 1}
    assert set(outcomes(made)) == {("L1", "crunch")}


def test_always_asks_all_the_same(shop: Make) -> None:
    card = HOUSE.replace("A: 30, B: 10, C: null", "C: null")
    made = shop(Fake("crunch"), card=card)
    assert made.workspace.enrich().asked == 0
    assert shop(Fake("crunch"), card=card, always=True).workspace.enrich().asked == 3


def test_without_a_scorecard_everything_matters(shop: Make) -> None:
    assert shop(Fake("crunch"), card=None).workspace.enrich().asked == 3


def test_the_next_is_asked_only_where_the_first_knew_nothing(shop: Make) -> None:
    first = Fake("first", says={"acme.com": SOFTWARE})
    second = Fake("second", says={"zeta.org": {"industry": "farming"}})
    made = shop(first, second)
    made.workspace.enrich()
    assert sorted(first.asked) == ["acme.com", "zeta.org"]
    assert second.asked == ["zeta.org"]
    assert made.value("L4", "industry") == "farming"


def test_an_answer_that_is_not_sure_enough_is_kept_and_the_next_is_asked(shop: Make) -> None:
    first = Fake("first", says={"acme.com": {"industry": ("farming", 0.4)}})
    second = Fake("second", says={"acme.com": SOFTWARE})
    rule = {"industry": {"ask": ["first", "second"], "at_least": 0.5}}
    made = shop(first, second, attributes=rule)
    made.workspace.enrich()
    assert made.value("L1", "industry") == "software"
    assert made.rows("SELECT count(*) FROM facts WHERE value = 'farming'")[0][0] == 2


def test_the_users_own_value_needs_no_answer(shop: Make) -> None:
    leads = "lead_id,created,email,size,industry\nL1,2026-01-01,ann@acme.com,500,farming\nL2,2026-01-01,b@acme.com,1,\n"
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}), leads=leads)
    run = made.workspace.enrich()
    assert (run.asked, run.skipped) == (1, {Reason.SETTLED: 1})
    assert made.value("L1", "industry") == "farming"


def test_who_was_asked_is_not_asked_again_while_the_answer_holds(shop: Make) -> None:
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}))
    made.workspace.enrich()
    made.at = NOW + timedelta(days=3)
    again = made.workspace.enrich()
    assert (again.asked, again.skipped[Reason.SETTLED]) == (0, 3)
    made.at = NOW + timedelta(days=8)  # that there was nothing holds for a week
    made.fakes["crunch"].asked.clear()
    made.workspace.enrich()
    assert made.fakes["crunch"].asked == ["zeta.org"]


def test_one_who_gives_a_clue_is_asked_for_the_sake_of_the_next(shop: Make) -> None:
    finder = Fake("finder", gives=("company_name",), by=Clue.EMAIL, clues=[Clue.COMPANY],
                  otherwise={"company_name": "Acme"})  # fmt: skip
    register = Fake("register", by=Clue.COMPANY, says={"Acme": SOFTWARE})
    made = shop(finder, register)
    plan = made.workspace.enrich(dry_run=True)
    assert {one.provider: one.leads for one in plan.providers} == {"finder": 4, "register": 4}
    made.ticks = timedelta(seconds=1)  # what is found is known a little later than the run began
    made.workspace.enrich()
    assert register.asked == ["Acme"]
    assert made.value("L3", "industry") == "software"


def test_never_basis_and_exclude(shop: Make) -> None:
    fake = Fake("crunch", by=Clue.EMAIL, says={})
    made = shop(fake, never="email like 'ann%'", basis_from="consent", exclude="email like 'dee%'")
    run = made.workspace.enrich()
    assert run.skipped == {Reason.NEVER: 1, Reason.BASIS: 1, Reason.EXCLUDED: 1}
    assert fake.asked == ["bob@acme.com"]
    assert made.rows("SELECT basis FROM lookups") == [("consent",)]


def test_what_follows_from_own_values_is_always_worked_out_and_known_since_these_are(shop: Make) -> None:
    local = Fake("local", gives=("email_role",), by=Clue.EMAIL, network=False, otherwise={"email_role": True})
    made = shop(local, never="email_role", card=None)
    run = made.workspace.enrich()
    assert (run.asked, len(local.asked)) == (0, 4)
    assert made.value("L1", "email_role", datetime(2026, 1, 1)) is True


# -------------------------------------------------------------------------------------------------------- failures


def test_a_failure_costs_one_lead_and_no_money(shop: Make) -> None:
    crunch = Fake("crunch", says={"acme.com": ValueError("boom"), "zeta.org": SOFTWARE}, cost=1.0)
    made = shop(crunch)
    run = made.workspace.enrich()
    (said,) = run.providers
    assert (said.found, said.failed, said.why, said.cost) == (1, 2, {"broken": 2}, 1.0)
    assert outcomes(made)[("L1", "crunch")] == "failed"
    assert made.value("L4", "industry") == "software"


def test_a_failure_of_one_has_the_next_asked(shop: Make) -> None:
    first = Fake("first", otherwise=NetworkError(Why.UNREACHABLE, "no answer"))
    second = Fake("second", says={"acme.com": SOFTWARE})
    made = shop(first, second)
    made.workspace.enrich()
    assert made.value("L1", "industry") == "software"


def test_a_provider_that_refuses_us_is_left_alone(shop: Make) -> None:
    rows = [f"L{n},2026-01-01,x@firm{n}.com,500" for n in range(400)]
    crunch = Fake("crunch", otherwise=denied())
    made = shop(crunch, leads="\n".join(["lead_id,created,email,size", *rows]), budget={"money": 1000})
    run = made.workspace.enrich()
    assert len(crunch.asked) <= 50  # those that were on their way
    assert run.notes == ("crunch was not asked any more: the key is wrong",)


# ----------------------------------------------------------------------------------------------------------- budget


def test_the_budget_goes_to_those_with_most_to_gain(shop: Make) -> None:
    leads = "lead_id,created,email,size\nL1,2026-01-01,a@one.com,5\nL2,2026-01-01,a@two.com,500\n"
    card = HOUSE.replace("A: 30, B: 10", "A: 35, B: 10, B2: 5")
    crunch = Fake("crunch", cost=2.0)
    made = shop(crunch, leads=leads, card=card)
    plan = made.workspace.enrich(dry_run=True, money=3.0)
    assert (plan.cost, plan.asked, plan.skipped) == (2.0, 1, {Reason.BUDGET: 1})
    run = made.workspace.enrich(money=3.0)
    assert (run.cost, run.skipped) == (2.0, {Reason.BUDGET: 1})
    assert crunch.asked == ["one.com"]  # from C to B are two grades, from B to A is one


def test_when_the_requests_are_spent_the_rest_stay_as_they_were(shop: Make) -> None:
    made = shop(Fake("crunch", otherwise=NetworkError(Why.BUDGET, "spent")))
    run = made.workspace.enrich(requests=0)
    assert (run.asked, run.skipped) == (0, {Reason.BUDGET: 3, Reason.CLUE: 1})
    assert outcomes(made) == {}


# ---------------------------------------------------------------------------------------------------------- dry run


def test_a_dry_run_asks_nobody_and_writes_nothing(shop: Make) -> None:
    local = Fake("local", gives=("domain",), by=Clue.EMAIL, clues=[Clue.DOMAIN], network=False,
                 says={"cy@gmail.com": {"domain": "cy.com"}})  # fmt: skip
    crunch = Fake("crunch", cost=0.25)
    made = shop(local, crunch)
    plan = made.workspace.enrich(dry_run=True)
    assert crunch.asked == []
    assert outcomes(made) == {}
    assert not (made.folder / ".leadlight" / "lookups.sqlite").exists()
    assert (plan.asked, plan.questions, plan.cost) == (4, 3, 0.75)  # cy's domain is known by then
    run = made.workspace.enrich()
    assert (run.asked, run.questions, run.cost) == (4, 3, 0.75)
    assert "would ask about 4 leads of 4: 3 questions at most, about 3 requests, costing 0.75" in str(plan)


def test_a_dry_run_needs_no_keys(shop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = shop(Fake("crunch"))
    assert made.workspace.enrich("L1", dry_run=True).leads == 1


# ------------------------------------------------------------------------------------------------------ who is asked


def test_one_lead_or_those_for_whom_a_condition_is_true(shop: Make) -> None:
    made = shop(Fake("crunch"))
    assert made.workspace.enrich("L4").asked == 1
    assert made.workspace.enrich(where="size > 100 and email like '%acme%'").leads == 1
    with pytest.raises(UsageError, match="--where is no condition: .*sizes"):
        made.workspace.enrich(where="sizes > 1")
    with pytest.raises(NotFoundError):
        made.workspace.enrich("L9")


def test_only_the_providers_named(shop: Make) -> None:
    made = shop(Fake("first"), Fake("second"))
    made.workspace.enrich(providers=["second"])
    assert {provider for _, provider in outcomes(made)} == {"second"}
    with pytest.raises(NotFoundError, match="did you mean"):
        made.workspace.enrich(providers=["secund"])


def test_without_enrich_nobody_is_asked(shop: Make) -> None:
    made = shop(Fake("crunch"))
    (made.folder / "leadlight.yaml").write_text("sources: {leads: {csv: leads.csv, id: lead_id, created_at: created}}")
    (made.folder / "scorecards" / "house.yaml").unlink()
    with pytest.raises(UsageError, match="does not say whom to ask"):
        made.workspace.enrich()


# -------------------------------------------------------------------------------------------- the store, and the end


def test_the_store_is_free_while_an_answer_is_waited_for(shop: Make) -> None:
    opened = []

    async def look(query: Query) -> dict[str, Any]:
        open_store("duckdb:leadlight.duckdb", made.folder).close()
        opened.append(query.clues[Clue.DOMAIN])
        return SOFTWARE

    made = shop(Fake("crunch", otherwise=look))
    made.workspace.enrich()
    assert len(opened) == 2


def test_a_run_that_is_stopped_keeps_what_came_and_goes_on(shop: Make) -> None:
    stop = threading.Event()

    async def last(query: Query) -> dict[str, Any]:
        stop.set()
        await asyncio.sleep(60)
        return SOFTWARE

    crunch = Fake("crunch", says={"acme.com": SOFTWARE, "zeta.org": last})
    made = shop(crunch)
    run = made.workspace.enrich(stop=stop)
    assert run.stopped
    assert "run it again to go on" in str(run)
    assert outcomes(made) == {("L1", "crunch"): "found", ("L2", "crunch"): "found"}
    assert [one.scored for one in run.scored] == [2]
    crunch.says["zeta.org"] = SOFTWARE
    crunch.asked.clear()
    made.workspace.enrich()
    assert crunch.asked == ["zeta.org"]


def test_a_scorecard_that_was_edited_is_left_to_score(shop: Make) -> None:
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}), score=False)
    run = made.workspace.enrich()
    assert run.scored == ()
    assert run.notes == ("nobody was scored by house, which is new or was edited: run `leadlight score`",)


def test_it_runs_where_a_loop_is_running(shop: Make) -> None:
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}))

    async def notebook() -> int:
        return made.workspace.enrich().facts

    assert asyncio.run(notebook()) == 2


def test_accounts_of_those_who_changed_are_scored_again(shop: Make) -> None:
    card = """
features: {staff: {account: {sum: employees}}}
of: account
groups: {fit: {criteria: [{name: Staff, feature: staff, bands: [[null, 10, 0], [10, null, 20]]}]}}
grades: {score: {A: 20, B: null}}
"""
    leads = "lead_id,created,email,account\nL1,2026-01-01,a@one.com,One\nL2,2026-01-01,b@two.com,Two\n"
    made = shop(Fake("crunch", gives=("employees",), says={"one.com": {"employees": 12.0}}), card=card, leads=leads)
    run = made.workspace.enrich()
    assert [one.scored for one in run.scored] == [2]
    grades = made.rows("SELECT account, grade FROM grade_history ORDER BY run, account")
    assert grades == [("One", "B"), ("Two", "B"), ("One", "A")]


def test_at_the_end_of_ingest_those_are_looked_up_who_are_new(shop: Make) -> None:
    crunch = Fake("crunch", says={"acme.com": SOFTWARE, "new.com": SOFTWARE})
    made = shop(crunch, on_ingest=True)
    assert made.value("L1", "industry") == "software"
    with (made.folder / "leads.csv").open("a") as file:
        file.write("L5,2026-02-01,eve@new.com,500,yes\n")
    made.at = NOW + timedelta(days=1)
    report = made.workspace.ingest()
    assert report.enriched is not None
    assert report.enriched.as_dict()["leads"] == 1
    assert made.value("L5", "industry") == "software"
    assert made.workspace.ingest().enriched is None


def test_what_follows_from_what_others_found_is_worked_out_in_the_same_run(shop: Make) -> None:
    finder = Fake("finder", gives=("company_name",), says={"acme.com": {"company_name": "Acme Inc."}})
    local = Fake("local", gives=("company_form",), by=Clue.COMPANY, network=False, otherwise={"company_form": "inc"})
    made = shop(finder, local, card=None)
    made.workspace.enrich()
    assert made.value("L1", "company_form") == "inc"
    again = made.workspace.enrich()
    assert (again.questions, again.facts, len(local.asked)) == (0, 0, 1)


def test_a_provider_whose_answer_becomes_its_own_clue_is_not_asked_again(shop: Make) -> None:
    class ByBoth(Fake):
        def key(self, query: Query) -> str:
            return f"{query.get(Clue.EMAIL)} {query.get(Clue.COUNTRY)}"

    phone = ByBoth("phone", gives=("phone_country",), by=Clue.EMAIL, otherwise={"phone_country": "US"})
    made = shop(phone, card=None)
    made.workspace.enrich()
    assert len(phone.asked) == 4
    assert made.workspace.enrich().questions == 0


def test_a_dry_run_keeps_to_the_budget_of_requests(shop: Make) -> None:
    made = shop(Fake("crunch"), budget={"requests": 1})
    plan = made.workspace.enrich(dry_run=True)
    assert (plan.questions, plan.skipped[Reason.BUDGET]) == (1, 1)  # L1 and L2 are one question
