"""A client that takes objects of its own classes, wraps what it meets and answers with little: bound by YAML alone."""

from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness.client.attribution import Span, owners
from harness.client.binding import Binding, bind
from harness.client.driver import Trial, play
from harness.client.scenario import Invoke
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.contract.problems import ContractError
from harness.exchange import Exchange, Raised, Request, Response, Returned
from harness.provider.stubbed import StubProvider
from harness.wire.faults import ResetPeer

from .conftest import ROOT


@dataclass
class Wanted:
    query: str
    documents: list[str]


class Wrapped(Exception):
    pass


class Typed:
    """Takes a Wanted, and says of what went wrong only that something did."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"})

    def rank(self, wanted: Wanted, *more: object) -> str:
        try:
            body = {"query": wanted.query, "documents": wanted.documents, "model": "rerank-2.5"}
            self._http.post("/rerank", json=body).raise_for_status()
        except Exception as error:
            raise Wrapped("no") from error
        return "done"


FILE = """
client: 1
contract: voyage_ai
title: typed
target: {target}
make: {{url: base_url, key: credential}}
operations:
  rerank:
    call: rank
    arguments: {{wanted: '{{"query": request.body.query, "documents": documents}}'}}
    types: {{{types}}}
    returns: '{{"said": result, "of": arguments.wanted.documents}}'
errors: {{ProviderUnreachable: [Wrapped from NetworkError, Wrapped from ProtocolError], ProviderTimeout: [Wrapped from TimeoutException]}}
"""
WANTED = f"{__name__}:Wanted"


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


def bound(agreement: Agreement, folder: Path, types: str) -> Binding:
    (folder / "typed.yaml").write_text(FILE.format(target=f"{__name__}:Typed", types=types), "utf-8")
    return bind(agreement, str(folder / "typed.yaml"))


def ended(binding: Binding, *, broken: bool = False) -> object:
    provider = StubProvider(binding.agreement)
    body = {"query": "q", "documents": ["a", "b"], "model": "rerank-2.5"}
    trial = Trial(
        binding=binding,
        upstream=provider.upstream,
        credential=provider.credential,
        script=(lambda number, request: ResetPeer()) if broken else None,
    )
    invoke = Invoke(operation="rerank", parts={"body": body, "query": {}, "path": {}, "headers": {}})
    return play(trial, (invoke,)).calls[0].ending


def test_an_argument_is_made_of_its_class_and_seen_in_what_is_returned(agreement: Agreement, tmp_path: Path) -> None:
    ending = ended(bound(agreement, tmp_path, f"wanted: {WANTED}"))
    assert isinstance(ending, Returned)
    assert ending.value == {"said": "done", "of": ["a", "b"]}


def test_an_argument_without_a_class_stays_what_it_is(agreement: Agreement, tmp_path: Path) -> None:
    ending = ended(bound(agreement, tmp_path, ""))
    assert isinstance(ending, Raised)
    assert ending.type == "Wrapped"  # a mapping has no field `query`


def test_a_class_for_no_argument_is_a_problem_of_the_file(agreement: Agreement, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="`other` is none of the arguments"):
        bound(agreement, tmp_path, f"other: {WANTED}")


def test_an_error_is_known_by_what_it_came_from(agreement: Agreement, tmp_path: Path) -> None:
    ending = ended(bound(agreement, tmp_path, f"wanted: {WANTED}"), broken=True)
    assert isinstance(ending, Raised)
    assert "ProviderUnreachable" in ending.bases
    assert "ProviderTimeout" not in ending.bases


def test_of_calls_that_look_alike_the_one_that_ends_first_gets_the_request(agreement: Agreement) -> None:
    """Three calls at once; the request of the third comes first, and the third has ended before the others send theirs."""
    sent = Exchange(request=Request(method="GET", target="/none"), response=Response(status=200), started_s=0.0, ended_s=0.0)
    spans = [Span(operation="rerank", arguments={}, first=0, last=last) for last in (3, 3, 1)]
    assert set(owners(agreement, [sent] * 3, [None] * 3, spans)) == {0, 1, 2}
