"""What the REST face refuses: Qdrant's status and wording for each, and nothing changed by it."""

from typing import Any

import pytest

from harness.exchange import Request
from harness.provider.qdrant_engine import QdrantServer

from .conftest import SQUARE, Ask, error_of, result_of

POINT = {"id": 1, "vector": [1, 2, 3, 4]}


def upsert(ask: Ask, *points: object, wait: str = "true") -> Any:
    return ask("PUT", f"/collections/c/points?wait={wait}", {"points": list(points)})


def test_an_unknown_collection_is_404_and_named(ask: Ask) -> None:
    for method, target, body in [
        ("GET", "/collections/nope", None),
        ("PUT", "/collections/nope/points", {"points": [POINT]}),
        ("POST", "/collections/nope/points/query", {"query": [1, 2, 3, 4]}),
        ("POST", "/collections/nope/points/count", {}),
    ]:
        response = ask(method, target, body)
        assert response.status == 404
        assert error_of(response) == "Not found: Collection `nope` doesn't exist!"


def test_an_unknown_path_is_404_without_a_body(ask: Ask) -> None:
    for method, target in [("GET", "/nope"), ("DELETE", "/collections"), ("POST", "/collections/c/nope")]:
        response = ask(method, target)
        assert (response.status, response.body) == (404, b"")


def test_a_collection_can_not_be_created_twice(square: Ask) -> None:
    response = square("PUT", "/collections/c", SQUARE)
    assert response.status == 409
    assert error_of(response) == "Wrong input: Collection `c` already exists!"
    assert result_of(square("GET", "/collections/c"))["points_count"] == 6


def test_a_vector_of_another_dimension_is_400_and_nothing_of_its_batch_is_stored(square: Ask) -> None:
    response = upsert(square, {"id": 10, "vector": [1, 2, 3, 4]}, {"id": 11, "vector": [1, 2, 3]})
    assert response.status == 400
    assert error_of(response) == "Wrong input: Vector dimension error: expected dim: 4, got 3"
    assert result_of(square("POST", "/collections/c/points/count", {})) == {"count": 6}


def test_without_wait_an_error_in_applying_is_not_told_but_one_of_form_is(square: Ask) -> None:
    assert (
        result_of(upsert(square, {"id": 11, "vector": [1, 2, 3]}, wait="false"))["status"] == "acknowledged"
    )
    assert upsert(square, {"id": "chunk_0", "vector": [1, 2, 3, 4]}, wait="false").status == 400
    assert result_of(square("POST", "/collections/c/points/count", {})) == {"count": 6}


@pytest.mark.parametrize("identity", ["chunk_0", "", "-1", -1, 1.5, True, 2**64])
def test_an_id_is_an_unsigned_integer_or_a_uuid(square: Ask, identity: object) -> None:
    response = square("PUT", "/collections/c/points?wait=true", _raw(identity))
    assert response.status == 400
    assert "is not a valid point ID" in error_of(response) or "Format error" in error_of(response)


def _raw(identity: object) -> bytes:
    from json import dumps  # orjson refuses to write an integer over 64 bits

    return dumps({"points": [{"id": identity, "vector": [1, 2, 3, 4]}]}).encode()


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1e39", b"true", b"null", b'"1"']
)
def test_a_vector_holds_finite_numbers_only(square: Ask, number: bytes) -> None:
    body = b'{"points":[{"id":9,"vector":[1,2,3,%s]}]}' % number
    response = square("PUT", "/collections/c/points?wait=true", body)
    assert response.status == 400
    assert error_of(response).startswith("Format error in JSON body: ")
    assert square("GET", "/collections/c/points/9").status == 404


def test_a_boolean_in_a_payload_is_no_reason_to_refuse_the_vector_beside_it(square: Ask) -> None:
    point = {"id": 9, "vector": [1, 2, 3, 4], "payload": {"flags": [True, False], "on": True}}
    assert upsert(square, point).status == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b'{"points":[{"id":1}]}', b'{"points":{}}', b"{}", b'{"points":[1]}']
)
def test_a_body_that_is_no_upsert_is_400(square: Ask, body: bytes) -> None:
    response = square("PUT", "/collections/c/points", body)
    assert response.status == 400
    assert error_of(response).startswith("Format error in JSON body: ")


def test_an_empty_update_is_400(square: Ask) -> None:
    for target, body in [("points", {"points": []}), ("points/delete", {"points": []})]:
        method = "PUT" if target == "points" else "POST"
        response = square(method, f"/collections/c/{target}", body)
        assert (response.status, error_of(response)) == (400, "Bad request: Empty update request")


