"""All checks, and the one way to apply them: every check looks at every observation."""

from collections.abc import Callable, Iterator

from harness.checks.arguments import check_arguments
from harness.checks.attempts import check_attempts
from harness.checks.breaker import check_breaker
from harness.checks.cache import check_cache
from harness.checks.credential import check_credential
from harness.checks.examples import check_examples
from harness.checks.hangs import check_hangs
from harness.checks.monitoring import check_monitoring
from harness.checks.outcome import check_outcome
from harness.checks.policies import check_refresh, follow_up
from harness.checks.rate import check_rate
from harness.checks.relations import check_relations
from harness.checks.repeats import check_repeats
from harness.checks.report import check_report
from harness.checks.requests import check_requests
from harness.checks.responses import check_responses
from harness.checks.secrecy import check_secrecy
from harness.checks.sequences import check_sequences
from harness.checks.sight import Sight
from harness.checks.sla import check_sla
from harness.checks.stateful import check_stateful
from harness.checks.states import check_states
from harness.checks.terms import check_terms
from harness.contract.agreement import Agreement
from harness.exchange import Observation
from harness.verdict import Judgement

Check = Callable[[Sight], Iterator[Judgement]]

CHECKS: tuple[Check, ...] = (
    check_requests,
    check_arguments,
    check_credential,
    check_responses,
    check_states,
    check_repeats,
    check_relations,
    check_sequences,
    check_stateful,
    check_examples,
    check_outcome,
    check_report,
    check_attempts,
    check_hangs,
    check_breaker,
    check_rate,
    check_cache,
    check_refresh,
    check_secrecy,
    check_monitoring,
    check_sla,
    check_terms,
)


def judge(agreement: Agreement, observation: Observation) -> Iterator[Judgement]:
    """What all checks say about an observation."""
    sight = Sight(agreement, observation)
    yield from follow_up(agreement, (judgement for check in CHECKS for judgement in check(sight)))
