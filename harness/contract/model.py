"""The format of a contract file: what may stand in it, key by key.

Frozen pydantic models, unknown keys forbidden. Times are seconds once read; in the file each carries its unit
(``harness.contract.units``). Expressions are CEL (``harness.contract.expressions``).
"""

# ruff: noqa: RUF012 -- pydantic copies the default of each field, and the models are frozen

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue

from harness.contract.problems import ALLOWED, shown
from harness.contract.promises import (
    BatchLimit,
    Cache,
    CircuitBreaker,
    Evidence,
    Failures,
    Limits,
    LoadProfile,
    Monitoring,
    Proof,
    RateLimit,
    Resilience,
    Retry,
    RetryAfter,
    Sla,
    Traffic,
    Wait,
    Waiver,
)
from harness.contract.units import PositiveDuration
from harness.contract.words import (
    Adapter,
    BaseUrl,
    Credential,
    DottedPath,
    Expression,
    Name,
    Part,
    Pointer,
    Probe,
    Route,
    RpcStatus,
    Schema,
    Service,
    Status,
    Version,
)

# The promises are part of the model: their readers need not know in which file they stand.
__all__ = [
    "BatchLimit",
    "Cache",
    "CircuitBreaker",
    "DottedPath",
    "Expression",
    "Name",
    "Part",
    "RateLimit",
    "Retry",
    "RetryAfter",
    "Wait",
    "Waiver",
]


class Auth(Part):
    """How the client proves who it is; the credential is a reference to the environment.

    ``echoed: false`` says that the provider never sends a credential back in what it says of an error.
    """

    scheme: Literal["bearer", "api_key"]
    header: str = "authorization"
    credential: Credential
    required: bool = True
    echoed: bool = True

    @property
    def variable(self) -> str:
        """The environment variable that holds the credential."""
        return self.credential[2:-1]


class Container(Part):
    """The provider's image, the ports it serves and the path that answers once it is ready."""

    image: str
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field(min_length=1)
    ready: str
    environment: dict[str, str] = {}


Rpc = Annotated[str, Field(pattern=r"^/[A-Za-z_][\w.]*/[A-Za-z_]\w*$")]


class Grpc(Part):
    """The same operations over gRPC: what its messages mean, and what our client is made with besides to use it.

    ``port`` is where it is spoken on the host of a provider at a URL; ``statuses`` are HTTP's for those of gRPC that this provider
    does not mean as google.rpc.Code has them.
    """

    messages: DottedPath
    operations: dict[Name, Rpc] = Field(min_length=1)
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    statuses: dict[RpcStatus, Status] = {}
    client: dict[Name, Expression] = {}


class Provider(Part):
    """Where the provider is and how it is reached.

    ``timeout`` is for a whole answer, or, with ``timeout_of: silence``, for the time in which nothing of it arrives.
    """

    protocol: Literal["http", "http+grpc"] = "http"
    base_url: BaseUrl
    timeout: PositiveDuration
    timeout_of: Literal["answer", "silence"] = "answer"
    auth: Auth | None = None
    probe: Probe
    default: Literal["stub", "embedded", "container", "live"] = "stub"
    embedded: DottedPath | None = None
    container: Container | None = None
    grpc: Grpc | None = None


class Parameter(Part):
    """A query or path parameter or a header; the schema sees its value as text or number."""

    value_schema: Schema = Field(alias="schema")
    required: bool = False
    description: str | None = None


class RequestRule(Part):
    """A rule for requests that no schema can express; a request that breaks it is answered ``status``."""

    rule: Expression
    status: Status
    because: str


class RequestBody(Part):
    """What a request has to look like; ``defaults`` is what our client sends when its caller says nothing."""

    body: Schema | None = None
    media_type: str = "application/json"
    query: dict[str, Parameter] = {}
    path: dict[str, Parameter] = {}
    headers: dict[str, Parameter] = {}
    rules: dict[Name, RequestRule] = {}
    defaults: dict[str, JsonValue] = {}


class Header(Part):
    """A header of a response."""

    value_schema: Schema = Field(alias="schema", default={"type": "string"})
    required: bool = False
    example: str | None = None
    description: str | None = None


class StubAnswer(Part):
    """How a valid answer to any valid request is made: one expression whose value is the body."""

    body: Expression
    headers: dict[str, Expression] = {}


When = Literal["invalid_request", "unauthenticated", "rate_limited", "too_large", "outage"]


class ResponseShape(Part):
    """One status that an operation may answer: a body with its promises, or a declared error."""

    body: Schema | None = None
    media_type: str = "application/json"
    error: Name | None = None
    raises: Name | None = None
    given: str | None = None
    when: When | None = None
    headers: dict[str, Header] = {}
    invariants: dict[Name, Expression] = {}
    stub: StubAnswer | None = None
    example: JsonValue = None
    description: str | None = None


class Relation(Part):
    """A promise across exchanges: among those with equal ``given``, equal items have equal results."""

    given: Expression
    items: Expression
    results: Expression
    tolerance: float = Field(default=1e-6, ge=0)


