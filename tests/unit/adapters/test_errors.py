"""Rules of the errors: typed by status, short, picklable, silent about secrets."""

import copy
import pickle
import traceback

import pytest

from adapters import errors
from adapters.errors import (
    AuthenticationFailed,
    CircuitOpen,
    Conflict,
    DeadlineExceeded,
    IntegrationError,
    InvalidInput,
    InvalidRequest,
    InvalidResponse,
    NotFound,
    PermissionDenied,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    TransportError,
    for_status,
    named,
    redacted,
)

EVERY_ERROR = [
    *(
        kind(status=418, detail="short and stout", retry_after_s=2.5)
        for kind in (ProviderError, InvalidRequest, AuthenticationFailed, PermissionDenied, NotFound)
    ),
    Conflict(status=409),
    RateLimited(status=429, retry_after_s=30.0),
    ProviderUnavailable(status=503, detail="back soon"),
    TransportError("no answer"),
    ProviderTimeout("no answer in 60 s"),
    ProviderUnreachable("connection refused"),
    InvalidResponse("not JSON"),
    CircuitOpen(retry_in_s=12.0),
    CircuitOpen(retry_in_s=None),
    DeadlineExceeded("180 s used up"),
    InvalidInput("an empty text"),
]


def test_the_list_above_is_complete() -> None:
    declared = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, IntegrationError)
    }
    assert declared - {IntegrationError} == {type(error) for error in EVERY_ERROR}


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy], ids=["pickle", "copy"]
)
def test_every_error_survives_a_process_boundary(error: IntegrationError, again: object) -> None:
    twin = again(error)  # type: ignore[operator]  # a parameter of the test
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert vars(twin) == vars(error)


def test_an_error_with_fields_of_its_own_is_picklable_without_more_ado() -> None:
    twin = pickle.loads(pickle.dumps(_Quota(plan="free")))
    assert (twin.plan, twin.status, str(twin)) == (
        "free",
        429,
        "the provider answered 429: over the free plan",
    )


class _Quota(RateLimited):
    def __init__(self, *, plan: str) -> None:
        super().__init__(status=429, detail=f"over the {plan} plan")
        self.plan = plan


def test_a_message_says_status_detail_and_hint() -> None:
    error = RateLimited(status=429, detail="slow\n  down", retry_after_s=30.0)
    assert str(error) == "the provider answered 429: slow down (retry after 30 s)"


def test_what_the_caller_needs_to_react_is_in_fields() -> None:
    error = RateLimited(status=429, detail="slow down", retry_after_s=30.0)
    assert (error.status, error.detail, error.retry_after_s) == (429, "slow down", 30.0)
    assert CircuitOpen(retry_in_s=12.0).retry_in_s == 12.0


def test_a_message_stays_short_and_the_detail_complete() -> None:
    error = ProviderUnavailable(status=502, detail="<html>" + "x" * 10_000)
    assert len(str(error)) < 400
    assert len(error.detail) == 10_006


def test_an_open_circuit_says_when_to_come_back() -> None:
    assert str(CircuitOpen(retry_in_s=59.97)) == "the circuit is open: next probe in 60 s"
    assert str(CircuitOpen(retry_in_s=None)) == "the circuit is open: probes are under way"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthenticationFailed),
        (403, PermissionDenied),
        (404, NotFound),
        (409, Conflict),
        (418, ProviderError),
        (422, InvalidRequest),
        (429, RateLimited),
        (500, ProviderUnavailable),
        (529, ProviderUnavailable),
    ],
)
def test_an_undeclared_status_has_an_error_by_its_meaning(status: int, kind: type[ProviderError]) -> None:
    assert for_status(status) is kind


def test_a_contract_names_errors_by_their_class() -> None:
    assert named("RateLimited") is RateLimited
    assert named("ProviderUnavailable") is ProviderUnavailable
    with pytest.raises(ValueError, match=r"no error is called 'RateLimit'; there are: .*RateLimited"):
        named("RateLimit")


def test_refused_input_is_also_a_value_error() -> None:
    assert isinstance(InvalidInput("no"), ValueError)


def test_a_key_that_the_provider_sends_back_is_redacted_also_within_a_longer_one() -> None:
    text = redacted("Incorrect API key: pa-12345, also pa-123", ["pa-123", "pa-12345", ""])
    assert text == "Incorrect API key: [redacted], also [redacted]"
    error = AuthenticationFailed(status=401, detail=redacted("bad key pa-12345", ["pa-12345"]))
    assert "pa-12345" not in repr(error) + "".join(traceback.format_exception(error))
