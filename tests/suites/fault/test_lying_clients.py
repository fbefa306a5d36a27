"""Each lying client is caught, with the clause it breaks and its place; honest ones have nothing to fear."""

import pytest

from tests.miniatures.roll import CLIENTS, Liar
from tests.miniatures.trying import findings, place_of, verdicts

HONEST = [f"tests.miniatures.clients.{style}:Honest" for style in ("over_urllib", "over_requests", "over_aiohttp")]
CASES = sorted({case for liar in CLIENTS for case in liar.cases})


@pytest.mark.parametrize("liar", CLIENTS, ids=lambda liar: liar.name.rpartition(".")[2])
def test_a_lying_client_is_caught(liar: Liar) -> None:
    pytest.importorskip("aiolimiter")
    limit_s = 1.0 if liar.name.endswith("Spinning") else 30.0
    found = {finding.clause: finding for finding in findings(verdicts(liar.cases, client=liar.name, real_limit_s=limit_s))}
    assert liar.clause in found
    assert found[liar.clause].place == place_of(liar.clause)
    assert place_of(liar.clause).startswith("contracts/voyage_ai.yaml:")


@pytest.mark.parametrize("case", CASES)
def test_the_reference_client_is_not_suspected(case: str) -> None:
    assert findings(verdicts([case])) == []


@pytest.mark.parametrize("client", HONEST, ids=lambda client: client.rpartition(".")[2])
def test_an_honest_client_of_another_style_is_not_suspected(client: str) -> None:
    assert findings(verdicts(CASES, client=client)) == []


def test_the_roll_is_long_and_has_no_repeats() -> None:
    names = [liar.name for liar in CLIENTS]
    assert len(names) == len(set(names)) >= 15
    assert len({liar.clause for liar in CLIENTS}) >= 30