def test_a_batch_has_as_many_vectors_and_payloads_as_ids(square: Ask) -> None:
    vector = [1, 2, 3, 4]
    for batch, said in [
        ({"ids": [1, 2], "vectors": [vector]}, "number of ids and vectors must be equal (2 != 1)"),
        (
            {"ids": [1], "vectors": [vector], "payloads": []},
            "number of ids and payloads must be equal (1 != 0)",
        ),
    ]:
        response = square("PUT", "/collections/c/points", {"batch": batch})
        assert response.status == 422
        assert error_of(response) == f"Validation error in JSON body: [batch: {said}]"


def test_a_body_over_32_mb_is_refused_in_the_words_that_qdrant_uses(square: Ask) -> None:
    size = 32 * 1024 * 1024 + 1
    response = square("PUT", "/collections/c/points", b" " * size)
    assert response.status == 400
    limit = "is larger than allowed (limit: 33554432 bytes)."
    assert error_of(response) == f"Payload error: JSON payload ({size} bytes) {limit}"


def test_a_body_without_the_media_type_of_json_is_400() -> None:
    server = QdrantServer()
    server.open()
    response = server.answer(Request(method="PUT", target="/collections/c", body=b"{}"))
    assert (response.status, error_of(response)) == (400, "Content type error")
    server.stop()


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/collections/c/points/query", {"query": [1, 2, 3, 4], "limit": 0}),
        ("/collections/c/points/search", {"vector": [1, 2, 3, 4], "limit": 0}),
        ("/collections/c/points/scroll", {"limit": 0}),
    ],
)
def test_a_limit_of_none_is_422(square: Ask, target: str, body: object) -> None:
    response = square("POST", target, body)
    assert response.status == 422
    assert (
        error_of(response) == "Validation error in JSON body: [limit: value 0 invalid, must be 1 or larger]"
    )


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (
            {"vectors": {"size": 0, "distance": "Dot"}},
            422,
            "vectors.size: value 0 invalid, must be 1 or larger",
        ),
        ({"vectors": {"size": 65537, "distance": "Dot"}}, 422, "vectors.size: value 65537 invalid"),
        ({"vectors": {"size": 4, "distance": "Hamming"}}, 400, "expected one of `Cosine`"),
        ({"vectors": {"size": 4}}, 400, "missing field `distance`"),
        ({"vectors": {"size": "4", "distance": "Dot"}}, 400, "vectors.size: invalid type: string"),
        (SQUARE | {"hnsw_config": {"ef_construct": 3}}, 422, "hnsw_config.ef_construct: value 3 invalid"),
        (SQUARE | {"hnsw_config": {"full_scan_threshold": 9}}, 422, "must be 10 or larger"),
        (
            SQUARE | {"optimizers_config": {"deleted_threshold": 2}},
            422,
            "deleted_threshold: value 2.0 invalid",
        ),
        (SQUARE | {"shard_number": 0}, 422, "shard_number: value 0 invalid, must be 1 or larger"),
        (SQUARE | {"sharding_method": "custom"}, 400, "not supported by the embedded engine"),
        (SQUARE | {"init_from": {"collection": "c"}}, 400, "not supported by the embedded engine"),
        ({}, 400, "a collection without any vector is not supported by the embedded engine"),
    ],
)
def test_a_collection_is_created_only_with_parameters_that_qdrant_takes(
    ask: Ask, body: object, status: int, said: str
) -> None:
    response = ask("PUT", "/collections/c", body)
    assert response.status == status
    assert said in error_of(response)
    assert ask("GET", "/collections/c").status == 404


@pytest.mark.parametrize("name", ["a" * 256, "a%2Fb", "a%3Ab", "%00"])
def test_a_collection_name_is_at_most_255_characters_that_a_file_name_may_have(ask: Ask, name: str) -> None:
    response = ask("PUT", f"/collections/{name}", SQUARE)
    assert response.status == 422
    assert error_of(response).startswith("Validation error in path parameters: [name: ")


@pytest.mark.parametrize(
    ("query", "status"), [("wait=maybe", 400), ("ordering=any", 400), ("timeout=0", 422), ("timeout=x", 400)]
)
def test_query_parameters_are_checked(square: Ask, query: str, status: int) -> None:
    response = square("PUT", f"/collections/c/points?{query}", {"points": [POINT]})
    assert response.status == status
    assert "query parameters" in error_of(response)


def test_an_absent_point_is_404_and_an_impossible_one_400(square: Ask) -> None:
    response = square("GET", "/collections/c/points/99")
    assert (response.status, error_of(response)) == (404, "Not found: Point with id 99 does not exists!")
    response = square("GET", "/collections/c/points/chunk_0")
    assert (response.status, error_of(response)) == (
        400,
        'Wrong input: Can not recognize "chunk_0" as point id',
    )


