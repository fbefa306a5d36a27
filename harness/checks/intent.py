"""Does the contract allow the request that a caller means, in one piece or in several?"""

from collections.abc import Mapping

from harness.contract.agreement import Agreement, OperationTerms, schema_steps
from harness.contract.clauses import clause_id
from harness.contract.expressions import EvaluationError, Expression

Parts = Mapping[str, object]


def forbidden_by(agreement: Agreement, terms: OperationTerms, parts: Parts) -> list[str]:
    """The clauses that the request with these parts breaks, however its items are split over several."""
    broken = _broken(agreement, terms, parts)
    items = said_items(terms, parts) if broken else None
    if items is None or len(items) < 2:
        return broken
    half = len(items) // 2
    for piece in (items[:half], items[half:]):
        smaller = with_items(terms, parts, piece)
        if smaller is None:
            return broken
        found = forbidden_by(agreement, terms, smaller)
        if found:
            return found
    return []


def with_items(terms: OperationTerms, parts: Parts, items: list[object]) -> dict[str, object] | None:
    """The same request for other items; None when it can't be told where they stand in it."""
    old = said_items(terms, parts)
    body = parts.get("body")
    swapped = _swapped(body, old, items) if old is not None else body
    return None if swapped is body else {**parts, "body": swapped}


def _field_of_items(terms: OperationTerms) -> str:
    """The field of the body that the split argument is; empty when it is none in itself."""
    bind = terms.model.bind
    source = bind.arguments.get(bind.split.argument, "") if bind and bind.split else ""
    field = source.removeprefix("request.body.")
    return field if field != source and field.isidentifier() else ""


def said_items(terms: OperationTerms, parts: Parts) -> list[object] | None:
    """The items of a request, in the form that they have there; None when it can't be told."""
    if terms.bind is None or terms.bind.split_items is None:
        return None
    try:
        items = terms.evaluate(terms.bind.split_items, request=parts)
    except EvaluationError:
        return None
    return _as_said(terms, parts, items) if isinstance(items, list) else None


def _as_said(terms: OperationTerms, parts: Parts, items: list[object]) -> list[object]:
    """The items in the form that they have in the request, which may be another than they are compared in."""
    body, field = parts.get("body"), _field_of_items(terms)
    said = body.get(field) if isinstance(body, Mapping) else None
    if isinstance(said, list) and len(said) == len(items):
        return said
    # Where the argument is made of the items, they are the one list of the body that there can be that many in.
    lists = [value for value in body.values() if isinstance(value, list)] if isinstance(body, Mapping) else []
    return lists[0] if len(lists) == 1 and len(lists[0]) == len(items) and items not in lists else items


def _swapped(value: object, old: object, new: object) -> object:
    """``value`` with its first part that equals ``old`` replaced by ``new``; itself when there is none."""
    if value == old:
        return new
    for key, item in value.items() if isinstance(value, Mapping) else ():
        swapped = _swapped(item, old, new)
        if swapped is not item:
            return {**value, key: swapped} if isinstance(value, Mapping) else value
    return value


def _broken(agreement: Agreement, terms: OperationTerms, parts: Parts) -> list[str]:
    if terms.model.request.body is not None:
        at = schema_steps("operations", terms.name, "request", "body")
        found = [clause_id(violation.keyword) for violation in agreement.schemas.violations(at, parts.get("body"))]
        if found:
            return list(dict.fromkeys(found))
    return [f"operations.{terms.name}.request.rules.{name}" for name, rule in terms.rules.items() if not _holds(terms, rule, parts)]


def _holds(terms: OperationTerms, rule: Expression, parts: Parts) -> bool:
    """Whether a rule holds; one that can't be evaluated is not broken."""
    try:
        return terms.evaluate(rule, request=parts) is True
    except EvaluationError:
        return True
