"""Does the client send what the contract says: endpoint, body, rules, credential, arguments, defaults, batches?"""

from collections.abc import Iterator, Mapping

from harness.checks.judging import Judge, Told, shown
from harness.checks.parameters import typed_parameter
from harness.checks.sight import UNREADABLE, Seen, Sight
from harness.contract.agreement import OperationTerms, schema_steps
from harness.contract.clauses import clause_id
from harness.contract.expressions import EvaluationError, Expression
from harness.exchange import Call
from harness.verdict import Judgement

MISSING = object()


def check_requests(sight: Sight) -> Iterator[Judgement]:
    """Each request that the client sent: to a declared operation, valid by schema and by rule."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="requests")
    for call, sent in sight.by_call:
        for seen in sent:
            yield from seen.of_http(_endpoint(judge, call, seen))
            if seen.terms is not None:
                yield from seen.of_http(_body(judge, seen))
                yield from seen.of_http(_parameters(judge, seen))
                yield from _rules(judge, seen)
                yield from _batch(judge, seen, seen.terms)


def _endpoint(judge: Judge, call: Call, seen: Seen) -> Iterator[Judgement]:
    operation, request = f"operations.{call.operation}", seen.exchange.request
    terms = judge.agreement.operations.get(call.operation)
    if terms is None:
        return
    right_path = seen.terms is not None and seen.terms.name == call.operation
    same_path = right_path or terms.path_pattern.match(request.path.removeprefix(judge.agreement.base_path)) is not None
    yield from judge.expect(
        f"{operation}.path",
        same_path,
        expected=f"the path {judge.agreement.base_path}{terms.model.path}",
        actual=request.path,
        exchange=seen.exchange,
    )
    if same_path:
        yield from judge.expect(
            f"{operation}.method",
            request.method == terms.model.method,
            expected=terms.model.method,
            actual=request.method,
            exchange=seen.exchange,
        )


def _body(judge: Judge, seen: Seen) -> Iterator[Judgement]:
    terms, request = seen.terms, seen.exchange.request
    assert terms is not None
    declared = terms.model.request
    if declared.body is None:
        return
    sent = (request.header("content-type") or "").split(";")[0].strip().lower()
    clause = judge.nearest(f"operations.{terms.name}.request.media_type")
    if clause not in judge.agreement.clauses:
        clause = f"operations.{terms.name}.method"
    if sent != declared.media_type:
        yield judge.broken(
            clause, expected=f"content-type {declared.media_type}", actual=f"content-type {sent or 'missing'}", exchange=seen.exchange
        )
    if seen.request_body is UNREADABLE:
        yield judge.broken(
            clause, expected="a body that is JSON", actual=shown(request.body.decode("utf-8", "replace")), exchange=seen.exchange
        )
        return
    at = schema_steps("operations", terms.name, "request", "body")
    broken = set()
    for violation in seen.request_violations:
        clause = clause_id(violation.keyword)
        broken.add(clause)
        yield judge.broken(
            clause,
            expected=f"a request that keeps {violation.keyword[-1]}",
            actual=violation.message,
            pointer=violation.pointer,
            exchange=seen.exchange,
        )
    for clause in {clause_id(steps) for steps in judge.agreement.schemas.touched(at, seen.request_body)} - broken:
        yield from judge.kept(clause)


def _parameters(judge: Judge, seen: Seen) -> Iterator[Judgement]:
    terms = seen.terms
    assert terms is not None
    for part, declared in (
        ("query", terms.model.request.query),
        ("headers", terms.model.request.headers),
        ("path", terms.model.request.path),
    ):
        sent = seen.request_parts[part]
        assert isinstance(sent, Mapping)
        for name, parameter in declared.items():
            value = sent.get(name.lower() if part == "headers" else name)
            clause = f"operations.{terms.name}.request.{part}.{name}"
            if value is None:
                if parameter.required:
                    yield judge.broken(
                        f"{clause}.required", expected=f"the {part} parameter `{name}`", actual="none", exchange=seen.exchange
                    )
                continue
            at = schema_steps("operations", terms.name, "request", part, name, "schema")
            typed = typed_parameter(str(value), parameter.value_schema)
            broken = {clause_id(v.keyword): v for v in judge.agreement.schemas.violations(at, typed)}
            for keyword, violation in broken.items():
                yield judge.broken(keyword, expected=f"a {part} parameter that keeps it", actual=violation.message, exchange=seen.exchange)
            for keyword in {clause_id(steps) for steps in judge.agreement.schemas.touched(at, typed)} - broken.keys():
                yield from judge.kept(keyword)
            yield from judge.kept(f"{clause}.required")
            yield from judge.kept(clause)


def _rules(judge: Judge, seen: Seen) -> Iterator[Judgement]:
    terms = seen.terms
    assert terms is not None
    if seen.request_violations or seen.request_body is UNREADABLE:
        return
    for name, rule in terms.rules.items():
        yield from judge.expect(
            f"operations.{terms.name}.request.rules.{name}",
            name not in seen.broken_rules,
            expected=" ".join(rule.source.split()),
            actual=Told("a request that breaks it: {}", seen.request_body),
            exchange=seen.exchange,
        )


def _batch(judge: Judge, seen: Seen, terms: OperationTerms) -> Iterator[Judgement]:
    batch = judge.agreement.contract.limits.batch
    if batch is None or (seen.request_violations and seen.request_body is UNREADABLE):
        return
    for unit, most in (("items", batch.items), ("tokens", batch.tokens)):
        # what the client can't split is bounded by the provider's rules, not by the batch
        amount = cost_of(seen, unit) if terms.model.bind and terms.model.bind.split else None
        if most is not None and amount is not None:
            yield from judge.expect(
                f"limits.batch.{unit}",
                amount <= most,
                expected=f"at most {most} {unit} in a request",
                actual=f"{amount:g}",
                exchange=seen.exchange,
            )
    if batch.bytes is not None:
        size = seen.exchange.rpc.sent_bytes if seen.exchange.rpc else len(seen.exchange.request.body)
        yield from judge.expect(
            "limits.batch.bytes",
            size <= batch.bytes,
            expected=f"at most {batch.bytes} bytes in a request",
            actual=f"{size} bytes",
            exchange=seen.exchange,
        )


def cost_of(seen: Seen, unit: str) -> float | None:
    """What a request costs in a unit, by the contract's own expression; None when it says nothing."""
    expression = seen.terms.cost.get(unit) if seen.terms else None
    if expression is None:
        return None
    value = evaluated(expression, seen)
    return float(value) if isinstance(value, int | float) else None


def evaluated(expression: Expression, seen: Seen) -> object:
    try:
        return expression.evaluate(seen.names)
    except EvaluationError:
        return MISSING
