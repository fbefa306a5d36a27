"""Does the client send what the caller said, and the contract's defaults for what it left open?"""

import re
from collections.abc import Iterator, Mapping

from harness.checks.compare import close
from harness.checks.items import Key, asked, carried, given_items, item_text, sent_items
from harness.checks.judging import Judge, Told, shown
from harness.checks.requests import MISSING, evaluated
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import OperationTerms, query_text
from harness.contract.expressions import EvaluationError
from harness.exchange import Call, Returned
from harness.verdict import Judgement


def check_arguments(sight: Sight) -> Iterator[Judgement]:
    """What the caller asked for is what goes out; what it left open goes out as the contract's default."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="arguments")
    before: set[Key] = set()
    for call, sent in sight.by_call:
        terms = judge.agreement.operations.get(call.operation)
        if terms is None or terms.bind is None:
            continue
        readable = [seen for seen in sent if seen.terms is terms and isinstance(seen.request_body, Mapping | None)]
        for seen in readable:
            yield from _plain_arguments(judge, call, terms, seen)
            yield from _defaults(judge, call, terms, seen)
        good = [seen for seen in readable if not seen.request_violations]
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
        found = evaluated(expression, seen)
        yield from judge.expect(
            f"operations.{terms.name}.bind.arguments.{name}",
            close(given, found, 0.0) or (isinstance(found, str) and found == _in_url(terms, name, given)),
            expected=Told("{}, as the caller said", given),
            actual="nothing of it was sent" if found is MISSING else Told("{}", found),
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
        said = any(
            source == f"request.body.{name}" and call.arguments.get(key) is not None for key, source in terms.model.bind.arguments.items()
        )
        if said or not isinstance(body, Mapping):
            continue
        yield from judge.expect(
            f"operations.{terms.name}.request.defaults.{name}",
            name in body and close(default, body[name], 0.0),
            expected=Told("`{}`: {}, because the caller left it open", name, default),
            actual=Told("{}", body[name]) if name in body else "it is not sent",
            exchange=seen.exchange,
        )


def _split_argument(judge: Judge, call: Call, terms: OperationTerms, sent: list[Seen], before: set[Key]) -> Iterator[Judgement]:
    """Every item goes out, in this call or for an earlier one that asked for just the same, and nothing else does."""
    given = given_items(call, terms)
    if given is None or terms.model.bind is None or terms.model.bind.split is None:
        return
    known = {item_text(item) for item in given}
    foreign = [item for seen in sent for item in sent_items(terms, seen) or [] if item_text(item) not in known]
    lost = (
        [item for item, key in zip(given, asked(call, terms), strict=True) if key not in before]
        if isinstance(call.ending, Returned)
        else []
    )
    yield from judge.expect(
        f"operations.{terms.name}.bind.arguments.{terms.model.bind.split.argument}",
        not foreign and not lost,
        expected=f"the {len(given)} items that the caller gave, and no others",
        actual=f"foreign: {shown(foreign[:1])}" if foreign else f"{len(lost)} of them never sent, such as {shown(lost[:1])}",
        exchange=sent[0].exchange if sent else None,
    )