class Report(Part):
    """What the client's error tells of a call of which only some requests went well.

    ``names`` are what the items of a request go by. ``done`` reads those that went well out of the ``error``, and ``failed``
    a list of maps: the ``number`` of a request (the first one is 0), its ``items`` by name, and what was ``raised``.
    """

    names: Expression
    done: Expression
    failed: Expression


class Split(Part):
    """The argument that the client splits over several requests, and the items of one request.

    ``made`` is how another good item is made, from a ``number`` that no other item has and some ``text``; without
    it the texts of an example's first item are replaced.
    """

    argument: Name
    items: Expression
    made: Expression | None = None
    report: Report | None = None


class Bind(Part):
    """Which method of the client an operation is.

    ``arguments`` computes the call from a request; ``result`` what the call returns from a response;
    ``returns`` reads that same value out of what the client really returned.
    """

    call: Name
    arguments: dict[Name, Expression] = {}
    result: Expression | None = None
    returns: Expression = "result"
    tolerance: float = Field(default=1e-6, ge=0)
    split: Split | None = None


class ExampleResponse(Part):
    """A response as the provider gave it or would give it."""

    status: Status
    headers: dict[str, str] = {}
    body: JsonValue = None


class ExampleRequest(Part):
    """A request by its parts."""

    body: JsonValue = None
    query: dict[str, str | int | float | bool] = {}
    path: dict[str, str | int] = {}
    headers: dict[str, str] = {}


class Example(Part):
    """A request that is known to be good, and possibly the response to it; ``given`` is the state it needs."""

    given: str | None = None
    request: ExampleRequest
    response: ExampleResponse | None = None
    description: str | None = None


class Operation(Part):
    """One thing that the provider does for us."""

    summary: str | None = None
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
    path: Route
    idempotent: bool
    cached: bool = False
    let: dict[Name, Expression] = {}
    cost: dict[Literal["items", "tokens"], Expression] = {}
    request: RequestBody = RequestBody()
    responses: dict[Status, ResponseShape] = Field(min_length=1)
    relations: dict[Name, Relation] = {}
    bind: Bind | None = None
    examples: dict[Name, Example] = Field(min_length=1)


class Task(Part):
    """What the client makes of several operations by one method; an example is the arguments of a call.

    What comes of it is promised by the sequences that it is a step of.
    """

    summary: str | None = None
    call: Name
    examples: dict[Name, dict[Name, JsonValue]] = Field(min_length=1)


class Sequence(Part):
    """A promise that only several requests in a row can show.

    ``steps`` are examples (`operation/example`) by a name of their own; each promise is an expression over
    these names, each of them with its ``request`` and ``response``. A step may also be the example of a task
    (`task/example`), which has ``returned`` and, as the names of an error and its kinds, ``raised``.
    """

    given: str | None = None
    steps: dict[Name, Probe] = Field(min_length=1)
    promises: dict[Name, Expression] = Field(min_length=1)


class DrillRequest(ExampleRequest):
    """A request of a drill, by its parts and its operation."""

    operation: Name


class Change(DrillRequest):
    """What changes something, or nothing if the model doesn't know it; nothing is asked after it when it is not ``settled``."""

    settled: bool = True


class Drill(Part):
    """Changes in this order, and after each of them every question."""

    changes: list[Change] = Field(min_length=1)
    questions: list[DrillRequest] = Field(min_length=1)


class Stateful(Part):
    """Operations that answer as a simple model says, whatever was done before; ``given`` is where both start.

    What is done are their examples, in any order, and the ``drill``. ``questions`` are asked of many items that
    went out in one request: an operation of these, and an expression over the ``items`` for a map with ``body``,
    ``path`` and ``query``, or for a list of such maps.
    """

    model: DottedPath
    given: str
    operations: list[Name] = Field(min_length=1)
    questions: dict[Name, Expression] = {}
    drill: Drill | None = None


class ErrorShape(Part):
    """One of the provider's error bodies, with its media type.

    ``message`` is the JSON Pointer to the text for people in it; the empty pointer is the whole body.
    """

    media_type: str
    body: Schema
    message: Pointer = ""
    example: JsonValue


def _format(value: object) -> object:
    if type(value) is not int or value != 1:
        raise ValueError(f"{shown(value)} is no version of the format{ALLOWED}1")
    return value


class Contract(Part):
    """All that is promised between the consumer and one provider."""

    contract: Annotated[Literal[1], BeforeValidator(_format)]
    service: Service
    version: Version
    title: str
    consumer: Name
    description: str | None = None
    adapter: Adapter
    provider: Provider
    facts: dict[Name, JsonValue] = {}
    settings: dict[Name, JsonValue] = {}
    operations: dict[Name, Operation] = Field(min_length=1)
    states: dict[str, list[Probe]] = {}
    tasks: dict[Name, Task] = {}
    sequences: dict[Name, Sequence] = {}
    stateful: Stateful | None = None
    errors: dict[Name, ErrorShape] = {}
    schemas: dict[Name, Schema] = {}
    limits: Limits = Limits()
    resilience: Resilience = Resilience()
    failures: Failures = Failures()
    sla: Sla = Sla()
    load: dict[Name, LoadProfile] = {}
    traffic: Traffic | None = None
    monitoring: Monitoring | None = None
    evidence: list[Evidence] = []
    waivers: list[Waiver] = []
    proof: Proof = Proof()
