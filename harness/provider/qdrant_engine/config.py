"""What a collection is created with: checked, completed as Qdrant completes it, given to the engine."""

from collections.abc import Mapping
from typing import Any

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.errors import Kind, Refused, reading, unsupported
from harness.provider.qdrant_engine.fields import Doc, choice, mapping, number, required, too_small, whole
from harness.provider.qdrant_engine.versions import Profile

_HNSW = {
    "m": 16,
    "ef_construct": 100,
    "full_scan_threshold": 10_000,
    "max_indexing_threads": 0,
    "on_disk": False,
}
_HNSW_MINIMA = dict.fromkeys(_HNSW.keys() - {"on_disk"} | {"payload_m"}, 0) | {
    "ef_construct": 4,
    "full_scan_threshold": 10,
}
_OPTIMIZERS = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "max_segment_size": None,
    "memmap_threshold": None,
    "indexing_threshold": None,
    "flush_interval_sec": 5,
    "max_optimization_threads": None,
}
_WAL = {"wal_capacity_mb": 32, "wal_segments_ahead": 0}
_COUNTS = ("shard_number", "replication_factor", "write_consistency_factor")
_LARGEST_SIZE = 65_536
_DISTANCES = {
    "Cosine": edge.Distance.Cosine,
    "Euclid": edge.Distance.Euclid,
    "Dot": edge.Distance.Dot,
    "Manhattan": edge.Distance.Manhattan,
}
_DATATYPES = {
    "float32": edge.VectorStorageDatatype.Float32,
    "float16": edge.VectorStorageDatatype.Float16,
    "uint8": edge.VectorStorageDatatype.Uint8,
}
_RATIOS = {f"x{ratio}": getattr(edge.CompressionRatio, f"X{ratio}") for ratio in (4, 8, 16, 32, 64)}


def collection_config(body: object, profile: Profile) -> dict[str, Any]:
    """The whole configuration for a create request, in the form that the collection info shows."""
    doc = mapping(body, "body")
    for field in ("init_from", "sharding_method", "sharding_keys"):
        if doc.get(field) not in (None, "auto"):
            raise unsupported(field)
    config = {
        "params": _params(doc),
        "hnsw_config": _HNSW | _hnsw(doc.get("hnsw_config")),
        "optimizer_config": _optimizers_of(doc.get("optimizers_config"), profile),
        "wal_config": _WAL | _whole_fields(doc.get("wal_config"), "wal_config", dict.fromkeys(_WAL, 0)),
        "quantization_config": _plain(doc.get("quantization_config"), "quantization_config"),
    }
    for extra in ("strict_mode_config", "metadata"):
        if doc.get(extra) is not None:
            config[extra] = _plain(doc[extra], extra)
    return config


def updated_config(config: dict[str, Any], body: object, profile: Profile) -> dict[str, Any]:
    """The configuration after an update request; what it doesn't name stays."""
    doc = mapping(body, "body")
    changed = dict(config)
    changed["hnsw_config"] = config["hnsw_config"] | _hnsw(doc.get("hnsw_config"))
    given = doc.get("optimizers_config", doc.get("optimizer_config"))
    changed["optimizer_config"] = config["optimizer_config"] | _optimizers(given, profile)
    changed["params"] = config["params"] | dict(_plain(doc.get("params"), "params") or {})
    if doc.get("metadata") is not None:
        changed["metadata"] = dict(config.get("metadata") or {}) | dict(mapping(doc["metadata"], "metadata"))
    return changed


def _plain(value: object, name: str) -> Doc | None:
    return None if value is None else dict(mapping(value, name))


def _params(doc: Doc) -> dict[str, Any]:
    params: dict[str, Any] = {"vectors": _vectors(doc.get("vectors"))}
    if doc.get("sparse_vectors"):
        sparse = mapping(doc["sparse_vectors"], "sparse_vectors")
        params["sparse_vectors"] = {name: dict(mapping(entry or {}, name)) for name, entry in sparse.items()}
    if not params["vectors"] and "sparse_vectors" not in params:
        raise unsupported("a collection without any vector")
    for name in _COUNTS:
        count = whole(doc, name, minimum=1)
        params[name] = 1 if count is None else count
    on_disk = doc.get("on_disk_payload")
    params["on_disk_payload"] = True if on_disk is None else on_disk
    return params


def _vectors(value: object) -> dict[str, Any]:
    """The parameters of the unnamed vector, or of vectors by name."""
    if value is None:
        return {}
    doc = mapping(value, "vectors")
    given = [doc[field] for field in ("size", "distance") if field in doc]
    if given and not any(isinstance(entry, Mapping) for entry in given):
        return _vector(doc, "vectors")
    return {name: _vector(entry, f"vectors.{name}") for name, entry in doc.items()}


