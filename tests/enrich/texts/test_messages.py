"""What messages say. They were written for the test."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadlight.enrich.providers.llm import CHOICES
from leadlight.enrich.texts.messages import budget_of, intent_of, language_of, numbers_in, team_size_of, urgency_of

INTENTS = """
demo         I'd like to book a demo of your platform for my team next week.
demo         Können wir eine Demo vereinbaren?
demo         Nous aimerions voir une démonstration de votre logiciel.
demo         Is there a free trial so that we can try your product?
pricing      Could you please send us a quote for 20 licenses?
pricing      How much does the enterprise plan cost per year?
pricing      Bitte senden Sie uns ein Angebot für 50 Benutzer.
pricing      Pouvez-vous m'envoyer un devis ?
pricing      ¿Cuánto cuesta su servicio para 10 usuarios?
pricing      RFP attached, please respond with pricing by Friday.
support      I cannot log in to my account, the page shows an error message.
support      Die Anmeldung funktioniert nicht, ich habe mein Passwort vergessen.
support      L'application ne fonctionne pas depuis ce matin.
job          Please find attached my resume, I am applying for the sales position.
job          Hiermit bewerbe ich mich um ein Praktikum in Ihrem Unternehmen.
partnership  We would like to become a reseller of your software in Poland.
partnership  Wir möchten über eine Kooperation als Vertriebspartner sprechen.
spam         Dear sir, we offer SEO services and can rank your website on the first page of Google.
spam         I came across your website and would love to submit a guest post with backlinks.
other        Hello there, I met your colleague at the fair in Hanover and enjoyed the talk about anvils.
""".strip().splitlines()


@pytest.mark.parametrize("line", INTENTS)
def test_what_a_message_wants(line):
    intent, text = line.split(maxsplit=1)
    found = intent_of(text)
    assert found is not None
    assert found.value == intent
    assert text[found.start : found.end].strip()


def test_a_short_message_that_says_nothing_wants_nothing():
    assert intent_of("Hello") is None
    assert intent_of("") is None


def test_clear_words_are_surer():
    clear, vague = (
        intent_of("Could you send us a quote, or a price list, for 20 seats?"),
        intent_of("What about costs?"),
    )
    assert clear.confidence > vague.confidence


@pytest.mark.parametrize(
    ("text", "urgent"),
    [
        ("We need this ASAP", True),
        ("Es ist dringend.", True),
        ("C'est urgent", True),
        ("Please reply by Friday", True),
        ("This is not urgent", False),
        ("No rush, just looking", False),
        ("Es eilt nicht, keine Eile", False),
        ("We sell detergents", None),
    ],
)
def test_urgency(text, urgent):
    found = urgency_of(text)
    assert (found.value if found else None) is urgent


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("Our budget is $20,000 for this year", 20_000),
        ("Budget: 15-25k EUR", 20_000),
        ("Wir haben 10.000 Euro eingeplant", 10_000),
        ("up to 1.5 million USD", 1_500_000),
        ("Unser Budget liegt bei 1,5 Mio €", 1_500_000),
        ("un budget de 5 000 €", 5_000),
        ("Presupuesto de 3.500,50 euros", 3_500.5),
        ("CHF 20'000", 20_000),
        ("we could spend 20k", 20_000),
        ("we pay $49 today, our budget is $500", 500),
        ("We are 20 people since 2015", None),
        ("Call me at 212 555 0123", None),
        ("no numbers", None),
    ],
)
def test_budget(text, amount):
    found = budget_of(text)
    assert (found.value if found else None) == amount


def test_money_near_a_word_for_budgets_is_surer():
    assert budget_of("Our budget is $500").confidence > budget_of("It costs $500").confidence


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("We are a team of 25 and growing", 25),
        ("a quote for 20 seats", 20),
        ("für 50 Benutzer", 50),
        ("10-20 users", 15),
        ("1,200 employees in 3 countries", 1200),
        ("1.200 Mitarbeiter", 1200),
        ("nous sommes 12", 12),
        ("200+ sales reps", 200),
        ("around 40 new team members", 40),
        ("budget of $20 people like", None),
        ("In 2024 we grew", None),
        ("", None),
    ],
)
def test_team_size(text, people):
    found = team_size_of(text)
    assert (found.value if found else None) == people


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We are looking for a better way to score our leads", "en"),
        ("Wir suchen eine Lösung für unseren Vertrieb", "de"),
        ("Nous cherchons une solution pour notre équipe", "fr"),
        ("Buscamos una solución para nuestro equipo de ventas", "es"),
        ("Cerchiamo una soluzione per il nostro team", "it"),
        ("Szukamy rozwiązania dla naszego zespołu sprzedaży", "pl"),
        ("営業チームのためのソリューションを探しています。", "ja"),
        ("ok", None),
    ],
)
def test_language(text, language):
    found = language_of(text)
    assert (found.value if found else None) == language


WORDS = ["budget", "$", "20k", "-", "1.500", "users", "team of", "asap", "demo", "not urgent", "9" * 30, "\x00"]
TEXT = (
    st.text(max_size=200)
    | st.text(alphabet="0123456789.,'k$€ -–to", max_size=80)
    | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
)


@settings(deadline=None)
@given(TEXT)
@example("1" * 6000)
@example("$" * 6000)
@example("1,000," * 1000)
@example("a to " * 1000 + "1 - ")
def test_any_text_says_something_of_the_right_kind_or_nothing(text):
    intent, urgent = intent_of(text), urgency_of(text)
    assert intent is None or intent.value in CHOICES["intent"]
    assert urgent is None or isinstance(urgent.value, bool)
    for found in (budget_of(text), team_size_of(text)):
        assert found is None or (isinstance(found.value, float) and 1 <= found.value <= 1e12)
    assert all(isinstance(number, float) for number in numbers_in(text))
    for found in (intent, urgent, budget_of(text), team_size_of(text), language_of(text)):
        assert found is None or (0 <= found.start <= found.end <= len(text) and 0 <= found.confidence <= 1)


@pytest.mark.parametrize(
    "text", ["1 " * 2500, "9,999" * 1000, "team of " * 600, "send us " * 600, "a" * 5000, " - 1" * 1200, "a " * 2500]
)
def test_no_text_takes_long(text):
    budget_of("1")
    start = time.process_time()
    for read in (intent_of, urgency_of, budget_of, team_size_of, numbers_in):
        read(text)
    assert time.process_time() - start < 0.5
