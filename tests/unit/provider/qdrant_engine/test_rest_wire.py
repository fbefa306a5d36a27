"""What the REST face answers, byte for byte where Qdrant's clients look."""

from typing import Any

import numpy as np
import pytest

from harness.exchange import Request
from harness.provider.qdrant_engine import QdrantServer

from .conftest import SQUARE, Ask, asking, error_of, result_of

KEY = "a-key-of-the-test"


def test_a_created_collection_is_listed_described_and_gone_after_its_deletion(ask: Ask) -> None:
    assert result_of(ask("PUT", "/collections/c", SQUARE)) is True
    assert result_of(ask("GET", "/collections")) == {"collections": [{"name": "c"}]}
    assert result_of(ask("GET", "/collections/c/exists")) == {"exists": True}
    info = result_of(ask("GET", "/collections/c"))
    assert (info["status"], info["optimizer_status"], info["points_count"]) == ("green", "ok", 0)
    assert info["config"]["params"]["vectors"] == {"size": 4, "distance": "Dot"}
    assert result_of(ask("DELETE", "/collections/c")) is True
    assert result_of(ask("DELETE", "/collections/c")) is False
    assert result_of(ask("GET", "/collections/c/exists")) == {"exists": False}


def test_a_collection_keeps_every_parameter_that_it_was_created_with(ask: Ask) -> None:
    body = {
        "vectors": {"size": 2048, "distance": "Cosine"},
        "hnsw_config": {"m": 16, "ef_construct": 200, "max_indexing_threads": 0},
        "optimizers_config": {
            "deleted_threshold": 0.2,
            "vacuum_min_vector_number": 1000,
            "default_segment_number": 5,
        },
    }
    assert ask("PUT", "/collections/contexter_docs", body).status == 200
    config = result_of(ask("GET", "/collections/contexter_docs"))["config"]
    assert config["hnsw_config"]["ef_construct"] == 200
    assert config["optimizer_config"] | body["optimizers_config"] == config["optimizer_config"]
    assert config["hnsw_config"]["full_scan_threshold"] == 10_000, "what isn't given is Qdrant's default"


def test_a_collection_is_reconfigured_field_by_field(square: Ask) -> None:
    body = {"optimizers_config": {"indexing_threshold": 5}, "hnsw_config": {"m": 8}}
    assert result_of(square("PATCH", "/collections/c", body)) is True
    config = result_of(square("GET", "/collections/c"))["config"]
    assert (config["optimizer_config"]["indexing_threshold"], config["hnsw_config"]["m"]) == (5, 8)
    assert config["hnsw_config"]["ef_construct"] == 100


def test_an_update_is_completed_with_wait_and_acknowledged_without(square: Ask) -> None:
    point = {"id": 7, "vector": [7, 0, 0, 1]}
    for query, status in [("", "acknowledged"), ("?wait=false", "acknowledged"), ("?wait=true", "completed")]:
        result = result_of(square("PUT", f"/collections/c/points{query}", {"points": [point]}))
        assert result["status"] == status
        assert isinstance(result["operation_id"], int)


