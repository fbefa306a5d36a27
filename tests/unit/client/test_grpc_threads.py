"""What gRPC tells of a timeout is less the later it gets to it; what the client gave is known all the same."""

import pytest

pytest.importorskip("grpc", reason="grpcio is not installed: pip install 'contract-harness[qdrant]'")

from grpc import _channel as blocking
from grpc.aio import _channel

from harness.client.grpc_threads import given_for, running


@pytest.mark.parametrize(("told_s", "given_s"), [(30, 30), (29.9, 30), (24.2, 30), (17.4, 17.345), (12.4, 12.345), (12.3, 12.345), (0.4, 0.4)])
def test_a_timeout_is_known_by_what_is_left_of_it_or_by_its_first_digits(told_s: float, given_s: float) -> None:
    with running():
        for seconds in (30, 17.345, 12.345):
            blocking._deadline(seconds)
        _channel._timeout_to_deadline(0.4)
        _channel._timeout_to_deadline(None)
        assert given_for(told_s) == given_s


def test_one_that_no_client_here_gave_is_as_it_is_told() -> None:
    with running():
        assert given_for(29.9) == 29.9
        blocking._deadline(5)
        assert given_for(29.9) == 29.9
