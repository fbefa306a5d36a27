"""What the client makes of the answers: the right value, the right typed error, never garbage."""

from collections.abc import Iterator

from harness.checks.breaches import read_response
from harness.checks.circuit import may_refuse
from harness.checks.compare import close
from harness.checks.groups import Group, group, is_good, names_of
from harness.checks.intent import forbidden_by
from harness.checks.items import Key, asked, carried, given_items, sent_items
from harness.checks.judging import Judge, Told, listed, shown
from harness.checks.requests import MISSING
from harness.checks.sight import Seen, Sight
from harness.checks.waits import longest_wait_s
from harness.contract.agreement import OperationTerms, response_clause
from harness.contract.expressions import EvaluationError
from harness.contract.rpc import STATUS_NAMES
from harness.exchange import Call, Raised, Returned, Unfinished
from harness.verdict import Judgement


def check_outcome(sight: Sight) -> Iterator[Judgement]:
    """Each call's ending against what was answered to it on the wire."""
    judge = _Outcome(sight)
    for call, sent in sight.by_call:
        terms = sight.agreement.operations.get(call.operation)
        if terms is not None and not isinstance(call.ending, Unfinished):
            yield from judge.ended(call, terms, group(call, sent))


class _Outcome:
    """The judgements on the endings of one observation."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._contract = sight.agreement.contract
        self._judge = Judge(agreement=sight.agreement, observation=sight.observation, check="outcome")
        self._answered = _Answered(sight)

    def ended(self, call: Call, terms: OperationTerms, groups: tuple[Group, ...]) -> Iterator[Judgement]:
        troubled = [each for each in groups if not each.succeeded]
        forbidden = self._forbidden(call, terms)
        if forbidden:
            yield from self._refused(call, groups, forbidden)
        elif troubled:
            yield from self._failed(call, terms, troubled)
        elif isinstance(call.ending, Returned):
            yield from self._returned(call, terms, groups)
        else:
            yield from self._raised_for_nothing(call, terms, groups)

    # Requests that must not be sent

    def _forbidden(self, call: Call, terms: OperationTerms) -> list[str]:
        """The clauses that the request breaks which the harness meant; none when it meant none in particular."""
        if call.intended is None or self._contract.failures.invalid_input is None:
            return []
        return forbidden_by(self._sight.agreement, terms, call.intended)

    def _refused(self, call: Call, groups: tuple[Group, ...], broken: list[str]) -> Iterator[Judgement]:
        refused = self._contract.failures.invalid_input
        assert refused is not None
        what = "it returned" if isinstance(call.ending, Returned) else _told(call.ending)
        yield from self._judge.expect(
            "failures.invalid_input.raises",
            not groups and refused.raises in names_of(call.ending),
            expected=f"{refused.raises}, and nothing is sent: the request would break {listed(broken[:2])}",
            actual=f"{what}, and {len(groups)} requests were sent" if groups else what,
            exchange=groups[0].last.exchange if groups else None,
        )

    # Failures

    def _failed(self, call: Call, terms: OperationTerms, troubled: list[Group]) -> Iterator[Judgement]:
        allowed = {clause: error for each in troubled for clause, error in self._errors_for(terms, each.last).items()}
        if not allowed:
            return
        last = troubled[0].last
        if self._budget_is_near(call):  # then the deadline is what the caller should hear of, or may
            allowed |= self._failures("deadline")
        if isinstance(call.ending, Returned):
            for clause, error in allowed.items():
                actual = f"it returned {shown(call.ending.value)}, although the last answer was {_describe(last)}"
                yield self._judge.broken(clause, expected=f"{error} is raised", actual=actual, exchange=last.exchange)
            return
        names = names_of(call.ending)
        fitting = [clause for clause, error in allowed.items() if error in names] or self._excused(call, names)
        for clause in fitting:
            yield from self._judge.kept(clause)
        for clause, error in allowed.items() if not fitting else ():
            expected = f"{error} is raised after {_describe(last)}"
            yield self._judge.broken(clause, expected=expected, actual=_told(call.ending), exchange=last.exchange)

    def _errors_for(self, terms: OperationTerms, last: Seen) -> dict[str, str]:
        """Clause → error class: what may be raised after an exchange that ended in trouble."""
        trouble = last.trouble
        if isinstance(trouble, int):
            shape = terms.response_for(trouble)
            found = {response_clause(terms.name, trouble, "raises"): shape.raises} if shape is not None and shape.raises else {}
            undeclared = shape is None or (shape.error is not None and not read_response(last).seems_whole)
            return found | (self._failures("invalid_response") if undeclared else {})
        if trouble == "protocol":
            return self._failures("invalid_response", "connection")
        return self._failures("invalid_response" if trouble is None else trouble)

    def _failures(self, *names: str) -> dict[str, str]:
        declared = {name: getattr(self._contract.failures, name) for name in names}
        return {f"failures.{name}.raises": found.raises for name, found in declared.items() if found is not None}

    def _excused(self, call: Call, names: frozenset[str]) -> list[str]:
        """The clause that allows another error: the deadline is reached or would be, or the circuit is open."""
        deadline, opened = self._contract.failures.deadline, self._contract.failures.circuit_open
        if deadline and deadline.raises in names and self._budget_is_near(call):
            return ["failures.deadline.raises"]
        if opened and opened.raises in names and may_refuse(self._sight, call.ended_s):
            return ["failures.circuit_open.raises"]
        return []

    def _budget_is_near(self, call: Call) -> bool:
        """Whether the next wait, hints included, and the attempt after it could have overrun the budget."""
        budget_s = self._contract.resilience.budget
        if budget_s is None:
            return False
        last = Seen(self._sight.agreement, call.exchanges[-1], call) if call.exchanges else None
        wait_s = longest_wait_s(self._sight.agreement, last, len(call.exchanges))
        attempt_s = self._contract.provider.timeout if last is not None and last.trouble == "timeout" else 0.0
        return call.ended_s - call.started_s + wait_s + attempt_s >= budget_s - 1e-6

    def _raised_for_nothing(self, call: Call, terms: OperationTerms, groups: tuple[Group, ...]) -> Iterator[Judgement]:
        excused = self._excused(call, names_of(call.ending))
        if excused:
            yield from self._judge.kept(excused[0])
            return
        opened = self._contract.failures.circuit_open
        if not groups and opened and may_refuse(self._sight, call.ended_s):
            yield self._judge.broken(
                "failures.circuit_open.raises", expected=f"{opened.raises}, because the circuit is open", actual=_told(call.ending)
            )
            return
        for clause in self._unfilled(call, terms) if not groups else ():
            yield self._judge.broken(clause, expected="the caller may leave it open", actual=_told(call.ending))
            return
        yield self._judge.broken(
            f"operations.{terms.name}.bind.result",
            expected="the value of a request that was answered well" if groups else "a request is sent, because the contract allows it",
            actual=_told(call.ending),
            exchange=groups[0].last.exchange if groups else None,
        )

    def _unfilled(self, call: Call, terms: OperationTerms) -> Iterator[str]:
        """The default that a client lacks which complains of what the caller left open."""
        complaint = call.ending.message if isinstance(call.ending, Raised) else ""
        for argument, source in terms.model.bind.arguments.items() if terms.model.bind and complaint else ():
            field = source.removeprefix("request.body.")
            if field in terms.model.request.defaults and call.arguments.get(argument) is None and argument in complaint:
                yield f"operations.{terms.name}.request.defaults.{field}"

    # Values

    def _returned(self, call: Call, terms: OperationTerms, groups: tuple[Group, ...]) -> Iterator[Judgement]:
        bind = terms.model.bind
        if terms.bind is None or terms.bind.result is None or bind is None:
            return
        assert isinstance(call.ending, Returned)
        keys, is_list = asked(call, terms), given_items(call, terms) is not None
        readings = list(self._answered.readings(call, keys, cached=terms.model.cached))
        if is_list and not readings and (whole := self._answered.whole(call)):
            if len(whole) > 1:
                return  # what several of them come to is the client's own business: the contract does not say
            readings, is_list = [whole], False
        expected = readings[0] if readings else None
        holds = any(close(reading if is_list else reading[0], call.ending.value, bind.tolerance) for reading in readings)
        unasked = "nothing, for it was not asked for this" + ("" if terms.model.cached else ", and no cache is declared")
        what = expected if is_list or not expected else expected[0]
        opened = self._contract.failures.circuit_open
        if not readings and not groups and opened and may_refuse(self._sight, call.ended_s):
            yield self._judge.broken(
                "failures.circuit_open.raises", expected=f"{opened.raises}, because the circuit is open", actual=shown(call.ending.value)
            )
        yield from self._judge.expect(
            f"operations.{terms.name}.bind.result",
            holds,
            expected=Told("what the provider answered: {}", what if readings else unasked),
            actual=Told("{}", call.ending.value),
            exchange=groups[-1].last.exchange if groups else None,
        )


class _Answered:
    """What the provider answered for each item, call by call, so that split and cached results can be judged."""

    def __init__(self, sight: Sight) -> None:
        self._own: dict[int, dict[Key, object]] = {}
        self._whole: dict[int, list[object]] = {}
        self._all: dict[Key, list[tuple[float, object]]] = {}
        for call, sent in sight.by_call:
            terms = sight.agreement.operations.get(call.operation)
            own = self._own[id(call)] = {}
            for each in group(call, sent) if terms is not None else ():
                assert terms is not None
                if each.succeeded:
                    found = _results(call, terms, each.last)
                    own |= found
                    self._whole.setdefault(id(call), []).append(_result(terms, each.last))
                    for key, value in found.items():
                        self._all.setdefault(key, []).append((each.last.exchange.ended_s, value))

    def whole(self, call: Call) -> list[object]:
        """The results of the requests of a call, where they are none that there is one of for each item; empty where they are."""
        found = self._whole.get(id(call), [])
        return [] if any(result is MISSING or isinstance(result, list) for result in found) else found

    def readings(self, call: Call, keys: list[Key], *, cached: bool) -> Iterator[list[object]]:
        """What the call may return for its items: what was just answered to it, else what was answered before, the newest first.

        Where nothing is cached, before is while it went on: calls at one time may share a request.
        """
        own, since_s = self._own[id(call)], 0.0 if cached else call.started_s
        known = {key: [value for at_s, value in self._all.get(key, []) if since_s <= at_s <= call.ended_s] for key in keys}
        if any(key not in own and not known[key] for key in keys):
            return
        yield [own[key] if key in own else known[key][-1] for key in keys]
        if any(key not in own and len(known[key]) > 1 for key in keys):
            yield [own[key] if key in own else known[key][0] for key in keys]


def _results(call: Call, terms: OperationTerms, seen: Seen) -> dict[Key, object]:
    """The result of each item of one exchange."""
    result, items = _result(terms, seen), sent_items(terms, seen)
    if result is MISSING:
        return {}
    if given_items(call, terms) is None:
        return {asked(call, terms)[0]: result}
    if items is None or not isinstance(result, list) or len(items) != len(result):
        return {}
    return dict(zip(carried(call, terms, [seen]), result, strict=True))


def _result(terms: OperationTerms, seen: Seen) -> object:
    """What the contract makes of one exchange; MISSING when nothing."""
    if terms.bind is None or terms.bind.result is None or seen.terms is not terms or not is_good(seen):
        return MISSING
    try:
        return terms.bind.result.evaluate(seen.names)
    except EvaluationError:
        return MISSING


def _told(ending: object) -> str:
    return f"{ending.type}: {shown(ending.message)}" if isinstance(ending, Raised) else "it returned"


def _describe(seen: Seen) -> str:
    if seen.exchange.rpc is not None and seen.exchange.rpc.status:
        return f"gRPC's status {STATUS_NAMES[seen.exchange.rpc.status]}"
    if isinstance(seen.trouble, int):
        return f"status {seen.trouble}"
    if seen.trouble is not None:
        return f"a {seen.trouble} failure" if seen.trouble != "timeout" else "a timeout"
    breaches = read_response(seen).breaches
    return f"a response that breaks {listed(sorted({breach.clause for breach in breaches})[:3])}"
