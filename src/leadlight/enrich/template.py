"""Texts with `{clue}` in them, filled in so that a value is never more than a value.

A clue is put in once, never looked at again, and encoded for where it stands: percent-encoded in the path of an
address, a value of its own in a query or in JSON. It can never reach the host, a header, or the shape of what is sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from leadlight.enrich.provider import Clue, Query

PARTS: Mapping[str, Callable[[str], str]] = {
    "first": lambda text: text.split()[0] if text.split() else "",
    "last": lambda text: text.split()[-1] if len(text.split()) > 1 else "",
    "lower": lambda text: text.strip().lower(),
    "sha256": lambda text: hashlib.sha256(text.strip().lower().encode("utf-8", "replace")).hexdigest(),
}
"""What may stand behind a clue's name and a colon: `{person:first}`."""

_PLACEHOLDER = re.compile(r"(?<!\$)\{([^{}]*)\}")
_VARIABLE = re.compile(r"\$\{[^}]*\}?")


def problems(text: str, *, variables: bool = False) -> Iterator[str]:
    """Say what is wrong with a text: unknown clues, odd braces, and variables where none may stand.

    >>> list(problems("{emial}"))[0][:32]
    "there is no clue 'emial': did yo"
    """
    from leadlight.errors import did_you_mean

    for match in _PLACEHOLDER.finditer(text):
        clue, _, part = match[1].partition(":")
        if clue not in {each.value for each in Clue}:
            yield f"there is no clue {clue!r}: {did_you_mean(clue, [each.value for each in Clue])}"
        elif part and part not in PARTS:
            yield f"there is no part {part!r} of a clue: {did_you_mean(part, PARTS)}"
    if not variables and _VARIABLE.search(text):
        yield "${VARIABLES} may stand in `auth` and `headers` only: what else is sent is kept as a key of the answer"
    if set(_VARIABLE.sub("", _PLACEHOLDER.sub("", text))) & set("{}"):
        yield "a brace stands alone; a clue is written {email}"


def clues_in(value: Any) -> frozenset[Clue]:
    """Return the clues that a text, or the texts in JSON values, need."""
    names = {match[1].partition(":")[0] for text in texts_in(value) for match in _PLACEHOLDER.finditer(text)}
    return frozenset(clue for clue in Clue if clue.value in names)


def texts_in(value: Any) -> Iterator[str]:
    """Return all texts in JSON values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_in(each)


def host_problem(url: str) -> str | None:
    """Say what is wrong with an address before its path; a clue may stand in the path only."""
    head = re.match(r"https?://[^/?#]*", url)
    if head is None:
        return "an address begins with https:// or http://"
    if "{" in head[0] or "@" in head[0]:
        return "the host must be written out: neither a clue nor a user may stand in it"
    if "?" in url or "#" in url:
        return "parameters go into `query`, where they are encoded"
    return None if urlsplit(head[0]).hostname else "the address has no host"


def fill_path(url: str, query: Query) -> str | None:
    """Fill in an address; None where a clue is missing, or is one that would walk up the path.

    >>> fill_path("https://a.example/of/{domain}", Query({Clue.DOMAIN: "x/../y?z"}))
    'https://a.example/of/x%2F..%2Fy%3Fz'
    """
    values = _values(url, query)
    if values is None or any(not value.strip(". \t\r\n") for value in values.values()):
        return None
    return _PLACEHOLDER.sub(lambda match: quote(values[match[0]], safe=""), url)


def fill(value: Any, query: Query) -> Any:
    """Fill in the texts in JSON values; what needs a clue that is missing is left out, None where nothing is left.

    >>> fill({"mail": "{email}", "phone": "{phone}"}, Query({Clue.EMAIL: "{phone}"}))
    {'mail': '{phone}'}
    """
    if isinstance(value, dict):
        filled = {key: fill(each, query) for key, each in value.items()}
        return {key: each for key, each in filled.items() if each is not None}
    if isinstance(value, list):
        return [each for each in (fill(each, query) for each in value) if each is not None]
    if not isinstance(value, str):
        return value
    values = _values(value, query)
    return None if values is None else _PLACEHOLDER.sub(lambda match: values[match[0]], value)


def _values(text: str, query: Query) -> dict[str, str] | None:
    """Return the value of each placeholder of a text; None where one is missing."""
    values: dict[str, str] = {}
    for match in _PLACEHOLDER.finditer(text):
        clue, _, part = match[1].partition(":")
        given = query.get(Clue(clue))
        value = PARTS[part](given) if given and part else given
        if not value or not value.strip():
            return None
        values[match[0]] = value.strip()
    return values
