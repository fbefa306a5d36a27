"""Pact itself, its Rust core included: the only module that knows it, and it is imported when first needed."""

import builtins
import contextlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from harness.extras import installed_by
from harness.suites.pact.interactions import CONTENT_TYPE, Fields, Interaction

LOCALHOST = "localhost"  # the only host that the verifier takes without being told
STATES = "/__provider_states__"
_stdout = Lock()


class EngineMissing(Exception):
    """Pact is not installed; the message says how to get it."""


def engine() -> Any:
    """The module ``pact``; it reports no usage and logs nothing (what it logs are requests, credentials included)."""
    os.environ["PACT_DO_NOT_TRACK"] = "true"
    for name in ("pact", "pact.ffi", "pact.plugins"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    importing = builtins.__import__
    try:
        import pact
    except ModuleNotFoundError as error:
        raise EngineMissing(installed_by("pact")) from error
    finally:
        builtins.__import__ = importing  # pact puts two of its own in its place, which each import of the process would go through
    return pact


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Who is bound by a pact, and what is noted in it."""

    consumer: str
    provider: str
    notes: Mapping[str, str]


class MockServer:
    """Pact's own mock server for one interaction, at ``origin`` from now until it is dropped."""

    def __init__(self, interaction: Interaction, parties: Parties) -> None:
        self._server = _pact((interaction,), parties).serve("127.0.0.1", raises=False, verbose=False)
        self._server.__enter__()
        self.origin = f"http://127.0.0.1:{self._server.port}"

    @property
    def refusals(self) -> tuple[str, ...]:
        """What it was asked that it did not expect, and why; that nothing else was asked is no refusal."""
        unasked = engine().error.MissingRequest
        return tuple(str(mismatch) for mismatch in self._server.mismatches if not isinstance(mismatch, unasked))

    def stop(self) -> None:
        """End it."""
        self._server.__exit__(None, None, None)


def write_pact(interactions: Iterable[Interaction], parties: Parties, *, to: Path) -> None:
    """Write a pact file, whole or not at all."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".") as folder:
        _pact(interactions, parties).write_file(folder, overwrite=True)
        (written,) = Path(folder).iterdir()
        written.replace(to)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What Pact's verifier found; ``verified`` counts the interactions, ``failures`` says what each lacked."""

    verified: int
    failures: tuple[str, ...]


def verify_pact(
    file: Path, *, provider: str, port: int, headers: Mapping[str, str], given: bool, timeout_s: float
) -> Verification:
    """Verify the interactions of a file that have a provider state, or those that have none, at a port of this machine.

    ``headers`` are sent along and never written. States are set by POST to ``STATES`` on the same port.
    """
    verifier = engine().Verifier(provider).add_source(file).add_custom_headers(dict(headers))
    verifier.add_transport(protocol="http", port=port, scheme="http").set_request_timeout(int(timeout_s * 1000))
    verifier.set_coloured_output(enabled=False).set_error_on_empty_pact(enabled=False).follow_redirects(False)
    if given:
        verifier.filter(state=".+").state_handler(f"http://{LOCALHOST}:{port}{STATES}", teardown=True, body=True)
    else:
        verifier.filter(no_state=True)
    with _silence(), contextlib.suppress(RuntimeError):  # raised for failures: they are in the results
        verifier.verify()
    results = verifier.results
    return Verification(
        verified=len(results.get("interactionResults", ())),
        failures=tuple(_failure(error) for error in results.get("errors", ())),
    )


def _failure(error: Mapping[str, Any]) -> str:
    mismatch = error.get("mismatch", {})
    if mismatch.get("type") == "error":
        return f"{error.get('interaction')}: {mismatch.get('message')}"
    return f"{error.get('interaction')}: {'; '.join(_mismatch(each) for each in mismatch.get('mismatches', ()))}"


def _mismatch(each: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (each.get("path"), each.get("mismatch")))) or json.dumps(each)


def _pact(interactions: Iterable[Interaction], parties: Parties) -> Any:
    pact = engine().Pact(parties.consumer, parties.provider).with_specification("V4")
    if parties.notes:
        pact.with_metadata("contract", dict(parties.notes))
    for interaction in interactions:
        _add(pact, interaction)
    return pact


def _add(pact: Any, told: Interaction) -> None:
    interaction = pact.upon_receiving(told.description)
    if told.given:
        interaction.given(told.given)
    interaction.with_request(told.method, told.path)
    for name, matcher in told.query:
        interaction.with_query_parameter(name, json.dumps(matcher))
    _headers(interaction, told.headers)
    if told.body is not None:
        interaction.with_body(json.dumps(told.body), "application/json")
    interaction.will_respond_with(told.status)
    _headers(interaction, told.response_headers)
    if isinstance(told.response_body, bytes):
        interaction.with_header(CONTENT_TYPE, told.media_type).with_binary_body(told.response_body, told.media_type)
    elif told.response_body is not None:
        interaction.with_body(json.dumps(told.response_body), told.media_type)


def _headers(interaction: Any, fields: Fields) -> None:
    for name, value in fields:
        interaction.with_header(name, value if isinstance(value, str) else json.dumps(value))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The verifier prints its report past Python; nobody but the findings is to speak for a run."""
    with _stdout:
        sys.stdout.flush()
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 1)
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)
