"""The parts of a contract that speak of one another: what is named exists, and nothing contradicts."""

import re
from collections.abc import Iterable, Mapping

from harness.contract.agreement import schema_steps
from harness.contract.document import Steps
from harness.contract.model import Operation, ResponseShape
from harness.contract.problems import nearest
from harness.contract.review.gathered import Review, drilled, value_at
from harness.contract.schemas import reference

_NEEDS = {
    ("patterns", "circuit_breaker"): [("resilience", "circuit_breaker")],
    ("patterns", "retry_with_backoff"): [("resilience", "retry")],
    ("patterns", "batch_processing"): [("limits", "batch")],
    ("patterns", "rate_limited"): [("limits", "rate")],
    ("patterns", "cached"): [("resilience", "cache")],
    ("policies", "exponential_backoff"): [("resilience", "retry")],
    ("policies", "retry_with_backoff"): [("resilience", "retry")],
    ("policies", "retry_limited"): [("resilience", "retry")],
    ("policies", "circuit_breaker"): [("resilience", "circuit_breaker")],
    ("policies", "retry_with_circuit_breaker"): [("resilience", "retry"), ("resilience", "circuit_breaker")],
    ("policies", "refresh_token"): [("provider", "auth")],
}

_COSTS = {"items": "such as `cost: {items: size(request.body.…)}`", "tokens": "such as `cost: {tokens: tokens(request.body.…)}`"}


def check_references(review: Review) -> None:
    _operations(review)
    _provider(review)
    _states(review)
    _resilience(review)
    if review.is_whole(("operations",)):
        _limits(review)
    for name, profile in review.contract.load.items():
        for operation in profile.mix:
            _known_operation(review, ("load", name, "mix", operation), operation, at_key=True)
    for index, source in enumerate(review.contract.evidence):
        for number, difference in enumerate(source.differs):
            if difference.expires < difference.accepted:
                review.problem(("evidence", index, "differs", number, "expires"), "lies before `accepted`")


def _operations(review: Review) -> None:
    routes: dict[tuple[str, str], str] = {}
    for name, operation in review.contract.operations.items():
        at: Steps = ("operations", name)
        if review.is_whole((*at, "path"), (*at, "request", "path")):
            _path(review, at, operation)
        route = operation.method, re.sub(r"\{\w+\}", "{}", operation.path)
        if route in routes:
            review.problem((*at, "path"), f"`{routes[route]}` has this method and path already", hint="one operation answers a request")
        routes.setdefault(route, name)
        for status, response in operation.responses.items():
            _response(review, (*at, "responses", str(status)), status, response)
        if not any(200 <= status < 300 for status in operation.responses):
            review.problem((*at, "responses"), "declares no status of success", "200 to 299", at_key=True)
        for key, rule in operation.request.rules.items():
            if rule.status not in operation.responses:
                known = _listed(operation.responses)
                review.problem((*at, "request", "rules", key, "status"), f"the operation declares no status {rule.status}", known)
        for field, value in operation.request.defaults.items():
            _default(review, name, field, value)
        if operation.bind and operation.bind.split and operation.bind.split.argument not in operation.bind.arguments:
            argument, bound = operation.bind.split.argument, operation.bind.arguments
            at_argument = (*at, "bind", "split", "argument")
            review.problem(at_argument, f"there is no argument `{argument}`", ", ".join(bound), nearest(argument, bound))
        if operation.cached and review.contract.resilience.cache is None:
            review.problem((*at, "cached"), "needs `resilience.cache`")


