"""The load suite: the smoke profile, sent by locust in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import harness
from harness.checks.sla import objectives
from harness.exchange import Level, Observation
from harness.extras import installed_by
from harness.provider.serving import base_url
from harness.suites.case import Case, Setting, Skipped
from harness.suites.load.conclusion import Status, conclude, observation
from harness.suites.load.filling import MOST_S
from harness.suites.load.order import SMOKE, order_for, over_limit
from harness.suites.load.result import read_result
from harness.suites.load.run import SETTLING_S
from harness.verdict import SkipReason

STARTING_S = 30.0
TIMES = 3  # that a load is measured, where a busy machine keeps it from being told; what was told is never asked again
LOG_LINES_SHOWN = 5


class LoadFailed(Exception):
    """Locust came to no result; the message says what it said."""


class Load:
    """The contract's smoke profile; longer ones are for the command line."""

    name = "load"

    def cases(self, setting: Setting) -> Iterator[Case]:
        if SMOKE in setting.agreement.contract.load and objectives(setting.agreement):
            run = partial(run_profile, setting, SMOKE)
            yield Case(suite=self.name, operation=None, name=SMOKE, execute=run, aims=("sla.*",), alone=True)


def run_profile(setting: Setting, profile: str) -> Observation | Skipped:
    """Run a profile against the provider of the setting."""
    if find_spec("locust") is None:
        return Skipped(reason=SkipReason.ENGINE_MISSING, detail=installed_by("locust"))
    order = order_for(setting.agreement, profile=profile, seed=setting.seed)
    if setting.provider.level is Level.LIVE and order.fill:
        return Skipped(
            reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail="the load would fill it, and take that away again; run `locust -f load/`"
        )
    exceeded = list(over_limit(setting.agreement, order))
    if setting.provider.level is Level.LIVE and exceeded:
        return Skipped(reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail=f"the contract does not let a client send so much: {exceeded[0]}")
    where = base_url(setting.agreement, setting.provider)
    setting.provider.enter(None)
    result_file = setting.build / "load" / f"{setting.agreement.name}-{profile}.json"
    result_file.unlink(missing_ok=True)
    command = [sys.executable, "-P", "-m", "locust", "-f", str(folder()), "--headless", "--only-summary", "--loglevel", "WARNING"]
    command += ["--contract", str(setting.agreement.path.resolve()), "--profile", profile, "--provider", where]
    command += ["--arrival-seed", str(setting.seed), "--result-file", str(result_file)]
    timeout_s = STARTING_S + order.duration_s + setting.agreement.contract.provider.timeout + SETTLING_S
    if order.fill:
        timeout_s += MOST_S
    for times in range(1, TIMES + 1):  # noqa: B007 - said below
        status, told = _run(command, setting, log=result_file.with_suffix(".log"), timeout_s=timeout_s)
        if status not in (Status.KEPT, Status.BROKEN, Status.MISSED):
            raise LoadFailed(f"locust ended with status {status}: {told}")
        result = read_result(result_file)
        if not conclude(setting.agreement, result, level=setting.provider.level).doubtful:
            break
    note = f"the load was measured {times} times: the machine was too busy to tell" if times > 1 else ""
    return replace(observation(result, level=setting.provider.level), note=note)


def folder() -> Path:
    """Where the locust files are: inside the package as it is installed, beside it in a checkout."""
    package = Path(harness.__file__).parent
    installed = package / "_load"
    return installed if installed.is_dir() else package.parent / "load"


def _run(command: list[str], setting: Setting, *, log: Path, timeout_s: float) -> tuple[int, str]:
    """The exit status of the child, and the end of what it said."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - this Python, with arguments made here
            command, cwd=log.parent, env=_environment(setting), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise LoadFailed(f"locust did not end within {timeout_s:.0f} s; see {log}") from None
        finally:
            process.kill()
            process.wait()
    lines = log.read_text(errors="replace").strip().splitlines()
    return status, " | ".join(lines[-LOG_LINES_SHOWN:])


def _environment(setting: Setting) -> dict[str, str]:
    """The child's environment: this one, with the credential that the provider takes, and no settings of locust's own."""
    auth = setting.agreement.contract.provider.auth
    own = {auth.variable: setting.provider.credential} if auth and setting.provider.credential else {}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    ours = str(Path(harness.__file__).parents[1])  # the same code as here; locust looks first in the folder it runs in
    path = os.pathsep.join(filter(None, (ours, os.environ.get("PYTHONPATH"))))
    return {**inherited, **own, "PYTHONPATH": path}


SUITE = Load()
