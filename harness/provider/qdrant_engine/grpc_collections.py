"""Collections and indexes over gRPC: requests to the plain form, the collection info from it."""

from collections.abc import Mapping
from typing import Any

from harness.provider.qdrant_engine.grpc_in import Plain, fields, values, word
from harness.provider.qdrant_engine.grpc_out import payload_out
from harness.provider.qdrant_engine.messages import message

_CONFIGS = ("hnsw_config", "wal_config", "quantization_config", "strict_mode_config")
_PLAIN = ("shard_number", "on_disk_payload", "replication_factor", "write_consistency_factor")


def create(given: Any) -> Plain:
    plain: Plain = {name: fields(getattr(given, name)) for name in _CONFIGS if given.HasField(name)}
    plain |= {name: getattr(given, name) for name in _PLAIN if given.HasField(name)}
    plain["vectors"] = _vectors(given.vectors_config)
    if given.HasField("optimizers_config"):
        plain["optimizers_config"] = _optimizers(given.optimizers_config)
    if given.HasField("sparse_vectors_config"):
        sparse = given.sparse_vectors_config.map.items()
        plain["sparse_vectors"] = {name: _worded(fields(entry)) for name, entry in sparse}
    if given.HasField("sharding_method"):
        plain["sharding_method"] = word(given, "sharding_method").lower()
    if given.HasField("quantization_config"):
        plain["quantization_config"] = _worded(plain["quantization_config"])
    if given.metadata:
        plain["metadata"] = values(given.metadata)
    return plain


def update(given: Any) -> Plain:
    plain: Plain = {}
    if given.HasField("hnsw_config"):
        plain["hnsw_config"] = fields(given.hnsw_config)
    if given.HasField("optimizers_config"):
        plain["optimizers_config"] = _optimizers(given.optimizers_config)
    if given.HasField("params"):
        plain["params"] = fields(given.params)
    if given.metadata:
        plain["metadata"] = values(given.metadata)
    return plain


def _vectors(given: Any) -> Plain:
    match given.WhichOneof("config"):
        case "params":
            return _vector(given.params)
        case "params_map":
            return {name: _vector(entry) for name, entry in given.params_map.map.items()}
    return {}


def _vector(given: Any) -> Plain:
    plain = fields(given)
    plain.setdefault("size", given.size)  # a zero is not seen as set
    if "datatype" in plain:
        plain["datatype"] = None if plain["datatype"] == "Default" else plain["datatype"].lower()
    if given.HasField("multivector_config"):
        plain["multivector_config"] = {"comparator": "max_sim"}
    if "quantization_config" in plain:
        plain["quantization_config"] = _worded(plain["quantization_config"])
    return plain


def _optimizers(given: Any) -> Plain:
    plain = fields(given)
    plain.pop("deprecated_max_optimization_threads", None)
    threads = plain.pop("max_optimization_threads", None)
    if threads and "value" in threads:
        plain["max_optimization_threads"] = threads["value"]
    return plain


def _worded(plain: Plain) -> Plain:
    """Words of enumerations the way REST spells them, in small letters."""
    return {
        name: _worded(entry)
        if isinstance(entry, dict)
        else entry.lower()
        if isinstance(entry, str)
        else entry
        for name, entry in plain.items()
    }


def create_index(given: Any) -> Plain:
    schema: Any = None
    chosen = given.field_index_params.WhichOneof("index_params")
    if chosen is not None:
        params = getattr(given.field_index_params, chosen)
        schema = {"type": chosen.removesuffix("_index_params")} | _worded(fields(params))
    elif given.HasField("field_type"):
        schema = word(given, "field_type").removeprefix("FieldType").lower()
    return {"field_name": given.field_name, "field_schema": schema}


