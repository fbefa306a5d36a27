"""Each lying provider is caught, with the clause it breaks and its place; the honest one has nothing to fear."""

import pytest

from tests.miniatures.providers import LIES
from tests.miniatures.roll import PROVIDERS, Liar
from tests.miniatures.trying import findings, place_of, verdicts

CASES = sorted({case for liar in PROVIDERS for case in liar.cases})


@pytest.mark.parametrize("liar", PROVIDERS, ids=lambda liar: liar.name)
def test_a_lying_provider_is_caught(liar: Liar) -> None:
    found = {finding.clause: finding for finding in findings(verdicts(liar.cases, lie=liar.name))}
    assert liar.clause in found
    assert found[liar.clause].place == place_of(liar.clause)
    assert found[liar.clause].curl.startswith("curl -X POST")


@pytest.mark.parametrize("case", CASES)
def test_the_honest_provider_is_not_suspected(case: str) -> None:
    assert findings(verdicts([case])) == []


def test_every_lie_is_on_the_roll() -> None:
    assert {liar.name for liar in PROVIDERS} == set(LIES)
    assert len(PROVIDERS) >= 15
