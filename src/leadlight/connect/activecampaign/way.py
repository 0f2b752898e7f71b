"""How one gets in to ActiveCampaign, how much one may ask, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from leadlight.connect.auth import Key
from leadlight.connect.http import Answer, Http, Way
from leadlight.connect.protocol import About, Limits, Secret, Settings
from leadlight.connect.refusals import said
from leadlight.errors import RemoteError, UsageError

API = "/api/3"
DEVELOPER = "In ActiveCampaign: Settings, Developer"
REFUSED = (401, 403)

ABOUT = About(
    name="activecampaign",
    title="ActiveCampaign",
    secrets=(
        Secret("key", "ACTIVECAMPAIGN_KEY", f"{DEVELOPER}: the key; each user has one, with that user's permissions."),
        Secret(
            "webhook_secret",
            "ACTIVECAMPAIGN_WEBHOOK_SECRET",
            "A long word of your own, put behind the webhook's address (Settings, Developer, Webhooks): …?secret=WORD.",
            needed=False,
        ),
    ),
    limits=Limits(per_second=4, batch=100, page=100),
    documentation="https://developers.activecampaign.com/reference",
    listens=True,
)
"""Five requests a second are allowed to all that ask an account together; one is left to the others."""


class ActiveCampaignSettings(Settings):
    """What leadlight.yaml may say of a connection to ActiveCampaign."""

    url: str | None = Field(None, description="the API's address, as Settings, Developer shows it")
    sweep_hours: float = Field(
        24,
        ge=1,
        description="hours between counts of all contacts, deals and accounts: deletions are told in no other way",
    )


def way(settings: ActiveCampaignSettings, secrets: Mapping[str, str]) -> Way:
    """Return the way in. Raises UsageError where the account's address is not told."""
    if not settings.url:
        raise UsageError(
            "a connection to ActiveCampaign needs `url`, the API's address of your account",
            fix=f"{DEVELOPER}: copy the URL, like https://ACCOUNT.api-us1.com; the account's name does not tell it.",
        )
    return Way(settings.url.rstrip("/").removesuffix(API), Key("Api-Token", secrets["key"]), refusal=refusal)


def refusal(answer: Answer) -> RemoteError | None:
    """Say what a refusal means in ActiveCampaign's settings."""
    own = said(answer) or ""
    shown, status = f": {own}" if own else "", answer.status
    if status == 402:
        fix = "In ActiveCampaign: Settings, Billing."
        return RemoteError(
            "ActiveCampaign", "disabled", f"the account is closed or unpaid{shown}", fix=fix, status=status
        )
    if status == 403 and "upgrade" in own.lower():
        fix = "The plan has no CRM: take the source of deals out of leadlight.yaml, or see Settings, Billing."
        return RemoteError("ActiveCampaign", "disabled", f"does not offer this{shown}", fix=fix, status=status)
    if status == 403:
        fix = (
            "In ActiveCampaign: Settings, Users and groups: the group of the user whose key it is must see all lists, "
            "contacts and deals, and to make fields it must be allowed to manage them."
        )
        return RemoteError("ActiveCampaign", "scope", f"does not allow this{shown}", fix=fix, status=status)
    return None


class Asker:
    """Requests to ActiveCampaign, which says 403 both to an unknown key and to a user who may not do something."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, expect: tuple[int, ...] = ()) -> Answer:
        """Make a GET. Raises RemoteError."""
        return self.ask("GET", path, params=params, expect=expect)

    def ask(self, method: str, path: str, **more: Any) -> Answer:
        """Make a request; where it is refused, find out whether the key is known at all. Raises RemoteError."""
        try:
            return self.http.ask(method, f"{API}/{path}", **more)
        except RemoteError as error:
            if error.status not in REFUSED or error.trouble == "disabled":
                raise
            refused = error
        me = self.http.ask("GET", f"{API}/users/me", expect=REFUSED)
        if me.status not in REFUSED:
            raise refused
        fix = f"{DEVELOPER}: look at the key (it changes when it is reset), and at the URL: both are of one account."
        raise RemoteError("ActiveCampaign", "sign_in", "does not accept the key", fix=fix, status=me.status)