def info_out(info: Mapping[str, Any]) -> Any:
    """The collection info as a message."""
    config = info["config"]
    answer = message("CollectionInfo")(
        status="Green",
        optimizer_status=message("OptimizerStatus")(ok=True),
        segments_count=info["segments_count"],
        points_count=info["points_count"],
        indexed_vectors_count=info["indexed_vectors_count"],
        config=message("CollectionConfig")(
            params=_params_out(config["params"]),
            hnsw_config=_filled("HnswConfigDiff", config["hnsw_config"]),
            optimizer_config=_optimizers_out(config["optimizer_config"]),
            wal_config=_filled("WalConfigDiff", config["wal_config"]),
            quantization_config=_quantization_out(config["quantization_config"]),
            metadata=payload_out(config.get("metadata") or {}),
        ),
    )
    for field, index in info["payload_schema"].items():
        answer.payload_schema[field].CopyFrom(_index_out(index))
    return answer


def _filled(name: str, plain: Mapping[str, Any]) -> Any:
    """A message with the values that it has fields for."""
    made = message(name)
    known = made.DESCRIPTOR.fields_by_name
    return made(**{field: entry for field, entry in plain.items() if field in known and entry is not None})


def _optimizers_out(plain: Mapping[str, Any]) -> Any:
    threads = plain.get("max_optimization_threads")
    given = {name: entry for name, entry in plain.items() if name != "max_optimization_threads"}
    filled = _filled("OptimizersConfigDiff", given)
    if isinstance(threads, int):
        filled.max_optimization_threads.value = threads
    return filled


def _params_out(params: Mapping[str, Any]) -> Any:
    vectors = params["vectors"]
    made = message("VectorsConfig")
    if "size" in vectors:
        config = made(params=_vector_out(vectors))
    else:
        named = {name: _vector_out(entry) for name, entry in vectors.items()}
        config = made(params_map=message("VectorParamsMap")(map=named))
    filled = _filled("CollectionParams", {name: params[name] for name in _PLAIN})
    filled.vectors_config.CopyFrom(config)
    for name, sparse in params.get("sparse_vectors", {}).items():
        entry = filled.sparse_vectors_config.map[name]
        if sparse.get("modifier") == "idf":
            entry.modifier = 1
    return filled


def _vector_out(vector: Mapping[str, Any]) -> Any:
    filled = message("VectorParams")(size=vector["size"], distance=vector["distance"])
    if vector.get("on_disk") is not None:
        filled.on_disk = vector["on_disk"]
    if vector.get("hnsw_config"):
        filled.hnsw_config.CopyFrom(_filled("HnswConfigDiff", vector["hnsw_config"]))
    if vector.get("datatype"):
        filled.datatype = (
            message("VectorParams")
            .DESCRIPTOR.fields_by_name["datatype"]
            .enum_type.values_by_name[vector["datatype"].capitalize()]
            .number
        )
    if vector.get("multivector_config"):
        filled.multivector_config.SetInParent()
    if vector.get("quantization_config"):
        filled.quantization_config.CopyFrom(_quantization_out(vector["quantization_config"]))
    return filled


def _quantization_out(config: Mapping[str, Any] | None) -> Any:
    if config is None:
        return None
    filled = message("QuantizationConfig")()
    for kind, given in config.items():
        part = getattr(filled, kind)
        part.SetInParent()
        if given.get("always_ram") is not None:
            part.always_ram = given["always_ram"]
        if given.get("quantile") is not None:
            part.quantile = given["quantile"]
        if kind == "scalar":
            part.type = 1
        if kind == "product":
            part.compression = ("x4", "x8", "x16", "x32", "x64").index(given["compression"])
    return filled


def _index_out(index: Mapping[str, Any]) -> Any:
    kind = index["data_type"]
    filled = message("PayloadSchemaInfo")(data_type=kind.capitalize(), points=index["points"])
    params = dict(index.get("params") or {})
    if params:
        if "tokenizer" in params:
            params["tokenizer"] = params["tokenizer"].capitalize()
        name = f"{kind}_index_params"
        made = _filled(f"{kind.capitalize()}IndexParams", params)
        getattr(filled.params, name).CopyFrom(made)
    return filled
