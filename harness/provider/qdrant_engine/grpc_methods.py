"""The gRPC methods that the engine has something behind, by service and name."""

from collections.abc import Callable
from typing import Any

from harness.provider.qdrant_engine import grpc_collections, grpc_queries, grpc_updates
from harness.provider.qdrant_engine.answers import Answer
from harness.provider.qdrant_engine.collection import Collection, asking
from harness.provider.qdrant_engine.edge import QueryRequest
from harness.provider.qdrant_engine.engine import Engine
from harness.provider.qdrant_engine.grpc_in import Plain, filter_in, point_id, with_payload, with_vectors
from harness.provider.qdrant_engine.grpc_out import id_out, point_out
from harness.provider.qdrant_engine.messages import message

Method = Callable[[Engine, Any], Any]
TITLE = "qdrant - vector search engine"

_Operation = message("CollectionOperationResponse")
_Points = message("PointsOperationResponse")
_UpdateResult = message("UpdateResult")
_ScoredPoint = message("ScoredPoint")
_RetrievedPoint = message("RetrievedPoint")
_BatchResult = message("BatchResult")
_STATUS = {"acknowledged": 1, "completed": 2}


def _list(engine: Engine, request: Any) -> Any:
    made = message("CollectionDescription")
    return message("ListCollectionsResponse")(collections=[made(name=name) for name in engine.names()])


def _get_collection(engine: Engine, request: Any) -> Any:
    info = grpc_collections.info_out(engine.info(request.collection_name))
    return message("GetCollectionInfoResponse")(result=info)


def _create(engine: Engine, request: Any) -> Any:
    return _Operation(result=engine.create(request.collection_name, grpc_collections.create(request)))


def _update_collection(engine: Engine, request: Any) -> Any:
    return _Operation(result=engine.reconfigure(request.collection_name, grpc_collections.update(request)))


def _delete_collection(engine: Engine, request: Any) -> Any:
    return _Operation(result=engine.delete_collection(request.collection_name))


def _exists(engine: Engine, request: Any) -> Any:
    found = message("CollectionExists")(exists=engine.exists(request.collection_name))
    return message("CollectionExistsResponse")(result=found)


def _aliases(engine: Engine, request: Any) -> Any:
    return message("ListAliasesResponse")()


def _result(answer: Answer) -> Any:
    return _UpdateResult(operation_id=answer["operation_id"], status=_STATUS[answer["status"]])


def _update(kind: str, read: Callable[[Any], Plain]) -> Method:
    def method(engine: Engine, request: Any) -> Any:
        answer = engine.update(request.collection_name, kind, read(request), wait=request.wait)
        return _Points(result=_result(answer))

    return method


def _update_batch(engine: Engine, request: Any) -> Any:
    body = grpc_updates.batch(request)
    answers = engine.update_batch(request.collection_name, body, wait=request.wait)
    return message("UpdateBatchResponse")(result=[_result(answer) for answer in answers])


def _create_index(engine: Engine, request: Any) -> Any:
    body = grpc_collections.create_index(request)
    return _Points(result=_result(engine.create_index(request.collection_name, body, wait=request.wait)))


def _delete_index(engine: Engine, request: Any) -> Any:
    answer = engine.delete_index(request.collection_name, request.field_name, wait=request.wait)
    return _Points(result=_result(answer))


def _get(engine: Engine, request: Any) -> Any:
    body = {
        "ids": [point_id(given) for given in request.ids],
        "with_payload": with_payload(request.with_payload),
        "with_vector": with_vectors(request.with_vectors),
    }
    found = engine.on(request.collection_name, lambda held: held.retrieve(body))
    return message("GetResponse")(result=_points(engine, found, _RetrievedPoint))


def _scroll(engine: Engine, request: Any) -> Any:
    body = grpc_queries.scroll(request)
    page = engine.on(request.collection_name, lambda held: held.scroll(body))
    answer = message("ScrollResponse")(result=_points(engine, page["points"], _RetrievedPoint))
    if page["next_page_offset"] is not None:
        answer.next_page_offset.CopyFrom(id_out(page["next_page_offset"]))
    return answer


def _count(engine: Engine, request: Any) -> Any:
    body: Plain = {"exact": request.exact} if request.HasField("exact") else {}
    if request.HasField("filter"):
        body["filter"] = filter_in(request.filter)
    found = engine.on(request.collection_name, lambda held: held.count(body))
    return message("CountResponse")(result=message("CountResult")(count=found["count"]))


