"""What leadlight.yaml says about events that nobody did: `bots:`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from leadlight.spec.base import Name, Spec
from leadlight.spec.durations import Duration


class RateSpec(Spec):
    """More events than a person can make."""

    events: int = Field(ge=1, description="so many events are possible")
    within: Duration = Field(timedelta(seconds=10), description="in so much time")


class ScannersSpec(Spec):
    """E-mail scanners, which open a message and follow its links as soon as it is there."""

    within: Duration = Field(
        timedelta(seconds=5), description="opens and clicks so soon after (or before) the delivery are a machine's"
    )
    links: int = Field(3, ge=2, description="so many different links of one message, clicked within `links_within` …")
    links_within: Duration = Field(timedelta(seconds=10), description="… are a machine's, with its opens in that time")
    delivered: str = Field("email_delivered", description="the type of event of a delivery")
    opened: str = Field("email_open", description="the type of event of an open")
    clicked: str = Field("email_click", description="the type of event of a click")


class BotsSpec(Spec):
    """Which events nobody did: they are set aside with the reason, and do not score. `bots: null` sets none aside."""

    sources: list[Name] = Field(
        default_factory=lambda: ["live"], description="whose events are looked at; `live` are those of `serve`"
    )
    crawlers: bool = Field(True, description="whether events of crawlers that name themselves are set aside")
    scanners: ScannersSpec | None = Field(ScannersSpec(), description="e-mail scanners; null for none")
    rate: RateSpec | None = Field(
        RateSpec(events=100), description="more events of one device or user are a machine's; null for no bound"
    )
    address_rate: RateSpec | None = Field(
        RateSpec(events=500), description="more events from one internet address are a machine's; null for no bound"
    )
    honeypot: str | None = Field(
        "honeypot", description="the property that only a machine fills in (a hidden field); null for none"
    )
    keep: Duration = Field(
        timedelta(days=1), description="how long it is kept from where an event came, as a hash of the address"
    )
