"""``harness stub``: a provider made from a contract, on a local port."""

import asyncio
import json
import signal
from collections.abc import Iterable

import click

from harness.checks.examples import example_parts
from harness.cli.choosing import agreement_named
from harness.cli.telling import Failure, style
from harness.contract.agreement import Agreement
from harness.provider.control import with_control
from harness.provider.stub import Stub
from harness.wire.server import Server, fastest_loop


@click.command("stub")
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port (default: any free one).")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--credential", default=None, help="Take this credential only (default: any).")
@click.option("--enforce-limits", is_flag=True, help="Answer 429 when the contract's rate limits are used up.")
@click.option("--seed", default="", help="Changes every value that is made up.")
@click.option("--given", default=None, metavar="STATE", help="Start in this provider state.")
def command(name: str, port: int, host: str, credential: str | None, enforce_limits: bool, seed: str, given: str | None) -> None:
    """Answer requests as a contract says, until Ctrl-C.

    \b
    Requests are judged: a bad one is refused with the declared status and the reason.
    GET  /__harness__/journal   what was asked and answered, and why it was refused
    PUT  /__harness__/state     {"given": STATE} puts the provider into a declared state; null is the normal one

    \b
    Examples:
      harness stub voyage_ai
      harness stub voyage_ai --port 8000 --credential secret --enforce-limits
      harness stub voyage_ai --given "an outage"
    """
    agreement = agreement_named(name)
    stub = Stub(agreement, credential=credential, enforce_limits=enforce_limits, seed=seed)
    try:
        stub.enter(given)
    except ValueError as error:
        raise Failure(str(error)) from None
    with asyncio.Runner(loop_factory=fastest_loop) as runner:
        runner.run(_serve(agreement, Server(answer=with_control(stub), host=host, port=port), credential))


async def _serve(agreement: Agreement, server: Server, credential: str | None) -> None:
    loop, leaving = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leaving.set)
    await server.start()
    click.echo(f"{agreement.name} at " + style(server.origin + agreement.base_path, "bold"))
    click.echo("try it:  " + _curl(agreement, server.origin, credential or "any"))
    await leaving.wait()
    await server.stop()
    click.echo("stopped")


def _curl(agreement: Agreement, origin: str, credential: str) -> str:
    """An example of the contract as a command line."""
    operation, _, example = agreement.contract.provider.probe.partition("/")
    terms = agreement.operations[operation]
    parts, auth = example_parts(terms.model.examples[example]), agreement.contract.provider.auth
    words = [
        "curl",
        "-X",
        terms.model.method,
        origin + agreement.target(operation, dict(_pairs(parts["path"])), dict(_pairs(parts["query"]))),
    ]
    if auth:
        words += ["-H", f"'{auth.header}: {'Bearer ' if auth.scheme == 'bearer' else ''}{credential}'"]
    if terms.model.request.body is not None:
        words += ["-H", f"'content-type: {terms.model.request.media_type}'", "-d", f"'{json.dumps(parts['body'])}'"]
    return " ".join(words)


def _pairs(value: object) -> Iterable[tuple[str, object]]:
    return value.items() if isinstance(value, dict) else ()
