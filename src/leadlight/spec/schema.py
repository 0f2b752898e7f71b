"""JSON Schemas of the files a user writes, for editors to complete and check them with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from leadlight.spec.contract import ContractSpec
from leadlight.spec.models import ScorecardSpec, WorkspaceSpec
from leadlight.spec.vendor import VendorSpec


def json_schema(kind: Literal["workspace", "scorecard", "contract", "vendor"]) -> dict[str, Any]:
    """Return the schema of `leadlight.yaml`, of a scorecard's file, of `contract.yaml` or of a vendor's, draft 2020-12.

    >>> json_schema("scorecard")["required"]
    ['groups']
    """
    models: dict[str, type[BaseModel]] = {
        "workspace": WorkspaceSpec,
        "scorecard": ScorecardSpec,
        "contract": ContractSpec,
        "vendor": VendorSpec,
    }
    schema = models[kind].model_json_schema(schema_generator=_Schema)
    return {"$schema": _Schema.schema_dialect, **_plain(schema)}


class _Schema(GenerateJsonSchema):
    """Pydantic's schemas, strict about names that are keys."""

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return {**made, "additionalProperties": False} if "patternProperties" in made else made


def _plain(schema: Any) -> Any:
    """Leave out titles, which only repeat the names of keys and models."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _plain(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
