"""A contract as OpenAPI 3.1, for every tool that reads that.

What OpenAPI can't say (rules, invariants, states, the client's errors) stands in ``x-`` keys and in the
descriptions. The same contract always gives the same document.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from harness.contract.agreement import Agreement
from harness.contract.model import Contract, ErrorShape, Header, Operation, Parameter, ResponseShape
from harness.contract.schemas import APPLICATORS_OF_LIST, APPLICATORS_OF_MAP, APPLICATORS_OF_ONE

VERSION = "3.1.0"
SECURITY = "credential"
# OpenAPI has other places for these headers, and readers ignore them where headers stand.
_ELSEWHERE = frozenset({"accept", "content-type", "authorization"})
_LOCATIONS = {"path": "path", "query": "query", "headers": "header"}

Json = dict[str, Any]


def export(agreement: Agreement) -> Json:
    """The OpenAPI 3.1 document of a contract."""
    contract = agreement.contract
    paths: dict[str, Json] = {}
    for name, operation in contract.operations.items():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(contract, name, operation)
    return {
        "openapi": VERSION,
        "info": _info(contract),
        "servers": [{"url": contract.provider.base_url}],
        **_security(contract),
        "paths": paths,
        "components": _components(contract),
    }


def _info(contract: Contract) -> Json:
    described = {"description": contract.description} if contract.description else {}
    source = {"service": contract.service, "version": contract.version, "consumer": contract.consumer}
    return {"title": contract.title, "version": contract.version, **described, "x-contract": source}


def _security(contract: Contract) -> Json:
    auth = contract.provider.auth
    if auth is None:
        return {}
    return {"security": [{SECURITY: []}] if auth.required else [{}, {SECURITY: []}]}


def _components(contract: Contract) -> Json:
    errors = error_names(contract)
    schemas = {name: rewritten(schema) for name, schema in contract.schemas.items()}
    schemas |= {errors[name]: rewritten(shape.body) for name, shape in contract.errors.items()}
    auth = contract.provider.auth
    if auth is None:
        return {"schemas": schemas}
    if auth.scheme == "bearer" and auth.header.lower() == "authorization":
        scheme: Json = {"type": "http", "scheme": "bearer"}
    else:
        scheme = {"type": "apiKey", "in": "header", "name": auth.header}
    return {"schemas": schemas, "securitySchemes": {SECURITY: scheme}}


def error_names(contract: Contract) -> dict[str, str]:
    """The name of each error shape among the component schemas, where the contract's own schemas are too."""
    names: dict[str, str] = {}
    for name in contract.errors:
        given = f"{name}_error"
        while given in contract.schemas or given in names.values():
            given += "_"
        names[name] = given
    return names


def rewritten(schema: Any) -> Any:
    """A schema with each ``$ref`` pointing at the components; data such as ``const`` is left alone."""
    if not isinstance(schema, Mapping):
        return schema
    return {keyword: _keyword(keyword, value) for keyword, value in schema.items()}


def _keyword(keyword: str, value: Any) -> Any:
    if keyword == "$ref":
        return "#/components" + str(value).removeprefix("#")
    if keyword in APPLICATORS_OF_ONE:
        return rewritten(value)
    if keyword in APPLICATORS_OF_LIST:
        return [rewritten(item) for item in value]
    if keyword in APPLICATORS_OF_MAP:
        return {name: rewritten(item) for name, item in value.items()}
    return value


def _operation(contract: Contract, name: str, operation: Operation) -> Json:
    found: Json = {"operationId": name}
    if operation.summary:
        found["summary"] = operation.summary
    if operation.request.rules:
        rules = {key: {"rule": rule.rule, "status": rule.status} for key, rule in operation.request.rules.items()}
        lines = [f"- {key}: {rule.because} (`{_one_line(rule.rule)}`)" for key, rule in operation.request.rules.items()]
        found |= {"description": "\n".join(["A valid request also keeps these rules:", "", *lines]), "x-rules": rules}
    if parameters := list(_parameters(operation)):
        found["parameters"] = parameters
    if operation.request.body is not None:
        found["requestBody"] = _request_body(operation)
    found["responses"] = {str(status): _response(contract, operation, status) for status in sorted(operation.responses)}
    return found | _extensions(operation)


def _extensions(operation: Operation) -> Json:
    found: Json = {"x-idempotent": operation.idempotent}
    if operation.let:
        found["x-let"] = dict(operation.let)
    if operation.relations:
        found["x-relations"] = {name: relation.model_dump() for name, relation in operation.relations.items()}
    return found


def _parameters(operation: Operation) -> Iterator[Json]:
    for part, location in _LOCATIONS.items():
        declared: Mapping[str, Parameter] = getattr(operation.request, part)
        for name, parameter in declared.items():
            if location == "header" and name.lower() in _ELSEWHERE:
                continue
            found: Json = {"name": name, "in": location, "required": parameter.required or location == "path"}
            if parameter.description:
                found["description"] = parameter.description
            found["schema"] = rewritten(parameter.value_schema)
            given = {key: getattr(example.request, part) for key, example in operation.examples.items()}
            if examples := {key: {"value": parts[name]} for key, parts in given.items() if name in parts}:
                found["examples"] = examples
            yield found


def _request_body(operation: Operation) -> Json:
    examples = {}
    for name, example in operation.examples.items():
        summary = {"summary": example.description} if example.description else {}
        examples[name] = {**summary, "value": example.request.body}
    content = {"schema": rewritten(operation.request.body), "examples": examples}
    return {"required": True, "content": {operation.request.media_type: content}}


def _response(contract: Contract, operation: Operation, status: int) -> Json:
    shape = operation.responses[status]
    found: Json = {"description": _description(shape, status)}
    if shape.headers:
        declared = shape.headers.items()
        found["headers"] = {name: _header(header) for name, header in declared if name.lower() not in _ELSEWHERE}
    error = contract.errors.get(shape.error or "")
    if error is not None:
        found["content"] = _error_content(contract, shape, error)
    elif shape.body is not None:
        found["content"] = {shape.media_type: _body(operation, status, shape)}
    said = {"x-given": shape.given, "x-raises": shape.raises, "x-invariants": dict(shape.invariants)}
    return found | {key: value for key, value in said.items() if value}


def _description(shape: ResponseShape, status: int) -> str:
    first = shape.description or (f"Given {shape.given}" if shape.given else _phrase(status))
    promises = [f"- {name}: `{_one_line(source)}`" for name, source in shape.invariants.items()]
    return "\n".join([first, "", *promises]) if promises else first


def _header(header: Header) -> Json:
    found: Json = {"description": header.description} if header.description else {}
    found |= {"required": header.required, "schema": rewritten(header.value_schema)}
    return found | ({"example": header.example} if header.example is not None else {})


def _error_content(contract: Contract, shape: ResponseShape, error: ErrorShape) -> Json:
    example = shape.example if shape.example is not None else error.example
    name = error_names(contract)[shape.error or ""]
    return {error.media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": example}}


def _body(operation: Operation, status: int, shape: ResponseShape) -> Json:
    found: Json = {"schema": rewritten(shape.body)}
    responses = {name: example.response for name, example in operation.examples.items()}
    given = {name: {"value": response.body} for name, response in responses.items() if response and response.status == status}
    if shape.example is not None:
        given.setdefault("example", {"value": shape.example})
    return found | ({"examples": given} if given else {})


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _one_line(source: str) -> str:
    return " ".join(source.split())
