"""Names and values of fields that people write when they already know how it ended: an experience, not a proof."""

from __future__ import annotations

import re

from leadlight.sources.names import snake_case

_OF = r"(?:(?:lead|deal|contact|prospect|account|customer|opportunity|sales|vendor|crm)_)?"
_PATTERNS = {
    "a judgement made in between": (
        rf"{_OF}(?:quality|rating|grade|temperature|profile|tags?|status|stage|phase|disposition|qualification|verdict"
        r"|score|potential|bewertung|einstufung|qualitat|stufe)"
    ),
    "a score that somebody gave": r".*(?:activity|profile|engagement|propensity|lead|fit)_(?:score|index|grade|rank)",
    "the last thing that happened, as it stood when the file was written": (
        r"(?:last|latest|letzte[rs]?)_(?:notable_)?(?:activity|action|modified|contact(?:ed)?|call|touch|status|stage"
        r"|updated?|result|engagement|interaction|meeting|e?_?mail|sms|step|note|aktivitat|anderung|kontakt|anruf"
        r"|aktion)(?:_.*)?"
    ),
    "how it ended": (
        r"(?:close|closed|closing|won|win|lost|loss|lose|churn|conversion|converted|contract|invoice|order|onboarding"
        r"|abschluss|verlust|vertrag|rechnung|auftrag)"
        r"(?:_?(?:date|reason|at|on|by|time|amount|value|worth|signed|no|number|id|grund|datum|wert|betrag))?"
    ),
}
_RULES = {what: re.compile(pattern) for what, pattern in _PATTERNS.items()}
_ENDING = re.compile(
    r"(?:closed?_)?(?:won|lost)(?:_.*)?|.*(?:contract|deal)_(?:is_)?(?:signed|closed|won)|converted(?:_to_customer)?"
    r"|(?:is_|became_|now_)?(?:a_)?(?:customer|kunde)|purchased|ordered|gewonnen|verloren|abgeschlossen|vertrag_unterschrieben"
)


def written_later(name: str) -> str | None:
    """Say what kind of field written in hindsight a name sounds like, or None.

    >>> written_later("Lead Quality"), written_later("Marital status"), written_later("Last name")
    ('a judgement made in between', None, None)
    """
    plain = snake_case(name)
    return next((what for what, rule in _RULES.items() if rule.fullmatch(plain)), None)


def tells_ending(value: str) -> bool:
    """Whether a value names an ending.

    >>> tells_ending("Closed Won"), tells_ending("contract signed"), tells_ending("web")
    (True, True, False)
    """
    return _ENDING.fullmatch(snake_case(value)) is not None
