"""The cassette suite: recorded exchanges against the contract, the client against recorded exchanges."""

import os
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

from harness.checks.examples import example_parts
from harness.client.scenario import Invoke
from harness.contract.agreement import OperationTerms
from harness.contract.problems import ContractError
from harness.exchange import Observation
from harness.suites.case import Case, Setting, Skipped
from harness.suites.cassette.direct import Direct
from harness.suites.cassette.run import Run, recorded
from harness.suites.cassette.secrets import Secrets
from harness.suites.cassette.tape import Tape, read_tape
from harness.verdict import SkipReason


class Cassettes:
    """Two cases for each cassette, what it holds and what the client makes of it; one for each to be recorded."""

    name = "cassette"

    def cases(self, setting: Setting) -> Iterator[Case]:
        secrets, covered = secrets_of(setting), set[str]()
        paths = sorted(setting.cassettes.glob("*.yaml"))
        for path in paths:
            try:
                tape = read_tape(path, shown_as=_shown(setting, path), secrets=secrets)
            except ContractError as error:
                yield self._case(None, f"{path.stem}-recorded", partial(_refuse, error))
            else:
                covered.update(_operations(setting, tape))
                yield from self._of_tape(setting, tape, secrets)
        for terms in setting.agreement.operations.values():
            if setting.record_mode != "none":
                yield from self._to_be_recorded(setting, terms, secrets, {path.stem for path in paths})
            elif terms.name not in covered:
                yield self._case(terms.name, "none", _no_cassette)

    def _of_tape(self, setting: Setting, tape: Tape, secrets: Secrets) -> Iterator[Case]:
        names = _operations(setting, tape)
        operation = names[0] if len(names) == 1 else None
        yield self._case(
            operation,
            f"{tape.name}-recorded",
            partial(_held, tape),
            *(f"operations.{name}.responses.*" for name in names),
        )
        if names and all(map(setting.binding.binds, names)):
            run = Run(setting=setting, path=tape.path, secrets=secrets, tape=tape)
            yield self._case(
                operation, f"{tape.name}-replayed", run.execute, *(f"operations.{name}.bind.*" for name in names)
            )

    def _to_be_recorded(
        self, setting: Setting, terms: OperationTerms, secrets: Secrets, known: set[str]
    ) -> Iterator[Case]:
        """A cassette for each example that has none."""
        for name, example in terms.model.examples.items():
            stem = f"{terms.name}-{name}"
            if not setting.binding.binds(terms.name):
                yield from self._past_the_client(setting, terms, name, secrets, known)
            elif stem not in known:
                call = Invoke(operation=terms.name, parts=example_parts(example))
                status = example.response.status if example.response else terms.success[0]
                path = setting.cassettes / f"{stem}.yaml"
                run = Run(setting=setting, path=path, secrets=secrets, calls=((call, status),), given=example.given)
                yield self._case(terms.name, f"{stem}-replayed", run.execute, f"operations.{terms.name}.bind.*")

    def _past_the_client(self, setting: Setting, terms: OperationTerms, example: str, secrets: Secrets, known: set[str]) -> Iterator[Case]:
        """A cassette of what the client has no method for; one that is there is made anew only if all are."""
        stem = f"{terms.name}-{example}"
        if stem in known and setting.record_mode != "all":
            return
        path = setting.cassettes / f"{stem}.yaml"
        try:
            tape = read_tape(path, shown_as=_shown(setting, path), secrets=secrets) if stem in known else None
        except ContractError:
            return  # what it holds is told by its own case
        direct = Direct(setting=setting, terms=terms, example=example, secrets=secrets, tape=tape)
        yield self._case(terms.name, f"{stem}-asked", direct.execute, f"operations.{terms.name}.responses.*")

    def _case(self, operation: str | None, name: str, execute: Callable[[], Observation | Skipped], *aims: str) -> Case:
        return Case(suite=self.name, operation=operation, name=name, execute=execute, aims=aims)


def secrets_of(setting: Setting) -> Secrets:
    """The credentials in use, the one in the environment included, and the header that carries them."""
    auth = setting.agreement.contract.provider.auth
    values = (setting.provider.credential, os.environ.get(auth.variable, "") if auth else "")
    return Secrets(tuple(filter(None, values)), frozenset({auth.header.lower()} if auth else ()))


def _shown(setting: Setting, path: Path) -> str:
    return str(path.relative_to(setting.root)) if path.is_relative_to(setting.root) else str(path)


def _refuse(error: ContractError) -> Observation:
    raise error


def _operations(setting: Setting, tape: Tape) -> list[str]:
    """The operations that a cassette holds exchanges of, each once."""
    return list(dict.fromkeys(known.seen.terms.name for known in recorded(setting, tape) if known.seen.terms))


def _no_cassette() -> Skipped:
    return Skipped(reason=SkipReason.NO_CASSETTE, detail="record one with --record-mode=once")


def _held(tape: Tape) -> Observation:
    """What a cassette holds, for the checks to judge."""
    return Observation(exchanges=tape.exchanges, level=tape.level, note=tape.told(date.today()))  # noqa: DTZ011 - the day where it is run


SUITE = Cassettes()
