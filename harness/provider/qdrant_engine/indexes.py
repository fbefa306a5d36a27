"""Payload indexes: from a request to the engine, and from the engine to the collection info."""

from typing import Any

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.errors import Kind, Refused, reading, unsupported
from harness.provider.qdrant_engine.fields import Doc, choice, mapping, required, text

_TYPES = {
    "keyword": (edge.PayloadSchemaType.Keyword, edge.KeywordIndexParams),
    "integer": (edge.PayloadSchemaType.Integer, edge.IntegerIndexParams),
    "float": (edge.PayloadSchemaType.Float, edge.FloatIndexParams),
    "geo": (edge.PayloadSchemaType.Geo, edge.GeoIndexParams),
    "text": (edge.PayloadSchemaType.Text, edge.TextIndexParams),
    "bool": (edge.PayloadSchemaType.Bool, edge.BoolIndexParams),
    "datetime": (edge.PayloadSchemaType.Datetime, edge.DatetimeIndexParams),
    "uuid": (edge.PayloadSchemaType.Uuid, edge.UuidIndexParams),
}
_TOKENIZERS = {
    "prefix": edge.TokenizerType.Prefix,
    "whitespace": edge.TokenizerType.Whitespace,
    "word": edge.TokenizerType.Word,
    "multilingual": edge.TokenizerType.Multilingual,
}
_PARAMS = (
    "is_tenant", "is_principal", "on_disk", "lookup", "range", "enable_hnsw",
    "tokenizer", "min_token_len", "max_token_len", "lowercase", "ascii_folding", "phrase_matching",
)  # fmt: skip


def create_index(doc: Doc) -> edge.UpdateOperation:
    """The operation that creates an index on a payload field."""
    field = required(doc, "field_name")
    schema = doc.get("field_schema", doc.get("field_type"))
    if schema is None:
        raise Refused(
            Kind.BAD_REQUEST, f"Can't auto-detect field type of '{field}', please specify `field_schema` in the request"
        )
    given = _schema(schema)
    with reading("field_name"):
        return edge.UpdateOperation.create_field_index(text(doc, "field_name") or "", given)


def _schema(value: object) -> Any:
    if isinstance(value, str):
        return choice(value, "field_schema", _TYPES)[0]
    doc = mapping(value, "field_schema")
    make = choice(required(doc, "type"), "field_schema.type", _TYPES)[1]
    given = {name: entry for name, entry in doc.items() if name != "type" and entry is not None}
    for name in given:
        if name not in _PARAMS:
            raise unsupported(f"the index parameter {name}")
    if "tokenizer" in given:
        given["tokenizer"] = choice(given["tokenizer"], "tokenizer", _TOKENIZERS)
    with reading("field_schema"):
        return make(**given)


def delete_index(field: str) -> edge.UpdateOperation:
    with reading("field_name"):
        return edge.UpdateOperation.delete_field_index(field)


def index_info(info: Any) -> dict[str, object]:
    """An index as the collection info shows it; the engine exports no class for what it describes."""
    kind = _word(info.data_type)
    shown: dict[str, object] = {"data_type": kind}
    if info.params is not None:
        given = {name: getattr(info.params, name, None) for name in _PARAMS}
        params = {name: value for name, value in given.items() if value is not None}
        if "tokenizer" in params:
            params["tokenizer"] = _word(params["tokenizer"])
        shown["params"] = {"type": kind, **params}
    shown["points"] = info.points
    return shown


def _word(member: object) -> str:
    """The word on the wire for a member of one of the engine's enumerations."""
    return repr(member).rpartition(".")[2].lower()
