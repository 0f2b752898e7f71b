"""What leadlight.yaml says about the webhooks of mail providers: `mail:`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, model_validator

from leadlight.spec.base import Spec
from leadlight.spec.durations import Duration


class SendGridSpec(Spec):
    """SendGrid's Event Webhook, with signed events."""

    public_key: str = Field(description="the verification key that SendGrid shows, as it shows it or as PEM")


class MailgunSpec(Spec):
    """Mailgun's webhooks."""

    signing_key: str = Field(min_length=1, description="the HTTP webhook signing key, as ${VARIABLE}")


class PostmarkSpec(Spec):
    """Postmark's webhooks: they have no signature, but bring a password or a header of yours along."""

    user: str | None = Field(None, description="the user in the webhook's address")
    password: str | None = Field(
        None, min_length=1, description="the password in the webhook's address, as ${VARIABLE}"
    )
    header: str | None = Field(
        None, pattern=r"^[A-Za-z0-9-]{1,100}$", description="the name of the custom header that brings the token"
    )
    token: str | None = Field(None, min_length=1, description="what that header holds, as ${VARIABLE}")

    @model_validator(mode="after")
    def _check(self) -> PostmarkSpec:
        given = [(self.user is None, self.password is None), (self.header is None, self.token is None)]
        if sorted(given) != [(False, False), (True, True)]:
            raise ValueError("postmark needs user and password, or header and token")
        return self


class SesSpec(Spec):
    """Amazon SES by way of SNS; SNS signs what it sends, but anybody may have a topic."""

    topics: list[str] = Field(min_length=1, description="the ARNs of the topics that are yours")

    @model_validator(mode="after")
    def _check(self) -> SesSpec:
        for topic in self.topics:
            if not topic.startswith("arn:aws") or topic.count(":") != 5 or ":sns:" not in topic:
                raise ValueError(f"{topic!r} is no topic's ARN: arn:aws:sns:REGION:ACCOUNT:NAME is wanted")
        return self


class MailSpec(Spec):
    """How webhooks of mail providers are known to be theirs, and whom they are about.

    A provider that is not named here may send with a write key in the webhook's address (`?key=ll_…`).
    """

    sendgrid: SendGridSpec | None = None
    mailgun: MailgunSpec | None = None
    postmark: PostmarkSpec | None = None
    ses: SesSpec | None = None
    user_id: str = Field(
        "user_id", min_length=1, description="the custom argument (variable, metadata, tag) that holds the user's id"
    )
    max_age: Duration = Field(timedelta(days=1), description="signatures that are older are refused")
