"""Holds requests against what a vendor publishes of its API: paths, methods, parameters, bodies (OpenAPI 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
from jsonschema import Draft202012Validator

from connect.stand_in import Call

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
NUMBER = re.compile(r"-?\d+(\.\d+)?")
BOOLS = {"true": True, "false": False}
KEYS = re.compile(r"\[([^\]]*)\]")

Operation = tuple[str, str]
"""Method and path, as they stand in the contract."""


class Contract:
    """A contract, read from a file."""

    def __init__(self, file: Path) -> None:
        told = orjson.loads(file.read_bytes())
        self.version: str = told["info"]["version"]
        self._operations: dict[Operation, dict[str, Any]] = {
            (method.upper(), path): one for path, methods in told["paths"].items() for method, one in methods.items()
        }
        paths = sorted(told["paths"], key=lambda path: path.count("{"))  # `/deals/archived` before `/deals/{id}`
        self._paths = {path: re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))) for path in paths}

    @property
    def operations(self) -> set[Operation]:
        """All that it describes."""
        return set(self._operations)

    def operation(self, call: Call) -> Operation | None:
        """Return what a request asks for, or None where there is no such thing."""
        asked = urlsplit(call.url).path
        fitting = ((call.method, path) for path, pattern in self._paths.items() if pattern.fullmatch(asked))
        return next((one for one in fitting if one in self._operations), None)

    def faults(self, calls: Iterable[Call], outside: Mapping[str, str] | None = None) -> list[str]:
        """Return what is wrong with requests, but for those to paths that stand in `outside` with a reason."""
        judged = (call for call in calls if urlsplit(call.url).path not in (outside or {}))
        return [f"{call.method} {call.url}: {words}" for call in judged for words in self._faults(call)]

    def _faults(self, call: Call) -> Iterator[str]:
        asked = self.operation(call)
        if asked is None:
            yield "is not in the contract"
            return
        one, path = self._operations[asked], self._paths[asked[1]].fullmatch(urlsplit(call.url).path)
        assert path is not None
        parameters: list[dict[str, Any]] = one.get("parameters", [])
        for told in (told for told in parameters if told["in"] == "path"):
            yield from _wrong(told["name"], plain(unquote(path[told["name"]]), told["schema"]), told["schema"])
        yield from self._query(call, [told for told in parameters if told["in"] == "query"])
        yield from self._body(call, one.get("requestBody"))

    @staticmethod
    def _query(call: Call, parameters: Sequence[dict[str, Any]]) -> Iterator[str]:
        deep = any(told.get("style") == "deepObject" for told in parameters)
        given, twice = nested(call.query, deep=deep)
        yield from (f"{name} comes twice" for name in twice)
        known = {told["name"]: told for told in parameters}
        yield from (f"there is no parameter {name}" for name in given if name not in known)
        for name, told in known.items():
            if name in given:
                schema, value = told["schema"], given[name]
                if told.get("style") == "form" and told.get("explode") is False:
                    value = str(value).split(",")
                yield from _wrong(name, plain(value, schema), schema)
            elif told["required"]:
                yield f"{name} is missing"

    @staticmethod
    def _body(call: Call, told: dict[str, Any] | None) -> Iterator[str]:
        if told is None or not call.body:
            if call.body:
                yield "takes no body"
            elif told is not None and told.get("required"):
                yield "has no body"
            return
        kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in told["content"]:
            yield f"takes no body of {kind or 'no kind'}"
            return
        schema = told["content"][kind]["schema"]
        if kind == FORM:
            form, twice = nested(parse_qsl(call.body.decode(), keep_blank_values=True), deep=True)
            yield from (f"{name} comes twice" for name in twice)
            yield from _wrong("body", plain(form, schema), schema)
            return
        try:
            body = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            yield "its body is no JSON"
            return
        yield from _wrong("body", body, schema)


def _wrong(name: str, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    for error in Draft202012Validator(schema).iter_errors(value):
        yield f"{'.'.join([name, *map(str, error.absolute_path)])}: {error.message}"


def nested(pairs: Iterable[tuple[str, str]], *, deep: bool) -> tuple[dict[str, Any], list[str]]:
    """Return names and values, `a[b]=1` and `a[]=1` as objects and lists, and what came twice.

    >>> nested([("a[b]", "1"), ("c[]", "2"), ("c[]", "3"), ("d", "4"), ("d", "5")], deep=True)
    ({'a': {'b': '1'}, 'c': ['2', '3'], 'd': '4'}, ['d'])
    >>> nested([("a[b]", "1")], deep=False)
    ({'a[b]': '1'}, [])
    """
    found: dict[str, Any] = {}
    twice: list[str] = []
    for name, value in pairs:
        first, _, rest = name.partition("[") if deep else (name, "", "")
        keys = [first, *KEYS.findall("[" + rest)] if rest else [first]
        place = found
        for key, after in pairwise(keys):
            if after == "":
                place.setdefault(key, []).append(value)
                break
            place = place.setdefault(key, {})
        else:
            if keys[-1] in place:
                twice.append(name)
            else:
                place[keys[-1]] = value
    return found, twice


def plain(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return what stands in an address or a form as the type that the schema says, or as it is where it is none.

    >>> plain("12", {"type": "integer"}), plain("x", {"type": "integer"}), plain("12", {"type": "string"})
    (12, 'x', '12')
    """
    if "anyOf" in schema:
        tried = ((plain(value, one), one) for one in schema["anyOf"])
        return next((made for made, one in tried if Draft202012Validator(one).is_valid(made)), value)
    kind = schema.get("type")
    if isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        other = other if isinstance(other, dict) else {}
        return {key: plain(one, known.get(key, other)) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one, schema.get("items", {})) for one in value]
    if kind == "boolean":
        return BOOLS.get(value, value)
    if kind in ("integer", "number") and NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value
