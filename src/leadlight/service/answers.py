"""Answers as JSON: only the fields that are asked for, and nothing where the one who asks has them already.

An ETag is strong: the hash of the very bytes. What it is of may have been answered by another process.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from io import BufferedReader
from typing import Any

import orjson
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from leadlight.errors import shorten
from leadlight.service.problems import Problem

JSON = "application/json"
MOST_FIELDS = 50
PART = 256 * 1024
"""Bytes of a file that are sent at a time."""
_FIELD = re.compile(r"[^\s.,]+(\.[^\s.,]+){0,5}")


def answer(request: Request, content: Any, status: int = 200, *, fields: str | None = None, **headers: str) -> Response:
    """Return plain JSON values as an answer, with its ETag; 304 without a body where If-None-Match names that.

    `headers` are further ones (`location="/v1/…"`). Raises Problem 406 where JSON is not accepted.
    """
    accept(request, JSON)
    return sent(request, orjson.dumps(sparse(content, fields)), JSON, status, **headers)


def sent(request: Request, body: bytes, media: str, status: int = 200, **headers: str) -> Response:
    """Return bytes as an answer with their ETag, or that they have not changed."""
    more = {name.replace("_", "-"): value for name, value in headers.items()} | _headers(etag(body))
    if request.method in ("GET", "HEAD") and status == 200 and _names(request, "if-none-match", more["etag"]):
        return Response(status_code=304, headers=more)
    return Response(body, status, more, media)


def _headers(tag: str) -> dict[str, str]:
    return {"etag": tag, "cache-control": "private, no-cache", "vary": "Authorization, Accept"}


async def sent_file(request: Request, file: BufferedReader, media: str) -> Response:
    """Return what is in a file as an answer with its ETag, part by part, or that it has not changed.

    The file is closed when it was sent.
    """
    digest = await to_thread.run_sync(_digest, file)
    more = _headers(f'"{digest[:32]}"')
    if _names(request, "if-none-match", more["etag"]):
        file.close()
        return Response(status_code=304, headers=more)
    return FileAnswer(file, more, media)


class FileAnswer(Response):
    """An answer of which no more than a part is in memory."""

    def __init__(self, file: BufferedReader, headers: Mapping[str, str], media: str) -> None:
        """Send the file from where it stands to its end."""
        self._file = file
        size = os.fstat(file.fileno()).st_size - file.tell()
        super().__init__(b"", 200, {**headers, "content-length": str(size)}, media)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as fast as it is taken."""
        del scope, receive
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while part := await to_thread.run_sync(self._file.read, PART):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._file.close()


def _digest(file: BufferedReader) -> str:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


def etag(body: bytes) -> str:
    """Return the strong ETag of a body.

    >>> etag(b"{}")
    '"44136fa355b3678a1146ad16f7e8649e"'
    """
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _names(request: Request, header: str, tag: str, *, weak: bool = True) -> bool:
    """Return whether a header names an ETag, or any."""
    said = [one.strip() for one in request.headers.get(header, "").split(",")]
    return tag in said or "*" in said or (weak and f"W/{tag}" in said)


def unchanged(request: Request, tag: str | None) -> None:
    """Let a change through only where it is made to what the one who asks has seen.

    `tag` is the ETag of what there is now, None where there is nothing. Raises Problem 412 where If-Match names another
    or If-None-Match names this one (`*`: anything).
    """
    if "if-match" in request.headers and (tag is None or not _names(request, "if-match", tag, weak=False)):
        raise Problem(412, "it has changed since it was read: read it again", etag=tag)
    if "if-none-match" in request.headers and tag is not None and _names(request, "if-none-match", tag):
        raise Problem(412, "it is there already", etag=tag)


def accept(request: Request, *media: str) -> str:
    """Return the first of some media types that is accepted.

    Raises Problem 406.
    """
    said = request.headers.get("accept", "*/*") or "*/*"
    for offered in media:
        if any(_matches(one, offered) for one in said.split(",")):
            return offered
    raise Problem(406, f"this is answered as {' or '.join(media)}, but Accept is {shorten(said)}")


def _matches(wanted: str, offered: str) -> bool:
    kind, _, rest = wanted.partition(";")
    if re.search(r"(^|;)\s*q\s*=\s*0(\.0*)?\s*($|;)", rest):
        return False
    return kind.strip().lower() in (offered, offered.partition("/")[0] + "/*", "*/*", "application/problem+json")


def sparse(content: Any, fields: str | None) -> Any:
    """Return only some fields of a value; lists are walked through, and `rows` is entered where it has them.

    >>> ranking = {"total": 2, "rows": [{"id": "a", "score": 1.0, "groups": {"fit": 1.0, "rest": 0.0}}], "next": None}
    >>> sparse(ranking, "id,groups.fit")
    {'rows': [{'id': 'a', 'groups': {'fit': 1.0}}], 'next': None}
    >>> sparse(ranking, "total")
    {'total': 2}

    Raises Problem 400 for fields there are not.
    """
    if fields is None:
        return content
    paths = [path.strip() for path in fields.split(",")]
    if len(paths) > MOST_FIELDS or not all(_FIELD.fullmatch(path) for path in paths):
        raise Problem(400, f"fields is {shorten(fields)}: names separated by commas are wanted, {MOST_FIELDS} at most")
    tree = _tree(paths)
    rows = content.get("rows") if isinstance(content, Mapping) else None
    if isinstance(rows, Sequence) and not tree.keys() & content.keys():
        return {"rows": _known(rows, tree), **({"next": content["next"]} if "next" in content else {})}
    return _known(content, tree)


Tree = dict[str, "Tree"]


def _tree(paths: Sequence[str]) -> Tree:
    tree: Tree = {}
    for path in paths:
        inside = tree
        for name in path.split("."):
            inside = inside.setdefault(name, {})
    return tree


def _known(content: Any, tree: Tree) -> Any:
    if content is None:  # nothing is known of what it would hold
        return None
    for name in tree:
        if not _has(content, name):
            raise Problem(400, f"no field {shorten(name)}: there are {', '.join(_fields(content)) or 'none'}")
        if tree[name]:
            _known(_inside(content, name), tree[name])
    return _pruned(content, tree)


def _has(content: Any, name: str) -> bool:
    """Return whether a map, or any of a list, has a field; an empty list might."""
    if isinstance(content, Mapping):
        return name in content
    return isinstance(content, list) and (not content or any(_has(item, name) for item in content))


def _inside(content: Any, name: str) -> Any:
    """Return what a field holds, of a list all that it holds together."""
    if isinstance(content, Mapping):
        return content.get(name)
    held = [_inside(item, name) for item in content]
    return [one for inside in held for one in (inside if isinstance(inside, list) else [inside]) if one is not None]


def _fields(content: Any) -> list[str]:
    first = content[0] if isinstance(content, list) and content else content
    return [str(name) for name in first] if isinstance(first, Mapping) else []


def _pruned(content: Any, tree: Tree) -> Any:
    if not tree or content is None:
        return content
    if isinstance(content, Mapping):
        return {name: _pruned(content[name], inside) for name, inside in tree.items() if name in content}
    return [_pruned(item, tree) for item in content] if isinstance(content, list) else content
