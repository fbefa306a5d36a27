"""``harness serve``: a provider's real engine on local ports."""

import importlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import click

from harness.cli.choosing import agreement_named
from harness.cli.telling import Failure, style
from harness.extras import installed_by

HANDOVER_S = 0.001  # how long a thread keeps Python's lock; in 5 ms, as usual, nobody reads the searches that wait to be asked for together
LOOK_S = 0.2  # how often it looks whether to end: a signal that one of the engine's threads was given wakes nobody


@click.command("serve")
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The HTTP port (default: any free one).")
@click.option("--grpc-port", type=click.IntRange(0, 65535), default=0, help="The gRPC port (default: any free one).")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--path", type=click.Path(path_type=Path), default=None, help="Keep everything in this folder (default: in memory only).")
@click.option("--api-key", default=None, help="Ask for this key (default: none is asked for).")
def command(name: str, port: int, grpc_port: int, host: str, path: Path | None, api_key: str | None) -> None:
    """Run the engine that a contract names as its embedded provider, until Ctrl-C.

    \b
    Examples:
      harness serve qdrant --port 6333 --grpc-port 6334
      harness serve qdrant --path ./storage --api-key secret
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is told below; its core would log it as well
    sys.setswitchinterval(HANDOVER_S)
    agreement = agreement_named(name)
    _assure_key(api_key)
    _assure_host(host)
    dotted = agreement.contract.provider.embedded
    if dotted is None:
        raise Failure(f"the contract `{agreement.name}` names no embedded engine; `harness stub {name}` serves its stub")
    module, _, attribute = dotted.partition(":")
    try:
        engine = getattr(importlib.import_module(module), attribute)(
            path=path, host=host, port=port, grpc_port=grpc_port, api_key=api_key, version=agreement.contract.version.lstrip("v") + ".0"
        )
        engine.start()
    except ImportError as error:
        raise Failure(f"{error}: {installed_by(error.name)}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise Failure(str(error)) from None
    received: list[int] = []  # no Event: its lock may be held by the very code that the signal interrupts
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: received.append(number))
    click.echo(f"{agreement.name} at " + style(engine.url, "bold") + (f", gRPC at {engine.grpc_address}" if engine.grpc_address else ""))
    click.echo(f"data in {path}" if path else "data in memory only: it is gone when this ends")
    while not received:
        time.sleep(LOOK_S)
    engine.stop()
    click.echo("stopped")


def _assure_key(key: str | None) -> None:
    """Failure for a key that no request can carry; an empty one would leave the server open to all."""
    if key == "":
        raise Failure("the API key is empty: give one, or leave out --api-key")
    if key is not None and not (key.isascii() and key.isprintable() and key == key.strip()):
        raise Failure("no header can carry this API key: give one of ASCII characters, without line breaks, and without spaces around it")


def _assure_host(host: str) -> None:
    """Failure for an address that is none of this machine's."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.bind(address)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no name of a machine"
        raise Failure(f"can't listen on {host} ({why}): give an address of this machine with --host") from None
