"""The errors that every client raises: typed, short, picklable, and never a credential in them."""

import re
from collections.abc import Iterable

_LONGEST_DETAIL = 300


class IntegrationError(Exception):
    """Whatever goes wrong between a client and its provider."""

    def __reduce__(self) -> tuple[object, ...]:
        # Exception's own way calls __init__ with args, which keyword-only constructors refuse.
        return _revived, (type(self), self.args, dict(self.__dict__))


class ProviderError(IntegrationError):
    """The provider answered, and the answer is an error; `detail` is the provider's own text."""

    def __init__(self, *, status: int, detail: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(_answer(status, detail, retry_after_s))
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s


class InvalidRequest(ProviderError):
    """The provider refused the request as malformed or too large."""


class AuthenticationFailed(ProviderError):
    """The provider did not accept the credential."""


class PermissionDenied(ProviderError):
    """The credential is good, but not for this."""


class NotFound(ProviderError):
    """There is nothing under this name."""


class Conflict(ProviderError):
    """The request contradicts the present state of the resource."""


class RateLimited(ProviderError):
    """The rate limit is used up; `retry_after_s` is the provider's hint, if it gave one."""


class ProviderUnavailable(ProviderError):
    """The provider failed on its own side (5xx)."""


class TransportError(IntegrationError):
    """No complete answer came back."""


class ProviderTimeout(TransportError):
    """The provider did not answer in time."""


class ProviderUnreachable(TransportError):
    """The connection could not be made, or was lost."""


class InvalidResponse(IntegrationError):
    """The provider answered with success, and with something that its contract does not allow."""


class CircuitOpen(IntegrationError):
    """Nothing was sent, because the provider keeps failing.

    `retry_in_s` is when the circuit lets a probe through; None while probes are under way.
    """

    def __init__(self, *, retry_in_s: float | None) -> None:
        when = "probes are under way" if retry_in_s is None else f"next probe in {retry_in_s:.3g} s"
        super().__init__(f"the circuit is open: {when}")
        self.retry_in_s = retry_in_s


class DeadlineExceeded(IntegrationError):
    """The call used up its time budget, or its next wait would; the cause is the last error, if any."""


class InvalidInput(IntegrationError, ValueError):
    """The caller asked for what cannot be; nothing was sent."""


_BY_STATUS: dict[int, type[ProviderError]] = {
    400: InvalidRequest,
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}


def for_status(status: int) -> type[ProviderError]:
    """The error of a status that the contract does not declare."""
    return _BY_STATUS.get(status, ProviderUnavailable if status >= 500 else ProviderError)


def named(name: str) -> type[ProviderError]:
    """The error that a contract's `raises` names; ValueError says which there are."""
    errors: list[type[ProviderError]] = [ProviderError, ProviderUnavailable, *_BY_STATUS.values()]
    known = {error.__name__: error for error in errors}
    if name not in known:
        raise ValueError(f"no error is called {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def redacted(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets: some providers send the key back in their error message."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "[redacted]")
    return text


def _answer(status: int, detail: str, retry_after_s: float | None) -> str:
    line = re.sub(r"\s+", " ", detail).strip()
    if len(line) > _LONGEST_DETAIL:
        line = line[:_LONGEST_DETAIL] + "…"
    hint = "" if retry_after_s is None else f" (retry after {retry_after_s:.3g} s)"
    return f"the provider answered {status}" + (f": {line}" if line else "") + hint


def _revived(
    cls: type[IntegrationError], args: tuple[object, ...], state: dict[str, object]
) -> IntegrationError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error
