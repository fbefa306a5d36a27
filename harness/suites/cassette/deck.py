"""vcrpy, which plays and records cassettes: the only module that knows it, and it is imported when first needed."""

import logging
import os
import tempfile
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from harness.contract.agreement import Agreement
from harness.exchange import Exchange, Request, Response
from harness.extras import installed_by
from harness.suites.cassette.meaning import Recorded, same_request
from harness.suites.cassette.secrets import Secrets
from harness.suites.cassette.tape import Label, Tape, read_tape

MODES = ("none", "new_episodes", "once", "all")


class EngineMissing(Exception):
    """vcrpy is not installed; the message says how to get it."""


class UnknownMode(ValueError):
    """There is no such record mode; the message says which there are."""


class NotWritten(Exception):
    """A recording can't be kept: the file is as it was before."""


def engine() -> Any:
    """The module ``vcr``; it logs nothing (what it logs are requests)."""
    logging.getLogger("vcr").setLevel(logging.CRITICAL)
    try:
        import vcr  # type: ignore[import-untyped]  # it ships no types
    except ModuleNotFoundError as error:
        raise EngineMissing(installed_by("vcr")) from error
    return vcr


class Deck:
    """One cassette in vcrpy's hands, under one of its record modes.

    vcrpy keeps, matches and counts; where a recording comes from and goes to is decided here, so that what
    is read is safe, and what is written is whole and holds no secret.
    """

    def __init__(self, path: Path, tape: Tape | None, *, mode: str, agreement: Agreement, secrets: Secrets) -> None:
        if mode not in MODES:
            raise UnknownMode(f"there is no record mode `{mode}`; there are: {', '.join(MODES)}")
        self._vcr = engine()
        self._path, self._agreement, self._secrets = path, agreement, secrets
        self._tape = None if mode == "all" else tape  # all: what was there is replaced
        self._recorded: dict[int, Recorded] = {}
        self._cassette = self._vcr.cassette.Cassette.load(
            path=str(path), persister=self, record_mode=self._vcr.mode(mode), match_on=(self._answers,)
        )

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        """What the cassette held before."""
        return tuple(self._recorded.values())

    @property
    def can_record(self) -> bool:
        """Whether a request that it does not know may go to the provider."""
        return not self._cassette.write_protected

    def play(self, request: Request) -> Response | None:
        """The recorded response to a request, the last one again when all were played; None when there is none."""
        wanted = self._outgoing(request)
        if self._cassette.can_play_response_for(wanted):
            return _response(self._cassette.play_response(wanted))
        if self.can_record:
            return None
        try:
            return _response(self._cassette.responses_of(wanted)[-1])
        except self._vcr.errors.UnhandledHTTPRequestError:
            return None

    def record(self, request: Request, response: Response) -> None:
        """Keep an exchange, without its secrets."""
        found = self._agreement.operation_of(request.method, request.path)
        model = found[0].model if found else None
        asked = {"content-type", *(model.request.headers if model else ())}
        shape = model.responses.get(response.status) if model else None
        told = {"content-type", "date", "retry-after", *(shape.headers if shape else ())}
        answer = self._secrets.response(response, keep=told)
        self._cassette.append(self._outgoing(self._secrets.request(request, keep=asked)), _spoken(answer))

    def save(self, label: Label) -> bool:
        """Write what was recorded, if anything was; NotWritten when it can't be kept."""
        if not self._cassette.dirty:
            return False
        held = {"requests": self._cassette.requests, "responses": self._cassette.responses}
        metadata = {"recorded": label.model_dump(mode="json", exclude_none=True)}
        self.save_cassette(str(self._path), {**held, "metadata": metadata}, self._vcr.serializers.yamlserializer)
        return True

    # What vcrpy asks of a persister

    def load_cassette(self, path: str, serializer: Any) -> tuple[list[Any], list[Any]]:
        """What was read before, as vcrpy's own values."""
        if self._tape is None:
            raise self._vcr.persisters.filesystem.CassetteNotFoundError(path)
        requests = [self._incoming(exchange) for exchange in self._tape.exchanges]
        return requests, [_spoken(exchange.response) for exchange in self._tape.exchanges if exchange.response]

    def save_cassette(self, path: str, cassette_dict: Mapping[str, Any], serializer: Any) -> None:
        """Write a cassette whole or not at all, once it is known to be readable and free of secrets."""
        text = self._vcr.serialize.serialize(cassette_dict, serializer)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            read_tape(Path(name), shown_as=self._path.name, secrets=self._secrets)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except Exception as error:
            raise NotWritten(f"{path} is left as it was: {error}") from error
        finally:
            Path(name).unlink(missing_ok=True)

    # Between vcrpy's values and ours

    def _incoming(self, exchange: Exchange) -> Any:
        request = exchange.request
        mine = self._vcr.request.Request(
            request.method, request.origin + request.target, request.body, dict(request.headers)
        )
        self._recorded[id(mine)] = Recorded(self._agreement, exchange)
        return mine

    def _outgoing(self, request: Request) -> Any:
        """Under the contract's own address, wherever the provider was: a recording names no chance port."""
        base = self._agreement.contract.provider.base_url
        origin = base[: len(base) - len(self._agreement.base_path)] if self._agreement.base_path else base
        return self._vcr.request.Request(
            request.method, origin + request.target, request.body or None, dict(request.headers)
        )

    def _answers(self, wanted: Any, stored: Any) -> bool:
        """vcrpy's matcher: whether the stored exchange answers what is wanted."""
        request = _request(wanted)
        known = self._recorded.get(id(stored))
        if known is None:  # recorded in this run
            return same_request(_request(stored), request)
        return known.answers(request)


def label_now(agreement: Agreement, *, against: str, by: str, given: str | None = None) -> Label:
    """The label of a recording that is made today."""
    contract = agreement.contract
    return Label.model_validate(
        {
            "against": against,
            "date": date.today().isoformat(),  # noqa: DTZ011 - the day where it is recorded
            "by": by,
            "contract": f"{contract.service} {contract.version}",
            "given": given,
        }
    )


def _request(vcr_request: Any) -> Request:
    parsed = vcr_request.parsed_uri
    target = (parsed.path or "/") + (f"?{parsed.query}" if parsed.query else "")
    headers: Iterable[tuple[str, str]] = vcr_request.headers.items()
    return Request(
        method=vcr_request.method,
        target=target,
        headers=tuple((name.lower(), value) for name, value in headers),
        body=vcr_request.body or b"",
        origin=f"{parsed.scheme}://{parsed.netloc}",
    )


def _spoken(response: Response) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(name, []).append(value)
    return {"status": {"code": response.status, "message": ""}, "headers": headers, "body": {"string": response.body}}


def _response(spoken: Mapping[str, Any]) -> Response:
    headers = tuple((name, value) for name, values in spoken["headers"].items() for value in values)
    return Response(status=spoken["status"]["code"], headers=headers, body=spoken["body"]["string"])
