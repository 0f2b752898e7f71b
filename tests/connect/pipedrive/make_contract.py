"""Makes contract.json from Pipedrive's Node client, which OpenAPI Generator wrote from Pipedrive's descriptions.

Run as `python tests/connect/pipedrive/make_contract.py NODE_MODULES/pipedrive`, where the package of
tests/clients/package-lock.json is installed.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

OPERATIONS = {
    "v2": {
        "/persons": "GET",
        "/persons/{id}": "PATCH",
        "/organizations": "GET",
        "/organizations/{id}": "PATCH",
        "/deals": "GET",
        "/deals/archived": "GET",
        "/deals/{id}": "PATCH",
        "/activities": "GET POST",
        "/personFields": "GET POST",
        "/organizationFields": "GET POST",
        "/dealFields": "GET POST",
        "/activityFields": "GET",
        "/stages": "GET",
        "/pipelines": "GET",
    },
    "v1": {
        "/leads": "GET",
        "/leads/archived": "GET",
        "/notes": "GET POST",
        "/recents": "GET",
        "/persons/{id}/changelog": "GET",
        "/organizations/{id}/changelog": "GET",
        "/deals/{id}/changelog": "GET",
    },
}
"""By version and path: what the connector asks for."""

OPERATION = re.compile(
    r"/\*\*(?P<doc>(?:(?!\*/).)*?)\*/\s+(?P<name>\w+): \([^)]*\) => __awaiter.*?"
    r"const localVarPath = `(?P<path>[^`]+)`(?P<code>.*?)toPathString\(localVarUrlObj\)",
    re.DOTALL,
)
PARAMETER = re.compile(r"@param \{(?P<kind>.+?)\} \[?(?P<name>\w+)\]?(?P<words>[^\n]*)")
INTERFACE = re.compile(r"export interface (\w+) \{\n(.*?)\n\}", re.DOTALL)
CONSTANTS = re.compile(r"export declare const (\w+): \{\n(.*?)\n\}", re.DOTALL)
ALIAS = re.compile(r"export type (\w+) = (?!typeof)([^;]+);")
MEMBER = re.compile(r"^    '(?P<name>\w+)'(?P<free>\??): (?P<kind>\{.*?\n    \}|[^\n]+?);$", re.DOTALL | re.MULTILINE)
INDEX = re.compile(r"^    \[key: string\]", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LISTED = re.compile(r"comma[ -]separated|multiple selection|multiple statuses", re.IGNORECASE)
SORTED = re.compile(r"field names and sorting mode", re.IGNORECASE)
PLAIN = {"string": "string", "number": "number", "boolean": "boolean", "null": "null"}


class Models:
    """The types of bodies, of one version."""

    def __init__(self, folder: Path) -> None:
        text = COMMENT.sub("", "\n".join(one.read_text() for one in sorted(folder.glob("*.d.ts"))))
        self._interfaces = dict(INTERFACE.findall(text))
        self._aliases = dict(ALIAS.findall(text))
        self._constants = dict(CONSTANTS.findall(text))

    def schema(self, kind: str) -> dict[str, Any]:
        """Return the JSON schema of a type of TypeScript."""
        kind = kind.strip()
        if kind in PLAIN:
            return {"type": PLAIN[kind]}
        if kind in ("any", "object", "File"):
            return {}
        if kind.startswith("{"):
            return {"type": "object"}
        if kind.startswith("Array<"):
            return {"type": "array", "items": self.schema(kind[len("Array<") : -1])}
        if " | " in kind:
            parts = [self.schema(one) for one in kind.split(" | ")]
            if all("enum" in one for one in parts):
                return {"enum": [value for one in parts for value in one["enum"]]}
            return {"anyOf": parts}
        if kind.startswith(("'", '"')) or kind.isdecimal():
            return {"enum": [kind.strip("'\"") if not kind.isdecimal() else int(kind)]}
        if kind in self._constants:
            values = re.findall(r": (\"[^\"]*\"|[\d.]+);", self._constants[kind])
            return {"enum": [json.loads(one) for one in values]}
        if kind in self._aliases and " & " not in self._aliases[kind]:
            return self.schema(self._aliases[kind])
        return self._object([self._interfaces[one.strip()] for one in self._aliases.get(kind, kind).split(" & ")])

    def _object(self, bodies: list[str]) -> dict[str, Any]:
        found = [one for body in bodies for one in MEMBER.finditer(body)]
        told: dict[str, Any] = {
            "type": "object",
            "properties": {one["name"]: self.schema(one["kind"]) for one in found},
            "additionalProperties": any(INDEX.search(body) for body in bodies),
        }
        needed = sorted(one["name"] for one in found if not one["free"])
        return told | ({"required": needed} if needed else {})


def described(found: re.Match[str], models: Models) -> dict[str, Any]:
    """Return the description of an operation."""
    told: dict[str, Any] = {"operationId": found["name"], "parameters": []}
    code = found["code"]
    query = set(re.findall(r"localVarQueryParameter\['(\w+)'\]", code))
    needed = set(re.findall(rf"assertParamExists\('{found['name']}', '(\w+)'", found[0]))
    body = re.search(r"serializeDataIfNeeded\((\w+),", code)
    for one in PARAMETER.finditer(found["doc"]):
        name, schema = one["name"], models.schema(one["kind"])
        if body is not None and name == body[1]:
            told["requestBody"] = {"required": name in needed, "content": {"application/json": {"schema": schema}}}
            continue
        place = "query" if name in query else "path"
        made = {"name": name, "in": place, "required": name in needed, "schema": schema}
        if "enum" in schema and SORTED.search(one["words"]):  # the words name a mode, which the values leave out
            field = f"({'|'.join(schema['enum'])})( ASC| DESC)?"
            made["schema"] = {"type": "string", "pattern": f"^{field}(, ?{field})*$"}
        elif "enum" in schema and LISTED.search(one["words"]):
            made |= {"schema": {"type": "array", "items": schema}, "style": "form", "explode": False}
        told["parameters"].append(made)
    return told


def main(package: Path) -> None:
    """Write contract.json beside this file."""
    about = json.loads((package / "package.json").read_text())
    paths: dict[str, dict[str, Any]] = {}
    for version, wanted in OPERATIONS.items():
        folder = package / "dist" / "esm" / "versions" / version
        models = Models(folder / "models")
        text = "\n".join(one.read_text() for one in sorted((folder / "api").glob("*.js")))
        for found in OPERATION.finditer(text):
            method = re.findall(r"\bmethod: '(\w+)'", found["code"])[0]
            if method in wanted.get(found["path"], "").split():
                paths.setdefault(f"/api/{version}{found['path']}", {})[method.lower()] = described(found, models)
    for version, wanted in OPERATIONS.items():
        for path, methods in wanted.items():
            got = paths.get(f"/api/{version}{path}", {})
            missing = set(methods.lower().split()) - set(got)
            if missing:
                print(f"not in the client: {version} {path} {sorted(missing)}", file=sys.stderr)
    info = {
        "title": "Pipedrive, the requests of Leadlight's connector",
        "version": about["version"],
        "description": f"From the npm package pipedrive {about['version']}; see README.md.",
        "license": {"name": about["license"]},
    }
    told = {"openapi": "3.1.0", "info": info, "paths": paths}
    Path(__file__).with_name("contract.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
