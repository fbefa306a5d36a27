"""Who answers a client's calls over gRPC in place of the provider, or changes what it says: the faults of a case, and a liar."""

from collections.abc import Callable
from typing import Protocol

from harness.client.meaning import Meaning
from harness.exchange import Request, Response
from harness.wire.rpc import Answer, Asked, Said

RpcFaultOf = Callable[[int], Said | None]


class Liar(Protocol):
    """A provider that lies over gRPC, in the terms of the contract."""

    def made_up(self, request: Request) -> Response | None:
        """An answer without asking the provider; None to ask it."""
        ...

    def lie(self, request: Request, response: Response) -> Response:
        """The answer in place of the provider's own."""
        ...

    def has_told(self) -> None:
        """Its last word could be said, and was."""
        ...


class Interposed:
    """Answers the calls that ``script`` has a fault for, by their number from 0; of the others ``liar`` has its say."""

    def __init__(self, meaning: Meaning, *, script: RpcFaultOf | None, liar: Liar | None) -> None:
        self._meaning, self._script, self._liar = meaning, script, liar
        self._number = 0

    def instead(self, asked: Asked) -> Said | None:
        number, self._number = self._number, self._number + 1
        fault = self._script(number) if self._script else None
        if fault is not None or self._liar is None:
            return fault
        request = self._request(asked)
        made_up = self._liar.made_up(request)
        return None if made_up is None else self._put(asked, request, made_up)

    def after(self, asked: Asked, said: Said) -> Said:
        if self._liar is None:
            return said
        request = self._request(asked)
        honest = self._meaning.heard(request, asked.method, said)
        lie = self._liar.lie(request, honest)
        return said if lie == honest else self._put(asked, request, lie, honest, said) or said

    def _request(self, asked: Asked) -> Request:
        return self._meaning.request(asked.method, asked.metadata, asked.message)

    def _put(self, asked: Asked, request: Request, lie: Response, honest: Response | None = None, said: Said | None = None) -> Said | None:
        """The lie as gRPC says it; None for what it can't say."""
        like = said.message if isinstance(said, Answer) else b""
        try:
            told = self._meaning.said(request, asked.method, lie, honest=honest, like=like)
        except ValueError:
            return None
        if self._liar is not None:
            self._liar.has_told()
        return told