def test_a_query_by_an_absent_point_is_404(square: Ask) -> None:
    response = square("POST", "/collections/c/points/query", {"query": 99})
    assert (response.status, error_of(response)) == (404, "Not found: No point with id 99 found")


def test_a_payload_for_an_absent_point_is_404(square: Ask) -> None:
    body = {"payload": {"a": 1}, "points": [99]}
    response = square("POST", "/collections/c/points/payload?wait=true", body)
    assert (response.status, error_of(response)) == (404, "Not found: No point with id 99 found")


@pytest.mark.parametrize(
    "wanted",
    [
        {"unknown": []},
        {"must": [{"key": "a"}]},
        {"must": [{}, {"what": 1}]},
        {"must": [{"key": "a", "match": {"value": 1.5}}]},
        {"must": [{"key": "a", "match": {"any": [1, "a"]}}]},
        {"must": [{"key": "a", "match": {}}]},
        {"must": [{"key": "a", "range": {"gte": "not a date"}}]},
        {"must": [{"key": "a", "range": {"gte": 1, "lt": "2024-01-01"}}]},
        {"must": [{"key": "a[", "match": {"value": 1}}]},
        {"must": [{"has_id": ["chunk_0"]}]},
        {"must": [{"has_id": 1}]},
        {"must": ["a"]},
        "a",
    ],
)
def test_a_filter_that_qdrant_would_not_read_is_refused(square: Ask, wanted: object) -> None:
    response = square("POST", "/collections/c/points/count", {"filter": wanted})
    assert response.status in (400, 422)
    assert error_of(response)


def test_an_order_by_a_field_without_an_index_is_400(square: Ask) -> None:
    response = square("POST", "/collections/c/points/scroll", {"order_by": "number"})
    assert response.status == 400
    assert error_of(response).startswith("Bad request: No range index for `order_by` key: `number`.")


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/collections/c/snapshots", None),
        ("POST", "/collections/c/points/recommend", {}),
        ("POST", "/collections/c/points/search/groups", {}),
        ("POST", "/collections/c/points/query", {"query": {"recommend": {"positive": [1]}}}),
        ("POST", "/collections/c/points/query", {"query": {"formula": {}}}),
        ("POST", "/collections/c/points/query", {"query": {"text": "fox", "model": "bm25"}}),
        ("POST", "/collections/c/points/query", {"query": 1, "lookup_from": {"collection": "d"}}),
        ("POST", "/collections/c/points/search", {"vector": [1, 2, 3, 4], "limit": 1, "shard_key": "a"}),
        ("PUT", "/collections/c/points", {"points": [POINT], "shard_key": "a"}),
        ("PUT", "/collections/c/points", {"points": [{"id": 1, "vector": {"text": "a", "model": "b"}}]}),
        ("POST", "/collections/aliases", {"actions": []}),
    ],
)
def test_what_only_the_real_server_can_do_is_said_so(
    square: Ask, method: str, target: str, body: object
) -> None:
    response = square(method, target, body)
    assert response.status == 400
    assert "is not supported by the embedded engine" in error_of(response)


def test_what_is_badly_written_is_told_before_what_does_not_fit_also_to_who_does_not_wait(square: Ask) -> None:
    unfit, unwritten = {"id": 11, "vector": [1, 2, 3]}, {"id": -1, "vector": [1, 2, 3, 4]}
    response = upsert(square, unfit, unwritten, wait="false")
    assert (response.status, "-1 is not a valid point ID" in error_of(response)) == (400, True)


def test_columns_are_looked_for_before_points(square: Ask) -> None:
    columns = {"ids": [21, 22], "vectors": [[1, 2, 3, 4]]}
    response = square("PUT", "/collections/c/points?wait=false", {"points": [POINT], "batch": columns})
    assert response.status == 422
    read = square("PUT", "/collections/c/points?wait=true", {"points": "unread", "batch": columns | {"ids": [21]}})
    assert result_of(read)["status"] == "completed"


def test_an_index_of_no_type_is_refused_also_without_wait(square: Ask) -> None:
    response = square("PUT", "/collections/c/index?wait=false", {"field_name": "h"})
    assert (response.status, "please specify `field_schema`" in error_of(response)) == (400, True)


def test_a_collection_is_described_with_flags_that_are_no_numbers(ask: Ask) -> None:
    described = {"vectors": {"size": 4, "distance": "Dot", "on_disk": True, "other": [False]}}
    assert result_of(ask("PUT", "/collections/flags", described)) is True
