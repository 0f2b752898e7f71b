"""What is wrong with `enrich:`: all at once, each at its line, with what is allowed; and the names that it gives."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest
from tests.enrich.fakes import HOUSE, Fake

import leadlight
from leadlight.enrich import catalog
from leadlight.enrich.provider import Clue
from leadlight.errors import LeadlightError, SpecError
from leadlight.expr.types import Type
from leadlight.store.names import catalog as names_of
from leadlight.workspace import check_folder

LEADS = "lead_id,created,email,employees,account\nL1,2026-01-01,ann@acme.com,50,Acme\n"
SPEC = """\
entity: lead
store: duckdb:leadlight.duckdb
sources:
  leads: {csv: leads.csv, id: lead_id, created_at: created, account: account}
"""


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        Fake("firms", ("industry", "employees", "company_name"), Clue.COMPANY, clues=(Clue.DOMAIN,)),
        Fake("sites", ("industry", "cms"), Clue.DOMAIN),
        Fake("calls", ("phone_country",), Clue.PHONE, network=False),
    ]
    monkeypatch.setattr(catalog, "_points", lambda: {fake.name: fake for fake in made})


def workspace(folder: Path, enrich: str, *, card: str | None = None, leads: str = LEADS) -> Path:
    (folder / "leads.csv").write_text(leads)
    (folder / "leadlight.yaml").write_text(SPEC + "enrich:\n" + indent(dedent(enrich).strip("\n"), "  ") + "\n")
    if card is not None:
        (folder / "scorecards").mkdir(exist_ok=True)
        (folder / "scorecards" / "house.yaml").write_text(card)
    return folder


def said(folder: Path) -> list[str]:
    """What `check` says, faults or warnings."""
    try:
        return [str(fault) for fault in check_folder(folder).warnings]
    except SpecError as error:
        return [str(fault) for fault in error.faults]


def places(faults: list[str]) -> list[tuple[str, ...]]:
    return [tuple(fault.split(": ", 2)[:2]) for fault in faults]


def test_all_faults_at_once_with_those_of_the_rest(tmp_path: Path) -> None:
    folder = workspace(
        tmp_path,
        """
        ask: [firms, sitez]
        clues: {emale: email}
        attributes:
          cms: [sites, firms]
          fooo: [sites]
          phone_country: {ask: [sites]}
        network: {dns: [nowhere], at_once: 0}
        """,
        card="groups: {fit: {criteria: [{name: X, when: cms = 'x', points: zero}]}}\n",
    )
    faults = said(folder)
    assert sorted(places(faults)) == [
        ("leadlight.yaml:10:12", "enrich.attributes.fooo[0]"),
        ("leadlight.yaml:11:27", "enrich.attributes.phone_country.ask[0]"),
        ("leadlight.yaml:12:18", "enrich.network.dns"),
        ("leadlight.yaml:12:38", "enrich.network.at_once"),
        ("leadlight.yaml:6:16", "enrich.ask[1]"),
        ("leadlight.yaml:7:11", "enrich.clues.emale"),
        ("leadlight.yaml:9:18", "enrich.attributes.cms[1]"),
        ("scorecards/house.yaml:1:62", "groups.fit.criteria[0].points"),
    ]
    text = "\n".join(faults)
    assert "no provider 'sitez': did you mean 'sites'?" in text
    assert "nothing identifies a lead by 'emale': did you mean 'email'?" in text
    assert "firms does not give cms, but industry, employees, company_name" in text


def test_conditions_know_what_is_given(tmp_path: Path) -> None:
    faults = said(
        workspace(
            tmp_path,
            "ask: [firms]\nnever: industry = 'farming' and cms = 'x'\nclues: {company: nothing}\nbasis_from: basis",
        )
    )
    assert places(faults) == [
        ("leadlight.yaml:7:35", "enrich.never"),
        ("leadlight.yaml:8:20", "enrich.clues.company"),
        ("leadlight.yaml:9:15", "enrich.basis_from"),
    ]


def test_an_attribute_that_nobody_gives(tmp_path: Path) -> None:
    folder = workspace(
        tmp_path,
        """
        ask: [firms]
        attributes: {cms: [], industri: [firms], phone_country: {ask: [firms, sites]}}
        """,
    )
    faults = said(folder)
    assert len(faults) == 3
    assert "leadlight.yaml:7:16: enrich.attributes.cms: nobody of firms gives 'cms': sites would" in faults[0]
    assert "nobody of firms gives 'industri': did you mean 'industry'?" in faults[1]
    assert "nobody of firms, sites gives 'phone_country': calls would" in faults[2]


def test_warnings_stop_nothing(tmp_path: Path) -> None:
    folder = workspace(
        tmp_path,
        """
        ask: [firms, calls]
        providers: {sites: {per_second: 2}}
        """,
    )
    assert said(folder) == [
        "leadlight.yaml:6:16: enrich.ask[1]: calls needs phone, and nothing in your data is called so: "
        "name the attribute in `clues` (warning)",
        "leadlight.yaml:7:15: enrich.providers.sites: sites has settings, but is never asked (warning)",
    ]
    assert "nobody is asked" in said(workspace(tmp_path, "always: true"))[0]


def test_who_sends_out_persons_asks_for_a_lawful_basis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    class Personal(Fake):
        @property
        def about(self):
            return replace(super().about, personal=True)

    person = Personal("person", by=Clue.EMAIL)
    monkeypatch.setattr(catalog, "_points", lambda: {"person": person})
    (warning,) = said(workspace(tmp_path, "ask: [person]"))
    assert "person sends out who a person is: say by what right in `basis` or `basis_from`" in warning
    assert said(workspace(tmp_path, "ask: [person]\nbasis: consent")) == []


def test_what_does_not_fit_beside_own_values_is_said(tmp_path: Path) -> None:
    leads = "lead_id,created,email,employees,cms\nL1,2026-01-01,ann@acme.com,yes,1\nL2,2026-01-01,bo@acme.com,no,2\n"
    folder = workspace(tmp_path, "ask: [firms, sites]\nattributes: {employees: [firms], cms: [sites]}", leads=leads)
    spec = (folder / "leadlight.yaml").read_text().replace(", account: account", "")
    (folder / "leadlight.yaml").write_text(spec)
    text = "\n".join(said(folder))
    assert "your own employees is bool, what is looked up is number: answers that are no bool are not used" in text
    assert "your own cms is number, what is looked up is text" in text


def test_a_broken_enrich_does_not_make_its_names_unknown(tmp_path: Path) -> None:
    """One mistake is told once: a scorecard that uses what a misspelt provider gives is not blamed."""
    assert len(said(workspace(tmp_path, "ask: [firmz]", card=HOUSE.replace("size", "employees")))) == 1
    assert len(said(workspace(tmp_path, "ask: 5", card=HOUSE.replace("size", "employees")))) == 1


# ------------------------------------------------------------------------------------------------- names from the start


def test_scorecards_use_what_look_ups_give_before_anybody_was_asked(tmp_path: Path) -> None:
    folder = workspace(tmp_path, "ask: [firms, sites]", card=HOUSE.replace("size", "employees"))
    assert said(folder) == []
    opened = leadlight.open(folder)
    opened.ingest()
    with opened.store() as engine:
        attributes = names_of(engine).attributes
        assert {"industry": Type.TEXT, "cms": Type.TEXT, "employees": Type.NUMBER}.items() <= attributes.items()
    assert [row.ledger.score for row in opened.rank().rows] == [0.0]


def test_a_store_from_before_says_what_to_run(tmp_path: Path) -> None:
    folder = workspace(tmp_path, "ask: [firms]")
    (folder / "leadlight.yaml").write_text(SPEC)
    leadlight.open(folder).ingest()
    workspace(folder, "ask: [firms, sites]", card=HOUSE.replace("size", "employees"))
    with pytest.raises(LeadlightError) as failed:
        leadlight.open(folder).rank()
    assert failed.value.fix == (
        "The store does not know yet what `enrich:` gives (cms, company_name, industry): run `leadlight ingest`."
    )
    opened = leadlight.open(folder)
    opened.ingest()
    assert len(opened.rank().rows) == 1


def test_ingest_again_keeps_the_names_of_who_is_no_longer_asked(tmp_path: Path) -> None:
    folder = workspace(tmp_path, "ask: [firms, sites]", card=HOUSE.replace("size", "employees"))
    leadlight.open(folder).ingest()
    opened = leadlight.open(workspace(tmp_path, "ask: [sites]"))
    opened.ingest()
    with opened.store() as engine:
        assert "company_name" in names_of(engine).attributes
