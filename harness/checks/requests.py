"""Does the client send what the contract says: endpoint, body, rules, credential, arguments, defaults, batches?"""

import re
from collections.abc import Iterator, Mapping

from harness.checks.compare import close
from harness.checks.items import Key, asked, carried, given_items, item_text, sent_items
from harness.checks.judging import Judge, shown
from harness.checks.parameters import typed_parameter
from harness.checks.sight import UNREADABLE, Seen, Sight
from harness.contract.agreement import OperationTerms, query_text, schema_steps
from harness.contract.clauses import clause_id
from harness.contract.expressions import EvaluationError, Expression
from harness.exchange import Call, Request, Returned
from harness.verdict import Judgement

MISSING = object()


def check_requests(sight: Sight) -> Iterator[Judgement]:
    """Each request that the client sent: to a declared operation, valid by schema and by rule."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="requests")
    for call, sent in sight.by_call:
        for seen in sent:
            yield from _endpoint(judge, call, seen)
            if seen.terms is not None:
                yield from _body(judge, seen)
                yield from _parameters(judge, seen)
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
        f"{operation}.path", same_path, expected=f"the path {judge.agreement.base_path}{terms.model.path}", actual=request.path, exchange=seen.exchange
    )
    if same_path:
        yield from judge.expect(
            f"{operation}.method", request.method == terms.model.method, expected=terms.model.method, actual=request.method, exchange=seen.exchange
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
        yield judge.broken(clause, expected=f"content-type {declared.media_type}", actual=f"content-type {sent or 'missing'}", exchange=seen.exchange)
    if seen.request_body is UNREADABLE:
        yield judge.broken(clause, expected="a body that is JSON", actual=shown(request.body.decode("utf-8", "replace")), exchange=seen.exchange)
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
    for part, declared in (("query", terms.model.request.query), ("headers", terms.model.request.headers), ("path", terms.model.request.path)):
        sent = seen.request_parts[part]
        assert isinstance(sent, Mapping)
        for name, parameter in declared.items():
            value = sent.get(name.lower() if part == "headers" else name)
            clause = f"operations.{terms.name}.request.{part}.{name}"
            if value is None:
                if parameter.required:
                    yield judge.broken(f"{clause}.required", expected=f"the {part} parameter `{name}`", actual="none", exchange=seen.exchange)
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
            actual=f"a request that breaks it: {shown(seen.request_body)}",
            exchange=seen.exchange,
        )


def _batch(judge: Judge, seen: Seen, terms: OperationTerms) -> Iterator[Judgement]:
    batch = judge.agreement.contract.limits.batch
    if batch is None or seen.request_violations and seen.request_body is UNREADABLE:
        return
    for unit, most in (("items", batch.items), ("tokens", batch.tokens)):
        # what the client can't split is bounded by the provider's rules, not by the batch
        amount = cost_of(seen, unit) if terms.model.bind and terms.model.bind.split else None
        if most is not None and amount is not None:
            yield from judge.expect(
                f"limits.batch.{unit}", amount <= most, expected=f"at most {most} {unit} in a request", actual=f"{amount:g}", exchange=seen.exchange
            )
    if batch.bytes is not None:
        size = len(seen.exchange.request.body)
        yield from judge.expect(
            "limits.batch.bytes", size <= batch.bytes, expected=f"at most {batch.bytes} bytes in a request", actual=f"{size} bytes", exchange=seen.exchange
        )


def cost_of(seen: Seen, unit: str) -> float | None:
    """What a request costs in a unit, by the contract's own expression; None when it says nothing."""
    expression = seen.terms.cost.get(unit) if seen.terms else None
    if expression is None:
        return None
    value = _evaluated(expression, seen)
    return float(value) if isinstance(value, int | float) else None


def _evaluated(expression: Expression, seen: Seen) -> object:
    try:
        return expression.evaluate(seen.names)
    except EvaluationError:
        return MISSING


def check_arguments(sight: Sight) -> Iterator[Judgement]:
    """What the caller asked for is what goes out; what it left open goes out as the contract's default."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="arguments")
    before: set[Key] = set()
    for call, sent in sight.by_call:
        terms = judge.agreement.operations.get(call.operation)
        if terms is None or terms.bind is None:
            continue
        good = [seen for seen in sent if seen.terms is terms and not seen.request_violations]
        for seen in good:
            yield from _plain_arguments(judge, call, terms, seen)
            yield from _defaults(judge, call, terms, seen)
        before.update(carried(call, terms, good))
        yield from _split_argument(judge, call, terms, good, before)


def _plain_arguments(judge: Judge, call: Call, terms: OperationTerms, seen: Seen) -> Iterator[Judgement]:
    assert terms.bind is not None and terms.model.bind is not None
    split = terms.model.bind.split
    for name, expression in terms.bind.arguments.items():
        if split and split.argument == name and given_items(call, terms) is not None:
            continue
        given = call.arguments.get(name)
        if given is None:
            yield from _left_open(judge, terms, seen, name)
            continue
        found = _evaluated(expression, seen)
        yield from judge.expect(
            f"operations.{terms.name}.bind.arguments.{name}",
            close(given, found, 0.0) or (isinstance(found, str) and found == _in_url(terms, name, given)),
            expected=f"{shown(given)}, as the caller said",
            actual="nothing of it was sent" if found is MISSING else shown(found),
            exchange=seen.exchange,
        )


def _left_open(judge: Judge, terms: OperationTerms, seen: Seen, name: str) -> Iterator[Judgement]:
    """What the caller left open may be sent all the same, if it does not change the answer."""
    assert terms.model.bind is not None
    field, body = terms.model.bind.arguments[name].removeprefix("request.body."), seen.request_body
    if field in terms.model.request.defaults or not isinstance(body, Mapping) or body.get(field) is None:
        return
    bare = {key: value for key, value in body.items() if key != field}
    answers = [_answer_to(terms, {**seen.request_parts, "body": each}) for each in (body, bare)]
    if all(answer is not MISSING for answer in answers) and not close(answers[0], answers[1], 0.0):
        yield judge.broken(
            f"operations.{terms.name}.bind.arguments.{name}",
            expected=f"no `{field}`, because the caller left it open",
            actual=f"{shown(body[field])}, which changes the answer",
            exchange=seen.exchange,
        )


def _answer_to(terms: OperationTerms, parts: Mapping[str, object]) -> object:
    """What the contract's own stub would answer; MISSING where it has none."""
    stub = terms.stub_bodies.get(terms.success[0])
    try:
        return terms.evaluate(stub, request=parts) if stub is not None else MISSING
    except EvaluationError:
        return MISSING


