"""A provider in a process of its own, for tools whose process can't hold it: ``python -m harness.provider.serving``.

The process prints one line of JSON once the provider answers, and ends when its standard input does; so it
never outlives whoever started it.
"""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.provider.choice import choose
from harness.provider.had import Provider, ProviderUnavailable

LEAVING_S = 5.0


def base_url(agreement: Agreement, provider: Provider) -> str:
    """Where the operations of a contract are found on a provider's port; starts it if it is not."""
    if provider.name.startswith(("http://", "https://")):
        return provider.name.rstrip("/")
    return provider.origin() + agreement.base_path


@dataclass
class Serving:
    """A provider that answers at ``base_url`` until it is left; ``process`` is None for one that runs anyway."""

    base_url: str
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End what was started, by asking first."""
        process, self.process = self.process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        process.stdin.close()
        try:
            process.wait(LEAVING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def serve(agreement: Agreement, name: str | None) -> Serving:
    """A provider by name, in a process of its own unless it runs somewhere already; ProviderUnavailable if it can't be had."""
    provider = choose(agreement, name)
    if provider.name.startswith(("http://", "https://")):
        return Serving(base_url(agreement, provider))
    command = [sys.executable, "-m", __name__, str(agreement.path.resolve()), provider.name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this Python, this module
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise ProviderUnavailable(f"the provider `{provider.name}` could not be started (see above; exit status {process.returncode})")
    return Serving(json.loads(line)["base_url"], process)


def main(contract: str, name: str) -> int:
    """Serve until standard input ends; 2 when the provider can't be had."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this, who then ends it
    agreement = load(Path(contract))
    try:
        provider = choose(agreement, name)
        where = base_url(agreement, provider)
    except ProviderUnavailable as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program of its own
        return 2
    try:
        print(json.dumps({"base_url": where}), flush=True)  # noqa: T201 - as above
        sys.stdin.read()
    finally:
        provider.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
