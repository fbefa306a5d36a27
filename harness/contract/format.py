"""The JSON Schema of a file format, made from its models, so that editors complete and check as they are typed."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from harness.contract import schemas
from harness.contract.model import Contract
from harness.contract.words import STATUS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Offered by name; any other status is good too.
_USUAL_STATUSES = ("200", "201", "202", "204", "400", "401", "403", "404", "409", "413", "422", "429", "500", "502", "503", "504")

Json = dict[str, Any]


class _Generator(GenerateJsonSchema):
    """What pydantic says of a model, but as a file is written: keys spelled out, nothing null, no defaults in other units."""

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        found = super().dict_schema(schema)
        values = found.pop("additionalProperties", None)
        names = found.get("propertyNames", {}).get("enum")
        if names:  # the keys are known words
            del found["propertyNames"]
            return {**found, "properties": dict.fromkeys(names, values), "additionalProperties": False}
        if schema.get("keys_schema", {}).get("type") == "function-before":  # the keys are statuses
            found |= {"properties": dict.fromkeys(_USUAL_STATUSES, values), "patternProperties": {STATUS: values}}
        elif "patternProperties" not in found:
            return found if values is None else {**found, "additionalProperties": values}
        return {**found, "additionalProperties": False}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = self.generate_inner(schema["schema"])
        default, kinds = schema.get("default"), {"string": str, "boolean": bool, "integer": int, "number": float}
        if type(default) is kinds.get(str(found.get("type"))):
            return {**found, "default": default}
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def describe(model: type[BaseModel], *, title: str) -> Json:
    """The JSON Schema 2020-12 of the files that ``model`` reads."""
    found = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    parts = {name: _untitled(part) for name, part in sorted(found.pop("$defs", {}).items())}
    whole = {**_untitled(found), "$defs": {**parts, "JsonSchema": json_schema()}}
    return {"$schema": DIALECT, "title": title, **_linked(whole)}


def render(schema: Json) -> str:
    """The text of a published schema file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _untitled(part: Json) -> Json:
    return {key: value for key, value in part.items() if key != "title"}


def _linked(value: Any) -> Any:
    """Places that hold a JSON Schema refer to the description of one."""
    if isinstance(value, dict):
        if value.get("format") == "json-schema":
            return {"$ref": "#/$defs/JsonSchema", **{key: value[key] for key in ("description",) if key in value}}
        return {key: _linked(item) for key, item in value.items()}
    return [_linked(item) for item in value] if isinstance(value, list) else value


_ANY_SCHEMA: Json = {"anyOf": [{"$ref": "#/$defs/JsonSchema"}, {"type": "boolean"}]}
_SCHEMAS: Json = {"type": "array", "items": _ANY_SCHEMA, "minItems": 1}
_NAMED_SCHEMAS: Json = {"type": "object", "additionalProperties": _ANY_SCHEMA}
_TYPE: Json = {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]}
_COUNT: Json = {"type": "integer", "minimum": 0}
_NUMBER: Json = {"type": "number"}
_TEXT: Json = {"type": "string"}
_FLAG: Json = {"type": "boolean"}
_TEXTS: Json = {"type": "array", "items": _TEXT, "uniqueItems": True}
_VALUES: dict[str, Json] = {
    "$ref": {"type": "string", "pattern": "^#/schemas/", "examples": ["#/schemas/Name"]},
    "type": {"anyOf": [_TYPE, {"type": "array", "items": _TYPE, "minItems": 1, "uniqueItems": True}]},
    "enum": {"type": "array"},
    "required": _TEXTS,
    "pattern": {"type": "string", "format": "regex"},
    "format": {"enum": sorted(schemas.FORMATS)},
    "dependentRequired": {"type": "object", "additionalProperties": _TEXTS},
    "multipleOf": {"type": "number", "exclusiveMinimum": 0},
    "examples": {"type": "array"},
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _NUMBER),
    **dict.fromkeys(("title", "description", "$comment", "contentEncoding", "contentMediaType"), _TEXT),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _FLAG),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains", "minProperties", "maxProperties"), _COUNT
    ),
    **dict.fromkeys(sorted(schemas.APPLICATORS_OF_ONE), _ANY_SCHEMA),
    **dict.fromkeys(sorted(schemas.APPLICATORS_OF_LIST), _SCHEMAS),
    **dict.fromkeys(sorted(schemas.APPLICATORS_OF_MAP), _NAMED_SCHEMAS),
}


def json_schema() -> Json:
    """The description of a JSON Schema as it may stand in a contract."""
    return {
        "description": "JSON Schema 2020-12; a `$ref` stays in the contract.",
        "type": "object",
        "properties": {keyword: _VALUES.get(keyword, {}) for keyword in sorted(schemas.KEYWORDS)},
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }


def published(folder: Path, *, client: type[BaseModel] | None = None) -> dict[Path, str]:
    """The schema files that belong into a contracts folder, with their text."""
    files = {folder / "contract.schema.json": render(describe(Contract, title="A contract between a consumer and a provider"))}
    if client is not None:
        files[folder / "clients" / "client.schema.json"] = render(describe(client, title="The binding of a client to a contract"))
    return files
