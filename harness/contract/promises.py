"""What the consumer promises besides the interface: limits, resilience, objectives, load, evidence and proof.

Times are seconds, sizes bytes, rates events per second and percentages fractions once read; in the file each
carries its unit.
"""

# ruff: noqa: RUF012 -- pydantic copies the default of each field, and the models are frozen

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from harness.contract.problems import ALLOWED, shown
from harness.contract.units import Duration, Percentage, PositiveDuration, Rate, Size
from harness.contract.words import Day, Expression, Name, Part


class BatchLimit(Part):
    """The most that one request may carry."""

    items: int | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    bytes: Size | None = None


class RateLimit(Part):
    """The most that any window of length ``per`` may see."""

    requests: int | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    per: PositiveDuration


class Limits(Part):
    """What our client never exceeds."""

    batch: BatchLimit | None = None
    rate: list[RateLimit] = []


def _trouble(value: object) -> object:
    if value in ("timeout", "connection") or (type(value) is int and 100 <= value <= 599):
        return value
    raise ValueError(f"{shown(value)} is nothing to retry on{ALLOWED}a status such as 429, `timeout`, `connection`")


_TROUBLE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"enum": ["timeout", "connection"]}]}
Trouble = Annotated[int | Literal["timeout", "connection"], BeforeValidator(_trouble), WithJsonSchema(_TROUBLE_SCHEMA)]
Code = Annotated[int, Field(ge=100, le=599)]


class Wait(Part):
    """Back-off: ``initial * multiplier**n`` capped at ``max``, plus up to ``jitter``; n counts from 0."""

    initial: Duration
    multiplier: float = Field(default=1.0, ge=1)
    max: Duration
    jitter: Duration


class RetryAfter(Part):
    """On which statuses the provider's own hint is waited out, with at least and at most so much added."""

    on: list[Code] = Field(min_length=1)
    added: Annotated[list[Duration], Field(min_length=2, max_length=2)]


class Retry(Part):
    """When a request is repeated; ``attempts`` counts the first one too."""

    attempts: int = Field(ge=1)
    on: list[Trouble] = Field(min_length=1)
    never: list[Code] = []
    wait: Wait
    retry_after: RetryAfter | None = None


class CircuitBreaker(Part):
    """Consecutive failures that open it, how long it stays open, successes that close it again."""

    failure_threshold: int = Field(ge=1)
    recovery_timeout: PositiveDuration
    half_open_successes: int = Field(ge=1)


class Cache(Part):
    """How long and how many results are kept."""

    ttl: PositiveDuration
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
    budget: PositiveDuration | None = None


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
    response_time_p50: PositiveDuration | None = None
    response_time_p95: PositiveDuration | None = None
    response_time_p99: PositiveDuration | None = None
    throughput: Rate | None = None
    error_rate: Percentage | None = None


class LoadProfile(Part):
    """An arrival rate held for a duration; ``mix`` weighs the operations, ``fill`` is how often the traffic's fill is sent before."""

    rate: Rate
    duration: PositiveDuration
    mix: dict[Name, Annotated[int, Field(ge=1)]] = {}
    users: int | None = Field(default=None, ge=1)
    fill: int = Field(default=0, ge=0)


class Step(Part):
    """Requests of one operation; ``request`` makes one from its ``number``: a map with ``body``, ``path`` and ``query``."""

    operation: Name
    request: Expression


class Repeated(Step):
    """As many of them as ``times``."""

    times: int = Field(default=1, ge=1)


class Traffic(Part):
    """What is sent under load where the examples say too little.

    Every expression sees ``number``, another one for each request, ``fill``, how often the provider was filled,
    and ``seed``. ``before`` makes what is filled, ``after`` takes it away; ``requests`` are those of an operation, in turn.
    """

    let: dict[Name, Expression] = {}
    before: list[Repeated] = []
    fill: Step | None = None
    after: list[Repeated] = []
    requests: dict[Name, dict[Name, Expression]] = {}


class Monitoring(Part):
    """How the integration is watched in production."""

    health_check_interval: PositiveDuration
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