def _vector(value: object, path: str) -> dict[str, Any]:
    doc = mapping(value, path)
    required(doc, "size")
    size = whole(doc, "size", minimum=1, within=f"{path}.")
    if size is None or size > _LARGEST_SIZE:
        detail = f"[{path}.size: value {size} invalid, must be from 1 to {_LARGEST_SIZE}]"
        raise Refused(Kind.VALIDATION, detail)
    choice(required(doc, "distance"), f"{path}.distance", _DISTANCES)
    params = {name: entry for name, entry in doc.items() if entry is not None}
    if "hnsw_config" in params:
        params["hnsw_config"] = _hnsw(params["hnsw_config"])
    if "datatype" in params:
        choice(params["datatype"], f"{path}.datatype", _DATATYPES)
    return params


def _hnsw(value: object) -> dict[str, Any]:
    given = _whole_fields(value, "hnsw_config", _HNSW_MINIMA)
    return given | _present(value, ("on_disk", "inline_storage", "copy_vectors"))


def _optimizers_of(value: object, profile: Profile) -> dict[str, Any]:
    defaults = _OPTIMIZERS | {"indexing_threshold": profile.indexing_threshold_kb}
    return defaults | _optimizers(value, profile)


def _optimizers(value: object, profile: Profile) -> dict[str, Any]:
    minima = dict.fromkeys(_OPTIMIZERS.keys() - {"deleted_threshold", "max_optimization_threads"}, 0)
    if not profile.vectors_count:
        minima["vacuum_min_vector_number"] = 100  # since 1.16
    given = _whole_fields(value, "optimizers_config", minima)
    threshold = number(mapping({} if value is None else value, "optimizers_config"), "deleted_threshold")
    if threshold is not None:
        if not 0 <= threshold <= 1:
            raise too_small("optimizers_config.deleted_threshold", threshold, 0)
        given["deleted_threshold"] = threshold
    return given | _present(value, ("max_optimization_threads",))


def _whole_fields(value: object, name: str, minima: Mapping[str, int]) -> dict[str, Any]:
    """The named whole numbers that a request gives."""
    doc = mapping({} if value is None else value, name)
    given = {field: whole(doc, field, minimum=least, within=f"{name}.") for field, least in minima.items()}
    return {field: entry for field, entry in given.items() if entry is not None}


def _present(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    doc = mapping({} if value is None else value, "body")
    return {name: doc[name] for name in names if doc.get(name) is not None}


def edge_config(config: Doc, *, durable: bool) -> edge.EdgeConfig:
    """The engine's configuration; ``durable`` writes updates ahead to a log."""
    params = config["params"]
    vectors = params["vectors"]
    named = {"": vectors} if "size" in vectors else vectors
    sparse = params.get("sparse_vectors", {})
    with reading("collection"):
        return edge.EdgeConfig(
            vectors={name: _edge_vector(vector) for name, vector in named.items()},
            sparse_vectors={name: _edge_sparse(entry) for name, entry in sparse.items()},
            on_disk_payload=params["on_disk_payload"],
            hnsw_config=_edge_hnsw(config["hnsw_config"]),
            quantization_config=_edge_quantization(config["quantization_config"]),
            wal_enabled=durable,
            # A collection is one segment, and Python's lock is held while it is asked: threads of a pool would
            # only be woken, each time, to find nothing to do. That took as long as a search among 2,000 points.
            max_search_threads=1,
        )


def _edge_vector(vector: Doc) -> edge.EdgeVectorParams:
    hnsw = vector.get("hnsw_config")
    multiple = vector.get("multivector_config")
    return edge.EdgeVectorParams(
        size=vector["size"],
        distance=_DISTANCES[vector["distance"]],
        on_disk=vector.get("on_disk"),
        multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim) if multiple else None,
        datatype=_DATATYPES.get(vector.get("datatype", "")),
        quantization_config=_edge_quantization(vector.get("quantization_config")),
        hnsw_config=_edge_hnsw(_HNSW | hnsw) if hnsw else None,
    )


def _edge_sparse(params: Doc) -> edge.EdgeSparseVectorParams:
    modifier = params.get("modifier")
    index = params.get("index") or {}
    return edge.EdgeSparseVectorParams(
        full_scan_threshold=index.get("full_scan_threshold"),
        on_disk=index.get("on_disk"),
        modifier=edge.Modifier.Idf if modifier == "idf" else None,
    )


def _edge_hnsw(hnsw: Doc) -> edge.HnswIndexConfig:
    names = ("m", "ef_construct", "full_scan_threshold", "max_indexing_threads", "on_disk", "payload_m")
    return edge.HnswIndexConfig(**{name: hnsw[name] for name in names if name in hnsw})


def _edge_quantization(config: Doc | None) -> Any:
    match config:
        case None:
            return None
        case {"scalar": {"type": "int8", **kept}}:
            return edge.ScalarQuantizationConfig(edge.ScalarType.Int8, _quantile(kept), _in_ram(kept))
        case {"product": {"compression": ratio, **kept}}:
            return edge.ProductQuantizationConfig(choice(ratio, "compression", _RATIOS), _in_ram(kept))
        case {"binary": {**kept}}:
            return edge.BinaryQuantizationConfig(_in_ram(kept))
    raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum QuantizationConfig")


def _in_ram(config: Mapping[Any, Any]) -> Any:
    return config.get("always_ram")


def _quantile(config: Mapping[Any, Any]) -> Any:
    return config.get("quantile")
