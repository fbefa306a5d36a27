"""What is wrong with the parameters of a request: path, query and headers."""

from collections.abc import Iterator, Mapping

from harness.checks.sight import Seen
from harness.contract.agreement import schema_steps
from harness.contract.clauses import clause_id
from harness.contract.parameters import typed_parameter

__all__ = ["parameter_breaches", "typed_parameter"]


def parameter_breaches(seen: Seen) -> Iterator[tuple[str, str]]:
    """Each clause that a parameter breaks, and how; a parameter's value is read as its schema speaks of it."""
    terms = seen.terms
    assert terms is not None
    declared = terms.model.request
    for part, parameters in (("query", declared.query), ("headers", declared.headers), ("path", declared.path)):
        sent = seen.request_parts[part]
        assert isinstance(sent, Mapping)
        for name, parameter in parameters.items():
            value = sent.get(name.lower() if part == "headers" else name)
            if value is None:
                if parameter.required:
                    yield f"operations.{terms.name}.request.{part}.{name}.required", "it is missing"
                continue
            at = schema_steps("operations", terms.name, "request", part, name, "schema")
            for violation in seen.agreement.schemas.violations(at, typed_parameter(str(value), parameter.value_schema)):
                yield clause_id(violation.keyword), violation.message
