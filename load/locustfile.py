"""Load from a contract: ``locust -f load/``.

Without ``--headless`` locust's web interface opens, and its Start button runs the profile; with it, the
profile runs at once and locust exits when it is done:

    locust -f load/ --headless --contract voyage_ai --profile smoke
    locust -f load/ --headless --contract voyage_ai --profile sla --provider https://staging.example/v1
    locust -f load/ --headless --contract voyage_ai --profile sla --processes 2
    locust -f load/ --headless --contract voyage_ai --profile sla --master --expect-workers 2    # and on each machine:
    locust -f load/ --worker --master-host MASTER

Requests are the contract's examples with texts of their own, in the profile's mix, at its arrival rate: they
start when they are due, whether or not earlier ones were answered, and times count from that moment. They go
straight to the provider; the client is not involved. The stub is started for the run unless ``--provider``
names another; the live provider is never asked unless it is named.

Exit status: 0 kept, 1 an answer broke the contract, 2 usage or an unreadable contract, 3 an objective was
missed or there was no sample. The page and the result are in build/load/.
"""

import sys
from pathlib import Path
from typing import Any, NoReturn

from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner
from shapes import ContractProfile
from users import REPORT, Arrivals

from harness.contract.catalog import UnknownContract, contracts_folder
from harness.contract.problems import ContractError
from harness.provider.choice import UnknownProvider, choose
from harness.provider.had import ProviderUnavailable
from harness.suites.load.arrivals import TooManyArrivals
from harness.suites.load.conclusion import Status
from harness.suites.load.filling import FillFailed
from harness.suites.load.order import Misuse, Order, locate, order_for
from harness.suites.load.run import Part
from harness.suites.load.session import Session

__all__ = ["Arrivals", "ContractProfile"]  # locust looks for its classes in this module

UNUSABLE = (Misuse, UnknownContract, ContractError, UnknownProvider, ProviderUnavailable, TooManyArrivals, FillFailed)


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser, **_: Any) -> None:
    """What locust does not know of; `--profile` is an option of its own."""

    def add(name: str, *, metavar: str, text: str) -> None:
        parser.add_argument(name, metavar=metavar, help=text, include_in_web_ui=False)

    add("--contract", metavar="NAME", text="the contract: SERVICE, SERVICE@VERSION or a path (default: the only one there is)")
    add(
        "--provider",
        metavar="HOW",
        text="stub, embedded, container[:TAG or :IMAGE:TAG], live, or a base URL, as --host (default: the contract's, but never live)",
    )
    add("--rate", metavar="RATE", text="another arrival rate than the profile's, such as 500/s")
    add("--duration", metavar="TIME", text="another duration than the profile's, such as 30s")
    add("--result-file", metavar="FILE", text="where the result goes (default: build/load/CONTRACT-PROFILE.json)")
    parser.add_argument(
        "--arrival-seed", type=int, default=0, metavar="N", help="draws other moments (default: 0)", include_in_web_ui=False
    )


@events.init.add_listener
def open_session(environment: Environment, runner: Runner, **_: Any) -> None:
    """Read the contract and start the provider, before anything can be sent."""
    if isinstance(runner, WorkerRunner):
        environment.process_exit_code = Status.KEPT  # the master judges
        return
    environment.process_exit_code = Status.MISSED  # unless a run says better
    options: Any = environment.parsed_options
    try:
        agreement = locate(options.contract, Path.cwd())
        order = order_for(
            agreement,
            contract=options.contract,
            profile=options.profile,
            provider=options.provider or options.host,
            rate=options.rate,
            duration=options.duration,
            seed=options.arrival_seed,
        )
        left = folder_for_results() / f"{agreement.name}-{order.profile}"
        result_file = Path(options.result_file or f"{left}.json")
        session = Session.open(agreement, order, result_file=result_file, say=say)
    except UNUSABLE as error:
        leave(error)
    environment.contract_session = session  # type: ignore[attr-defined]  # an environment carries what belongs to it
    environment.host = session.run.order.base_url
    environment.profile = order.profile
    if options.headless and not options.html_file:
        options.html_file = str(result_file.with_suffix(".html"))
    runner.register_message(REPORT, lambda msg, **_: session.take(msg.data))


@events.test_start.add_listener
def take_part(environment: Environment, **_: Any) -> None:
    """Get ready to send this process's share, in every process that sends."""
    if isinstance(environment.runner, MasterRunner):
        return
    options: Any = environment.parsed_options
    order = Order.of(options.contract_order)
    session: Session | None = getattr(environment, "contract_session", None)
    try:
        agreement = session.agreement if session else locate(order.contract, Path.cwd())
        part = Part(agreement, order, credential=choose(agreement, order.provider).credential)
    except UNUSABLE as error:
        leave(error)
    environment.contract_part = part  # type: ignore[attr-defined]  # see above


@events.test_stop.add_listener
def judge(environment: Environment, **_: Any) -> None:
    """Say what the run came to, in the process that has all of it."""
    session: Session | None = getattr(environment, "contract_session", None)
    if session is not None:
        session.stop()


@events.quitting.add_listener
def settle(environment: Environment, **_: Any) -> None:
    """The exit status is that of the last run."""
    session: Session | None = getattr(environment, "contract_session", None)
    if session is not None:
        options: Any = environment.parsed_options
        environment.process_exit_code = session.close(Path(options.html_file) if options.html_file else None)


def folder_for_results() -> Path:
    """build/load beside the contracts, or here."""
    try:
        return contracts_folder(Path.cwd()).parent / "build" / "load"
    except UnknownContract:
        return Path.cwd() / "build" / "load"


def say(line: str) -> None:
    print(line, flush=True)


def leave(error: Exception) -> NoReturn:
    print(error, file=sys.stderr, flush=True)
    sys.exit(Status.USAGE)
