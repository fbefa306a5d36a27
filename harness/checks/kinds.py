"""Which checks judge which kind of clause, for people who ask; the checks themselves need no such list."""

from collections.abc import Mapping

from harness.contract.clauses import Kind

JUDGED_BY: Mapping[Kind, tuple[str, ...]] = {
    Kind.TIMEOUT: ("attempts", "hangs"),
    Kind.AUTH: ("credential",),
    Kind.SECRECY: ("credential", "secrecy"),
    Kind.PROBE: ("examples",),
    Kind.ENDPOINT: ("requests",),
    Kind.IDEMPOTENCE: ("attempts",),
    Kind.RULE: ("requests", "responses"),
    Kind.DEFAULT: ("arguments",),
    Kind.SCHEMA: ("requests", "responses"),
    Kind.STATUS: ("credential", "responses", "states"),
    Kind.MEDIA_TYPE: ("requests", "responses"),
    Kind.ERROR_SHAPE: ("responses",),
    Kind.RAISES: ("outcome",),
    Kind.HEADER: ("requests", "responses"),
    Kind.INVARIANT: ("responses",),
    Kind.RELATION: ("relations",),
    Kind.SEQUENCE: ("sequences",),
    Kind.STATEFUL: ("stateful",),
    Kind.ARGUMENT: ("arguments",),
    Kind.RESULT: ("outcome",),
    Kind.REPORT: ("report",),
    Kind.EXAMPLE: ("examples",),
    Kind.BATCH: ("requests",),
    Kind.RATE: ("rate",),
    Kind.PATTERN: ("policies",),
    Kind.POLICY: ("policies", "refresh"),
    Kind.RETRY: ("attempts",),
    Kind.BREAKER: ("breaker",),
    Kind.CACHE: ("cache",),
    Kind.BUDGET: ("attempts", "hangs"),
    Kind.FAILURE: ("breaker", "outcome"),
    Kind.SLA: ("sla",),
    Kind.MONITORING: ("monitoring",),
    Kind.DIFFERENCE: ("terms",),
}
