"""What was really exchanged keeps our contracts: every shipped cassette, whoever answered it and whenever."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.suites.cassette.meaning import Recorded
from harness.suites.cassette.secrets import Secrets
from harness.suites.cassette.tape import read_tape

ROOT = Path(__file__).parents[3]
TAPES = sorted(path.relative_to(ROOT / "cassettes") for path in (ROOT / "cassettes").rglob("*.yaml"))
LIVE = Path("voyage_ai/query-voyage-3.5-200.yaml")


def exchanges_of(tape: Path) -> list[Recorded]:
    agreement = agreement_of(tape)
    read = read_tape(ROOT / "cassettes" / tape, shown_as=str(tape), secrets=Secrets())
    return [Recorded(agreement, exchange) for exchange in read.exchanges]


_read: dict[Path, Agreement] = {}


def agreement_of(tape: Path) -> Agreement:
    path = (ROOT / "contracts" / tape.parent).with_name(f"{tape.parent.name}.yaml")
    if path not in _read:
        _read[path] = load(path, root=ROOT)
    return _read[path]


@pytest.mark.parametrize("tape", TAPES, ids=str)
def test_what_was_recorded_keeps_the_contract(tape: Path) -> None:
    recorded = exchanges_of(tape)
    assert recorded, "the cassette is empty"
    assert {clause for each in recorded for clause in each.breaches} == set()
    assert all(each.seen.terms is not None for each in recorded)  # of an operation that the contract has


@pytest.mark.parametrize(("honest", "lie"), [(b'"total_tokens"', b'"tokens"'), (b'"index":0', b'"index":"0"'), (b'"list"', b'"heap"')])
def test_a_recording_that_does_not_is_found(honest: bytes, lie: bytes) -> None:
    (known,) = exchanges_of(LIVE)
    response = known.exchange.response
    assert response is not None
    changed = response.body.replace(b" ", b"").replace(honest, lie)
    assert changed != response.body.replace(b" ", b"")
    assert Recorded(known.agreement, replace(known.exchange, response=replace(response, body=changed))).breaches
