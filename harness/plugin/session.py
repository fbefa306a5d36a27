"""One pytest session over contracts: what is collected, what is reported, how it ends."""

import gc
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.client.binding import NotInstalled, UnknownClient, bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import UnknownContract, clients_folder, contracts_folder, find_from, load
from harness.contract.problems import ContractError
from harness.engine import find_suites, started, vacuities
from harness.engine.beforehand import assure_client, assure_provider
from harness.engine.core import SUITES, UnknownSuite
from harness.events import CaseFinished, Event, ProofFinished, RunFinished, from_line
from harness.plugin.items import CaseItem, ContractFile
from harness.plugin.quiet import keep_quiet
from harness.proof.result import Proof
from harness.provider.choice import UnknownProvider, assure_installed, choose
from harness.provider.had import NotNamed, PartMissing, ProviderUnavailable
from harness.reporting.proof import lines as proof_lines
from harness.reporting.stream import write_stream
from harness.reporting.summary import Summary, summarise
from harness.reporting.text import lines
from harness.suites.case import Setting

RECORD_MODES = ("none", "new_episodes", "once", "all")
_WITHOUT_PROVIDER = {"static", "cassette"}  # unless a cassette is recorded, which then says so itself
_WITHOUT_CLIENT = {"static"}
_UNTIL_SEARCHED = 20_000  # objects; a case makes and drops some thousands, nearly all of them without a circle
_NARROWING = ("keyword", "markexpr", "lf", "deselect", "stepwise", "last_failed")


def register(config: pytest.Config) -> None:
    """Read the contracts that are asked for and put them in the place of the test paths; UsageError if that fails."""
    sys.path.append(str(_home(config)))  # last: a client in the repository is found, an installed package stays what it is
    try:
        session = ContractSession(config)
    except (UnknownContract, UnknownClient, UnknownProvider, UnknownSuite, ProviderUnavailable) as error:
        raise pytest.UsageError(str(error)) from None
    except ContractError as error:
        raise pytest.UsageError(f"the contract can't be read:\n{error}") from None
    config.pluginmanager.register(session, "contract-session")
    config.add_cleanup(gc.unfreeze)
    keep_quiet(config)


def _home(config: pytest.Config) -> Path:
    """The folder that the contracts stand in: from where pytest was started upwards.

    Not pytest's own root: that follows the value of any option that is a file, such as the report of the last run.
    """
    try:
        return contracts_folder(config.invocation_params.dir).parent
    except UnknownContract:
        return config.rootpath


