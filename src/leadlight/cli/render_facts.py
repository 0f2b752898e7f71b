"""What is known of a lead, drawn for a terminal: the value in use, and everybody who says something."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from leadlight.cli.console import words
from leadlight.cli.render import moment

if TYPE_CHECKING:
    from leadlight.enrich.facts import Asked, Facts, Known, Saying

RULES = {
    "order": "the first who is asked",
    "confidence": "the surest",
    "newest": "the newest",
    "majority": "what most say",
}
STYLES = {"found": "green", "nothing": "dim", "failed": "red"}


def facts(found: Facts) -> RenderableType:
    """Draw every value with its source and age, the one in use first, and below who was asked."""
    title = Text.assemble(words(f"{found.entity} {found.id}", "bold"), words(f" as of {moment(found.as_of)} UTC"))
    parts: list[RenderableType] = [title]
    if found.attributes:
        parts.append(Padding(_values(found), (1, 0, 0, 0)))
    else:
        parts.append(words("nothing is known", "dim"))
    disputed = [one for one in found.attributes if one.is_disputed]
    parts += [words(_rule(one), "dim") for one in disputed]
    if found.asked:
        parts.append(Padding(_asked(found), (1, 0, 0, 0)))
    else:
        parts.append(words("nobody was asked about it", "dim"))
    return Group(*parts)


def _values(found: Facts) -> Table:
    table = _table("attribute", "value", "source", "age", "sure", "where it stands", right=("age", "sure"))
    for one in found.attributes:
        for index, saying in enumerate(one.sayings):
            table.add_row(
                words(one.attribute if index == 0 else "", "bold"),
                _value(saying, one),
                words(saying.source, "" if saying.own else "cyan"),
                _age(saying, found.as_of),
                words("" if saying.confidence is None else f"{saying.confidence:.0%}"),
                words(_place(saying), "dim"),
            )
    return table


def _value(saying: Saying, known: Known) -> Text:
    """Write a value: in use, a rival, or the same said again."""
    if saying.used:
        return words(f"• {saying.value}", "green")
    same = str(known.sayings[0].value).lower() == saying.value.lower()
    return words(f"  {saying.value}", "dim" if same or saying.note else "yellow")


def _age(saying: Saying, at: datetime) -> Text:
    old = saying.until is not None and saying.until < at
    return words(f"{saying.age(at):.0f}d" + (", old" if old else ""), "yellow" if old else "")


def _place(saying: Saying) -> str:
    """Say where a value was found, in which words, on what terms and by what right."""
    quoted = f"“{saying.evidence}”" if saying.evidence else ""
    terms = [saying.note, saying.origin, quoted, saying.licence, f"basis: {saying.basis}" if saying.basis else ""]
    return " · ".join(part for part in terms if part)


def _rule(known: Known) -> str:
    whose = "an own value yields to it" if known.use == "prefer" else "an own value goes first"
    return f"{known.attribute}: of several answers {RULES[known.rule]} is used; {whose}"


def _asked(found: Facts) -> Table:
    table = _table("asked", "about", "on", "it", "cost", "holds until", "", right=("cost",))
    for row in map(_question, found.asked):
        table.add_row(*row)
    return table


def _question(asked: Asked) -> Iterator[Text]:
    yield words(asked.provider, "cyan")
    yield words(asked.subject)
    yield words(moment(asked.at))
    yield words(asked.outcome, STYLES.get(asked.outcome, ""))
    yield words(f"{asked.cost:g}" if asked.cost else "")
    yield words(moment(asked.until) if asked.until else "")
    yield words(asked.message, "dim")


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table
