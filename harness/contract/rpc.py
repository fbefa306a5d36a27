"""What gRPC's statuses mean: in the terms of HTTP, in which a contract declares failures, and to a client that gets one."""

from collections.abc import Mapping

STATUS_NAMES: Mapping[int, str] = dict(
    enumerate(
        (
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        )
    )
)

# "HTTP Mapping" in https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto; a contract names what its
# provider means otherwise under `provider.grpc.statuses`.
HTTP_STATUSES: Mapping[int, int] = {
    1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503, 15: 500, 16: 401,
}  # fmt: skip

# What the library says by itself where no answer came, so that nobody can tell it from the provider's own words; as with any lost
# answer, what was asked for may have been done: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
WITHOUT_ANSWER: Mapping[int, str] = {4: "timeout", 14: "connection"}


USUAL = frozenset({3, 5, 6, 7, 8, 13, 14, 16})  # of those that mean the same, what says nothing more exact


def http_statuses(declared: Mapping[int, int]) -> Mapping[int, int]:
    """HTTP's status for each of gRPC's, with what a contract declares."""
    return {**HTTP_STATUSES, **declared}


def status_for(http_status: int, declared: Mapping[int, int]) -> int | None:
    """The status of gRPC that says what one of HTTP does, the usual one if there are several; None if there is none."""
    found = [code for code, meant in http_statuses(declared).items() if meant == http_status]
    return min(found, key=lambda code: (code not in USUAL, code), default=None)
