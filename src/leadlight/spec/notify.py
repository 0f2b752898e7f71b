"""What leadlight.yaml says about who hears of changes of grade: `notify:`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, GetPydanticSchema, model_validator
from pydantic_core import core_schema

from leadlight.spec.base import Name, Spec
from leadlight.spec.durations import Duration, parse_duration
from leadlight.spec.quiet import QuietSpec

KINDS = ("webhook", "slack", "email")
SCHEMES = {"webhook": ("http", "https"), "slack": ("http", "https"), "smtp": ("smtp", "smtps")}
HERE = ("localhost", "127.0.0.1", "::1")
"""Hosts to which words may go in the clear."""
PEOPLE_AN_HOUR = 20
"""Messages an hour to people, where nothing is told."""


def _listed(told: object) -> object:
    return [told] if isinstance(told, str) else told


Texts = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
"""A text, or several."""


def _again(told: object) -> object:
    if told in ("always", "never"):
        return told
    try:
        return parse_duration(told)
    except ValueError:
        raise ValueError(
            f"must be always, never or a duration such as 30d (not again within it); found {str(told)[:40]!r}"
        ) from None


Again = Annotated[
    Literal["always", "never"] | timedelta,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_plain_validator_function(
            _again, json_schema_input_schema=core_schema.str_schema()
        )
    ),
]
"""Whether a lead that reaches the grade once more is told of again."""


class DestinationSpec(Spec):
    """Where messages go: exactly one of `webhook`, `slack`, `email`."""

    webhook: str | None = Field(None, description="an address that gets signed JSON (Standard Webhooks)")
    secret: Texts | None = Field(
        None, description="webhook: the secret to sign with, best as a ${VARIABLE}; two while one takes over"
    )
    slack: str | None = Field(
        None,
        description="the address of an incoming webhook of Slack, or of what takes the same, best as a ${VARIABLE}",
    )
    email: Texts | None = Field(None, description="who gets an e-mail: an address, or several")
    from_: str | None = Field(None, alias="from", description="email: the sender's address")
    smtp: str | None = Field(
        None, description="email: smtp://USER:PASSWORD@HOST:PORT (encrypted where the server can), or smtps://…"
    )
    at_most: int | None = Field(
        None, ge=1, description="messages an hour; the last of them tells all the rest. 20 to people unless told"
    )
    quiet: QuietSpec | None = Field(None, description="when nothing is sent; it waits until then")
    tries: int = Field(10, ge=1, le=50, description="tries before a message is put aside; 10 take some 10 hours")
    timeout: Duration | None = Field(None, description="for one try; 10s unless told")

    @property
    def kind(self) -> str:
        """Which of `KINDS` it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def most(self) -> int | None:
        """How many messages an hour it gets; None for any number."""
        return self.at_most if self.at_most is not None or self.kind == "webhook" else PEOPLE_AN_HOUR

    @property
    def seconds(self) -> float:
        """How long one try may take."""
        return 10.0 if self.timeout is None else self.timeout.total_seconds()

    @model_validator(mode="after")
    def _check(self) -> DestinationSpec:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a destination needs exactly one of webhook, slack, email; found {' and '.join(given) or 'none'}"
            )
        needs = {"webhook": ("secret",), "slack": (), "email": ("from_", "smtp")}
        for key in ("secret", "from_", "smtp"):
            told, wanted = getattr(self, key) is not None, key in needs[given[0]]
            if told != wanted:
                raise ValueError(f"{given[0]} {'needs' if wanted else 'has no'} {key.rstrip('_')}")
        for key in ("webhook", "slack", "smtp"):
            _check_address(key, getattr(self, key))
        return self

    @property
    def in_the_clear(self) -> bool:
        """Whether what it says can be read on the way."""
        address = urlsplit(self.webhook or self.slack or "")
        return address.scheme == "http" and address.hostname not in HERE


def _check_address(key: str, address: str | None) -> None:
    """Look at an address as far as it is written out."""
    if address is None or address.startswith("${"):
        return
    parts = urlsplit(address.replace("${", "").replace("}", ""))
    if parts.scheme not in SCHEMES[key] or not parts.netloc:
        raise ValueError(f"{key} must be an address that begins with {' or '.join(f'{s}://' for s in SCHEMES[key])}")


class RuleSpec(Spec):
    """Which changes of grade are told, and to whom."""

    scorecard: Name | None = Field(None, description="the scorecard; `house` or the first unless told")
    change: Literal["up", "down", "both"] = Field(
        "up", description="up, down or both; a first grade is up, unless it is the lowest"
    )
    to: list[str] = Field(default_factory=list, description="only into these grades; any unless told")
    from_: list[str] = Field(
        default_factory=list, alias="from", description="only out of these grades, so no first ones; any unless told"
    )
    when: str | None = Field(None, description="a condition on the lead; only where it is true")
    created_within: Duration | None = Field(None, description="only leads that came to exist within this time")
    again: Again = Field(
        description="always: at each crossing; never: once for each lead; 30d: not again within that time"
    )
    tell: Annotated[list[Name], BeforeValidator(_listed), Field(min_length=1)] = Field(
        description="the destinations that hear of it"
    )
    include: list[Name] = Field(
        default_factory=list, description="attributes and features that are said along; none unless told"
    )


class NotifySpec(Spec):
    """Who hears of changes of grade; nobody does before this stands in leadlight.yaml."""

    destinations: dict[Name, DestinationSpec] = Field(min_length=1)
    rules: dict[Name, RuleSpec] = Field(default_factory=dict)
