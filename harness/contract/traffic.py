"""The traffic of a contract, compiled: requests of any number, made by its own expressions."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.contract.agreement import compiled
from harness.contract.expressions import EvaluationError, Expression, Scope, compile_scope
from harness.contract.model import Contract
from harness.contract.promises import Traffic

TRAFFIC_NAMES = frozenset({"number", "fill", "seed", "facts", "settings"})
PARTS = ("body", "path", "query", "headers")


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Makes the requests of one operation; ``at`` is where the contract says how."""

    operation: str
    name: str
    at: tuple[str | int, ...]
    expression: Expression
    scope: Scope
    constants: Mapping[str, object]
    times: int = 1

    def parts(self, number: int) -> dict[str, object]:
        """The request with this number, by its parts; EvaluationError when there is none."""
        made = self.expression.evaluate(self.scope.bind({**self.constants, "number": number}))
        if not isinstance(made, dict) or not set(made) <= set(PARTS):
            raise EvaluationError(f"a request is a map with {', '.join(PARTS[:-1])} or {PARTS[-1]}")
        return {"body": None, "path": {}, "query": {}, "headers": {}, **made}


@dataclass(frozen=True, kw_only=True)
class TrafficTerms:
    """What is sent before a run, to fill the provider, in the run (by operation), and after it."""

    before: tuple[Maker, ...]
    fill: Maker | None
    after: tuple[Maker, ...]
    requests: Mapping[str, tuple[Maker, ...]]


def compile_traffic(contract: Contract, *, fill: int, seed: int) -> TrafficTerms:
    """Compile the traffic of a contract for a provider that is filled so often."""
    model = contract.traffic or Traffic()
    scope = compile_scope(model.let, names=TRAFFIC_NAMES)
    constants = {"facts": contract.facts, "settings": contract.settings, "seed": str(seed), "fill": fill}

    def maker(operation: str, source: str, *at: str | int, name: str = "", times: int = 1) -> Maker:
        expression = compiled(source, scope.names)
        where = ("traffic", *at)
        return Maker(operation=operation, name=name, at=where, expression=expression, scope=scope, constants=constants, times=times)

    return TrafficTerms(
        before=tuple(maker(each.operation, each.request, "before", place, times=each.times) for place, each in enumerate(model.before)),
        fill=maker(model.fill.operation, model.fill.request, "fill", times=fill) if model.fill and fill else None,
        after=tuple(maker(each.operation, each.request, "after", place, times=each.times) for place, each in enumerate(model.after)),
        requests={
            operation: tuple(maker(operation, source, "requests", operation, name, name=name) for name, source in named.items())
            for operation, named in model.requests.items()
        },
    )
