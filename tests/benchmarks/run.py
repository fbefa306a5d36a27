"""All benchmarks, or those that are named: prints a table, exits with 1 when a target is not met."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

if __package__ in (None, ""):  # run as a file
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.measure import Finding, Missing, Options, row, table, write_json
from tests.benchmarks.peers import install

NAMES = ("stub", "client", "start", "suites", "proof", "qdrant")
PEERS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contract-harness" / "peers"


def main(arguments: list[str] | None = None) -> int:
    """0 when every target that was measured is met, and nothing failed."""
    asked = _parser().parse_args(arguments)
    if asked.install_peers:
        install(asked.peers)
    options = Options(quick=asked.quick, rounds=asked.rounds or (2 if asked.quick else 5), peers=asked.peers)
    found: list[Finding] = []
    for name in asked.names or NAMES:
        for finding in _measured(name, options):
            found.append(finding)
            print("  ".join(filter(None, row(finding))), file=sys.stderr, flush=True)
    load = ", ".join(f"{average:.2f}" for average in os.getloadavg())
    print(f"{table(found)}\nload average {load} on {os.cpu_count()} cores")
    if asked.json:
        write_json(asked.json, found)
    return 0 if all(not finding.failed if isinstance(finding, Missing) else finding.met for finding in found) else 1


def _measured(name: str, options: Options) -> Iterator[Finding]:
    findings: Callable[[Options], Iterator[Finding]] = import_module(f"tests.benchmarks.{name}_speed").findings
    try:
        yield from findings(options)
    except Exception as error:
        yield Missing(what=name, remedy=f"{type(error).__name__}: {error}", failed=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*NAMES, []], help=f"what to measure: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="smaller and fewer rounds: for a look")
    parser.add_argument("--rounds", type=int, default=0, help="how often to alternate (default: 5, quick: 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings there too")
    parser.add_argument("--peers", type=Path, default=PEERS, metavar="FOLDER", help="where the npm packages are (default: %(default)s)")
    parser.add_argument("--install-peers", action="store_true", help="npm install wiremock and @stoplight/prism-cli there first")
    return parser


if __name__ == "__main__":
    sys.exit(main())
