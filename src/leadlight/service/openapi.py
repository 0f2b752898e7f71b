"""The service's OpenAPI 3.1 document, made from what its routes declare, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from leadlight.service.operation import Answer, Body, Content, Operation

REFUSALS = (400, 405, 406)
"""Statuses any operation can end with."""
GUARDED = (401, 403, 429)
"""Statuses an operation that needs a key can end with."""
WITH_BODY = (408, 413, 415)
ABOUT = """Leads, their scores, and why. Events come in by the Segment API; everything the command line does is here
under the same verb. Times are RFC 3339 in UTC. What cannot be answered is a problem of RFC 9457. Answers have an ETag.
Any POST may carry an Idempotency-Key: it is done once, and its answer comes again for a day."""
REFS = "#/components/schemas/{model}"


class Problem(Answer):
    """Why a request was not answered (RFC 9457); `code` and `message` say the same for clients that look for them."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    message: str


def document(operations: Sequence[Operation]) -> Mapping[str, Any]:
    """Return the document as plain JSON values.

    >>> paths = document([Operation("DELETE", "/v1/keys/{id}", "Revoke a key", scope="manage")])["paths"]
    >>> list(paths["/v1/keys/{id}"]["delete"]["responses"])
    ['200', '400', '401', '403', '405', '406', '429', '503']
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.template, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Leadlight", "version": version("leadlight"), "description": " ".join(ABOUT.split())},
        "paths": paths,
        "components": {"schemas": _schemas(operations), "securitySchemes": _SECURITY},
    }


_SECURITY: Mapping[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, as a bearer's token."},
    "basic": {"type": "http", "scheme": "basic", "description": "A key, as the user; no password."},
}


def _operation(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": operation.operation_id, "tags": [operation.topic], "summary": operation.summary,
        "parameters": [parameter.as_openapi() for parameter in operation.all_parameters],
        "responses": _responses(operation),
    }  # fmt: skip
    scope = f"Needs a key with the scope `{operation.scope}`." if operation.scope else "Needs no key."
    scope = "Needs a key, of any scope." if operation.scope == "any" else scope
    said["description"] = " ".join([*([operation.about] if operation.about else []), scope])
    if operation.request is not None:
        said["requestBody"] = {"required": True, "content": _content(operation.request)}
    if operation.scope is not None:
        said["security"] = [{"bearer": []}, {"basic": []}]
    return said


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done" if operation.status != 200 else "The answer"}
    if operation.response is not None:
        done["content"] = _content(operation.response)
    refusals = [*REFUSALS, *(GUARDED if operation.scope else ()), *(WITH_BODY if operation.request else ())]
    page = isinstance(operation.response, Body) and not operation.template.startswith("/v1/")
    wrong = {str(status): _refusal(status, page=page) for status in sorted({*refusals, *operation.refusals, 503})}
    return {str(operation.status): done, **wrong}


def _refusal(status: int, *, page: bool) -> dict[str, Any]:
    """Describe a refusal; pages for people say it to them."""
    content: dict[str, Any] = {"application/problem+json": {"schema": _ref(Problem)}}
    if page:
        content["text/html"] = {"schema": {"type": "string"}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _content(content: Content) -> dict[str, Any]:
    if isinstance(content, Body):
        return {media: {"schema": dict(schema)} for media, schema in content.media.items()}
    return {"application/json": {"schema": _ref(content)}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFS.format(model=model.__name__)}


def _schemas(operations: Sequence[Operation]) -> Mapping[str, Any]:
    told = [content for operation in operations for content in (operation.request, operation.response)]
    models: list[type[BaseModel]] = [Problem, *(one for one in told if one is not None and not isinstance(one, Body))]
    unlike: dict[type[BaseModel], None] = dict.fromkeys(models)
    _, found = models_json_schema([(model, "validation") for model in unlike], ref_template=REFS)
    return dict(found["$defs"])
