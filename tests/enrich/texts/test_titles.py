"""What job titles say. The titles here were written for the test, not taken from anybody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.texts.titles import FUNCTIONS, LEVELS, function_of, seniority_of

TITLES = """
c_level  -            CEO
c_level  engineering  Co-Founder & CTO
c_level  it           Chief Information Security Officer
c_level  operations   Chief Operating Officer
c_level  hr           Chief People Officer
c_level  -            Geschäftsführer
c_level  -            Geschaeftsfuehrerin
c_level  -            Inhaberin
c_level  -            Vorstandsmitglied
c_level  -            Président-directeur général
c_level  -            Gérante
c_level  -            Director General
c_level  -            Amministratore Delegato
c_level  -            Eigenaar
c_level  -            Prezes zarządu
c_level  -            Managing Director
c_level  finance      CFO
vp       engineering  VP of Engineering
vp       finance      Senior Vice President, Finance
vp       sales        EVP Sales
director marketing    Head of Marketing
director hr           Director, Human Resources
director sales        Leiter Vertrieb
director it           Abteilungsleiterin IT
director operations   Einkaufsleiter
director sales        Directeur commercial
director hr           DRH
director finance      Controller
director legal        General Counsel
director operations   Responsabile acquisti
director sales        Dyrektor ds. sprzedaży
director -            Chief of Staff
director marketing    Associate Director Marketing
manager  it           IT Manager
manager  support      Teamleiterin Kundenservice
manager  sales        Key Account Manager
manager  product      Product Owner
manager  sales        Gerente de ventas
manager  operations   Projektleiter
manager  it           Kierownik działu IT
manager  support      Customer Success Manager
manager  operations   Procurement Manager
manager  -            Assistant Manager
senior   engineering  Senior Software Engineer
senior   engineering  Staff Engineer
senior   engineering  Lead Developer
senior   engineering  Principal Engineer
staff    sales        Account Executive
staff    finance      Executive Assistant to the CFO
staff    engineering  Data Scientist
staff    hr           HR Business Partner
staff    finance      Sachbearbeiterin Buchhaltung
staff    legal        Legal Counsel
staff    product      UX Designer
staff    sales        Sales Engineer
staff    marketing    Marketing Coordinator
staff    operations   Inkoper
entry    -            Intern
entry    marketing    Werkstudent Marketing
entry    engineering  Junior Developer
entry    -            Student
entry    hr           Stagiaire RH
-        -            Housewife
-        -            Unemployed
-        -            Retired
""".strip().splitlines()


@pytest.mark.parametrize("line", TITLES)
def test_titles_in_several_languages(line):
    level, function, title = line.split(maxsplit=2)
    said = (seniority_of(title), function_of(title))
    assert tuple(one.value if one else "-" for one in said) == (level, function), said


def test_the_words_that_say_it_are_named():
    assert seniority_of("Senior Vice President, Finance").words == "senior vice president"


@given(st.text(max_size=300))
def test_any_text_says_something_known_or_nothing(text):
    level, function = seniority_of(text), function_of(text)
    assert level is None or level.value in LEVELS
    assert function is None or function.value in FUNCTIONS
