"""Other answers that are just as good: the same value spelled otherwise, or another value within the contract."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.checks.sight import Seen
from harness.contract.agreement import Agreement, OperationTerms
from harness.contract.expressions import EvaluationError
from harness.exchange import Exchange, Request, Response
from harness.wire.mutations import Edit, Kind, broken_by, carrying, encoded, keeping, reshaped
from harness.wire.mutations.messages import json_of
from harness.wire.mutations.mutation import body_schema

Variant = Callable[[Agreement, OperationTerms, Request, Response], Iterator[Response]]
UNKNOWN = {"unknown_property": {"of": ["a later version", None, 1.5]}}
MOST_ROUNDS = 12


def _key_order(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> Iterator[Response]:
    yield carrying(response, encoded(_reordered(json_of(response))))


def _reordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _reordered(value[name]) for name in reversed(list(value))}
    return [_reordered(item) for item in value] if isinstance(value, list) else value


def _whitespace(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> Iterator[Response]:
    yield carrying(response, ("\r\n\t" + json.dumps(json_of(response), indent=3, ensure_ascii=False) + " \n").encode())


def _escapes(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> Iterator[Response]:
    yield carrying(response, _spelt(json_of(response), number=json.dumps, text=_escaped).encode())


def _escaped(text: str) -> str:
    """Every character as an escape, those beyond the basic plane as a pair of them."""
    units = text.encode("utf-16-be", "surrogatepass")
    return '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2)) + '"'


def _number_spelling(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> Iterator[Response]:
    value = json_of(response)
    for edit in reshaped(value):
        if edit.kind is Kind.ENCODED:
            yield carrying(response, encoded(edit.value))
    yield carrying(response, _spelt(value, number=_exponent, text=json.dumps).encode())
    yield carrying(response, json.dumps(_without_least(value)).encode())


def _exponent(number: float) -> str:
    return f"{number:.17E}" if isinstance(number, float) else json.dumps(number)


def _without_least(value: Any) -> Any:
    """The smallest component of each vector as a negative zero."""
    if isinstance(value, list) and len(value) > 1 and all(isinstance(item, float) for item in value):
        least = min(range(len(value)), key=lambda index: abs(value[index]))
        return [*value[:least], -0.0, *value[least + 1 :]]
    if isinstance(value, Mapping):
        return {name: _without_least(item) for name, item in value.items()}
    return [_without_least(item) for item in value] if isinstance(value, list) else value


def _spelt(value: Any, *, number: Callable[[Any], str], text: Callable[[str], str]) -> str:
    """JSON with numbers and texts written as they are told to be."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{text(name)}:{_spelt(item, number=number, text=text)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_spelt(item, number=number, text=text) for item in value) + "]"
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else json.dumps(value)


def _unknown_properties(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> Iterator[Response]:
    yield carrying(response, encoded(_extended(json_of(response))))
    value = json_of(response)
    if isinstance(value, Mapping):
        yield carrying(response, encoded({**value, **UNKNOWN}))


def _extended(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {**{name: _extended(item) for name, item in value.items()}, **UNKNOWN}
    return [_extended(item) for item in value] if isinstance(value, list) else value


def _headers(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> Iterator[Response]:
    media_type = response.header("content-type") or ""
    others = tuple((name, value) for name, value in response.headers if name.lower() != "content-type")
    for spelled in (f"{media_type.partition(';')[0]}; charset=utf-8", media_type.upper(), f"{media_type} ; q=1"):
        headers = (("x-request-id", "6f1d2c"), ("Content-Type", spelled), *others, ("x-later", "x" * 2000))
        yield Response(status=response.status, headers=headers, body=response.body)


def _one_after_another(kinds: frozenset[Kind]) -> Variant:
    """All edits of some kinds that are good, made to the same value."""

    def made(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> Iterator[Response]:
        at, done = body_schema(terms, response.status), set[str]()
        found = response
        for _ in range(MOST_ROUNDS if at is not None else 0):
            assert at is not None
            edits = (edit for edit in keeping(agreement, at, json_of(found)) if edit.kind in kinds and edit.name not in done)
            edit = next(edits, None)
            if edit is None:
                break
            done.add(edit.name)
            found = _if_good(agreement, request, found, edit)
        if found is not response:
            yield found

    return made


def _if_good(agreement: Agreement, request: Request, response: Response, edit: Edit) -> Response:
    changed = carrying(response, encoded(edit.value))
    return response if broken_by(agreement, request, changed) else changed


def _optional(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> Iterator[Response]:
    """With all that is optional, then without any of it."""
    for kind in (Kind.ADDED, Kind.DROPPED):
        yield from _one_after_another(frozenset({kind}))(agreement, terms, request, response)


VARIANTS: Mapping[str, Variant] = {
    "key-order": _key_order,
    "whitespace": _whitespace,
    "escapes": _escapes,
    "number-spelling": _number_spelling,
    "unknown-properties": _unknown_properties,
    "headers": _headers,
    "optional-properties": _optional,
    "bounds": _one_after_another(frozenset({Kind.BOUND, Kind.ENUM, Kind.RETYPED, Kind.NULLED})),
}


def good_variants(variant: Variant, agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> list[Response]:
    """What a variant makes of a good answer, as far as the contract finds nothing wrong with it and can say what it means."""
    made = variant(agreement, terms, request, response)
    return [
        each for each in made if each != response and not broken_by(agreement, request, each) and _is_meant(agreement, terms, request, each)
    ]


def _is_meant(agreement: Agreement, terms: OperationTerms, request: Request, response: Response) -> bool:
    """Whether the contract's own result can be computed: else nobody can say what the client should return."""
    if terms.bind is None or terms.bind.result is None:
        return True
    try:
        terms.bind.result.evaluate(Seen(agreement, Exchange(request=request, response=response), None).names)
    except EvaluationError:
        return False
    return True