def _in_url(terms: OperationTerms, argument: str, given: object) -> str | None:
    """An argument as a URL or a header carries it; None for one that goes into the body."""
    source = terms.model.bind.arguments.get(argument, "") if terms.model.bind else ""
    return query_text(given) if re.fullmatch(r"request\.(query|path|headers)\b.*", source) else None


def _defaults(judge: Judge, call: Call, terms: OperationTerms, seen: Seen) -> Iterator[Judgement]:
    assert terms.model.bind is not None
    body = seen.request_body
    for name, default in terms.model.request.defaults.items():
        said = any(source == f"request.body.{name}" and call.arguments.get(key) is not None for key, source in terms.model.bind.arguments.items())
        if said or not isinstance(body, Mapping):
            continue
        yield from judge.expect(
            f"operations.{terms.name}.request.defaults.{name}",
            name in body and close(default, body[name], 0.0),
            expected=f"`{name}`: {shown(default)}, because the caller left it open",
            actual=shown(body[name]) if name in body else "it is not sent",
            exchange=seen.exchange,
        )


def _split_argument(judge: Judge, call: Call, terms: OperationTerms, sent: list[Seen], before: set[Key]) -> Iterator[Judgement]:
    """Every item goes out, in this call or for an earlier one that asked for just the same, and nothing else does."""
    given = given_items(call, terms)
    if given is None or terms.model.bind is None or terms.model.bind.split is None:
        return
    known = {item_text(item) for item in given}
    foreign = [item for seen in sent for item in sent_items(terms, seen) or [] if item_text(item) not in known]
    lost = [item for item, key in zip(given, asked(call, terms), strict=True) if key not in before] if isinstance(call.ending, Returned) else []
    yield from judge.expect(
        f"operations.{terms.name}.bind.arguments.{terms.model.bind.split.argument}",
        not foreign and not lost,
        expected=f"the {len(given)} items that the caller gave, and no others",
        actual=f"foreign: {shown(foreign[:1])}" if foreign else f"{len(lost)} of them never sent, such as {shown(lost[:1])}",
        exchange=sent[0].exchange if sent else None,
    )


def check_credential(sight: Sight) -> Iterator[Judgement]:
    """The credential goes out as declared, to the provider alone, and a wrong one is refused."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="credential")
    auth = sight.agreement.contract.provider.auth
    if auth is None:
        return
    prefix = "Bearer " if auth.scheme == "bearer" else ""
    right = {prefix + secret for secret in sight.observation.secrets}
    clause = "provider.auth.scheme"
    for seen in sight.sent:
        request = seen.exchange.request
        value = request.header(auth.header)
        what = "no such header" if value is None else "another value"
        yield from judge.expect(
            clause, value in right, expected=f"the header `{auth.header}: {prefix}{auth.credential}`", actual=what, exchange=seen.exchange
        )
        if "provider.auth.header" in judge.agreement.clauses:
            yield from judge.expect("provider.auth.header", value is not None, expected=f"the header `{auth.header}`", actual=what, exchange=seen.exchange)
        if sight.observation.origin and value in right:
            yield from judge.expect(
                "provider.auth.credential",
                _goes_to(request, sight.observation.origin),
                expected=f"the credential goes to {sight.observation.origin} only",
                actual=f"it was sent to {request.origin or request.header('host')}",
                exchange=seen.exchange,
            )
    for seen in sight.direct:
        refusal = seen.terms and next((s for s, shape in seen.terms.model.responses.items() if shape.when == "unauthenticated"), None)
        if refusal and seen.by_provider and seen.exchange.request.header(auth.header) not in right and sight.observation.secrets:
            assert seen.exchange.response is not None
            yield from judge.expect(
                clause,
                seen.exchange.response.status == refusal,
                expected=f"status {refusal}, because the credential is wrong or missing",
                actual=f"status {seen.exchange.response.status}",
                exchange=seen.exchange,
            )


def _goes_to(request: Request, origin: str) -> bool:
    """Whether a request went to this origin, by the address and by the name that it was sent to."""
    host = request.header("host")
    return request.origin in ("", origin) and (host is None or host.lower() in _authorities(origin))


def _authorities(origin: str) -> tuple[str, ...]:
    """The spellings of an origin's authority."""
    scheme, _, authority = origin.lower().partition("://")
    default = {"https": ":443", "http": ":80"}.get(scheme, "")
    return authority, authority.removesuffix(default), authority + default
