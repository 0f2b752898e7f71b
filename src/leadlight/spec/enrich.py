"""What leadlight.yaml says about looking leads up: `enrich:`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from leadlight.spec.addresses import name_server, network
from leadlight.spec.base import Name, Spec
from leadlight.spec.durations import Duration

Rule = Literal["order", "confidence", "newest", "majority"]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class WaterfallSpec(Spec):
    """Who is asked for an attribute, in order, and which of several answers is used."""

    ask: list[Name] = Field(min_length=1, description="providers in the order in which they are asked")
    rule: Rule = Field(
        "order",
        description="which answer is used: of the first in `ask` that has one, the surest, newest or commonest",
    )
    at_least: float = Field(0.0, ge=0, le=1, description="answers less sure than this are kept, but not used")
    use: Literal["fill", "prefer"] = Field(
        "fill", description="fill: your own value wins where there is one; prefer: the answer wins over your own"
    )


class ProviderSpec(Spec):
    """Settings of a provider; each has keys of its own besides these."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Any]

    http: str | None = Field(None, description="a YAML file that describes a vendor's API, relative to the workspace")
    cost: Money | None = Field(None, description="money for one question")
    ttl: Duration | None = Field(None, description="for how long an answer holds")
    per_second: float | None = Field(
        None, gt=0, le=1000, description="questions a second to each of its hosts, at most"
    )
    since: Literal["asked", "creation"] = Field(
        "asked",
        description="since when its answers count as known: since they were asked for, or since the lead exists",
    )


class NetworkSpec(Spec):
    """How Leadlight behaves in the network."""

    contact: str | None = Field(None, description="an address for those who are asked, sent in the User-Agent")
    per_second: float = Field(1.0, gt=0, le=100, description="pages a second from one host, at most")
    at_once: int = Field(64, ge=1, le=1000, description="hosts asked at the same time")
    timeout: Duration | None = Field(None, description="for one request; 10s unless told")
    dns: list[str] = Field(default_factory=list, description="name servers, ADDRESS or ADDRESS:PORT; the system's")
    allow: list[str] = Field(
        default_factory=list,
        description="networks that may be asked although they are not public (127.0.0.0/8); for tests and intranets",
    )
    authorities: str | None = Field(None, description="a file with the certificates to trust besides the system's")
    ports: dict[Literal["http", "https"], Annotated[int, Field(gt=0, lt=65536)]] = Field(
        default_factory=dict, description="ports that stand for 80 and 443; for tests"
    )

    @field_validator("dns")
    @classmethod
    def _check_dns(cls, told: list[str]) -> list[str]:
        for text in told:
            name_server(text)
        return told

    @field_validator("allow")
    @classmethod
    def _check_allow(cls, told: list[str]) -> list[str]:
        for text in told:
            network(text)
        return told

    @field_validator("contact")
    @classmethod
    def _check_contact(cls, told: str | None) -> str | None:
        if told is not None and not (told.isascii() and told.isprintable()):
            raise ValueError("write an e-mail address or the address of a page, in ASCII")
        return told


class BudgetSpec(Spec):
    """What one run may spend."""

    money: Money | None = None
    requests: int | None = Field(None, ge=0)


class EnrichSpec(Spec):
    """How leads are looked up outside; nothing is asked before this stands in leadlight.yaml."""

    ask: list[Name] = Field(default_factory=list, description="the providers that may be asked, in order")
    clues: dict[Name, Name] = Field(
        default_factory=dict, description="what identifies a lead → the attribute that holds it, where names differ"
    )
    attributes: dict[Name, list[Name] | WaterfallSpec] = Field(
        default_factory=dict, description="attribute → who is asked for it, in order; `ask` unless told"
    )
    providers: dict[Name, ProviderSpec] = Field(default_factory=dict, description="settings by provider")
    never: str | None = Field(None, description="a condition; leads for which it is true are never looked up")
    basis: str | None = Field(None, description="the lawful basis, in words, kept with every answer")
    basis_from: Name | None = Field(None, description="the attribute that holds it per lead; without it, no look-up")
    always: bool = Field(False, description="ask although no answer could change the lead's grade")
    budget: BudgetSpec = BudgetSpec()
    on_ingest: bool = Field(False, description="look up new leads at the end of `ingest`")
    network: NetworkSpec = NetworkSpec()

    @model_validator(mode="after")
    def _check(self) -> EnrichSpec:
        if self.basis is not None and self.basis_from is not None:
            raise ValueError("the lawful basis stands in `basis`, or per lead in `basis_from`; not both")
        return self

    def waterfall(self, attribute: str, givers: list[str]) -> WaterfallSpec:
        """Return who is asked for an attribute: as told, else those of `ask` that give it (`givers`, in order)."""
        told = self.attributes.get(attribute)
        if isinstance(told, WaterfallSpec):
            return told
        return WaterfallSpec(ask=told or givers)
