"""Plain answers to gRPC messages."""

from array import array
from collections.abc import Mapping
from typing import Any

from harness.provider.qdrant_engine.messages import message

_PointId = message("PointId")
_Value = message("Value")
_Struct = message("Struct")
_ListValue = message("ListValue")
_DenseVector = message("DenseVector")
_VectorOutput = message("VectorOutput")
_VectorsOutput = message("VectorsOutput")
_OrderValue = message("OrderValue")
_LARGEST_INTEGER = 2**63 - 1


def id_out(identity: int | str) -> Any:
    return _PointId(num=identity) if isinstance(identity, int) else _PointId(uuid=identity)


def value_out(value: Any) -> Any:
    """A payload value."""
    match value:
        case None:
            return _Value(null_value=0)
        case bool():
            return _Value(bool_value=value)
        case int():
            return _Value(integer_value=value) if value <= _LARGEST_INTEGER else _Value(double_value=value)
        case float():
            return _Value(double_value=value)
        case str():
            return _Value(string_value=value)
        case Mapping():
            return _Value(struct_value=_Struct(fields=payload_out(value)))
    return _Value(list_value=_ListValue(values=[value_out(entry) for entry in value]))


def payload_out(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value_out(value) for key, value in payload.items()}


def vectors_out(vector: Any, *, newer: bool) -> Any:
    """The vectors of a point; ``newer`` says which of the two forms the version sends."""
    if isinstance(vector, Mapping) and "indices" not in vector:
        made = _VectorsOutput()
        made.vectors.SetInParent()
        for name, entry in vector.items():
            made.vectors.vectors[name].CopyFrom(_vector_out(entry, newer))
        return made
    return _VectorsOutput(vector=_vector_out(vector, newer))


def _vector_out(vector: Any, newer: bool) -> Any:
    made = _VectorOutput()
    if isinstance(vector, Mapping):
        _fill_sparse(made, vector, newer)
    elif vector and isinstance(vector[0], list):
        _fill_multiple(made, vector, newer)
    elif newer:
        made.dense.data = _packed(vector)
    else:
        made.data = _packed(vector)
    return made


def _fill_sparse(made: Any, vector: Mapping[str, Any], newer: bool) -> None:
    if newer:
        made.sparse.indices.extend(vector["indices"])
        made.sparse.values.extend(vector["values"])
    else:
        made.indices.data.extend(vector["indices"])
        made.data = _packed(vector["values"])


def _fill_multiple(made: Any, rows: list[list[float]], newer: bool) -> None:
    if newer:
        made.multi_dense.vectors.extend(_DenseVector(data=_packed(row)) for row in rows)
    else:
        made.vectors_count = len(rows)
        made.data = b"".join(map(_packed, rows))


def _packed(vector: list[float]) -> bytes:
    return array("f", vector).tobytes()


def point_out(point: Mapping[str, Any], made: Any, *, newer: bool) -> Any:
    """A scored or a retrieved point, of the class ``made``."""
    filled = made(id=id_out(point["id"]), payload=payload_out(point.get("payload") or {}))
    if "score" in point:
        filled.score = point["score"]
        filled.version = point["version"]
    if point.get("vector") is not None:
        filled.vectors.CopyFrom(vectors_out(point["vector"], newer=newer))
    order = point.get("order_value")
    if order is not None:
        filled.order_value.CopyFrom(
            _OrderValue(int=order) if isinstance(order, int) else _OrderValue(float=order)
        )
    return filled