def _path(review: Review, at: Steps, operation: Operation) -> None:
    named = re.findall(r"\{(\w+)\}", operation.path)
    for name in {name for name in named if named.count(name) > 1}:
        review.problem((*at, "path"), f"`{{{name}}}` stands twice in the path")
    for name in dict.fromkeys(named):
        if name not in operation.request.path:
            hint = nearest(name, operation.request.path) or f"declare it: `request: {{path: {{{name}: {{schema: {{type: string}}}}}}}}`"
            review.problem((*at, "path"), f"the path parameter `{name}` is not declared", ", ".join(operation.request.path), hint)
    for name in operation.request.path:
        if name not in named:
            at_name = (*at, "request", "path", name)
            review.problem(at_name, f"the path has no `{{{name}}}`", ", ".join(named), nearest(name, named), at_key=True)


def _response(review: Review, at: Steps, status: int, response: ResponseShape) -> None:
    errors = review.contract.errors
    if response.error is not None and response.error not in errors:
        known = ", ".join(sorted(errors)) or "none: declare it under `errors:`"
        review.problem((*at, "error"), f"there is no error shape `{response.error}`", known, nearest(response.error, errors))
    if response.error is not None and response.body is not None:
        review.problem((*at, "body"), "is one too many", hint="`error:` says what the body is", at_key=True)
    if response.stub is not None and response.body is None:
        review.problem((*at, "stub"), "makes a body that the response does not declare", hint="add `body:`", at_key=True)
    if response.when is not None and status < 300:
        review.problem((*at, "when"), "says when a request fails, and this is a success", "300 to 599")


def _default(review: Review, operation: str, name: str, value: object) -> None:
    body = review.contract.operations[operation].request.body or {}
    at = ("operations", operation, "request", "defaults", name)
    schema_at = reference(body) or schema_steps("operations", operation, "request", "body")
    schema = value_at(review.document.value, schema_at)
    known = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(known, Mapping):  # what is wrong with it is told elsewhere
        return
    if known and name not in known:
        review.problem(at, f"the request has no field `{name}`", ", ".join(known), nearest(name, known), at_key=True)
    elif known and schema_at[:2] not in review.unusable and schema_at not in review.unusable:
        for violation in review.schemas.violations((*schema_at, "properties", name), value):
            review.problem(at, f"breaks its schema: {violation.message}")


def _provider(review: Review) -> None:
    provider = review.contract.provider
    _known_example(review, ("provider", "probe"), provider.probe)
    for kind in ("embedded", "container"):
        if provider.default == kind and getattr(provider, kind) is None:
            review.problem(("provider", "default"), f"needs `provider.{kind}`")
    for name in provider.grpc.operations if provider.grpc else ():
        _known_operation(review, ("provider", "grpc", "operations", name), name, at_key=True)


def _states(review: Review) -> None:
    contract = review.contract
    for state, examples in contract.states.items():
        for index, example in enumerate(examples):
            _known_example(review, ("states", state, index), example)
    for name, sequence in contract.sequences.items():
        _known_state(review, ("sequences", name, "given"), sequence.given)
        for step, example in sequence.steps.items():
            _known_step(review, ("sequences", name, "steps", step), example)
    _tasks(review)
    if contract.stateful is not None:
        _known_state(review, ("stateful", "given"), contract.stateful.given)
        for index, name in enumerate(contract.stateful.operations):
            _known_operation(review, ("stateful", "operations", index), name)
        for name in contract.stateful.questions:
            _of_model(review, ("stateful", "questions", name), name, at_key=True)
        for at, asked in drilled(contract):
            if "questions" in at:
                _of_model(review, (*at, "operation"), asked.operation)
            else:
                _known_operation(review, (*at, "operation"), asked.operation)
    for name, operation in contract.operations.items():
        for example_name, shown in operation.examples.items():
            _known_state(review, ("operations", name, "examples", example_name, "given"), shown.given)


def _of_model(review: Review, at: Steps, name: str, *, at_key: bool = False) -> None:
    assert review.contract.stateful is not None
    if name not in (known := review.contract.stateful.operations):
        message = f"`{name}` is none of the operations that the model knows"
        review.problem(at, message, ", ".join(known), nearest(name, known), at_key=at_key)


