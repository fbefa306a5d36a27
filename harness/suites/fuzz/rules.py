"""Request rules put to the test: a request that keeps every schema and breaks one rule, found by trying.

Rules are expressions, so nothing says how to break one: examples are varied along their schema, with the
words of the contract's facts, and by growing texts and lists, until the rule says no.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.checks.examples import example_parts
from harness.contract.agreement import Agreement, OperationTerms, schema_steps
from harness.contract.expressions import EvaluationError
from harness.wire.mutations import Edit, Kind, keeping
from harness.wire.mutations.edits import Steps, replaced, value_at

Parts = Mapping[str, Any]
MOST_EFFORT = 3_000  # in requests of ordinary size
_LENGTHS = (1_000, 20_000, 150_000, 600_000, 3_000_000)
_COUNTS = (100, 1_000, 5_000, 20_000, 100_000)
_ORDINARY = 20_000
_LONG_NAMES = (40, 100, 250, 300, 1_000)
_ODD_CHARACTERS = (" ", "<", ":", "*", "?", "#", "%", "\\", "\u00e9", "\x1f", "~")


def broken_rules(terms: OperationTerms, parts: Parts) -> frozenset[str]:
    """The rules that a request breaks; one that can't be evaluated is not broken."""
    names, broken = terms.terms(request=parts), set()
    for name, rule in terms.rules.items():
        try:
            if rule.evaluate(names) is not True:
                broken.add(name)
        except EvaluationError:
            continue
    return frozenset(broken)


def breaking_rule(agreement: Agreement, terms: OperationTerms, rule: str) -> Parts | None:
    """A request that keeps the schema and breaks the rule, and if there is such a one no other rule; None if none was found."""
    fallback: Parts | None = None
    at, effort = schema_steps("operations", terms.name, "request", "body"), 0.0
    for more, parts in _candidates(agreement, terms):
        effort += more
        if effort > MOST_EFFORT:
            break
        if not _breaks(terms, rule, parts) or not agreement.schemas.is_valid(at, parts["body"]):
            continue
        if broken_rules(terms, parts) == {rule}:
            return parts
        fallback = fallback or parts
    return fallback


def _breaks(terms: OperationTerms, rule: str, parts: Parts) -> bool:
    try:
        return terms.evaluate(terms.rules[rule], request=parts) is not True
    except EvaluationError:
        return False


def _candidates(agreement: Agreement, terms: OperationTerms) -> Iterator[tuple[float, Parts]]:
    """How much it takes to try, and what: one change to an example; two, small ones; one and a growth; two growths."""
    examples = [example_parts(example) for example in terms.model.examples.values()]

    def grown(body: Any) -> Iterator[tuple[float, Any]]:
        return _grown(agreement, terms, body)

    yield from ((1.0, {**parts, "path": path}) for parts in examples[:1] for path in _other_paths(parts["path"]))
    for parts in examples:
        yield from ((1.0, {**parts, "body": edit.value}) for edit in _small(agreement, terms, parts["body"]))
        yield from ((effort, {**parts, "body": body}) for effort, body in grown(parts["body"]))
    for parts in examples:
        for edit in _small(agreement, terms, parts["body"]):
            yield from (
                (1.0, {**parts, "body": other.value}) for other in _small(agreement, terms, edit.value) if other.steps != edit.steps
            )
            yield from ((effort, {**parts, "body": body}) for effort, body in grown(edit.value))
    for parts in examples:
        for effort, body in grown(parts["body"]):
            yield from ((effort + more, {**parts, "body": bigger}) for more, bigger in grown(body))


def _other_paths(path: Any) -> Iterator[Parts]:
    """The path with one of its parameters far longer, or with a character that names seldom have."""
    for name, value in path.items() if isinstance(path, Mapping) else ():
        for text in (*(f"{value}{'x' * length}" for length in _LONG_NAMES), *(f"{value}{each}" for each in _ODD_CHARACTERS)):
            yield {**path, name: text}


def _small(agreement: Agreement, terms: OperationTerms, body: Any) -> Iterator[Edit]:
    at = schema_steps("operations", terms.name, "request", "body")
    for edit in keeping(agreement, at, body):
        if edit.kind is not Kind.LONGER:
            yield edit
    for steps, value in _leaves(body, ()):
        if isinstance(value, list):
            for fewer in ([], value[:1]):
                yield Edit(kind=Kind.SHORTER, steps=steps, note=f"{len(fewer)}", value=replaced(body, steps, fewer))
        elif isinstance(value, str):
            for word in (*_siblings(agreement.contract.facts, value), f"{value}-unknown"):
                yield Edit(kind=Kind.TEXT, steps=steps, note=word, value=replaced(body, steps, word))
        elif isinstance(value, bool):
            yield Edit(kind=Kind.FLIPPED, steps=steps, note="flipped", value=replaced(body, steps, not value))
        elif isinstance(value, int | float):
            for number in (0, -1, 2 * value + 1, 10**6):
                yield Edit(kind=Kind.NUMBER, steps=steps, note=f"{number}", value=replaced(body, steps, number))