class ContractSession:
    """The hooks of a session that runs contracts."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._root = _home(config)
        self._suites = find_suites(name for given in config.getoption("--suite") for name in given.split(","))
        self._left_out: list[str] = []
        self._settings = dict(self._had(config))
        if not self._settings:
            raise UnknownContract("\n".join(("no contract is left to run:", *self._left_out)))
        self._events: dict[str, list[Event]] = {setting.agreement.name: [] for setting in self._settings.values()}
        self._summaries: list[Summary] = []
        self._proofs: list[Proof] = []
        self._aim(config)

    @property
    def _asks(self) -> bool:
        """Whether a suite asks the provider anything."""
        return bool({suite.name for suite in self._suites} - _WITHOUT_PROVIDER)

    def _had(self, config: pytest.Config) -> Iterable[tuple[Path, Setting]]:
        """What is under test; of all contracts, those whose client and provider can be had with what is installed."""
        for path, agreement, named in self._read(config):
            try:
                setting = self._setting(agreement)
                if self._asks:
                    assure_installed(setting.provider)
            except (NotInstalled, NotNamed, PartMissing) as error:
                if named:
                    raise
                self._left_out.append(f"{agreement.name}: left out: {error}")
            else:
                yield path, setting

    def _read(self, config: pytest.Config) -> Iterable[tuple[Path, Agreement, bool]]:
        """The contracts, and whether each was asked for by its own name."""
        found: dict[Path, bool] = {}
        for name in config.getoption("--contract"):
            for entry in find_from(name, self._root):
                found[entry.path.resolve()] = found.get(entry.path.resolve(), False) or name != "all"
        return [(path, load(path, root=self._root), named) for path, named in found.items()]

    def _setting(self, agreement: Agreement) -> Setting:
        option = self._config.getoption
        mode = option("--record-mode") or "none"
        if mode not in RECORD_MODES:
            raise UnknownProvider(f"there is no record mode `{mode}`; there are: {', '.join(RECORD_MODES)}")
        binding = bind(agreement, option("--adapter"), clients=clients_folder(self._root))
        binding.assure_installed()
        return Setting(
            agreement=agreement,
            binding=binding,
            provider=choose(agreement, option("--provider")),
            root=self._root,
            seed=option("--contract-seed"),
            record_mode=mode,
        )

    def _aim(self, config: pytest.Config) -> None:
        """Contract files are collected instead of the configured test paths, or beside the given ones."""
        given = [arg for arg in config.args if config.args_source is pytest.Config.ArgsSource.ARGS]
        self._narrowed = any("::" in arg for arg in given) or any(config.getoption(name, default=None) for name in _NARROWING)
        files = [str(path) for path in self._settings]
        inside = [arg for arg in given if Path(arg.partition("::")[0]).resolve() in self._settings]
        config.args[:] = given if inside else [*given, *files]

    # Collection

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A contract file is collected as its suites."""
        setting = self._settings.get(file_path.resolve())
        if setting is None:
            return None
        return ContractFile.from_parent(parent, path=file_path, setting=setting, suites=self._suites)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """With several processes each has a provider of its own; that there can be one is seen before they start."""
        if self._config.getoption("dist", "no") != "no" and not hasattr(self._config, "workerinput"):
            settings, names = self._settings.values(), {suite.name for suite in self._suites}
            self._assure(clients=settings if names - _WITHOUT_CLIENT else (), providers=settings if self._asks else ())
            self._close()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """A client or a provider that can't be had is told once, and not by every case."""
        if not session.config.option.collectonly and not hasattr(session.config, "workerinput"):
            self._assure(clients=_without(_WITHOUT_CLIENT, session.items), providers=_without(_WITHOUT_PROVIDER, session.items))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Any:
        """Contracts and what was collected stay to the end: they are not searched for garbage over and over."""
        before = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(_UNTIL_SEARCHED, *before[1:])
        try:
            return (yield)
        finally:
            gc.set_threshold(*before)
            gc.freeze()  # pytest searches five times when it ends

    def _assure(self, *, clients: Iterable[Setting], providers: Iterable[Setting]) -> None:
        try:
            for setting in clients:
                assure_client(setting)
            for setting in providers:
                assure_provider(setting)
        except (ProviderUnavailable, UnknownClient) as error:
            self._close()
            raise pytest.UsageError(str(error)) from None
        except ContractError as error:
            self._close()
            raise pytest.UsageError(f"the contract can't be run:\n{error}") from None

    # Reports

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """Send the verdict along with the report, also from one process to another."""
        report = yield
        if isinstance(item, CaseItem):
            report.sections = item.presentable(report.sections)
            if call.when == "call":
                report.contract_event = item.event_line(call.duration)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the verdict out of the report, in the process that sums up."""
        line = getattr(report, "contract_event", None)
        if line is not None:
            event = from_line(line)
            self._events[event.contract].append(event)

    # The end

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Sum up; a contract that is not kept fails the run, whatever its cases say."""
        try:
            if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
                self._prove(session.config)
                self._sum_up(session, exitstatus)
        finally:
            self._close()

    def _close(self) -> None:
        for setting in self._settings.values():
            setting.provider.close()

    def _sum_up(self, session: pytest.Session, exitstatus: int) -> None:
        stream = [event for setting in self._settings.values() if self._concerns(setting) for event in self._run_of(setting)]
        self._summaries = summarise(stream)
        self._write(stream)
        sufficient = all(proof.sufficient for proof in self._proofs)
        if exitstatus == pytest.ExitCode.OK and not (sufficient and all(summary.kept for summary in self._summaries)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _concerns(self, setting: Setting) -> bool:
        """Whether a contract was run: by hand, cases may be chosen of some contracts only."""
        return not self._narrowed or bool(self._events[setting.agreement.name]) or not any(self._events.values())

    def _prove(self, config: pytest.Config) -> None:
        """Break every clause, if that is asked for."""
        if config.getoption("--prove"):
            from harness.plugin.proving import prove

            terminal = config.pluginmanager.get_plugin("terminalreporter")
            write = terminal.write_line if terminal else lambda text: None
            self._proofs = [prove(setting, self._suites, whole=self._whole, write=write) for setting in self._settings.values()]

    @property
    def _whole(self) -> bool:
        return len(self._suites) == len(SUITES)

    def _run_of(self, setting: Setting) -> list[Event]:
        name = setting.agreement.name
        cases = self._events[name]
        partial = self._narrowed or not self._whole
        begin = started(setting, partial=partial)
        finished = [event for event in cases if isinstance(event, CaseFinished)]
        undone = () if self._narrowed else tuple(vacuities(setting, self._suites, finished, whole=not partial))
        proofs = [ProofFinished(contract=name, proof=proof.as_json()) for proof in self._proofs if proof.contract == name]
        return [begin, *cases, *proofs, RunFinished(contract=name, cases=len(finished), vacuous=undone)]

    def _write(self, stream: list[Event]) -> None:
        wanted = self._config.getoption("--contract-report")
        path = Path(wanted) if wanted else self._root / "build" / "reports" / "contract.jsonl"
        try:
            write_stream(path, stream)
            self._report_at = f"event stream: {path}"
        except OSError as error:
            self._report_at = f"the event stream could not be written to {path}: {error.strerror}"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The summary by clause."""
        for text in self._left_out:
            terminalreporter.write_line(text, yellow=True)
        verbose = self._config.getoption("--contract-verbose")
        for summary in self._summaries:
            terminalreporter.section(f"contract {summary.started.contract}")
            for text, style in lines(summary, verbose=verbose):
                terminalreporter.write_line(text, **_markup(style))
        for proof in self._proofs:
            terminalreporter.section(f"proof of {proof.contract}")
            for text, style in proof_lines(proof):
                terminalreporter.write_line(text, **_markup(style))
        if self._summaries:
            terminalreporter.write_line(self._report_at)


def _without(suites: Iterable[str], items: Iterable[pytest.Item]) -> Iterable[Setting]:
    """What is under test in the cases of other suites than these."""
    cases = (item for item in items if isinstance(item, CaseItem) and item.suite not in suites)
    return {item.setting.agreement.name: item.setting for item in cases}.values()


def _markup(style: str) -> dict[str, bool]:
    return {"light" if style == "dim" else style: True} if style else {}
