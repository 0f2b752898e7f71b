"""Words by which people's files tell what is what: names of columns, and values that say how it ended.

All patterns are matched against names in snake case (`snake_case`), whole.
"""

from __future__ import annotations

import re
from typing import Literal

from leadlight.sources.names import snake_case

Ending = Literal["won", "lost"]

_WHO = (
    r"(?:lead|prospect|contact|deal|opportunity|customer|client|record|person|user|mql|account|ticket|request|applicant"
    r"|kunden?|interessenten?|anfrage)"
)
_RULES: dict[str, tuple[str, ...]] = {
    # The best first: the place in the list is how sure a name is.
    "id": (
        r"(?:lead|prospect|mql|contact|applicant)_?(?:id|uuid|guid)|id_(?:lead|prospect)",
        rf"{_WHO}_?(?:id|uuid|guid|key)|id|uuid|guid|record_?id",
        rf"(?:{_WHO}_?)?(?:number|no|nr|nummer|code|key)",
        r"n_|row|index|column_1|unnamed_0|.*_(?:id|uuid|guid)",
    ),
    "created_at": (
        rf"(?:{_WHO}_)?(?:created?|creation|erstellt|angelegt|add|added|anlage)(?:_?(?:at|on|date|time|am|datum|dt))?"
        r"|date_(?:created|added|entered)|erstellungsdatum|anlagedatum",
        r"(?:first_contact|signup|sign_up|registered|registration|received|submitted|opened|inquiry|enquiry|eingang)"
        r"(?:_?(?:at|on|date|time|datum|am))?|eingangsdatum|anmeldedatum",
        r"date|datum|timestamp|time|when",
    ),
    "closed_at": (
        rf"(?:{_WHO}_)?(?:closed?|closing|won|lost|converted|conversion|signed|abschluss|gewonnen|abgeschlossen)"
        r"_?(?:at|on|date|time|am|datum)|date_(?:closed|won|converted)",
        r"expected_close_date|resolved|resolved_at|decision_date",
    ),
    "outcome": (
        r"(?:is_)?(?:converted|closed_won|won)|conversion|outcome|y|target|label|gewonnen",
        r"(?:deal|opportunity|lead|sales|pipeline|verkaufs)?_?(?:stage|status|phase|result|ergebnis|outcome)"
        r"|(?:is_)?(?:customer|kunde)|purchased?|bought|sold|signed|revenue|response|gekauft|verkauft|auftrag",
        r"deny|denied|default(?:ed)?|credit_?ability|churn(?:ed)?|accepted|approved|visit|interest_level|class"
        r"|lifecycle_?stage",
    ),
    "worth": (
        r"(?:deal|opportunity|order|contract|sales?|total|won|closed|auftrags)_?(?:amount|value|worth|size|volume|wert"
        r"|volumen|summe)",
        r"amount|value|worth|deal_worth|arr|acv|mrr|tcv|betrag|wert|umsatz|auftragswert",
        r"revenue|spend|spent|price|sales",
    ),
    "email": (r"e_?mail(?:_address)?|mail|e_?mail_adresse", r".*_e_?mail|e_?mail_.*"),
    "account": (
        r"company(?:_name|_account)?|account(?:_name)?|organi[sz]ation(?:_name)?|firma|firmenname|unternehmen|employer",
        r"associated_company(?:_name)?|(?:lead|deal)_organi[sz]ation|kunde|customer_name|client",
    ),
}
_COMPILED = {role: [re.compile(pattern) for pattern in patterns] for role, patterns in _RULES.items()}

_STEP = r"(?:(?:closed?|deal|opportunity|lead|stage|status|phase|abgeschlossen|geschlossen|n_\d+)_)*"
_WON = re.compile(
    rf"{_STEP}(?:won|win|closedwon|converted(?:_to_customer)?|(?:contract_)?signed|customer|sold|purchased|bought|paid"
    r"|gewonnen|kunde|verkauft|gekauft|unterschrieben|vertrag_unterschrieben|auftrag(?:_erteilt)?)"
    r"(?:_(?:pipeline|sales|sales_pipeline|deal|\d+))*"
)
_LOST = re.compile(
    rf"{_STEP}(?:lost|lose|loss|closedlost|not_(?:converted|won|interested)|disqualified|unqualified|rejected|declined"
    r"|dead|junk|abandoned|churned|no_sale|cancell?ed|verloren|abgelehnt|abgesagt|disqualifiziert|storniert"
    r"|kein_interesse)(?:_(?:pipeline|sales|sales_pipeline|deal|\d+))*"
)
_YES = {"1", "1.0", "true", "t", "yes", "y", "ja", "j", "wahr", "oui", "si", "sí", "good", "success", "successful"}
_NO = {"0", "0.0", "-1", "false", "f", "no", "n", "nein", "falsch", "non", "bad", "failure", "failed"}

BLANKS = (
    "NA", "N/A", "n/a", "#N/A", "NULL", "null", "NaN", "nan", "(empty)", "(No value)", "-", "--", "?",
    "Select", "Select...", "Please select", "Bitte wählen", "k.A.", "k. A.",
)  # fmt: skip
"""Texts that stand for no value, in whatever column."""


def rank_of(role: str, header: str) -> int | None:
    """Say how well a header fits a role: 0 is best, None not at all.

    >>> rank_of("id", "Prospect ID"), rank_of("created_at", "Erstellt am"), rank_of("outcome", "City")
    (0, 0, None)
    """
    name = snake_case(header)
    return next((place for place, rule in enumerate(_COMPILED[role]) if rule.fullmatch(name)), None)


def ending_of(value: str) -> Ending | None:
    """Say whether a value's words are those of an ending; None for yes and no, which depend on the question.

    >>> ending_of("Closed Won"), ending_of("Closed - Not Converted"), ending_of("Proposal"), ending_of("yes")
    ('won', 'lost', None, None)
    """
    name = snake_case(value)
    if _LOST.fullmatch(name):
        return "lost"
    return "won" if _WON.fullmatch(name) else None


def answer_of(value: str) -> bool | None:
    """Read a yes or a no.

    >>> answer_of("Ja"), answer_of("0"), answer_of("perhaps")
    (True, False, None)
    """
    word = value.strip().lower()
    return True if word in _YES else False if word in _NO else None
