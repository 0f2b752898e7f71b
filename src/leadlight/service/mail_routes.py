"""Events in from mail providers: SendGrid, Mailgun, Postmark, and Amazon SES by way of SNS.

A webhook is let in by its provider's signature where `mail:` in leadlight.yaml has the key to it, else by a write key
in its address (`?key=`). 401 is for those that are not signed, 406 for those signed too long ago or used before:
sending them again is of no use (Mailgun takes 406 for just that).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed, count_request
from leadlight.service.bodies import parsed, read_body
from leadlight.service.ingest_routes import Accepted, answer, take_in
from leadlight.service.mail import mailgun, postmark, sendgrid, ses, sns
from leadlight.service.mail.happening import Heard, Reader, mapping, read_items
from leadlight.service.mail.signatures import Forged, Stale, Tokens, Window
from leadlight.service.operation import Body, Operation, Parameter
from leadlight.service.problems import RETRY_AFTER, Problem
from leadlight.service.state import State
from leadlight.spec.mail import MailSpec
from leadlight.spec.variables import expand

MAX_WEBHOOK = 1024 * 1024
"""Bytes of a webhook's body: SendGrid sends up to 768 KB."""
TOKENS = "tokens.sqlite"
Checked = TypeVar("Checked")


class Taken(Accepted):
    """What was kept of a webhook; `ignored` counts what is of no interest here, such as `processed`."""

    ignored: int = 0


_KEY = (Parameter("key", "a write key, where leadlight.yaml names no secret of this provider"),)


def _operation(name: str, title: str, schema: str) -> Operation:
    return Operation(
        "POST", f"/v1/mail/{name}", f"Take a webhook of {title}", scope="ingest", parameters=_KEY,
        request=Body({"application/json": {"type": schema}}), response=Taken, refusals=(406,),
        about="A signature that `mail:` in leadlight.yaml has the key to stands for a key.",
    )  # fmt: skip


OPERATIONS = (
    _operation("sendgrid", "SendGrid", "array"),
    _operation("mailgun", "Mailgun", "object"),
    _operation("postmark", "Postmark", "object"),
    _operation("ses", "Amazon SNS with events of Amazon SES", "object"),
)