def test_updates_are_numbered_upwards(square: Ask) -> None:
    point = {"points": [{"id": 7, "vector": [7, 0, 0, 1]}]}
    numbers = [result_of(square("PUT", "/collections/c/points", point))["operation_id"] for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_both_forms_of_an_upsert_store_the_same(ask: Ask) -> None:
    ask("PUT", "/collections/c", SQUARE)
    first = {"id": 1, "vector": [1, 2, 3, 4], "payload": {"a": [1, None, {"b": 0.5}]}}
    batch = {"ids": [2], "vectors": [[1, 2, 3, 4]], "payloads": [first["payload"]]}
    assert ask("PUT", "/collections/c/points?wait=true", {"points": [first]}).status == 200
    assert ask("PUT", "/collections/c/points?wait=true", {"batch": batch}).status == 200
    stored = [result_of(ask("GET", f"/collections/c/points/{number}")) for number in (1, 2)]
    assert stored[0] == first
    assert stored[1] == first | {"id": 2}


def test_a_uuid_is_read_in_any_spelling_and_sent_in_one(ask: Ask) -> None:
    ask("PUT", "/collections/c", SQUARE)
    spelled = "5C56C79369F34FBF87E6C4BF54C28C26"
    ask("PUT", "/collections/c/points?wait=true", {"points": [{"id": spelled, "vector": [1, 2, 3, 4]}]})
    point = result_of(ask("GET", f"/collections/c/points/{spelled}"))
    assert point["id"] == "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"


def test_cosine_stores_the_vector_normalized(ask: Ask) -> None:
    ask("PUT", "/collections/c", {"vectors": {"size": 2, "distance": "Cosine"}})
    ask("PUT", "/collections/c/points?wait=true", {"points": [{"id": 1, "vector": [3, 4]}]})
    assert result_of(ask("GET", "/collections/c/points/1"))["vector"] == [0.6, 0.8]
    found = result_of(ask("POST", "/collections/c/points/query", {"query": [3, 4]}))
    assert found["points"][0]["score"] == pytest.approx(1, abs=1e-6)


def test_scores_and_vectors_are_written_as_32_bit_numbers(ask: Ask) -> None:
    ask("PUT", "/collections/c", SQUARE)
    ask("PUT", "/collections/c/points?wait=true", {"points": [{"id": 1, "vector": [0.1, 0.2, 0.3, 0.4]}]})
    response = ask("POST", "/collections/c/points/query", {"query": [1, 0, 0, 0], "with_vector": True})
    assert b'"score":0.1' in response.body
    assert b'"vector":[0.1,0.2,0.3,0.4]' in response.body


def test_a_query_answers_an_object_and_a_search_a_list(square: Ask) -> None:
    queried = result_of(square("POST", "/collections/c/points/query", {"query": [1, 0, 0, 0], "limit": 2}))
    searched = result_of(square("POST", "/collections/c/points/search", {"vector": [1, 0, 0, 0], "limit": 2}))
    assert queried == {"points": searched}
    assert [(point["id"], point["score"]) for point in searched] == [(6, 6.0), (5, 5.0)]


def test_a_query_gives_ten_points_unless_told_otherwise(square: Ask) -> None:
    points = [{"id": number, "vector": [number, 0, 0, 1]} for number in range(7, 30)]
    square("PUT", "/collections/c/points?wait=true", {"points": points})
    assert (
        len(result_of(square("POST", "/collections/c/points/query", {"query": [1, 0, 0, 0]}))["points"]) == 10
    )


def test_batches_of_queries_and_searches_are_answered_in_their_order(square: Ask) -> None:
    queries = {"searches": [{"query": [1, 0, 0, 0], "limit": 1}, {"query": [-1, 0, 0, 0], "limit": 1}]}
    searches = {"searches": [{"vector": entry["query"], "limit": 1} for entry in queries["searches"]]}
    queried = result_of(square("POST", "/collections/c/points/query/batch", queries))
    searched = result_of(square("POST", "/collections/c/points/search/batch", searches))
    assert [answer["points"][0]["id"] for answer in queried] == [6, 1]
    assert [answer[0]["id"] for answer in searched] == [6, 1]


def test_a_query_by_a_point_leaves_that_point_out(square: Ask) -> None:
    found = result_of(square("POST", "/collections/c/points/query", {"query": 6, "limit": 2}))
    assert [point["id"] for point in found["points"]] == [5, 4]


def test_score_threshold_and_offset_cut_both_ends(square: Ask) -> None:
    body = {"query": [1, 0, 0, 0], "score_threshold": 2.5, "offset": 1}
    found = result_of(square("POST", "/collections/c/points/query", body))
    assert [point["id"] for point in found["points"]] == [5, 4, 3]


@pytest.mark.parametrize(
    ("selector", "keys"),
    [
        (True, {"number", "odd"}),
        (False, None),
        (["odd"], {"odd"}),
        ({"include": ["odd"]}, {"odd"}),
        ({"exclude": ["odd"]}, {"number"}),
    ],
)
def test_the_payload_is_sent_as_selected(square: Ask, selector: object, keys: Any) -> None:
    found = result_of(square("POST", "/collections/c/points", {"ids": [1], "with_payload": selector}))
    assert (set(found[0]["payload"]) if "payload" in found[0] else None) == keys


def test_a_scroll_visits_each_point_exactly_once(square: Ask) -> None:
    seen: list[int] = []
    offset: object = None
    while True:
        page = result_of(square("POST", "/collections/c/points/scroll", {"limit": 4, "offset": offset}))
        seen += [point["id"] for point in page["points"]]
        offset = page["next_page_offset"]
        if offset is None:
            break
    assert seen == [1, 2, 3, 4, 5, 6]


def test_points_are_deleted_by_id_and_by_filter(square: Ask) -> None:
    square("POST", "/collections/c/points/delete?wait=true", {"points": [1, 99]})
    wanted = {"must": [{"key": "odd", "match": {"value": True}}]}
    square("POST", "/collections/c/points/delete?wait=true", {"filter": wanted})
    page = result_of(square("POST", "/collections/c/points/scroll", {}))
    assert [point["id"] for point in page["points"]] == [2, 4, 6]


def test_a_payload_is_set_overwritten_thinned_and_cleared(square: Ask) -> None:
    def payload() -> Any:
        return result_of(square("GET", "/collections/c/points/1"))["payload"]

    square("POST", "/collections/c/points/payload?wait=true", {"payload": {"new": 1}, "points": [1]})
    assert payload() == {"number": 1, "odd": True, "new": 1}
    square("POST", "/collections/c/points/payload/delete?wait=true", {"keys": ["odd"], "points": [1]})
    assert payload() == {"number": 1, "new": 1}
    square("PUT", "/collections/c/points/payload?wait=true", {"payload": {"only": 1}, "points": [1]})
    assert payload() == {"only": 1}
    square("POST", "/collections/c/points/payload/clear?wait=true", {"points": [1]})
    assert payload() == {}


def test_a_payload_index_is_described_and_deleted(square: Ask) -> None:
    for field, schema in [
        ("number", "integer"),
        ("odd", {"type": "bool"}),
        ("t", {"type": "text", "tokenizer": "word"}),
    ]:
        body = {"field_name": field, "field_schema": schema}
        assert result_of(square("PUT", "/collections/c/index?wait=true", body))["status"] == "completed"
    schema = result_of(square("GET", "/collections/c"))["payload_schema"]
    assert schema["number"] == {"data_type": "integer", "points": 6}
    assert schema["t"]["params"]["tokenizer"] == "word"
    assert square("DELETE", "/collections/c/index/number?wait=true").status == 200
    assert "number" not in result_of(square("GET", "/collections/c"))["payload_schema"]


def test_an_indexed_field_can_order_a_scroll_and_be_faceted(square: Ask) -> None:
    square("PUT", "/collections/c/index?wait=true", {"field_name": "number", "field_schema": "integer"})
    body = {"order_by": {"key": "number", "direction": "desc"}, "limit": 2}
    page = result_of(square("POST", "/collections/c/points/scroll", body))
    assert [(point["id"], point["order_value"]) for point in page["points"]] == [(6, 6), (5, 5)]
    hits = result_of(square("POST", "/collections/c/facet", {"key": "number", "exact": True}))["hits"]
    assert sorted((hit["value"], hit["count"]) for hit in hits) == [(number, 1) for number in range(1, 7)]


def test_a_batch_update_is_applied_in_its_order(square: Ask) -> None:
    operations = [
        {"upsert": {"points": [{"id": 9, "vector": [9, 0, 0, 1]}]}},
        {"set_payload": {"payload": {"a": 1}, "points": [9]}},
        {"delete": {"points": [1]}},
    ]
    results = result_of(square("POST", "/collections/c/points/batch?wait=true", {"operations": operations}))
    assert [result["status"] for result in results] == ["completed"] * 3
    assert result_of(square("GET", "/collections/c/points/9"))["payload"] == {"a": 1}
    assert square("GET", "/collections/c/points/1").status == 404


def test_health_is_text_and_tells_no_more_than_qdrant_does(ask: Ask) -> None:
    for path, text in [
        ("/healthz", b"healthz check passed"),
        ("/livez", b"healthz check passed"),
        ("/readyz", b"all shards are ready"),
    ]:
        response = ask("GET", path)
        assert (response.status, response.media_type, response.body) == (200, "text/plain", text)


def test_metrics_count_collections_vectors_and_answers_by_status(square: Ask) -> None:
    square("GET", "/collections/nope")
    text = square("GET", "/metrics").body.decode()
    assert "collections_total 1\n" in text
    assert "collections_vector_total 6\n" in text
    series = 'rest_responses_total{method="GET",endpoint="/collections/{name}",status="404"} 1'
    assert series in text
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or float(line.rpartition(" ")[2]) >= 0


@pytest.mark.parametrize(
    ("version", "status", "missing", "wrong"),
    [
        ("1.8.0", 403, b"Invalid api-key", b"Invalid api-key"),
        (
            "1.16.0",
            401,
            b"Must provide an API key or an Authorization bearer token",
            b"Invalid API key or JWT",
        ),
    ],
)
def test_a_missing_and_a_wrong_key_are_refused_in_plain_text(
    version: str, status: int, missing: bytes, wrong: bytes
) -> None:
    server = QdrantServer(api_key=KEY, version=version)
    server.open()
    for headers, said in [((), missing), ((("api-key", "wrong"),), wrong)]:
        response = server.answer(Request(method="GET", target="/collections", headers=headers))
        assert (response.status, response.media_type, response.body) == (status, "text/plain", said)
    server.stop()


@pytest.mark.parametrize("header", [("api-key", KEY), ("authorization", f"Bearer {KEY}")])
def test_the_key_is_taken_from_either_header(header: tuple[str, str]) -> None:
    server = QdrantServer(api_key=KEY)
    server.open()
    assert asking(server, header)("GET", "/collections").status == 200
    server.stop()


def test_health_and_version_need_no_key_but_metrics_do() -> None:
    server = QdrantServer(api_key=KEY)
    server.open()
    ask = asking(server)
    assert [ask("GET", path).status for path in ("/", "/healthz", "/livez", "/readyz", "/metrics")] == [
        200
    ] * 4 + [401]
    server.stop()


def test_the_key_is_never_shown() -> None:
    server = QdrantServer(api_key=KEY)
    server.open()
    assert KEY not in repr(server)
    assert KEY not in str(vars(server.engine))
    assert KEY.encode() not in asking(server, ("api-key", "wrong"))("GET", "/collections").body
    server.stop()


def test_a_large_vector_comes_back_as_it_was_sent(ask: Ask) -> None:
    vector = np.random.default_rng(1).standard_normal(2048).astype(np.float32)
    ask("PUT", "/collections/c", {"vectors": {"size": 2048, "distance": "Euclid"}})
    ask("PUT", "/collections/c/points?wait=true", {"points": [{"id": 1, "vector": vector.tolist()}]})
    back = result_of(ask("GET", "/collections/c/points/1"))["vector"]
    assert np.array_equal(np.asarray(back, dtype=np.float32), vector)


def test_a_refused_request_leaves_the_server_answering(square: Ask) -> None:
    assert error_of(square("POST", "/collections/c/points/query", b"not json"))
    assert square("POST", "/collections/c/points/query", {"query": [1, 0, 0, 0]}).status == 200
