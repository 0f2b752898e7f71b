"""Numbers as people and programs write them, as DuckDB SQL over a trimmed text."""

from __future__ import annotations

from leadlight.sources.part import quoted

MAX_DIGITS = 15
"""Integers with more digits than a float keeps exactly are identifiers, not numbers."""

_CURRENCY = r"(?:\p{Sc}|R\$|(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|INR|BRL|MXN|SEK|NOK|DKK|PLN|CZK|ZAR|SGD|HKD|CNY)\b)"


def plain_number(text: str) -> str:
    """Return SQL for a number written as a program would (`-1.5e3`), null for what looks like an identifier.

    Identifiers are those with a leading zero or plus (007, +49…) and integers of more than 15 digits.
    """
    return (
        f"CASE WHEN NOT starts_with({text}, '+') AND NOT contains({text}, '_') "
        f"AND NOT (starts_with({text}, '0') AND length({text}) > 1 AND {text}[2] <> '.') "
        f"AND NOT (starts_with({text}, '-0') AND length({text}) > 2 AND {text}[3] <> '.') "
        f"AND (length({text}) <= {MAX_DIGITS} OR contains({text}, '.') OR contains(lower({text}), 'e')) "
        f"THEN {_finite(f'TRY_CAST({text} AS DOUBLE)')} END"
    )


def loose_number(text: str, decimal: str) -> str:
    """Return SQL for a number with thousands separators, currency signs, a percent sign or accounting brackets.

    The decimal mark is as told; 12 % is 12. Null for identifiers, as with plain numbers.
    """
    return _matched(text, decimal, strict=True)


def any_number(text: str, decimal: str) -> str:
    """Return SQL for a number where one is required: identifiers such as 007 are numbers too."""
    loose = _matched(text, decimal, strict=False)
    return f"coalesce({_finite(f'TRY_CAST({text} AS DOUBLE)')}, {loose})" if decimal == "." else loose


def _matched(text: str, decimal: str, *, strict: bool) -> str:
    matches = f"regexp_full_match({text}, {quoted(_pattern(decimal, strict=strict))})"
    return f"CASE WHEN {matches} THEN {_cleaned(text, decimal)} END"


def _finite(number: str) -> str:
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _pattern(decimal: str, *, strict: bool) -> str:
    """Return the pattern of a decorated number; strict ones have neither a plus nor leading zeros."""
    separators = [r"[\x{a0}\x{202f}]", "['’]", r"\."] if decimal == "," else [r"[\x{a0}\x{202f}]", "['’]", ","]
    if decimal == "," or not strict:
        separators.append(" ")
    first = r"[1-9]\d{0,2}" if strict else r"\d{1,3}"
    grouped = "|".join(f"{first}(?:{separator}\\d{{3}})+" for separator in separators)
    whole = f"(?:{grouped}|{'0|[1-9][0-9]{0,14}' if strict else '[0-9]+'})"
    mark = "," if decimal == "," else r"\."
    sign = "[-−]?" if strict else "[-+−]?"
    space = r"[\s\x{a0}\x{202f}]*"
    body = f"{space}(?:{_CURRENCY}{space})?{sign}{whole}(?:{mark}[0-9]+)?{space}(?:%|{_CURRENCY})?{space}"
    return rf"{sign}{body}|\({body}\)"


def _cleaned(text: str, decimal: str) -> str:
    """Return SQL that keeps digits, sign and mark of a text that has matched."""
    keep = f"regexp_replace(replace({text}, '−', '-'), {quoted('[^0-9-,]' if decimal == ',' else '[^0-9-.]')}, '', 'g')"
    digits = f"replace({keep}, ',', '.')" if decimal == "," else keep
    negative = f"starts_with({text}, '(')"
    return _finite(f"TRY_CAST(CASE WHEN {negative} THEN '-' || {digits} ELSE {digits} END AS DOUBLE)")