def _known_state(review: Review, at: Steps, state: str | None) -> None:
    known = review.contract.states
    if state is not None and state not in known:
        listed = ", ".join(known) or "none: declare it under `states:`"
        review.problem(at, f"there is no state `{state}`", listed, nearest(state, known))


def _known_example(review: Review, at: Steps, name: str) -> None:
    operation, _, example = name.partition("/")
    if not review.is_whole(("operations", operation, "examples")):
        return
    if _known_operation(review, at, operation) and example not in review.contract.operations[operation].examples:
        known = review.contract.operations[operation].examples
        review.problem(at, f"`{operation}` has no example `{example}`", ", ".join(known), nearest(example, known))


def _known_step(review: Review, at: Steps, name: str) -> None:
    """An example of an operation or of a task."""
    task, _, example = name.partition("/")
    if task not in review.contract.tasks:
        _known_example(review, at, name)
    elif example not in (known := review.contract.tasks[task].examples):
        review.problem(at, f"`{task}` has no example `{example}`", ", ".join(known), nearest(example, known))


def _tasks(review: Review) -> None:
    steps = {step for sequence in review.contract.sequences.values() for step in sequence.steps.values()}
    for name, task in review.contract.tasks.items():
        if name in review.contract.operations:
            review.problem(("tasks", name), f"there is an operation `{name}` too", at_key=True, hint="give it another name")
        for example in task.examples:
            if f"{name}/{example}" not in steps:
                review.problem(("tasks", name, "examples", example), "is a step of no sequence, so nothing is promised of it", at_key=True)


def _known_operation(review: Review, at: Steps, name: str, *, at_key: bool = False) -> bool:
    known = review.contract.operations
    if name not in known:
        review.problem(at, f"there is no operation `{name}`", ", ".join(known), nearest(name, known), at_key=at_key)
    return name in known


def _resilience(review: Review) -> None:
    resilience = review.contract.resilience
    words: list[tuple[Steps, str]] = [(("patterns", index), word) for index, word in enumerate(resilience.patterns)]
    words += [(("policies", key), word) for key, word in resilience.policies if word]
    for steps, word in words:
        for needed in _NEEDS[str(steps[0]), word]:
            if not value_at(review.document.value, needed):
                review.problem(("resilience", *steps), f"`{word}` needs `{'.'.join(needed)}`")
    retry = resilience.retry
    if retry is None:
        return
    at: Steps = ("resilience", "retry")
    for index, status in enumerate(retry.never):
        if status in retry.on:
            review.problem((*at, "never", index), f"{status} is retried too", hint="it stands under `on`")
    if retry.wait.max < retry.wait.initial:
        review.problem((*at, "wait", "max"), "is shorter than `initial`")
    if retry.retry_after is not None:
        for index, status in enumerate(retry.retry_after.on):
            if status not in retry.on:
                review.problem((*at, "retry_after", "on", index), f"{status} is not retried", _listed(retry.on))
        if retry.retry_after.added[0] > retry.retry_after.added[1]:
            review.problem((*at, "retry_after", "added"), "ends before it begins", "the least and the most, such as [1s, 5s]")


def _limits(review: Review) -> None:
    limits, operations = review.contract.limits, review.contract.operations.values()
    costs = {kind for operation in operations for kind in operation.cost}
    if limits.batch:
        for kind in ("items", "tokens"):
            if getattr(limits.batch, kind) is not None and kind not in costs:
                review.problem(("limits", "batch", kind), f"no operation says under `cost:` what its {kind} are", hint=_COSTS[kind])
    for index, rate in enumerate(limits.rate):
        if rate.requests is None and rate.tokens is None:
            review.problem(("limits", "rate", index), "limits nothing", "`requests`, `tokens` or both")
        if rate.tokens is not None and "tokens" not in costs:
            review.problem(
                ("limits", "rate", index, "tokens"), "no operation says under `cost:` what its tokens are", hint=_COSTS["tokens"]
            )


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))
