"""What the client makes of the answers: the right value, the right typed error, never garbage."""

import json
from collections.abc import Iterator, Mapping

from harness.checks.breaches import read_response
from harness.checks.compare import close
from harness.checks.groups import Group, group, is_good, names_of
from harness.checks.judging import Judge, listed, shown
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import OperationTerms, response_clause
from harness.contract.expressions import EvaluationError
from harness.exchange import Call, Raised, Returned
from harness.verdict import Judgement

Known = dict[str, object]  # the result of each item, from responses seen so far


def check_outcome(sight: Sight) -> Iterator[Judgement]:
    """Each call's ending against what was answered to it on the wire."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="outcome")
    known: Known = {}
    for call, sent in sight.by_call:
        terms = sight.agreement.operations.get(call.operation)
        if terms is None:
            continue
        groups = group(call, sent)
        for each in groups:
            if each.succeeded:
                _learn(terms, each, known)
        troubled = [each for each in groups if not each.succeeded]
        if troubled:
            yield from _failed(judge, call, terms, troubled)
        elif isinstance(call.ending, Returned):
            yield from _returned(judge, call, terms, groups, known)
        else:
            yield from _raised_for_nothing(judge, call, terms, groups)


# Failures


def _failed(judge: Judge, call: Call, terms: OperationTerms, troubled: list[Group]) -> Iterator[Judgement]:
    allowed = {clause: error for each in troubled for clause, error in _expected_errors(judge, terms, each.last).items()}
    if not allowed:
        return
    if isinstance(call.ending, Returned):
        deadline = judge.agreement.contract.failures.deadline
        if deadline is not None and _budget_is_near(judge, call):
            allowed["failures.deadline.raises"] = deadline.raises
        for clause in allowed:
            actual = f"it returned {shown(call.ending.value)}, although the last answer was {_describe(troubled[0].last)}"
            yield judge.broken(clause, expected=f"{allowed[clause]} is raised", actual=actual, exchange=troubled[0].last.exchange)
        return
    names = names_of(call.ending)
    matched = [clause for clause, error in allowed.items() if error in names]
    excused = _excuse(judge, call, names)
    for clause in matched or ([excused] if excused else []):
        yield from judge.kept(clause)
    if matched or excused:
        return
    deadline = judge.agreement.contract.failures.deadline
    if deadline is not None and _budget_is_near(judge, call):
        allowed["failures.deadline.raises"] = deadline.raises
    for clause in allowed:
        yield judge.broken(
            clause,
            expected=f"{allowed[clause]} is raised after {_describe(troubled[0].last)}",
            actual=f"{call.ending.type}: {shown(call.ending.message)}",
            exchange=troubled[0].last.exchange,
        )


def _expected_errors(judge: Judge, terms: OperationTerms, last: Seen) -> dict[str, str]:
    """Clause → error class: what may be raised after an exchange that ended in trouble."""
    failures = judge.agreement.contract.failures
    trouble = last.trouble
    found: dict[str, str] = {}

    def failure(name: str) -> None:
        declared = getattr(failures, name)
        if declared is not None:
            found[f"failures.{name}.raises"] = declared.raises

    if isinstance(trouble, int):
        shape = terms.response_for(trouble)
        if shape is not None and shape.raises:
            found[response_clause(terms.name, trouble, "raises")] = shape.raises
        if shape is None or (shape.error and read_response(last).breaches):
            failure("invalid_response")  # an undeclared status, or an error body that nobody declared
    elif trouble == "protocol":
        failure("invalid_response")
        failure("connection")
    elif trouble is not None:
        failure(str(trouble))
    else:
        failure("invalid_response")
    return found


def _excuse(judge: Judge, call: Call, names: frozenset[str]) -> str | None:
    """The clause that allows another error: the deadline is reached or would be, or the circuit has opened."""
    contract = judge.agreement.contract
    deadline, opened = contract.failures.deadline, contract.failures.circuit_open
    if deadline and deadline.raises in names and _budget_is_near(judge, call):
        return "failures.deadline.raises"
    if opened and opened.raises in names and contract.resilience.circuit_breaker is not None:
        return "failures.circuit_open.raises"
    return None


def _budget_is_near(judge: Judge, call: Call) -> bool:
    """Whether the next wait, hints included, could have overrun the budget."""
    from harness.checks.attempts import longest_wait_s  # noqa: PLC0415

    resilience = judge.agreement.contract.resilience
    if resilience.budget is None:
        return False
    spent = call.ended_s - call.started_s
    last = Seen(judge.agreement, call.exchanges[-1], call) if call.exchanges else None
    return spent + longest_wait_s(judge.agreement, last, len(call.exchanges)) >= resilience.budget - 1e-6


def _describe(seen: Seen) -> str:
    if isinstance(seen.trouble, int):
        return f"status {seen.trouble}"
    if seen.trouble is not None:
        return f"a {seen.trouble} failure" if seen.trouble != "timeout" else "a timeout"
    breaches = read_response(seen).breaches
    return f"a response that breaks {listed(sorted({breach.clause for breach in breaches})[:3])}"


def _raised_for_nothing(judge: Judge, call: Call, terms: OperationTerms, groups: tuple[Group, ...]) -> Iterator[Judgement]:
    assert isinstance(call.ending, Raised)
    names, contract = names_of(call.ending), judge.agreement.contract
    if _excuse(judge, call, names):
        yield from judge.kept(_excuse(judge, call, names) or "")
        return
    refused = contract.failures.invalid_input
    intended_is_good = _intended_is_good(judge, call, terms)
    if not groups and refused and intended_is_good is False:
        yield from judge.expect(
            "failures.invalid_input.raises",
            refused.raises in names,
            expected=f"{refused.raises} for a request that the contract forbids",
            actual=f"{call.ending.type}: {shown(call.ending.message)}",
        )
    elif groups or intended_is_good:
        yield judge.broken(
            f"operations.{terms.name}.bind.result",
            expected="the value of a request that was answered well" if groups else "a request is sent, because the contract allows it",
            actual=f"{call.ending.type}: {shown(call.ending.message)}",
            exchange=groups[0].last.exchange if groups else None,
        )


def _intended_is_good(judge: Judge, call: Call, terms: OperationTerms) -> bool | None:
    """Whether the request that the harness meant keeps the contract; None when it meant none in particular."""
    if call.intended is None:
        return None
    return not judge_intended(judge, call.intended, terms)


def judge_intended(judge: Judge, parts: Mapping[str, object], terms: OperationTerms) -> list[str]:
    """The clauses that a request, given by its parts, breaks."""
    broken = []
    if terms.model.request.body is not None:
        at = ("operations", terms.name, "request", "body")
        broken += [".".join(map(str, v.keyword)) for v in judge.agreement.schemas.violations(at, parts.get("body"))]
    for name, rule in terms.rules.items() if not broken else ():
        try:
            holds = terms.evaluate(rule, request=parts)
        except EvaluationError:
            continue
        if holds is not True:
            broken.append(f"operations.{terms.name}.request.rules.{name}")
    return broken


# Values


def _learn(terms: OperationTerms, each: Group, known: Known) -> None:
    """Remember what the provider answered for each item, so that split and cached results can be judged."""
    if terms.bind is None or terms.bind.result is None or each.last.terms is not terms or not is_good(each.last):
        return
    try:
        result = terms.bind.result.evaluate(each.last.names)
        items = terms.bind.split_items.evaluate(each.last.names) if terms.bind.split_items else None
    except EvaluationError:
        return
    if isinstance(items, list) and isinstance(result, list) and len(items) == len(result):
        known.update({_item_key(each.call, terms, item): value for item, value in zip(items, result, strict=True)})
    known[_call_key(each.call)] = result


def _call_key(call: Call) -> str:
    return json.dumps([call.operation, dict(call.arguments)], default=repr, sort_keys=True)


def _item_key(call: Call, terms: OperationTerms, item: object) -> str:
    split = terms.model.bind.split if terms.model.bind else None
    others = {key: value for key, value in call.arguments.items() if split is None or key != split.argument}
    return json.dumps([call.operation, item, others], default=repr, sort_keys=True)


def _returned(judge: Judge, call: Call, terms: OperationTerms, groups: tuple[Group, ...], known: Known) -> Iterator[Judgement]:
    bind = terms.model.bind
    if terms.bind is None or terms.bind.result is None or bind is None:
        return
    assert isinstance(call.ending, Returned)
    split = bind.split
    given = call.arguments.get(split.argument) if split else None
    if isinstance(given, list):
        keys = [_item_key(call, terms, item) for item in given]
        if any(key not in known for key in keys):
            return  # something was never asked for: the arguments check says so
        expected: object = [known[key] for key in keys]
    elif _call_key(call) in known:
        expected = known[_call_key(call)]
    else:
        return
    yield from judge.expect(
        f"operations.{terms.name}.bind.result",
        close(expected, call.ending.value, bind.tolerance),
        expected=f"what the provider answered: {shown(expected)}",
        actual=shown(call.ending.value),
        exchange=groups[-1].last.exchange if groups else None,
    )
