"""Filling the provider before a load, and taking away afterwards what was filled."""

from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from urllib.parse import urlsplit

from harness.contract.agreement import Agreement
from harness.contract.traffic import Maker, TrafficTerms
from harness.suites.load.traffic import Made, made

MOST_S = 600.0
SHOWN_CHARACTERS = 200


class FillFailed(Exception):
    """The provider did not take what it was to be filled with; the message says what it answered."""


class Filling:
    """Sends what a contract says under ``traffic:`` besides its requests, one after the other."""

    def __init__(
        self,
        agreement: Agreement,
        terms: TrafficTerms,
        *,
        base_url: str,
        credential_header: Mapping[str, str],
        say: Callable[[str], object],
    ) -> None:
        self._agreement, self._terms, self._say = agreement, terms, say
        self._base = urlsplit(base_url)
        self._own_headers = credential_header
        self._filled = False

    def fill(self) -> None:
        """Make what is filled and fill it, with what is done said at each tenth; FillFailed when the provider refuses.

        What is there already is left alone: a provider that refuses to make it anew is not filled.
        """
        if self._terms.fill is None:
            return
        deadline_s = monotonic() + MOST_S
        connection = self._connection()
        try:
            for maker in self._terms.before:
                self._send_all(connection, maker, deadline_s)
                self._filled = True
            self._send_all(connection, self._terms.fill, deadline_s, said=True)
        except BaseException:
            self.empty()
            raise
        finally:
            connection.close()

    def empty(self) -> None:
        """Take away what was filled, if anything; that this fails is only said."""
        if not self._filled:
            return
        self._filled = False
        connection = self._connection()
        try:
            for maker in self._terms.after:
                self._send_all(connection, maker, monotonic() + self._agreement.contract.provider.timeout)
        except FillFailed as error:
            self._say(f"what was filled is still there: {error}")
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self._base.scheme == "https" else HTTPConnection
        return kind(self._base.netloc, timeout=self._agreement.contract.provider.timeout)

    def _send_all(self, connection: HTTPConnection, maker: Maker, deadline_s: float, *, said: bool = False) -> None:
        began_s, sent, tenth = monotonic(), made(self._agreement, maker), 0
        for number in range(maker.times):
            if monotonic() > deadline_s:
                raise FillFailed(f"filling took longer than {MOST_S:.0f} s: {number} of {maker.times} requests")
            self._send(connection, sent, number)
            if said and 10 * (number + 1) // maker.times > tenth:
                tenth = 10 * (number + 1) // maker.times
                self._say(f"filling: {number + 1} of {maker.times} requests `{maker.operation}`, {monotonic() - began_s:.1f} s")

    def _send(self, connection: HTTPConnection, sent: Made, number: int) -> None:
        request = sent.request(number)
        target = self._base.path.rstrip("/") + request.target.removeprefix(self._agreement.base_path)
        where = f"`{sent.operation}` ({request.method} {target})"
        try:
            connection.request(request.method, target, body=request.body or None, headers={**dict(request.headers), **self._own_headers})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            raise FillFailed(f"filling stopped: {where} was not answered: {type(error).__name__}: {error}") from None
        if answer.status != sent.status:
            told = body[:SHOWN_CHARACTERS].decode("utf-8", "replace")
            expected = f"{answer.status} instead of {sent.status}"
            raise FillFailed(f"filling stopped: {where} was answered {expected}: {told}\n{_advice(answer.status)}")


def _advice(status: int) -> str:
    if status in (401, 403):
        return "set the credential that the contract names, or give another provider"
    return "a load fills only what it makes itself: take away what is there, or give another provider"
