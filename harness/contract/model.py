"""The format of a contract file: what may stand in it, key by key.

Frozen pydantic models, unknown keys forbidden. Times are seconds, sizes bytes, rates events per second and
percentages fractions once read; in the file each carries its unit (``harness.contract.units``). Expressions
are CEL (``harness.contract.expressions``).
"""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints, WithJsonSchema

from harness.contract.units import Duration, Percentage, Rate, Size

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.\-]*$", max_length=100)]
DottedPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
Credential = Annotated[str, StringConstraints(pattern=r"^\$\{[A-Z_][A-Z0-9_]*\}$")]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Schema = dict[str, Any]


def _status(value: object) -> object:
    if isinstance(value, str | int) and re.fullmatch(r"[1-5]\d\d", str(value)):
        return int(value)
    raise ValueError(f"`{value}` is not an HTTP status such as 200")


Status = Annotated[int, BeforeValidator(_status), WithJsonSchema({"type": ["string", "integer"], "pattern": r"^[1-5]\d\d$", "minimum": 100, "maximum": 599})]


def _day(value: object) -> object:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"`{value}` is not a date such as 2026-11-20") from None


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class Part(BaseModel):
    """A part of the contract file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, populate_by_name=True)


class Auth(Part):
    """How the client proves who it is; the credential is a reference to the environment."""

    scheme: Literal["bearer", "api_key"]
    header: str = "authorization"
    credential: Credential
    required: bool = True

    @property
    def variable(self) -> str:
        """The environment variable that holds the credential."""
        return self.credential[2:-1]


class Container(Part):
    """The provider's image, the ports it serves and the path that answers once it is ready."""

    image: str
    ports: list[int] = Field(min_length=1)
    ready: str
    environment: dict[str, str] = {}


class Provider(Part):
    """Where the provider is and how it is reached."""

    protocol: Literal["http", "http+grpc"] = "http"
    base_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^/\s?#]$")]
    timeout: Duration
    auth: Auth | None = None
    probe: Annotated[str, StringConstraints(pattern=r"^[\w.\-]+/[\w.\-]+$")]
    default: Literal["stub", "embedded", "container", "live"] = "stub"
    embedded: DottedPath | None = None
    container: Container | None = None


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


class Split(Part):
    """The argument that the client splits over several requests, and the items of one request."""

    argument: Name
    items: Expression


class Bind(Part):
    """Which method of the client an operation is.

    ``arguments`` computes the call from a request; ``result`` what the call returns from a response;
    ``returns`` reads that same value out of what the client really returned.
    """

    call: Name
    arguments: dict[Name, Expression] = {}
    result: Expression | None = None
    returns: Expression = "result"
    tolerance: float = 1e-6
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
    """A request that is known to be good, and possibly the response to it."""

    request: ExampleRequest
    response: ExampleResponse | None = None
    description: str | None = None


class Operation(Part):
    """One thing that the provider does for us."""

    summary: str | None = None
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
    path: Annotated[str, StringConstraints(pattern=r"^/[^\s?#]*$")]
    idempotent: bool
    cached: bool = False
    let: dict[Name, Expression] = {}
    cost: dict[Literal["items", "tokens"], Expression] = {}
    request: RequestBody = RequestBody()
    responses: dict[Status, ResponseShape] = Field(min_length=1)
    relations: dict[Name, Relation] = {}
    bind: Bind | None = None
    examples: dict[Name, Example] = Field(min_length=1)


class ErrorShape(Part):
    """One of the provider's error bodies, with its media type.

    ``message`` is the JSON Pointer to the text for people in it; the empty pointer is the whole body.
    """

    media_type: str
    body: Schema
    message: Annotated[str, StringConstraints(pattern=r"^(/[^/]+)*$")] = ""
    example: JsonValue


class BatchLimit(Part):
    """The most that one request may carry."""

    items: int | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    bytes: Size | None = None


class RateLimit(Part):
    """The most that any window of length ``per`` may see."""

    requests: int | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    per: Duration


class Limits(Part):
    """What our client never exceeds."""

    batch: BatchLimit | None = None
    rate: list[RateLimit] = []


Trouble = Annotated[
    int | Literal["timeout", "connection"],
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"enum": ["timeout", "connection"]}]}),
]


