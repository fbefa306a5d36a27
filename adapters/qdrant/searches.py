"""Many searches at once: as many requests as the limits ask for, some under way at a time, and one list for each search."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.endpoint import Endpoint
from adapters.errors import IntegrationError, InvalidInput
from adapters.qdrant.points import with_vector
from adapters.qdrant.upserts import UNLIMITED
from harness.contract.agreement import OperationTerms

if TYPE_CHECKING:  # it loads gRPC, which REST does without
    from adapters.qdrant.over_grpc import OverGrpc

AT_A_TIME = 2  # one is worked on by the provider while the next one is sent; more only wait
_FRAME = 300  # what stands around the searches, with the longest name of a collection
_PER_SEARCH = 8  # and between them
Found = list[dict[str, Any]]
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The searches of one request: their vectors, and each as it stands there."""

    number: int
    rows: Sequence[Any] = field(repr=False)
    parts: Sequence[bytes] = field(repr=False)


def pieces(rows: Sequence[Any], *, most_items: int, most_bytes: int, write: Callable[[Any], bytes]) -> Iterator[Piece]:
    """The searches in as few requests as hold at most so many of them and so many bytes; made one at a time."""
    number, first, parts, size = 0, 0, list[bytes](), _FRAME
    for at, row in enumerate(rows):
        part = write(row)
        if len(part) + _FRAME > most_bytes:
            raise InvalidInput(f"search {at} takes {len(part)} bytes, and a request holds at most {most_bytes}: shorten its filters")
        if parts and (len(parts) >= most_items or size + len(part) + _PER_SEARCH > most_bytes):
            yield Piece(number=number, rows=rows[first:at], parts=parts)
            number, first, parts, size = number + 1, at, [], _FRAME
        parts.append(part)
        size += len(part) + _PER_SEARCH
    if parts:
        yield Piece(number=number, rows=rows[first:], parts=parts)


async def search_many(
    endpoint: Endpoint, over_grpc: "OverGrpc | None", collection: str, rows: Sequence[Any], *, operation: str, asked: str, options: Body
) -> list[Found]:
    """What is found by each row; ``options`` are said with each of them, and ``asked`` is the name of the vector beside them."""
    terms, path = endpoint.agreement.operations[operation], {"collection": collection}
    if not rows:
        endpoint.refuse_invalid_parameters(terms, path=path)
        return []
    one, outline = ({"searches": [{**options, asked: row}]} for row in (rows[0], [0.0]))
    endpoint.refuse_invalid(terms, one, path=path, outline=outline)
    most_items, most_bytes = _most(endpoint, terms, outline)
    deadline = endpoint.resilience.deadline()

    async def send(piece: Piece) -> list[Found]:
        body = {"searches": [{**options, asked: row} for row in piece.rows]}
        if over_grpc is not None:
            found = await over_grpc.search_many(operation, collection, piece.parts, body, deadline)
        else:
            content = b'{"searches":[' + b",".join(piece.parts) + b"]}"
            found = (await endpoint.call(terms, body, path=path, content=content, deadline=deadline))["result"]
        return [points_in(each) for each in found]

    if over_grpc is not None:
        write = over_grpc.search_writer(operation, collection, options)
    else:
        write = lambda row: with_vector({**options, asked: row}, asked, operation)
    return await _search_all(pieces(rows, most_items=most_items, most_bytes=most_bytes, write=write), send=send)


def options_of(
    limit: int,
    conditions: Body | None,
    score_threshold: float | None,
    offset: int | None,
    with_payload: bool | list[str],
    with_vectors: bool | list[str],
) -> dict[str, Any]:
    """A search but for its vector; what is not said is left out."""
    said = {"filter": conditions, "score_threshold": score_threshold, "offset": offset}
    always = {"limit": limit, "with_payload": with_payload, "with_vector": with_vectors}
    return always | {name: value for name, value in said.items() if value is not None}


def points_in(found: Any) -> Found:
    """What a search found; a newer answer has a name for it."""
    points: Found = found["points"] if isinstance(found, Mapping) else found
    return points


def _most(endpoint: Endpoint, terms: OperationTerms, one: Body) -> tuple[int, int]:
    """How many searches fit into a request, by what one of them costs, and how many bytes."""
    limit = endpoint.agreement.contract.limits.batch
    parts = {"body": one, "query": {}, "path": {}, "headers": {}}
    cost = terms.evaluate(terms.cost["items"], request=parts) if "items" in terms.cost else 0
    most = int(limit.items // cost) if limit and limit.items and isinstance(cost, int | float) and cost else UNLIMITED
    return max(1, most), (limit.bytes if limit else None) or UNLIMITED


async def _search_all(waiting: Iterator[Piece], *, send: Callable[[Piece], Awaitable[list[Found]]]) -> list[Found]:
    """What was found for each search, in their order; the first error, when a request fails: then no more are sent."""
    found: dict[int, list[Found]] = {}

    async def work() -> None:
        for piece in waiting:
            found[piece.number] = await send(piece)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_A_TIME):
                group.create_task(work())
    except* IntegrationError as failed:
        first: BaseException = failed
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from first.__cause__
    return [each for number in sorted(found) for each in found[number]]
