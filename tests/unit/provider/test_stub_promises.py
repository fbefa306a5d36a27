"""Whatever a request says, the stub's answer keeps the contract: a good one every promise, a refusal its shape."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.contract.agreement import Agreement, OperationTerms, schema_steps
from harness.contract.document import value_at
from harness.contract.schemas import reference
from harness.exchange import Request, Response
from harness.provider.stub import Stub

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
TEXTS = st.one_of(st.sampled_from(["a", "open(path)", "x" * 500, "é∀🙂", "0", " "]), st.text(min_size=1, max_size=12))


def values(schema: Any, root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema allows, as far as the contracts here use it."""
    if not isinstance(schema, Mapping):
        return st.none()
    target = reference(schema)
    if target is not None:
        return st.deferred(lambda: values(value_at(root, target), root))
    for keyword, make in (("const", st.just), ("enum", st.sampled_from)):
        if keyword in schema:
            return make(schema[keyword])  # type: ignore[operator]  # one makes of a value, the other of a list
    if "anyOf" in schema or "oneOf" in schema:
        return st.one_of([values(branch, root) for branch in schema.get("anyOf", schema.get("oneOf"))])
    kinds = schema.get("type", ["object", "string", "number"])
    return st.one_of([_of_type(kind, schema, root) for kind in (kinds if isinstance(kinds, list) else [kinds])])


def _of_type(kind: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if kind == "object":
        properties = {name: values(child, root) for name, child in schema.get("properties", {}).items()}
        needed = schema.get("required", ())
        return st.fixed_dictionaries(
            {name: properties.get(name, st.text(max_size=3)) for name in needed},
            optional={name: made for name, made in properties.items() if name not in needed},
        )
    if kind == "array":
        least = schema.get("minItems", 0)
        return st.lists(values(schema.get("items", {}), root), min_size=least, max_size=min(schema.get("maxItems", 4), least + 3))
    if kind == "integer":
        least = schema.get("minimum", -9)
        return st.integers(least, schema.get("maximum", least + 99))
    simple = {"string": TEXTS, "number": st.floats(-9, 99, allow_nan=False), "boolean": st.booleans(), "null": st.none()}
    return simple[kind]


def read(answer: Response) -> object:
    return answer.json() if answer.media_type.endswith("json") else answer.body.decode()


def keeps(agreement: Agreement, terms: OperationTerms, request: Mapping[str, object], answer: Response) -> list[str]:
    """What an answer breaks of the contract."""
    shape = terms.response_for(answer.status)
    if shape is None:
        return [f"status {answer.status}: {answer.body!r}"]
    if shape.error:
        at: tuple[Any, ...] = ("errors", shape.error, "body")
        body = read(answer)
        return [found.message for found in agreement.schemas.violations(at, body)]
    body = read(answer) if shape.body is not None else None
    at = schema_steps("operations", terms.name, "responses", answer.status, "body")
    broken = [found.message for found in agreement.schemas.violations(at, body)] if shape.body is not None else []
    response = {"status": answer.status, "body": body, "headers": dict(answer.headers)}
    promises = terms.invariants[answer.status].items()
    return broken + [name for name, promise in promises if terms.evaluate(promise, request=request, response=response) is not True]


def ask(stub: Stub, agreement: Agreement, name: str, parts: Mapping[str, Any]) -> Response:
    model = agreement.operations[name].model
    headers = {"content-type": model.request.media_type, **{key.lower(): value for key, value in parts["headers"].items()}}
    body = json.dumps(parts["body"]).encode() if model.request.body is not None else b""
    target = agreement.target(name, parts["path"], parts["query"])
    return stub.answer_now(Request(method=model.method, target=target, headers=tuple(headers.items()), body=body))


def drawn(data: st.DataObject, shipped: list[Agreement]) -> tuple[Agreement, str]:
    """An operation of one of the contracts."""
    agreement = shipped[data.draw(st.integers(0, len(shipped) - 1), label="contract")]
    return agreement, data.draw(st.sampled_from(list(agreement.operations)), label="operation")


@quick
@given(data=st.data())
def test_any_request_that_keeps_its_schema(shipped: list[Agreement], data: st.DataObject) -> None:
    agreement, name = drawn(data, shipped)
    terms, root = agreement.operations[name], agreement.document.value
    example = data.draw(st.sampled_from(list(terms.model.examples.values())), label="example").request
    body = example.body
    if terms.model.request.body is not None:
        other = data.draw(values(terms.model.request.body, root), label="other")
        if isinstance(body, dict) and isinstance(other, dict):  # half an example, or the rules would refuse nearly all
            body = body | {key: value for key, value in other.items() if data.draw(st.booleans(), label=key)}
    at = schema_steps("operations", name, "request", "body")
    assume(terms.model.request.body is None or agreement.schemas.is_valid(at, body))
    parts = {"body": body, "query": dict(example.query), "path": dict(example.path), "headers": dict(example.headers)}
    answer = ask(Stub(agreement), agreement, name, parts)
    assert keeps(agreement, terms, parts, answer) == []


@quick
@given(data=st.data())
def test_any_json_at_all(shipped: list[Agreement], data: st.DataObject) -> None:
    agreement, name = drawn(data, shipped)
    terms = agreement.operations[name]
    assume(terms.model.request.body is not None)
    example = next(iter(terms.model.examples.values())).request
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["input", "model", "query", "points", "x"]), inner, max_size=3)
        ),
    )
    parts = {"body": data.draw(anything), "query": dict(example.query), "path": dict(example.path), "headers": dict(example.headers)}
    assert keeps(agreement, terms, parts, ask(Stub(agreement), agreement, name, parts)) == []


