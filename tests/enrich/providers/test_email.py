"""What an e-mail address says by itself."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import leadlight
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.email import ABOUT, KINDS, Email, EmailSettings, is_role, names_of, normal_form
from leadlight.enrich.sound import sound

EMAIL = Email(EmailSettings())


def says(email: str, provider: Email = EMAIL) -> dict[str, object]:
    return {fact.attribute: fact.value for fact in provider.facts(email)}


def guessed(local: str) -> tuple[str | None, str | None]:
    names = {fact.attribute: fact.value for fact in names_of(local, personal=False)}
    return names.get("first_name"), names.get("last_name")


def test_address_of_a_person_at_a_company():
    assert says("Ada.Lovelace@Mail.Acme.co.uk") == {
        "email_valid": True,
        "email_normal": "ada.lovelace@mail.acme.co.uk",
        "email_domain": "acme.co.uk",
        "email_domain_kind": "corporate",
        "email_role": False,
        "first_name": "Ada",
        "last_name": "Lovelace",
    }


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "@acme.com", "ada@acme", "a b@acme.com", "ada@acme..com", "ada@-acme.com", "x" * 65 + "@a.com",
     "ada@localhost", "ada@[127.0.0.1]", "ada@acme.com, bob@acme.com", "a@" + "b." * 200 + "com",
     "ada@acme.com\n\nBcc: x@y.com",
     "<ada@acme.com>", "ada@exa_mple.com", "ada@acme.invalid"],
)  # fmt: skip
def test_an_address_that_is_none(email):
    assert says(email) == {"email_valid": False}


@pytest.mark.parametrize(
    ("email", "normal"),
    [
        ("A.D.A+news@gmail.com", "ada@gmail.com"),
        ("a.da@googlemail.com", "ada@gmail.com"),
        ("ada.l+x@outlook.com", "ada.l@outlook.com"),
        ("ada.l+x@icloud.com", "ada.l@icloud.com"),
        ("a-d_a.l+x@proton.me", "adal@proton.me"),
        ("shop@ada.fastmail.com", "ada@fastmail.com"),
        ("ada+shop@fastmail.com", "ada@fastmail.com"),
        ("ada.l@ya.ru", "ada-l@yandex.ru"),
        ("ada-x@yahoo.com", "ada-x@yahoo.com"),  # what follows a dash may be a tag or a name there
        ("ada.l+x@acme.com", "ada.l+x@acme.com"),  # nobody knows what acme makes of it
        ("+x@gmail.com", "+x@gmail.com"),
        ("Ada@BÜCHER.de", "ada@xn--bcher-kva.de"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
    ],
)
def test_normal_form(email, normal):
    assert says(email)["email_normal"] == normal


@pytest.mark.parametrize(
    ("kind", "domains"),
    [
        ("free", "gmail.com web.de t-online.de orange.fr seznam.cz yahoo.co.uk hotmail.it qq.com naver.com hey.com"),
        ("free", "privaterelay.appleid.com 21cn.com"),
        ("disposable", "mailinator.com guerrillamail.com sub.mailinator.com"),
        (
            "education",
            "stanford.edu cs.ox.ac.uk unimelb.edu.au uni-bonn.de ethz.ch u-tokyo.ac.jp univ-lyon1.fr polimi.it",
        ),
        (
            "government",
            "nasa.gov hmrc.gov.uk interieur.gouv.fr sat.gob.mx us.army.mil meti.go.jp ec.europa.eu seco.admin.ch",
        ),
        ("government", "stadt-koeln.de"),
        ("corporate", "acme.com bücher.de yahooinc.com education.com governmentauctions.com unique.it united.de"),
    ],
)
def test_kinds_of_domains(kind, domains):
    assert {domain: says(f"ada@{domain}")["email_domain_kind"] for domain in domains.split()} == dict.fromkeys(
        domains.split(), kind
    )


def test_own_lists_come_first(tmp_path):
    (tmp_path / "throwaway.txt").write_text(
        "# ours\nnew-trash.com\n\nGMAIL.com # not wanted\nbücher.de\n", encoding="utf-8"
    )
    settings = EmailSettings(corporate=["mailinator.com"], free=["acme.com"], lists={"disposable": "throwaway.txt"})
    provider = Email(settings, Surroundings(folder=tmp_path))
    kinds = {d: provider.kind(d).name for d in ("mailinator.com", "acme.com", "x.new-trash.com", "gmail.com", "web.de")}
    assert kinds == {
        "mailinator.com": "corporate", "acme.com": "free", "x.new-trash.com": "disposable", "gmail.com": "disposable",
        "web.de": "free",
    }  # fmt: skip
    assert provider.kind("xn--bcher-kva.de").name == "disposable"


def test_a_domain_that_the_users_own_list_calls_free_is_no_companys(tmp_path):
    (tmp_path / "leads.csv").write_text("lead_id,created,email\nL1,2026-01-01,a@one.com\nL2,2026-01-01,b@two.com\n")
    (tmp_path / "free.txt").write_text("one.com\n")
    (tmp_path / "leadlight.yaml").write_text(
        "store: duckdb:x.duckdb\nsources: {leads: {csv: leads.csv, id: lead_id, created_at: created}}\n"
        "enrich: {ask: [email, dns], always: true, providers: {email: {lists: {free: free.txt}}}}\n"
    )
    workspace = leadlight.open(tmp_path)
    workspace.ingest()
    assert "would ask about 1 lead of 2" in str(workspace.enrich(dry_run=True))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_own_entries(kind):
    assert Email(EmailSettings(**{kind: ["acme.com"]})).kind("mail.acme.com").name == kind


@pytest.mark.parametrize(
    "local",
    [
        "info",
        "sales",
        "info2",
        "sales-emea",
        "sales.de",
        "no-reply",
        "noreply+x",
        "kontakt",
        "ventas",
        "hr_team",
        "compta",
    ],
)
def test_role_addresses_give_no_name(local):
    found = says(f"{local}@acme.com")
    assert found["email_role"] is True
    assert not {"first_name", "last_name"} & found.keys()


@pytest.mark.parametrize("local", ["ada", "ada.info", "salesman.joe", "infoseek", "anna-maria", "will", "demos.k"])
def test_persons_are_no_role(local):
    assert not is_role(local, EMAIL._roles)


def test_own_roles():
    provider = Email(EmailSettings(roles=["Anvils"]))
    assert says("anvils@acme.com", provider)["email_role"] is True


@pytest.mark.parametrize(
    ("local", "first", "last"),
    [
        ("ada.lovelace", "Ada", "Lovelace"),
        ("lovelace.ada", "Ada", "Lovelace"),
        ("ada_lovelace85", "Ada", "Lovelace"),
        ("jan.van.dijk", "Jan", "van Dijk"),
        ("jean-pierre.dupont", "Jean-Pierre", "Dupont"),
        ("anna-schmidt", "Anna", "Schmidt"),
        ("ada.b.lovelace", "Ada", "Lovelace"),
        ("a.lovelace", None, "Lovelace"),
        ("sean.o'brien", "Sean", "O'Brien"),
        ("ian.mcdonald", "Ian", "McDonald"),
        ("josé.garcía", "José", "García"),
        ("ada", "Ada", None),
        ("xkcd", None, None),
        ("a", None, None),
        ("x9.y8", None, None),
        ("one.two.three.four.five", None, None),
        ("4711", None, None),
    ],
)
def test_names_are_guessed(local, first, last):
    assert guessed(local) == (first, last)


def test_a_guess_is_less_sure_than_what_is_written_and_says_so():
    sure = {fact.attribute: fact for fact in EMAIL.facts("ada.lovelace@acme.com")}
    unsure = {fact.attribute: fact for fact in EMAIL.facts("xandor.quux@acme.com")}
    private = {fact.attribute: fact for fact in EMAIL.facts("ada.lovelace@gmail.com")}
    assert sure["email_domain"].confidence == 1
    assert 0 < unsure["first_name"].confidence < private["first_name"].confidence < sure["first_name"].confidence < 1
    assert sure["first_name"].origin == "guess from the address"


def test_names_of_throwaway_addresses_and_where_not_wanted_are_not_guessed():
    assert "first_name" not in says("ada.lovelace@mailinator.com")
    assert "first_name" not in says("ada.lovelace@acme.com", Email(EmailSettings(guess_names=False)))


def test_the_key_is_the_same_for_all_ways_to_write_an_address():
    keys = {EMAIL.key(Query({Clue.EMAIL: email})) for email in ("Ada@Acme.com", " ada@acme.COM\n")}
    assert keys == {"ada@acme.com"}
    assert EMAIL.key(Query({Clue.EMAIL: " "})) is None
    assert EMAIL.key(Query({})) is None


TEXT = st.text(max_size=80) | st.from_regex(r"[a-z0-9._+'-]{1,30}@[a-zäß0-9.-]{1,40}", fullmatch=True) | st.emails()


@given(TEXT)
@example("a@" + "ß" * 63 + ".de")
@example("a@xn--.com")
@example("a@xn--a.com")
@example("\ud800@a.com")
@example("ａ@ｇｍａｉｌ．ｃｏｍ")
def test_whatever_is_written_there_the_answer_is_sound(email):
    facts = asyncio.run(EMAIL.ask(Query({Clue.EMAIL: email}), None))  # type: ignore[arg-type]
    clean = sound(facts, ABOUT)
    assert {fact.attribute for fact in clean} == {fact.attribute for fact in facts}
    assert EMAIL.key(Query({Clue.EMAIL: email})) is None or facts


@given(
    st.from_regex(r"[a-z0-9.+_-]{1,20}", fullmatch=True),
    st.sampled_from(["gmail.com", "proton.me", "ya.ru", "a.fastmail.com"]),
)
def test_the_normal_form_of_a_normal_form_is_itself(local, host):
    once = normal_form(local, host)
    again = once.rpartition("@")
    assert normal_form(again[0], again[2]) == once


def test_a_lead_costs_less_than_a_fifth_of_a_millisecond():
    EMAIL.facts("a@b.com")
    start = time.process_time()
    for n in range(500):
        EMAIL.facts(f"ada.lovelace{n}@mail.acme{n}.co.uk")
    assert time.process_time() - start < 500 * 0.0005  # measured .0001; room for a busy machine
