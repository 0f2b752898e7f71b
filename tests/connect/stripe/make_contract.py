"""Makes contract.json from Stripe's Python client, which Stripe generates from its OpenAPI description.

Run as `python tests/connect/stripe/make_contract.py`, where the package `stripe` of requirements.lock is installed.
"""

from __future__ import annotations

import ast
import importlib
import json
import types
import typing
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from typing_extensions import is_typeddict

OPERATIONS = {
    "customer": ("list", "retrieve", "update"),
    "subscription": ("list", "retrieve", "update"),
    "invoice": ("list",),
    "charge": ("list",),
    "payment_intent": ("list",),
    "event": ("list",),
}
"""By the client's services: what the connector asks for."""

PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", Decimal: "string"}


def schema(kind: Any, names: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a type of the client's parameters."""
    if isinstance(kind, typing.ForwardRef | str):
        kind = eval(kind if isinstance(kind, str) else kind.__forward_arg__, names)
        return schema(kind, names)
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    if is_typeddict(kind):
        options = importlib.import_module("stripe._request_options").RequestOptions.__annotations__
        own = {name: one for name, one in kind.__annotations__.items() if name not in options}
        properties = {name: schema(one, names) for name, one in sorted(own.items())}
        told = {"type": "object", "properties": properties, "additionalProperties": False}
        return told | ({"required": needed} if (needed := sorted(set(own) & kind.__required_keys__)) else {})
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if getattr(origin, "_name", "") in ("NotRequired", "Required"):
        return schema(parts[0], names)
    if origin is typing.Literal:
        return {"enum": list(parts)}
    if origin is list:
        return {"type": "array", "items": schema(parts[0], names)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema(parts[-1], names)}
    if origin in (typing.Union, types.UnionType):
        any_of = [schema(one, names) for one in parts if one is not type(None)]
        if any(one.get("enum", [""]) != [""] for one in any_of):  # `Literal[…] | str` is a closed list that may grow
            any_of = [one for one in any_of if one != {"type": "string"}]
        return any_of[0] if len(any_of) == 1 else {"anyOf": any_of}
    raise TypeError(f"a type that is new here: {kind!r}")


def operation(service: str, method: str) -> tuple[str, str, dict[str, Any]]:
    """Return path, method and description of an operation."""
    module = importlib.import_module(f"stripe._{service}_service")
    tree = ast.parse(Path(str(module.__file__)).read_text())
    found = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == method]
    (call,) = (
        one
        for one in ast.walk(found[0])
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "_request"
    )
    verb, path = (str(one.value) for one in ast.walk(ast.Tuple(call.args)) if isinstance(one, ast.Constant))
    words = "".join(one.title() for one in (*service.split("_"), method))
    params = importlib.import_module(f"stripe.params._{service}_{method}_params")
    told = schema(
        getattr(params, f"{words}Params"),
        {**vars(typing), **vars(params), "UntypedStripeObject": dict},
    )
    if verb == "post":
        media = {"application/x-www-form-urlencoded": {"schema": told}}
        return path, verb, {"operationId": f"{service}.{method}", "requestBody": {"content": media}}
    needed = told.get("required", ())
    parameters = [
        {"name": name, "in": "query", "required": name in needed, "style": "deepObject", "explode": True, "schema": one}
        for name, one in told["properties"].items()
    ]
    return path, verb, {"operationId": f"{service}.{method}", "parameters": parameters}


def main() -> None:
    """Write contract.json beside this file."""
    paths: dict[str, dict[str, Any]] = {}
    for service, methods in OPERATIONS.items():
        for method in methods:
            path, verb, told = operation(service, method)
            paths.setdefault(path, {})[verb] = told
    info = {
        "title": "Stripe, the requests of Leadlight's connector",
        "version": importlib.import_module("stripe._api_version")._ApiVersion.CURRENT,
        "description": f"From the Python package stripe {version('stripe')}; see README.md.",
        "license": {"name": "MIT"},
    }
    told = {"openapi": "3.1.0", "info": info, "paths": paths}
    Path(__file__).with_name("contract.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
