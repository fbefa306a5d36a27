"""What can be tried with a client that speaks gRPC, against a provider that speaks it too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from harness.checks.stateful import STEP
from harness.client.interposing import RpcFaultOf
from harness.client.scenario import Invoke, Scenario
from harness.client.seams import Tcp
from harness.exchange import Level, Observation
from harness.provider.lying import LyingOverGrpc
from harness.suites.case import Setting, Skipped
from harness.suites.staging import Staging
from harness.verdict import SkipReason

STEPS_OF_WALK = 40


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Something to try; ``operation`` is what it is about."""

    operation: str
    name: str
    execute: Callable[[], Observation | Skipped]
    aims: tuple[str, ...]


def operations_over_grpc(setting: Setting) -> frozenset[str]:
    """Those that the contract has over gRPC and the client has a method for; none when it can't be made to speak it."""
    declared = setting.agreement.contract.provider.grpc
    if declared is None or not setting.binding.over_grpc:
        return frozenset()
    return frozenset(name for name in declared.operations if setting.binding.binds(name))


def grpc_address(setting: Setting) -> str | None:
    """Where the provider speaks gRPC, starting it if it must be; None when it does not."""
    ask = getattr(setting.provider, "grpc_address", None)
    address = ask() if callable(ask) else None
    return str(address) if address else None


def play_over_grpc(
    staging: Staging, scenario: Scenario, *, tcp: Tcp | None = None, script: RpcFaultOf | None = None
) -> Observation | Skipped:
    """Take the client through a scenario, made so that it speaks gRPC; ``script`` maps the number of a call to its fault."""
    provider, address = staging.setting.provider, grpc_address(staging.setting)
    if address is None:
        return Skipped(reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail="it does not speak gRPC")
    trial, liar = staging.trial(), provider if isinstance(provider, LyingOverGrpc) else None
    through = replace(tcp or Tcp(), grpc_address=address, in_process=provider.level is Level.EMBEDDED, script=script, liar=liar)
    return staging.observe(replace(trial, binding=trial.binding.speaking_grpc(), tcp=through), scenario)


def attempts_over_grpc(staging: Staging) -> Iterator[Attempt]:
    """Each example, each sequence and a walk through the states: what comes back has to be what it is over REST."""
    known = operations_over_grpc(staging.setting)
    for terms in staging.bound():
        for example in terms.model.examples if terms.name in known else ():
            calls = (staging.invoke(terms.name, example),)
            aims = (f"operations.{terms.name}.bind.*", f"operations.{terms.name}.responses.*.invariants.*")
            yield Attempt(operation=terms.name, name=f"grpc-{example}", execute=partial(play_over_grpc, staging, calls), aims=aims)
    for name, sequence in staging.setting.agreement.sequences.items():
        if known and {operation for operation, _ in sequence.steps.values()} <= known:
            played = partial(play_over_grpc, staging, staging.row(name, sequence))
            yield Attempt(operation="sequence", name=f"grpc-{name}", execute=played, aims=(f"sequences.{name}.*",))
    stateful = staging.setting.agreement.contract.stateful
    walked = sorted(known & set(stateful.operations)) if stateful else []
    if stateful is not None and walked:
        walk = lambda: play_over_grpc(staging, tuple(_walk(staging, walked, stateful.given)))
        yield Attempt(operation="stateful", name="grpc-walk", execute=walk, aims=("stateful.operations.*",))


def _walk(staging: Staging, operations: list[str], state: str) -> Iterator[Invoke]:
    """Examples in any order, from the state that the model begins at; the same for the same seed."""
    random = Random(staging.setting.seed)  # noqa: S311 - nothing secret
    for _ in range(STEPS_OF_WALK):
        operation = random.choice(operations)
        example = random.choice(list(staging.setting.agreement.operations[operation].model.examples))
        yield replace(staging.invoke(operation, example), needs=state, step=STEP)