@quick
@given(body=st.binary(max_size=60), target=st.text(max_size=30), method=st.sampled_from(["GET", "POST", "PUT", "BREW", ""]))
def test_any_bytes_to_anywhere(shipped: list[Agreement], body: bytes, target: str, method: str) -> None:
    for agreement in shipped:
        for path in (f"{agreement.base_path}/{target}", target, next(iter(agreement.operations.values())).model.path):
            answer = Stub(agreement, credential="k").answer_now(Request(method=method, target=path, body=body))
            assert 400 <= answer.status < 500


@pytest.fixture(scope="session")
def voyage(shipped: list[Agreement]) -> Agreement:
    """A contract whose answers are made up."""
    return next(agreement for agreement in shipped if agreement.name == "voyage_ai")


def embed(stub: Stub, voyage: Agreement, texts: list[str], **more: object) -> list[Any]:
    body = {"input": texts, "model": "voyage-code-3", "output_dimension": 256, **more}
    answer = ask(stub, voyage, "embed", {"body": body, "query": {}, "path": {}, "headers": {}})
    assert answer.status == 200, answer.body
    return [item["embedding"] for item in answer.json()["data"]]  # type: ignore[index,call-overload]  # the shape of the contract


@quick
@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_a_text_has_one_vector_whatever_else_is_asked(voyage: Agreement, texts: list[str]) -> None:
    together = embed(Stub(voyage), voyage, texts)
    alone = [embed(Stub(voyage), voyage, [text])[0] for text in texts]
    assert together == alone


def test_another_seed_makes_other_values_and_the_same_seed_the_same(voyage: Agreement) -> None:
    first, again, other = (embed(Stub(voyage, seed=seed), voyage, ["x"]) for seed in ("1", "1", "2"))
    assert first == again
    assert first != other


def test_vectors_depend_on_model_and_role_and_text(voyage: Agreement) -> None:
    stub = Stub(voyage)
    vectors = [
        embed(stub, voyage, ["x"]),
        embed(stub, voyage, ["y"]),
        embed(stub, voyage, ["x"], model="voyage-4"),
        embed(stub, voyage, ["x"], input_type="query"),
    ]
    assert len({json.dumps(vector) for vector in vectors}) == 4


@pytest.mark.parametrize("dtype", ["float", "int8", "uint8", "binary", "ubinary"])
def test_base64_says_the_same_as_numbers(voyage: Agreement, dtype: str) -> None:
    from harness.contract.expressions import compile_expression

    stub = Stub(voyage)
    (encoded,) = embed(stub, voyage, ["x"], output_dtype=dtype, encoding_format="base64")
    (numbers,) = embed(stub, voyage, ["x"], output_dtype=dtype)
    assert isinstance(encoded, str)
    decoded = compile_expression("vector(x, dtype)", names={"x", "dtype"}).evaluate({"x": encoded, "dtype": dtype})
    assert list(decoded) == pytest.approx(numbers, rel=1e-6)  # type: ignore[call-overload]  # an array
