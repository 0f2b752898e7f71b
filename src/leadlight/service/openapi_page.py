"""The OpenAPI document as one page of HTML to read: nothing is loaded from anywhere, and no script runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2230}
code,pre{font:14px/1.5 ui-monospace,monospace;background:#f3f4f7;border-radius:4px;padding:.1em .3em}
h2{border-bottom:1px solid #d5d9e2;margin-top:2.5rem}h3{margin:1.8rem 0 .2rem}
.m{display:inline-block;min-width:4.2em;font-weight:700;color:#24508f}
table{border-collapse:collapse;width:100%;margin:.5rem 0}td,th{text-align:left;vertical-align:top;padding:.25rem .6rem
.25rem 0;border-bottom:1px solid #e6e8ee}summary{cursor:pointer}nav a{margin-right:.8em}
@media(prefers-color-scheme:dark){body{background:#12151c;color:#dde2ee}code,pre{background:#1f2430}a,.m{color:#8ab4f8}}
"""


def html(document: Mapping[str, Any]) -> str:
    """Return the page.

    >>> page = html({"info": {"title": "<Leads>", "version": "1", "description": ""}, "paths": {}, "components": {}})
    >>> "&lt;Leads&gt;" in page, "<script" in page
    (True, False)
    """
    info, topics = document["info"], _topics(document["paths"])
    schemas = document["components"].get("schemas", {})
    menu = " ".join(f'<a href="#{escape(topic)}">{escape(topic)}</a>' for topic in topics)
    parts = [_topic(topic, operations) for topic, operations in topics.items()]
    title = escape(f"{info['title']} {info['version']}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(info['description'])} The same for machines: "
        f'<a href="openapi.json">openapi.json</a>.</p><nav>{menu} <a href="#schemas">schemas</a></nav>'
        f'{"".join(parts)}<h2 id="schemas">schemas</h2>{"".join(map(_schema, schemas.items()))}</html>\n'
    )


Told = tuple[str, str, Mapping[str, Any]]


def _topics(paths: Mapping[str, Mapping[str, Any]]) -> Mapping[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for path, methods in paths.items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return found


def _topic(topic: str, operations: Iterable[Told]) -> str:
    return f'<h2 id="{escape(topic)}">{escape(topic)}</h2>' + "".join(map(_operation, operations))


def _operation(told: Told) -> str:
    method, path, operation = told
    head = (
        f'<h3 id="{escape(operation["operationId"])}"><span class="m">{method}</span><code>{escape(path)}</code></h3>'
    )
    body = _contents(operation["requestBody"]["content"], "takes") if "requestBody" in operation else ""
    answers = "".join(_response(status, said) for status, said in operation["responses"].items() if status[0] == "2")
    refusals = ", ".join(status for status in operation["responses"] if status[0] != "2")
    return (
        f"{head}<p>{escape(operation['summary'])}. {escape(operation['description'])}</p>"
        f"{_parameters(operation['parameters'])}{body}{answers}<p>Problems: {refusals}</p>"
    )


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{one['in']}{', needed' if one['required'] else ''}</td>"
        f"<td>{escape(one['description'])}</td></tr>"
        for one in parameters
    )
    return f"<table>{rows}</table>" if rows else ""


def _response(status: str, said: Mapping[str, Any]) -> str:
    content = said.get("content", {})
    return _contents(content, f"answers {status} with") if content else f"<p>answers {status}</p>"


def _contents(content: Mapping[str, Mapping[str, Any]], verb: str) -> str:
    told = ", ".join(f"<code>{escape(media)}</code>{_named(said['schema'])}" for media, said in content.items())
    return f"<p>{verb} {told}</p>"


def _named(schema: Mapping[str, Any]) -> str:
    if "$ref" not in schema:
        return ""
    name = escape(schema["$ref"].rpartition("/")[2])
    return f': <a href="#schema-{name}">{name}</a>'


def _schema(named: tuple[str, Mapping[str, Any]]) -> str:
    name, schema = named
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_type(said)}</td>"
        f"<td>{escape(said.get('description', ''))}</td></tr>"
        for field, said in schema.get("properties", {}).items()
    )
    about = escape(schema.get("description", ""))
    return f'<h3 id="schema-{escape(name)}">{escape(name)}</h3><p>{about}</p><table>{rows}</table>'


def _type(schema: Mapping[str, Any]) -> str:
    """Say in a word or two what a value is."""
    if "$ref" in schema:
        return _named(schema).removeprefix(": ")
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    return escape(str(schema.get("format") or schema.get("type") or schema.get("const") or "anything"))
