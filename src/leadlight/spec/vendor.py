"""What a file says that describes a vendor's API: how it is asked, and where in its answer the attributes stand.

Texts hold `{clue}` where what is known of a lead goes; it is encoded for where it stands, so that it can never be more
than a value. `${VARIABLES}` of the environment, for keys, may stand in `auth` and `headers` only: nothing of these is
ever kept. Places in an answer are JMESPath.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from leadlight.spec.base import Label, Name, Spec
from leadlight.spec.durations import Duration

ClueName = Literal[
    "email", "domain", "website", "phone", "company", "person", "title", "address", "city", "postal_code", "country",
    "ip", "links", "text",
]  # fmt: skip
CLUES: tuple[str, ...] = get_args(ClueName)
"""What may be known of a lead; the clues of `leadlight.enrich.provider`."""
WhyName = Literal["rate limited", "denied", "broken"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Status = Annotated[int, Field(ge=100, le=599)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Plain = str | bool | int | float


class RequestSpec(Spec):
    """What is sent. A parameter that needs a clue which is not known is left out."""

    url: Text = Field(description="the address; its host is written out, its path may hold {clues}")
    method: Literal["get", "post"] = Field("get", description="post sends `body` as JSON")
    query: dict[str, Plain] = Field(default_factory=dict, description="parameters; texts may hold {clues}")
    headers: dict[str, str] = Field(default_factory=dict, description="headers; no clues, but ${VARIABLES}")
    body: Any = Field(None, description="with post: values whose texts may hold {clues}")

    @model_validator(mode="after")
    def _check(self) -> RequestSpec:
        if (self.method == "post") != (self.body is not None):
            raise ValueError("`body` goes with `method: post`, and with nothing else")
        if self.method == "post" and self.query:
            raise ValueError("with `method: post`, what is asked goes into `body`; `query` must be empty")
        return self


class BasicSpec(Spec):
    """A user and a password."""

    user: Text
    password: str = ""


class AuthSpec(Spec):
    """How the key is sent: one of these."""

    bearer: Text | None = Field(None, description="`Authorization: Bearer KEY`")
    header: dict[str, Text] | None = Field(None, min_length=1, max_length=1, description="{X-Api-Key: KEY}")
    basic: BasicSpec | None = Field(None, description="user and password")
    query: dict[str, Text] | None = Field(
        None, min_length=1, max_length=1, description="{api_key: KEY}; only where a vendor takes it nowhere else"
    )

    @model_validator(mode="after")
    def _check(self) -> AuthSpec:
        given = [name for name in ("bearer", "header", "basic", "query") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give one of bearer, header, basic and query")
        return self


class NothingSpec(Spec):
    """How the vendor says that it knows nothing."""

    status: list[Status] = Field(default_factory=lambda: [404], description="statuses that say so")
    when: Text | None = Field(None, description="a JMESPath; where it is true of the answer, there is nothing")


class ErrorSpec(Spec):
    """How the vendor says, in an answer of status 2xx, that it did not answer."""

    when: Text = Field(description="a JMESPath that is true of such an answer")
    why: WhyName = "broken"
    message: Text | None = Field(None, description="where its own words stand")


class LaterSpec(Spec):
    """How the vendor says that it is still looking."""

    status: list[Status] = Field(min_length=1)
    after: Duration = Field(description="when to ask again")


class PagesSpec(Spec):
    """How the rest of a long answer is fetched."""

    items: Text = Field(description="the list that goes on, as keys with dots between them")
    next: Text = Field(description="a JMESPath: what the next page is asked with; null on the last")
    parameter: Text | None = Field(None, description="the parameter that takes it; without one, it is an address")
    at_most: int = Field(3, ge=2, le=20, description="pages that are asked for, at most")


class ScaleSpec(Spec):
    """How sure the vendor says it is."""

    path: Text = Field(description="a JMESPath to a number")
    of: float = Field(gt=0, allow_inf_nan=False, description="the number that means certain: 1, 10 or 100")


class AttributeSpec(Spec):
    """Where an attribute stands in the answer."""

    path: Text = Field(description="a JMESPath")
    values: dict[str, Plain] | None = Field(
        None, min_length=1, description="the vendor's word, in lower case → ours; other words are left out"
    )
    code: Literal["naics", "sic", "nace"] | None = Field(
        None, description="what is found is a code of this scheme; for industry and industry_code"
    )
    confidence: Share | None = Field(None, description="how sure this is; `confidence` of the file unless told")
    type: Literal["number", "text", "bool", "time"] | None = Field(None, description="of a name of your own")
    means: Label | None = Field(None, description="what a name of your own says, in words")


class VendorSpec(Spec):
    """A vendor's API, as a file describes it."""

    title: Label = Field(description="the vendor and what is asked there, in a few words")
    docs: str | None = Field(None, description="where the vendor describes the answer")
    needs: list[list[ClueName]] = Field(min_length=1, description="sets of clues of which any one suffices")
    request: RequestSpec
    auth: AuthSpec | None = None
    nothing: NothingSpec = NothingSpec()
    errors: list[ErrorSpec] = Field(default_factory=list)
    later: LaterSpec | None = None
    pages: PagesSpec | None = None
    confidence: Share | ScaleSpec = Field(0.9, description="how sure its answers are, or where it says so")
    attributes: dict[Name, Text | AttributeSpec] = Field(min_length=1, description="attribute → where it stands")
    clues: list[ClueName] = Field(default_factory=list, description="clues that its facts can become")
    personal: bool = Field(description="whether what is sent identifies a person")
    per_second: float | None = Field(None, gt=0, le=1000, description="requests a second that it allows")
    cost: float = Field(0.0, ge=0, allow_inf_nan=False, description="money for one question")
    ttl: Duration | None = Field(None, description="for how long an answer holds; 30d unless told")
    nothing_ttl: Duration | None = Field(None, description="for how long nothing holds; 7d unless told")
    licence: str = Field("", max_length=300, description="the terms of what it gives")

    @model_validator(mode="after")
    def _check(self) -> VendorSpec:
        if any(not each for each in self.needs):
            raise ValueError("`needs` holds lists of clues; one of them is empty")
        return self