def routes(state: State, *, fetch: sns.Fetch = sns.fetch) -> list[Route]:
    """Return the routes of webhooks; `fetch` gets what lies at an address of Amazon SNS.

    Raises UsageError where a secret of `mail:` is not set, or is none.
    """
    webhooks = Webhooks(
        state, read_secrets(state.spec.mail or MailSpec()), Tokens(state.folder / ".leadlight" / TOKENS), fetch
    )
    handlers = (webhooks.sendgrid, webhooks.mailgun, webhooks.postmark, webhooks.ses)
    return [
        Route(operation.path, handler, methods=["POST"])
        for operation, handler in zip(OPERATIONS, handlers, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What webhooks are checked with; None where a write key lets them in."""

    spec: MailSpec
    sendgrid: Callable[[Mapping[str, str], bytes, Window], None] | None = None
    mailgun: str | None = None
    postmark: Callable[[Mapping[str, str]], None] | None = None
    topics: Sequence[str] | None = None


def read_secrets(spec: MailSpec) -> Secrets:
    """Return what webhooks are checked with.

    Raises UsageError where a secret is not set in the environment, or is none.
    """
    told = partial(expand, environ=os.environ)
    return Secrets(
        spec,
        partial(sendgrid.check, sendgrid.public_key(told(spec.sendgrid.public_key))) if spec.sendgrid else None,
        told(spec.mailgun.signing_key) if spec.mailgun else None,
        _postmark(spec, told),
        spec.ses.topics if spec.ses else None,
    )


def _postmark(spec: MailSpec, told: Callable[[str], str]) -> Callable[[Mapping[str, str]], None] | None:
    given = spec.postmark
    if given is None:
        return None
    if given.header is not None and given.token is not None:
        return partial(postmark.check_token, given.header, told(given.token))
    return partial(postmark.check_password, told(given.user or ""), told(given.password or ""))


class Webhooks:
    """The ways in for providers, over one inbox."""

    def __init__(self, state: State, secrets: Secrets, tokens: Tokens, fetch: sns.Fetch) -> None:
        self.state, self.secrets, self.tokens, self.fetch = state, secrets, tokens, fetch
        self.certificates = sns.Certificates(fetch)

    async def sendgrid(self, request: Request) -> Response:
        """Take a list of events."""
        raw, check = await read_body(request, MAX_WEBHOOK), self.secrets.sendgrid
        await self._let_in(request, check and (lambda: check(request.headers, raw, self._window())))
        events = parsed(raw)
        return await self._take(events if isinstance(events, list) else [events], sendgrid.read)

    async def mailgun(self, request: Request) -> Response:
        """Take an event; its token counts once."""
        body, key = parsed(await read_body(request, MAX_WEBHOOK)), self.secrets.mailgun
        once: AbstractContextManager[None] = nullcontext()
        if key is None:
            await self._let_in(request, None)
        else:
            token = _checked(lambda: mailgun.check(key, body, self._window()))
            once = self.tokens.used(token, self.state.now(), self.secrets.spec.max_age)
        try:
            with once:
                return await self._take([mapping(body).get("event-data")], mailgun.read)
        except Stale as stale:
            raise _refused(stale) from None

    async def postmark(self, request: Request) -> Response:
        """Take a record."""
        raw, check = await read_body(request, MAX_WEBHOOK), self.secrets.postmark
        await self._let_in(request, check and (lambda: check(request.headers)))
        return await self._take([parsed(raw)], postmark.read)

    async def ses(self, request: Request) -> Response:
        """Take a message of SNS: events, or the question whether this wants them."""
        body = parsed(await read_body(request, MAX_WEBHOOK))
        if self.secrets.topics is None:
            await self._let_in(request, None)
        envelope = await self._threaded(lambda: sns.check(body, self.certificates, self._window()))
        if self.secrets.topics is not None and envelope.topic not in self.secrets.topics:
            raise Problem(403, "the topic is none of mail.ses.topics")
        if envelope.type == sns.MESSAGE:
            return await self._take([parsed(envelope.message.encode())],
                                    partial(ses.read, notification=envelope.id))  # fmt: skip
        if envelope.type == "SubscriptionConfirmation":
            await self._threaded(lambda: self.fetch(sns.confirmation(envelope)))
        return answer({"success": True, "accepted": 0, "repeated": 0, "ignored": 1})

    # ------------------------------------------------------------------------------------------------------ inside

    def _window(self) -> Window:
        return Window(self.state.now(), self.secrets.spec.max_age)

    async def _let_in(self, request: Request, check: Callable[[], None] | None) -> None:
        """Look at the signature where there is a key to it, else at the write key."""
        if check is None:
            shown = {"writeKey": request.query_params.get("key")}
            await count_request(self.state.keys, request, shown)
            allowed(self.state.keys, request, "ingest", shown)
        else:
            _checked(check)

    async def _threaded(self, ask: Callable[[], Checked]) -> Checked:
        """Ask what may have to fetch something of Amazon's first."""
        try:
            return await to_thread.run_sync(_checked, ask)
        except sns.Unreachable as error:
            raise Problem(503, str(error), headers={"Retry-After": str(RETRY_AFTER)}) from None

    async def _take(self, items: Sequence[Any], reader: Reader) -> Response:
        heard: Heard = read_items(items, reader, self.state.now(), self.secrets.spec.user_id)
        return await take_in(self.state, heard.batch, ignored=heard.ignored)


def _checked(check: Callable[[], Checked]) -> Checked:
    try:
        return check()
    except (Forged, Stale) as error:
        raise _refused(error) from None


def _refused(error: Forged | Stale) -> Problem:
    return Problem(401 if isinstance(error, Forged) else 406, str(error))