def _leaves(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    """The lists, texts, numbers and truth values in a value; of a list the first item only."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(item, (*steps, name))
    elif isinstance(value, list) and value:
        yield steps, value
        yield from _leaves(value[0], (*steps, 0))
    elif value is not None:
        yield steps, value


def _siblings(facts: Any, word: str) -> Iterator[str]:
    """The words that the contract's facts have beside a word: other keys, other items of the same list."""
    if isinstance(facts, Mapping):
        if word in facts:
            yield from (str(other) for other in facts if other != word)
        for inner in facts.values():
            yield from _siblings(inner, word)
    elif isinstance(facts, list) and word in facts:
        yield from (other for other in facts if isinstance(other, str) and other != word)


def _grown(agreement: Agreement, terms: OperationTerms, body: Any) -> Iterator[tuple[float, Any]]:
    """The body with one of its texts longer or one of its lists fuller, the least growth first, and its effort."""
    at = schema_steps("operations", terms.name, "request", "body")
    most = {edit.steps: len(value_at(edit.value, edit.steps)) for edit in keeping(agreement, at, body) if edit.kind is Kind.LONGER}
    spots = [(steps, value) for steps, value in _growing(body, ()) if not _is_word(agreement, at, body, steps, value)]
    for length, count in zip(_LENGTHS, _COUNTS, strict=True):
        for steps, value in spots:
            if isinstance(value, str) and len(value) < length:
                yield 1 + length / _ORDINARY, replaced(body, steps, f"{value} " * (length // (len(value) + 1)))
            elif isinstance(value, list) and len(value) < min(count, most.get(steps, count)):
                wanted = min(count, most.get(steps, count))
                yield 1 + wanted * 10 / _ORDINARY, replaced(body, steps, (value * (wanted // len(value) + 1))[:wanted])


def _is_word(agreement: Agreement, at: Steps, body: Any, steps: Steps, value: Any) -> bool:
    """Whether a text is one of a few that are allowed, so that no other, however long, is."""
    if not isinstance(value, str):
        return False
    return any(True for _ in _siblings(agreement.contract.facts, value)) or not agreement.schemas.is_valid(
        at, replaced(body, steps, f"{value} {value}")
    )


def _growing(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    if isinstance(value, str):
        yield steps, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _growing(item, (*steps, name))
    elif isinstance(value, list) and value:
        yield steps, value
        yield from _growing(value[0], (*steps, 0))


def repaired(terms: OperationTerms, parts: Parts, number: int) -> Parts:
    """A made-up request with as little as possible of it taken from an example, so that it keeps the rules.

    ``number`` is the example that is tried first; a request that can't be helped stays as it is.
    """
    broken = broken_rules(terms, parts)
    for body in _mended(terms, parts.get("body"), number) if broken else ():
        better = {**parts, "body": body}
        left = broken_rules(terms, better)
        if not left:
            return better
        if left < broken:
            return repaired(terms, better, number)
    return parts


def _mended(terms: OperationTerms, body: Any, number: int) -> Iterator[Any]:
    """The body with one part as an example has it; what it does not have at all is added last."""
    examples = [example.request.body for example in terms.model.examples.values()]
    first = number % len(examples)
    donors = [donor for donor in (*examples[first:], *examples[:first]) if isinstance(donor, Mapping) and isinstance(body, Mapping)]
    for donor in donors:
        yield from _grafted(body, donor)
    for donor in donors:
        yield from ({**body, name: part} for name, part in donor.items() if name not in body)


def _grafted(value: Any, donor: Any) -> Iterator[Any]:
    """``value`` with one part of it taken from where the donor has it, small parts first; all items of a list alike."""
    if isinstance(value, Mapping) and isinstance(donor, Mapping):
        known = {name: part for name, part in donor.items() if name in value}
        for name, part in known.items():
            yield from ({**value, name: grafted} for grafted in _grafted(value[name], part))
        yield from ({**value, name: part} for name, part in known.items())
    elif isinstance(value, list) and isinstance(donor, list) and value and donor:
        first = donor[0]
        for name, part in first.items() if isinstance(first, Mapping) else ():
            yield [{**item, name: part} if isinstance(item, Mapping) and name in item else item for item in value]
        if isinstance(first, list):
            yield [first for _ in value]
