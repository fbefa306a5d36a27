"""``harness stub``: a provider made from a contract, on a local port."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
from typing import TYPE_CHECKING

import click

from harness.cli.choosing import agreement_named
from harness.cli.telling import Failure, style

if TYPE_CHECKING:  # what serves a stub costs more to import than its help
    from harness.contract.agreement import Agreement
    from harness.provider.stub import Stub
    from harness.wire.server import Server


@click.command("stub")
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port (default: any free one).")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--credential",
    default=None,
    envvar="HARNESS_STUB_CREDENTIAL",
    show_envvar=True,
    help="Take this credential only (default: any, but one has to be sent).",
)
@click.option("--any-credential", is_flag=True, help="Ask for no credential at all.")
@click.option("--enforce-limits", is_flag=True, help="Answer 429 when the contract's rate limits are used up.")
@click.option("--seed", default="", help="Changes every value that is made up.")
@click.option("--given", default=None, metavar="STATE", help="Start in this provider state.")
def command(
    name: str, port: int, host: str, credential: str | None, any_credential: bool, enforce_limits: bool, seed: str, given: str | None
) -> None:
    """Answer requests as a contract says, until Ctrl-C.

    Each request is judged by the contract; a bad one is refused with the declared status, and told why.

    \b
    GET    /__harness__/journal   what was asked and answered, why it was refused, and what it nearly was
    DELETE /__harness__/journal   forget it
    GET    /__harness__/state     the provider state it is in, and all that the contract declares
    PUT    /__harness__/state     {"given": STATE} enters a state; null is the normal one

    \b
    Examples:
      harness stub voyage_ai
      harness stub voyage_ai --port 8000 --credential secret --enforce-limits
      harness stub voyage_ai --given "an outage"
      curl -X PUT localhost:8000/__harness__/state -d '{"given": "the rate limit is used up"}'
    """
    from harness.provider.control import with_control
    from harness.provider.stub import ANY_CREDENTIAL, Stub
    from harness.wire.server import Server, fastest_loop

    if credential is not None and any_credential:
        raise click.UsageError("--credential and --any-credential exclude each other")
    if credential is not None and not credential.strip():
        raise click.UsageError("--credential is empty; --any-credential asks for none")
    agreement = agreement_named(name)
    asked = None if any_credential else credential or ANY_CREDENTIAL
    stub = Stub(agreement, credential=asked, enforce_limits=enforce_limits, seed=seed)
    try:
        stub.enter(given)
    except ValueError as error:
        raise Failure(str(error)) from None
    with asyncio.Runner(loop_factory=fastest_loop) as runner:
        runner.run(_serve(stub, Server(answer=with_control(stub), host=host, port=port), asked, given))


async def _serve(stub: Stub, server: Server, credential: str | None, given: str | None) -> None:
    loop, leaving = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leaving.set)
    await server.start()
    agreement = stub.agreement
    click.echo(f"{agreement.name} at {style(server.origin + agreement.base_path, 'bold')}")
    if given:
        click.echo(f"given {given}")
    click.echo(f"try it:  {_curl(agreement, server.origin, credential)}")
    await leaving.wait()
    await server.stop()
    click.echo(f"stopped after {len(stub.journal)} requests")


def _curl(agreement: Agreement, origin: str, credential: str | None) -> str:
    """The contract's cheapest example as a command line; a credential that was given is not repeated."""
    operation, _, example = agreement.contract.provider.probe.partition("/")
    model, auth = agreement.operations[operation].model, agreement.contract.provider.auth
    request = model.examples[example].request
    words = ["curl"]
    if model.method != "GET":
        words += ["-X", model.method]
    words.append(shlex.quote(origin + agreement.target(operation, request.path, request.query)))
    if auth and credential is not None:
        prefix = "Bearer " if auth.scheme == "bearer" else ""
        words += ["-H", f'"{auth.header}: {prefix}{"any" if credential == "*" else auth.credential}"']
    for name, value in request.headers.items():
        words += ["-H", shlex.quote(f"{name}: {value}")]
    if model.request.body is not None:
        words += ["-H", shlex.quote(f"content-type: {model.request.media_type}")]
        words += ["-d", shlex.quote(json.dumps(request.body, ensure_ascii=False))]
    return " ".join(words)
