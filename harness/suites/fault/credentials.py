"""The credential put to the test: read again when it is refused, and shown to nobody."""

import json
from collections.abc import Iterator
from dataclasses import replace

from harness.client.scenario import ChangeCredential
from harness.contract.agreement import OperationTerms
from harness.exchange import Request, Response
from harness.provider.stub import with_message
from harness.suites.fault.catalogue import FaultOf, always
from harness.suites.fault.ordeal import Ordeal, ordeal
from harness.suites.staging import Staging
from harness.wire.faults import Answer, Fault

SECRECY = "provider.auth.credential"


def credential_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """Every way to try what the client does with its credential."""
    if staging.setting.agreement.contract.provider.auth is None:
        return
    yield from _changes(staging, terms)
    if staging.setting.agreement.contract.provider.auth.echoed:
        yield from _echoes(staging, terms)
    yield Ordeal(
        name="redirected-elsewhere",
        execute=lambda: staging.observe(replace(staging.trial(), script=_elsewhere), (staging.invoke(terms.name),)),
        aims=(SECRECY, "failures.invalid_response.raises"),
    )


def _changes(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    refused = next((status for status, shape in terms.model.responses.items() if shape.when == "unauthenticated"), None)
    if refused is None or not staging.setting.provider.takes_states:
        return
    changed = ChangeCredential(to=f"{staging.setting.provider.credential}-rotated")
    scenario = (staging.fresh(terms, 1), changed, staging.fresh(terms, 2))
    yield ordeal(staging, "credential-changes", scenario, None, "resilience.policies.auth_failure")
    in_vain: FaultOf = lambda number: staging.declared(terms.name, refused) if number else None
    yield ordeal(staging, "credential-changes-in-vain", scenario, in_vain, "resilience.policies.auth_failure")


def _echoes(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """Some providers send the key back in what they say of an error."""
    credential = staging.setting.provider.credential
    for status, shape in terms.model.responses.items():
        if shape.error and shape.raises:
            error = staging.setting.agreement.contract.errors[shape.error]
            echo = staging.stub.declared(terms.name, status)
            told = with_message(error.example, error.message, f"The key {credential} is of no use here.")
            body = told.encode() if isinstance(told, str) and not error.media_type.endswith("json") else json.dumps(told).encode()
            loud = always(Answer(response=replace(echo, body=body)))
            yield ordeal(staging, f"credential-echoed-in-{status}", (staging.invoke(terms.name),), loud, SECRECY)


def _elsewhere(number: int, request: Request) -> Fault | None:
    """The way to another authority: a name of this machine where the provider has its number, else one that nobody has."""
    there = request.origin.replace("127.0.0.1", "localhost") if "127.0.0.1" in request.origin else "https://elsewhere.invalid"
    moved = Response(status=307, headers=(("location", there + request.target), ("content-type", "text/plain")), body=b"moved")
    return Answer(response=moved) if number == 0 else None
