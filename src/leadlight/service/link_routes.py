"""Opens and clicks of messages that somebody sends by themselves: signed links, a pixel, and a redirect.

Each hit is an event at its moment. What only looks whether the address is there (HEAD), or fetches it before anybody
wants it (prefetch), does not count. A click leads on even where it cannot be kept: nobody is to wait for that.
"""

from __future__ import annotations

import base64

from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.errors import StoreError
from leadlight.service.access import allowed
from leadlight.service.bodies import parsed, read_body
from leadlight.service.ingest_routes import keep
from leadlight.service.links import LONGEST, Link, Links, leads_out
from leadlight.service.mail.happening import address_of
from leadlight.service.operation import Answer, Body, Operation, Wanted
from leadlight.service.problems import Problem
from leadlight.service.segment import MAX_ID, CallFault
from leadlight.service.state import State
from leadlight.store.merge import BY_ADDRESS

MAX_LINKS = 100
MAX_BODY = 512 * 1024
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A GIF of one transparent pixel."""
UNSTORED = {"Cache-Control": "no-store, no-cache, max-age=0, must-revalidate", "Pragma": "no-cache",
            "X-Robots-Tag": "noindex, nofollow"}  # fmt: skip
"""So that the next open or click comes here too."""


class LinksWanted(Wanted):
    """Links of a message to one person."""

    user_id: str | None = Field(None, min_length=1, max_length=MAX_ID, description="whom the message goes to")
    email: str | None = Field(None, min_length=3, max_length=320, description="the address, where there is no user_id")
    campaign: str | None = Field(None, min_length=1, max_length=200)
    message: str | None = Field(None, min_length=1, max_length=200, description="an id of the message")
    urls: list[str] = Field(
        default_factory=list, max_length=MAX_LINKS, description=f"where its links lead, up to {LONGEST} characters each"
    )


class LinksMade(Answer):
    """Addresses to put into the message: of a pixel that tells opens, and of each link, in the order of `urls`."""

    pixel: str
    links: list[str]


OPERATIONS = (
    Operation("POST", "/v1/links", "Sign links and a pixel for a message", scope="manage", request=LinksWanted,
              response=LinksMade),
    Operation("GET", "/v1/o/{token}.gif", "The pixel of a message that is opened", refusals=(404,),
              response=Body({"image/gif": {"type": "string", "contentEncoding": "base64"}})),
    Operation("GET", "/v1/c/{token}", "Lead on whoever clicks", status=302, refusals=(404, 503)),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes of links."""
    found = _Messages(state)
    return [
        Route("/v1/links", found.sign, methods=["POST"]),
        Route("/v1/o/{token}.gif", found.opened, methods=["GET"]),
        Route("/v1/c/{token}", found.clicked, methods=["GET"]),
    ]


class _Messages:
    """Makes links and takes what comes of them."""

    def __init__(self, state: State) -> None:
        self.state, self.links = state, Links(state.admission.sessions.derived("links"))

    async def sign(self, request: Request) -> Response:
        """Make links for a message."""
        allowed(self.state.keys, request, "manage")
        wanted = _wanted(parsed(await read_body(request, MAX_BODY)))
        user = wanted.user_id or _by_address(wanted.email)
        base = self.state.spec.service.address or f"{request.url.scheme}://{request.url.netloc}"
        pixel = self.links.sign(Link(user, None, wanted.campaign, wanted.message))
        signed = [self.links.sign(Link(user, url, wanted.campaign, wanted.message)) for url in wanted.urls]
        made = LinksMade(pixel=f"{base}/v1/o/{pixel}.gif", links=[f"{base}/v1/c/{token}" for token in signed])
        return Response(made.model_dump_json(), media_type="application/json")

    async def opened(self, request: Request) -> Response:
        """Take an open."""
        await self._take(request, pixel=True)
        return Response(PIXEL, headers=UNSTORED, media_type="image/gif")

    async def clicked(self, request: Request) -> Response:
        """Take a click, and lead on."""
        if _prefetched(request):  # refused, so that the browser asks again when it is wanted
            raise Problem(
                503, "a click cannot be fetched before it is wanted", headers={**UNSTORED, "Retry-After": "0"}
            )
        link = await self._take(request, pixel=False)
        return Response(status_code=302, headers={**UNSTORED, "Location": link.url or ""})

    async def _take(self, request: Request, *, pixel: bool) -> Link:
        token = request.path_params["token"]
        link = self.links.read(token)
        if link is None or (link.url is None) != pixel:
            raise Problem(404, "no such link was made here", headers=UNSTORED)
        if request.method == "GET" and not _prefetched(request):
            call = link.call(token, self.state.now(), request.headers.get("user-agent", ""))
            try:
                await keep(self.state, [call])
            except StoreError:
                self.state.metrics.calls.labels("lost").inc()
        return link


def _wanted(body: object) -> LinksWanted:
    try:
        wanted = LinksWanted.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Problem(400, f"{place}: {first['msg']}" if place else first["msg"]) from None
    if (wanted.user_id is None) == (wanted.email is None):
        raise Problem(400, "one of user_id and email says whom the message goes to")
    for url in wanted.urls:
        if not leads_out(url):
            raise Problem(400, f"{url[:100]!r} is no address that a click may lead to: a whole one of http or https is")
    return wanted


def _by_address(email: str | None) -> str:
    try:
        return f"{BY_ADDRESS}{address_of(email)}"
    except CallFault as fault:
        raise Problem(400, str(fault)) from None


def _prefetched(request: Request) -> bool:
    """Return whether a browser fetches this before anybody wants it."""
    said = (request.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"))
    return any("prefetch" in one or "prerender" in one or "preview" in one for one in map(str.lower, said))
