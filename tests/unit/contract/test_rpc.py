"""gRPC's statuses beside HTTP's: by google.rpc.Code, and by what a contract says otherwise."""

from pathlib import Path

import pytest

from harness.contract.catalog import load
from harness.contract.problems import ContractError
from harness.contract.rpc import HTTP_STATUSES, STATUS_NAMES, WITHOUT_ANSWER, http_statuses, status_for

ROOT = Path(__file__).parents[3]
QDRANT = ROOT / "contracts" / "qdrant" / "v1.16.yaml"


def test_every_failure_of_grpc_means_one_of_http() -> None:
    assert HTTP_STATUSES.keys() == STATUS_NAMES.keys() - {0}
    assert WITHOUT_ANSWER.keys() < HTTP_STATUSES.keys()


def test_the_names_are_grpcs_own() -> None:
    grpc = pytest.importorskip("grpc")
    assert {status.value[0]: status.name for status in grpc.StatusCode} == STATUS_NAMES


def test_a_contract_names_what_its_provider_means_otherwise() -> None:
    declared = load(QDRANT, root=ROOT).contract.provider.grpc
    assert declared is not None
    assert http_statuses(declared.statuses)[4] == 408
    assert http_statuses(declared.statuses)[13] == HTTP_STATUSES[13]


@pytest.mark.parametrize(("http", "code"), [(400, 3), (401, 16), (408, 4), (404, 5), (429, 8), (500, 13), (503, 14), (418, None), (422, None)])
def test_of_several_statuses_the_usual_one_says_it(http: int, code: int | None) -> None:
    assert status_for(http, {4: 408, 9: 500, 12: 404}) == code


@pytest.mark.parametrize("key", ["OK", "NOT_FUOND", "5"])
def test_what_is_no_failure_of_grpc_is_a_mistake(key: str, tmp_path: Path) -> None:
    path = tmp_path / "v1.16.yaml"
    path.write_text(QDRANT.read_text("utf-8").replace("DEADLINE_EXCEEDED: 408", f"{key}: 408"), "utf-8")
    with pytest.raises(ContractError, match=rf"v1\.16\.yaml:\d+:\d+: `{key}` is no failure of gRPC"):
        load(path, root=tmp_path)
