"""The operations on points over gRPC, under the same resilience as over REST."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from adapters import errors
from adapters.endpoint import Endpoint, Sent
from adapters.qdrant import translation as to
from adapters.qdrant.messages import message, parsed
from adapters.qdrant.points import Batch, Point
from harness.contract.rpc import WITHOUT_ANSWER, http_statuses

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_retries", 0),  # a call is repeated by the contract's policy, and by nothing else
)
_LARGEST_PAGE = 2**32 - 1  # no larger number can be said, nor so many points fit into an answer
Body = Mapping[str, Any]
Read = Callable[[Any, Body], Any]


def _channel(address: str, *, secure: bool) -> grpc.aio.Channel:
    """Over TLS where REST is: else the credential would go out in the open."""
    if not secure:
        return grpc.aio.insecure_channel(address, options=_OPTIONS)
    trusted = os.environ.get("SSL_CERT_FILE")  # as for REST; without it what comes with gRPC
    roots = Path(trusted).read_bytes() if trusted else None
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(root_certificates=roots), options=_OPTIONS)


class OverGrpc:
    """One channel to the provider's gRPC port; the endpoint knows policies, promises and the credential."""

    def __init__(self, endpoint: Endpoint, *, address: str) -> None:
        self._endpoint = endpoint
        self._older = "query" not in endpoint.agreement.operations
        self._channel = _channel(address, secure=endpoint.is_secure)
        self._methods: dict[str, Any] = {}
        declared = endpoint.agreement.contract.provider.grpc
        self._statuses = http_statuses(declared.statuses if declared else {})

    async def aclose(self) -> None:
        """Close the channel."""
        await self._channel.close()

    # Upserts

    def write(self, point: Point) -> bytes:
        """A point as it stands in a request."""
        return to.point(point, older=self._older)

    async def upsert(self, collection: str, batch: Batch, wait: bool) -> None:
        """Write the points of a batch."""
        head = message("UpsertPoints")(collection_name=collection, wait=wait).SerializeToString()
        content = head + b"".join(b"\x1a" + _varint(len(part)) + part for part in batch.parts)  # 0x1a: field 3, points
        await self._called("upsert", "Upsert", content, "PointsOperationResponse", {"points": []}, collection, {"wait": wait}, to.update_of)

    # Everything else

    async def ask(self, operation: str, collection: str, body: Body, query: Mapping[str, object]) -> Any:
        """The result of an operation on points, as REST has it."""
        rpc, request, answer, fill, read = _OPERATIONS[operation]
        with to.sayable(operation):
            made = message(request)(collection_name=collection)
            fill(made, body)
        if "wait" in query:
            made.wait = query["wait"]
        return await self._called(operation, rpc, made.SerializeToString(), answer, body, collection, query, read)

    # Many searches at once

    def search_writer(self, operation: str, collection: str, options: Body) -> Callable[[Any], bytes]:
        """How a search by a vector stands in a request: what all of them say alike is made once."""
        _, request, _, fill, _ = _OPERATIONS[operation.removesuffix("_batch")]
        with to.sayable(operation):
            made = message(request)(collection_name=collection)
            fill(made, options)
        alike, bare = made.SerializeToString(), message(request)

        def write(row: Any) -> bytes:
            asked = bare()
            _fill_vector(asked, row)
            return bytes(alike + asked.SerializeToString())  # a message after a message is both in one

        return write

    async def search_many(self, operation: str, collection: str, parts: Sequence[bytes], body: Body, deadline: float) -> Any:
        """What is found for each search, as REST has it."""
        rpc, request, answer, read = _BATCHES[operation]
        head = message(request)(collection_name=collection).SerializeToString()
        content = head + b"".join(b"\x12" + _varint(len(part)) + part for part in parts)  # 0x12: field 2, the searches
        return await self._called(operation, rpc, content, answer, body, collection, {}, read, deadline=deadline)

    async def _called(
        self,
        operation: str,
        rpc: str,
        content: bytes,
        answer: str,
        body: Body,
        collection: str,
        query: Mapping[str, object],
        read: Read,
        *,
        deadline: float | None = None,
    ) -> Any:
        terms = self._endpoint.agreement.operations[operation]
        sent = Sent(terms=terms, body=body, path={"collection": collection}, query=query, content=None)

        async def attempt() -> Any:
            result = read(_message(sent, await self._attempt(sent, rpc, content), answer), body)
            self._endpoint.check_promises(sent, terms.success[0], {"result": result, "status": "ok", "time": 0.0})
            return result

        resilience = self._endpoint.resilience
        return await resilience.call(attempt, deadline=deadline or resilience.deadline(), retry=self._endpoint.retry_for(terms))

    async def _attempt(self, sent: Sent, rpc: str, content: bytes) -> bytes:
        name, limit_s = sent.terms.name, self._endpoint.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                found: bytes = await self._method(rpc)(content, metadata=self._metadata(), wait_for_ready=False)
                return found
        except TimeoutError:
            raise errors.ProviderTimeout(f"{name}: no answer within {limit_s:g} s") from None
        except grpc.aio.AioRpcError as error:
            raise self._declared(sent, error) from None

    def _method(self, rpc: str) -> Any:
        """The call, from bytes to bytes: of an answer that it can't read gRPC itself makes nothing at all."""
        if rpc not in self._methods:
            self._methods[rpc] = self._channel.unary_unary(f"/qdrant.Points/{rpc}")
        return self._methods[rpc]

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return tuple((name.lower(), value) for name, value in self._endpoint.credential_headers().items())

    def _declared(self, sent: Sent, error: grpc.aio.AioRpcError) -> errors.IntegrationError:
        """The error that the contract declares for the status that REST would have had."""
        code, text = error.code(), self._endpoint.redacted(error.details() or "")
        number: int = code.value[0]
        told = f"{sent.terms.name}: {text or code.name}"
        if WITHOUT_ANSWER.get(number) == "timeout":
            return errors.ProviderTimeout(told)
        if number in WITHOUT_ANSWER or code is grpc.StatusCode.CANCELLED:  # not by us: then it would be no error of gRPC's
            return errors.ProviderUnreachable(told)
        status = self._statuses[number]
        shape = sent.terms.response_for(status)
        kind = errors.named(shape.raises) if shape and shape.raises else errors.for_status(status)
        metadata = {name: value for name, value in error.trailing_metadata() or () if isinstance(value, str)}
        return kind(status=status, detail=text, retry_after_s=self._endpoint.hinted_s(status, metadata))


