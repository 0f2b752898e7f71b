"""Scorecards over HTTP: read, drafted, compared on real leads, published, put back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.errors import NotFoundError
from leadlight.service import cards
from leadlight.service.access import allowed
from leadlight.service.answers import JSON, accept, answer, etag, sent, unchanged
from leadlight.service.bodies import as_json, read_as, read_body
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import TEXT, Answer, Body, Operation, Parameter, Sparse, Wanted
from leadlight.service.parameters import AS_OF, FIELDS, asked
from leadlight.service.problems import Problem
from leadlight.service.state import State
from leadlight.spec.load import MAX_BYTES
from leadlight.spec.stored import document
from leadlight.store.scorecards import get_version

YAML = "application/yaml"
ALSO = (YAML, "application/x-yaml", "text/yaml", "text/x-yaml", "application/octet-stream")
Done = TypeVar("Done")


class CardShown(Answer):
    """A scorecard in use, or drafted."""

    name: str
    of: str | None
    version: str | None
    published_at: str | None
    learned: bool
    draft: bool


class CardList(Answer):
    """All scorecards."""

    scorecards: list[CardShown]


class Version(Answer):
    """A version that was used since a moment."""

    version: str
    published_at: str


class VersionList(Answer):
    """All versions of a scorecard that were ever used, the last first."""

    name: str
    versions: list[Version]


class DraftKept(Answer):
    """A draft that was checked and kept; warnings do not stop it."""

    name: str
    version: str
    warnings: list[dict[str, Any]]


class Published(Answer):
    """A scorecard that is in use now: everybody has a score by it, and nobody was alerted."""

    name: str
    version: str
    replaced: bool


class DifferenceShown(Sparse):
    """What publishing would do to real leads."""

    scorecard: str
    as_of: str
    old: str
    new: str
    total: int
    moved: int
    changes_grade: int


class PublishWanted(Wanted):
    """How to publish."""

    force: bool = False
    """Also where a learned draft has not passed its gate."""


_NAME = Parameter("name", "the scorecard's name", {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"},
                  "path")  # fmt: skip
_IF_MATCH = Parameter("If-Match", "the ETag of what is to be changed, as it was read", where="header")
_AS_TEXT = Body({YAML: TEXT, JSON: {"type": "object"}})


def _of_card(method: str, rest: str, summary: str, *more: Parameter, scope: str = "read", **told: Any) -> Operation:
    return Operation(
        method, f"/v1/scorecards/{{name}}{rest}", summary, scope=scope, parameters=(_NAME, *more),
        refusals=(404, *told.pop("refusals", ())), **told,
    )  # fmt: skip


_LIST = Operation("GET", "/v1/scorecards", "The scorecards in use, and drafts", scope="read", response=CardList)
_LIVE = _of_card("GET", "", "A scorecard as it is in use: YAML, or JSON", response=_AS_TEXT)
_DRAFT = _of_card("GET", "/draft", "A draft", response=_AS_TEXT)
_PUT = _of_card(
    "PUT", "/draft", "Check a draft, all faults at once with their lines, and keep it", _IF_MATCH, scope="manage",
    request=Body({YAML: TEXT}), response=DraftKept, refusals=(412,),
)  # fmt: skip
_DELETE = _of_card("DELETE", "/draft", "Drop a draft", _IF_MATCH, scope="manage", status=204, refusals=(412,))
_DIFF = _of_card("GET", "/diff", "What publishing the draft would do to real leads", AS_OF, FIELDS,
                 response=DifferenceShown)  # fmt: skip
_PUBLISH = _of_card(
    "POST", "/publish", "Publish the draft and score everybody by it, silently", _IF_MATCH, scope="manage",
    request=PublishWanted, response=Published, refusals=(412,),
)  # fmt: skip
_REVERT = _of_card("POST", "/revert", "Put back what the scorecard in use replaced", scope="manage",
                   response=Published)  # fmt: skip
_VERSIONS = _of_card("GET", "/versions", "Every version that was ever used", response=VersionList)
_VERSION = _of_card("GET", "/versions/{version}", "A version as it was", response=_AS_TEXT)
OPERATIONS = (_LIST, _LIVE, _DRAFT, _PUT, _DELETE, _DIFF, _PUBLISH, _REVERT, _VERSIONS, _VERSION)


def routes(state: State) -> list[Route]:
    """Return the routes about scorecards."""
    served = _Cards(state)
    handlers = (
        (_LIST, served.all), (_LIVE, served.live), (_DRAFT, served.draft), (_PUT, served.put),
        (_DELETE, served.delete), (_DIFF, served.diff), (_PUBLISH, served.publish), (_REVERT, served.revert),
        (_VERSIONS, served.versions), (_VERSION, served.version),
    )  # fmt: skip
    return [Route(one.path, handler, methods=[one.method]) for one, handler in handlers]


class _Cards:
    def __init__(self, state: State) -> None:
        self.state = state

    def _asked(self, request: Request, operation: Operation) -> tuple[str, dict[str, Any]]:
        allowed(self.state.keys, request, operation.scope or "read")
        return request.path_params.get("name", ""), asked(request, operation.parameters)

    async def _change(self, change: Callable[[LiveWorkspace], Done]) -> Done:
        return await asyncio.wrap_future(self.state.worker.do(change))

    async def all(self, request: Request) -> Response:
        """List the scorecards."""
        self._asked(request, _LIST)
        return answer(request, {"scorecards": await self.state.readers.ask(cards.listed)})

    async def live(self, request: Request) -> Response:
        """Show a scorecard as it is in use."""
        name, _ = self._asked(request, _LIVE)
        return _shown(request, name, await self.state.readers.ask(lambda workspace: cards.live_text(workspace, name)))

    async def draft(self, request: Request) -> Response:
        """Show a draft."""
        name, _ = self._asked(request, _DRAFT)
        return _shown(request, name, cards.draft_text(self.state.folder, name))

    async def put(self, request: Request) -> Response:
        """Check a draft and keep it."""
        name, _ = self._asked(request, _PUT)
        as_json(request, ALSO)
        text = _decoded(await read_body(request, MAX_BYTES))

        def change(workspace: LiveWorkspace) -> Any:
            before = _tag(workspace, name)
            unchanged(request, before)
            return before, cards.put(workspace, name, text)

        before, kept = await self._change(change)
        return answer(request, kept, 201 if before is None else 200, location=f"/v1/scorecards/{name}/draft")

    async def delete(self, request: Request) -> Response:
        """Drop a draft."""
        name, _ = self._asked(request, _DELETE)

        def change(workspace: LiveWorkspace) -> None:
            cards.draft_text(workspace.root, name)
            unchanged(request, _tag(workspace, name))
            cards.drop(workspace.root, name)

        await self._change(change)
        return Response(status_code=204)

    async def diff(self, request: Request) -> Response:
        """Compare the draft with what is in use, on real leads."""
        name, told = self._asked(request, _DIFF)
        fields = told.pop("fields", None)
        found = await self.state.readers.ask(lambda workspace: cards.difference(workspace, name, **told), long=True)
        return answer(request, found.as_dict(), fields=fields)

    async def publish(self, request: Request) -> Response:
        """Publish the draft."""
        name, _ = self._asked(request, _PUBLISH)
        wanted = await read_as(request, PublishWanted)

        def change(workspace: LiveWorkspace) -> Any:
            cards.draft_text(workspace.root, name)
            unchanged(request, _tag(workspace, name))
            return cards.publish(workspace, name, force=wanted.force)

        return answer(request, await self._change(change))

    async def revert(self, request: Request) -> Response:
        """Put back what was replaced."""
        name, _ = self._asked(request, _REVERT)
        return answer(request, await self._change(lambda workspace: cards.revert(workspace, name)))

    async def versions(self, request: Request) -> Response:
        """List the versions that were ever used."""
        name, _ = self._asked(request, _VERSIONS)
        found = await self.state.readers.ask(lambda workspace: cards.versions(workspace, name))
        return answer(request, {"name": name, "versions": found})

    async def version(self, request: Request) -> Response:
        """Show a version as it was."""
        name, _ = self._asked(request, _VERSION)
        wanted = request.path_params["version"]
        found = await self.state.readers.ask(lambda workspace: get_version(workspace.engine, name, wanted))
        return _shown(request, name, found.content)


def _tag(workspace: LiveWorkspace, name: str) -> str | None:
    """Return the ETag of a draft; None where there is none."""
    try:
        return etag(cards.draft_text(workspace.root, name).encode())
    except NotFoundError:
        cards.named(name)
        return None


def _shown(request: Request, name: str, text: str) -> Response:
    """Show a scorecard as its own text, or as JSON where that is preferred."""
    if accept(request, YAML, "text/yaml", JSON) == JSON:
        return answer(request, document(name, text).spec.model_dump(mode="json", exclude_defaults=True))
    return sent(request, text.encode(), YAML)


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(400, f"the byte 0x{body[error.start]:02X} is not UTF-8: send the scorecard as UTF-8") from None