class Wait(Part):
    """Back-off: ``initial * multiplier**n`` capped at ``max``, plus up to ``jitter``; n counts from 0."""

    initial: Duration
    multiplier: float = Field(ge=1)
    max: Duration
    jitter: Duration


class RetryAfter(Part):
    """On which statuses the provider's own hint is waited out, with at least and at most so much added."""

    on: list[int] = Field(min_length=1)
    added: Annotated[list[Duration], Field(min_length=2, max_length=2)]


class Retry(Part):
    """When a request is repeated; ``attempts`` counts the first one too."""

    attempts: int = Field(ge=1)
    on: list[Trouble] = Field(min_length=1)
    never: list[int] = []
    wait: Wait
    retry_after: RetryAfter | None = None


class CircuitBreaker(Part):
    """Consecutive failures that open it, how long it stays open, successes that close it again."""

    failure_threshold: int = Field(ge=1)
    recovery_timeout: Duration
    half_open_successes: int = Field(ge=1)


class Cache(Part):
    """How long and how many results are kept."""

    ttl: Duration
    entries: int = Field(ge=1)


Pattern = Literal["circuit_breaker", "retry_with_backoff", "batch_processing", "rate_limited", "cached"]


class Policies(Part):
    """What is done about each kind of error, by the names the platform uses."""

    rate_limit: Literal["exponential_backoff"] | None = None
    timeout: Literal["retry_with_circuit_breaker", "circuit_breaker"] | None = None
    auth_failure: Literal["refresh_token"] | None = None
    server_error: Literal["retry_limited"] | None = None
    connection_error: Literal["retry_with_backoff"] | None = None


class Resilience(Part):
    """What the client promises to do when the provider fails."""

    patterns: list[Pattern] = []
    policies: Policies = Policies()
    retry: Retry | None = None
    circuit_breaker: CircuitBreaker | None = None
    cache: Cache | None = None
    budget: Duration | None = None


class Raises(Part):
    """The error that the client raises."""

    raises: Name


class Failures(Part):
    """What the client raises when there is no answer, or none that keeps the contract."""

    timeout: Raises | None = None
    connection: Raises | None = None
    invalid_response: Raises | None = None
    circuit_open: Raises | None = None
    deadline: Raises | None = None
    invalid_input: Raises | None = None


class Sla(Part):
    """Objectives, judged by the load suite."""

    availability: Percentage | None = None
    response_time_p50: Duration | None = None
    response_time_p95: Duration | None = None
    response_time_p99: Duration | None = None
    throughput: Rate | None = None
    error_rate: Percentage | None = None


class LoadProfile(Part):
    """An arrival rate held for a duration; ``mix`` weighs the operations."""

    rate: Rate
    duration: Duration
    mix: dict[Name, int] = {}
    users: int | None = Field(default=None, ge=1)


class Monitoring(Part):
    """How the integration is watched in production."""

    health_check_interval: Duration
    metrics: bool
    alert_on_failure: bool


class Difference(Part):
    """A place where a published description and this contract differ, and why that is accepted."""

    at: str
    because: str
    accepted: Day
    expires: Day


class Evidence(Part):
    """A published description that this contract was compared with."""

    spec: str
    url: str | None = None
    differs: list[Difference] = []


class Waiver(Part):
    """A clause (or ``prefix.*``) that may stay unchecked until a day, and why."""

    clause: str
    because: str
    until: Day


class Proof(Part):
    """The least share of mutants that the checks have to kill, and the mutants that are excused."""

    score: Percentage = 1.0
    waivers: list[Waiver] = []


class Contract(Part):
    """All that is promised between the consumer and one provider."""

    contract: Literal[1]
    service: Annotated[str, AfterValidator(str), StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]*$")]
    title: str
    consumer: Name
    description: str | None = None
    adapter: DottedPath
    provider: Provider
    facts: dict[Name, JsonValue] = {}
    settings: dict[Name, JsonValue] = {}
    operations: dict[Name, Operation] = Field(min_length=1)
    errors: dict[Name, ErrorShape] = {}
    schemas: dict[Name, Schema] = {}
    limits: Limits = Limits()
    resilience: Resilience = Resilience()
    failures: Failures = Failures()
    sla: Sla = Sla()
    load: dict[Name, LoadProfile] = {}
    monitoring: Monitoring | None = None
    evidence: list[Evidence] = []
    waivers: list[Waiver] = []
    proof: Proof = Proof()