def _message(sent: Sent, content: bytes, answer: str) -> Any:
    try:
        return parsed(answer, content)
    except ValueError as error:
        raise errors.InvalidResponse(f"{sent.terms.name}: {error}") from None


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _fill_search(made: Any, body: Body) -> None:
    for name in ("query", "vector"):
        if body.get(name) is not None:
            _fill_vector(made, body[name])
    _fill_found(made, body)


def _fill_vector(made: Any, vector: Any) -> None:
    if "query" in made.DESCRIPTOR.fields_by_name:
        made.query.nearest.dense.data = to.packed_floats(vector)
    else:
        made.vector = to.packed_floats(vector)


def _fill_found(made: Any, body: Body) -> None:
    to.fill_filter(made.filter, body.get("filter"))
    to.fill_selectors(made, body)
    for name in ("limit", "offset", "score_threshold"):
        if body.get(name) is not None:
            setattr(made, name, body[name])


def _fill_ids(target: Any, ids: Sequence[int | str]) -> None:
    for each in ids:
        to.fill_id(target.add(), each)


def _fill_retrieve(made: Any, body: Body) -> None:
    _fill_ids(made.ids, body["ids"])
    to.fill_selectors(made, body)


def _fill_delete(made: Any, body: Body) -> None:
    if "points" in body:
        _fill_ids(made.points.points.ids, body["points"])
    else:
        made.points.filter.SetInParent()
        to.fill_filter(made.points.filter, body["filter"])


def _fill_payload(made: Any, body: Body) -> None:
    _fill_ids(made.points_selector.points.ids, body["points"])
    to.fill_payload(made.payload, body["payload"], "set_payload")


def _fill_scroll(made: Any, body: Body) -> None:
    to.fill_filter(made.filter, body.get("filter"))
    to.fill_selectors(made, body)
    if body["limit"] is not None:
        made.limit = min(body["limit"], _LARGEST_PAGE) if body["limit"] < 2**64 else body["limit"]
    if "offset" in body:
        to.fill_id(made.offset, body["offset"])


def _fill_count(made: Any, body: Body) -> None:
    to.fill_filter(made.filter, body.get("filter"))
    made.exact = body["exact"]


def _points_of(answer: Any, body: Body) -> list[dict[str, Any]]:
    return to.points_of(answer.result, body)


def _lists_of(answer: Any, body: Body) -> list[list[dict[str, Any]]]:
    alike = body["searches"][0]
    return [to.points_of(each.result, alike) for each in answer.result]


def _page_of(answer: Any, body: Body) -> dict[str, Any]:
    following = to.id_of(answer.next_page_offset) if answer.HasField("next_page_offset") else None
    return {"points": _points_of(answer, body), "next_page_offset": following}


_OPERATIONS: dict[str, tuple[str, str, str, Callable[[Any, Body], None], Read]] = {
    "query": ("Query", "QueryPoints", "QueryResponse", _fill_search, lambda answer, body: {"points": _points_of(answer, body)}),
    "search": ("Search", "SearchPoints", "SearchResponse", _fill_search, _points_of),
    "retrieve": ("Get", "GetPoints", "GetResponse", _fill_retrieve, _points_of),
    "delete_points": ("Delete", "DeletePoints", "PointsOperationResponse", _fill_delete, to.update_of),
    "set_payload": ("SetPayload", "SetPayloadPoints", "PointsOperationResponse", _fill_payload, to.update_of),
    "scroll": ("Scroll", "ScrollPoints", "ScrollResponse", _fill_scroll, _page_of),
    "count": ("Count", "CountPoints", "CountResponse", _fill_count, lambda answer, body: {"count": answer.result.count}),
}
_BATCHES: dict[str, tuple[str, str, str, Read]] = {
    "query_batch": (
        "QueryBatch",
        "QueryBatchPoints",
        "QueryBatchResponse",
        lambda answer, body: [{"points": found} for found in _lists_of(answer, body)],
    ),
    "search_batch": ("SearchBatch", "SearchBatchPoints", "SearchBatchResponse", _lists_of),
}