def _facet(engine: Engine, request: Any) -> Any:
    body: Plain = {"key": request.key, "limit": request.limit or None, "exact": request.exact}
    if request.HasField("filter"):
        body["filter"] = filter_in(request.filter)
    hits = engine.on(request.collection_name, lambda held: held.facet(body))["hits"]
    return message("FacetResponse")(hits=[_hit(hit) for hit in hits])


def _hit(hit: Answer) -> Any:
    value = hit["value"]
    kind = {bool: "bool_value", int: "integer_value", str: "string_value"}[type(value)]
    return message("FacetHit")(value=message("FacetValue")(**{kind: value}), count=hit["count"])


def _scored(answer: str, ask: Callable[[Collection, object], QueryRequest], read: Callable[[Any], Plain]) -> Method:
    made = message(answer)

    def method(engine: Engine, request: Any) -> Any:
        found = engine.search(request.collection_name, asking(ask, read(request)))
        return made(result=_points(engine, found, _ScoredPoint))

    return method


def _scored_batch(
    answer: str, field: str, ask: Callable[[Collection, object], QueryRequest], read: Callable[[Any], Plain]
) -> Method:
    made = message(answer)

    def method(engine: Engine, request: Any) -> Any:
        asks = [asking(ask, read(entry)) for entry in getattr(request, field)]
        found = engine.search_batch(request.collection_name, asks)
        return made(result=[_BatchResult(result=_points(engine, points, _ScoredPoint)) for points in found])

    return method


def _points(engine: Engine, found: list[Answer], made: Any) -> list[Any]:
    newer = engine.profile.named_vector_kinds
    return [point_out(point, made, newer=newer) for point in found]


def _health(engine: Engine, request: Any) -> Any:
    return message("HealthCheckReply")(title=TITLE, version=engine.profile.version)


_QUERY = grpc_queries.query
_SEARCH = grpc_queries.search
METHODS: dict[str, Method] = {
    "qdrant.Qdrant/HealthCheck": _health,
    "qdrant.Collections/Get": _get_collection,
    "qdrant.Collections/List": _list,
    "qdrant.Collections/Create": _create,
    "qdrant.Collections/Update": _update_collection,
    "qdrant.Collections/Delete": _delete_collection,
    "qdrant.Collections/CollectionExists": _exists,
    "qdrant.Collections/ListAliases": _aliases,
    "qdrant.Collections/ListCollectionAliases": _aliases,
    "qdrant.Points/Upsert": _update("upsert", grpc_updates.upsert),
    "qdrant.Points/Delete": _update("delete", grpc_updates.delete),
    "qdrant.Points/UpdateVectors": _update("update_vectors", grpc_updates.update_vectors),
    "qdrant.Points/DeleteVectors": _update("delete_vectors", grpc_updates.delete_vectors),
    "qdrant.Points/SetPayload": _update("set_payload", grpc_updates.set_payload),
    "qdrant.Points/OverwritePayload": _update("overwrite_payload", grpc_updates.set_payload),
    "qdrant.Points/DeletePayload": _update("delete_payload", grpc_updates.delete_payload),
    "qdrant.Points/ClearPayload": _update("clear_payload", grpc_updates.delete),
    "qdrant.Points/UpdateBatch": _update_batch,
    "qdrant.Points/CreateFieldIndex": _create_index,
    "qdrant.Points/DeleteFieldIndex": _delete_index,
    "qdrant.Points/Get": _get,
    "qdrant.Points/Scroll": _scroll,
    "qdrant.Points/Count": _count,
    "qdrant.Points/Facet": _facet,
    "qdrant.Points/Search": _scored("SearchResponse", Collection.search_request, _SEARCH),
    "qdrant.Points/SearchBatch": _scored_batch(
        "SearchBatchResponse", "search_points", Collection.search_request, _SEARCH
    ),
    "qdrant.Points/Query": _scored("QueryResponse", Collection.query_request, _QUERY),
    "qdrant.Points/QueryBatch": _scored_batch("QueryBatchResponse", "query_points", Collection.query_request, _QUERY),
}
# What came with points/query, and is no method at all before.
QUERIES = frozenset({"Query", "QueryBatch", "QueryGroups"})
