"""On the same provider mutants: what a schema alone notices, what schemathesis alone notices, what the harness notices.

    python -m tests.benchmarks.noticing voyage_ai qdrant [--spec voyage_ai=openapi.yml] [--json FILE]

- **schema**: every answer that the harness's own cases got from the liar, validated against OpenAPI alone: is the status
  declared, is the media type, are required headers there, does the body keep its schema. It is the document that
  ``harness openapi`` exports, which says all that a schema can say of the contract; ``--spec`` puts a published one in its place.
- **schemathesis**: the operation that the lie is about, asked with the document's examples, FUZZED valid and NEGATIVE
  invalid requests made by schemathesis (the same for every mutant, a fixed seed), from the state that the contract's
  examples begin in; every response goes through all of its default checks but ``ignored_auth`` (it asks on its own). A
  mutant is noticed when a check fails that does not fail without the liar.
- **harness**: a check of the harness found something; ``named`` when it was the clause that was broken.

A schema and schemathesis judge responses: mutants of a client are out of their sight by design, and are not counted here.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from harness.checks.registry import judge
from harness.cli.choosing import agreement_named, setting_for
from harness.cli.prove_command import SUITES
from harness.contract.openapi import export
from harness.engine import find_suites
from harness.exchange import Exchange, Observation
from harness.proof.lie import Lie
from harness.proof.prover import Prover, Seen
from harness.suites.case import Setting
from tests.benchmarks.noticing_schema import Schema, read_spec
from tests.benchmarks.noticing_schemathesis import FUZZED, NEGATIVE, Schemathesis

LEAST, MOST_LOOKED_AT = 5, 4
TOOLS = ("schema", "schemathesis", "harness", "named")
Tally = dict[str, Counter[str]]


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    specs = dict(each.split("=", 1) for each in asked.spec)
    written: dict[str, object] = {}
    for name in asked.names:
        tally, seconds = compare(name, specs.get(name), share=asked.share)
        print(f"\n{name}: {tally['made'].total()} provider mutants, {seconds:.0f} s; schema: {specs.get(name) or f'harness openapi {name}'}")
        print(table(tally))
        written[name] = {tool: dict(found) for tool, found in tally.items()}
    if asked.json:
        asked.json.write_text(json.dumps(written, indent=2))
    print(f"schemathesis {version('schemathesis')} (examples, {FUZZED} valid, {NEGATIVE} invalid an operation), "
          f"jsonschema-rs {version('jsonschema-rs')}, Python {sys.version.split()[0]}")  # fmt: skip
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.noticing", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="+", metavar="CONTRACT")
    parser.add_argument("--spec", action="append", default=[], metavar="CONTRACT=FILE", help="a published OpenAPI in place of the export")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="look at every Nth mutant only")
    return parser


def compare(name: str, spec: str | None = None, *, share: int = 1) -> tuple[Tally, float]:
    """For each kind of mutant: how many were made, and how many each tool noticed."""
    agreement, began = agreement_named(name), perf_counter()
    setting = setting_for(agreement, provider=None, adapter=None, seed=0)
    prover = Prover(setting, find_suites(SUITES))
    schema = Schema(read_spec(Path(spec)) if spec else export(agreement), agreement.base_path)
    tester = Schemathesis(setting)
    tally: Tally = {tool: Counter() for tool in ("made", *TOOLS)}
    try:
        for number, (lie, first) in enumerate(list(prover.provider_mutants())):
            if number % share == 0 and not lie.idle:
                _count(tally, prover, lie, first, schema, tester)
    finally:
        setting.provider.close()
    return tally, perf_counter() - began


def _count(tally: Tally, prover: Prover, lie: Lie, first: Seen, schema: Schema, tester: Schemathesis) -> None:
    setting = tester.setting
    noticed = dict.fromkeys(TOOLS, False)
    told = False
    for observation in _observations(prover, lie, first):
        told = True
        found = {judgement.clause: judgement.check for judgement in judge(setting.agreement, observation) if judgement.finding}
        noticed["harness"] |= bool(found)
        noticed["named"] |= lie.named_in(found) is not None
        noticed["schema"] |= any(schema.breaches(exchange) for exchange in _answers(observation))
        if noticed["named"] and noticed["schema"]:
            break
    if not told:
        return
    noticed["schemathesis"] = tester.notices(lie, _operations(setting, lie, first))
    tally["made"][lie.kind] += 1
    for tool, yes in noticed.items():
        tally[tool][lie.kind] += yes


def _observations(prover: Prover, lie: Lie, first: Seen) -> Iterator[Observation]:
    """What the cases saw of the lie; the first few are enough, and all for one that is not named by those."""
    for number, seen in enumerate(prover.noticing(lie, first)):
        observation = prover.lied_to(lie, seen)
        if observation is not None:
            yield observation
        if number >= MOST_LOOKED_AT and lie.clause.startswith("stateful."):
            return


def _answers(observation: Observation) -> list[Exchange]:
    every = [*observation.exchanges, *(exchange for call in observation.calls for exchange in call.exchanges)]
    return [exchange for exchange in every if exchange.injected is None and exchange.response is not None]


def _operations(setting: Setting, lie: Lie, first: Seen) -> list[str]:
    """The operations that the lie is about: the ones of its clause, or those that were asked where it was found."""
    parts = lie.clause.split(".")
    if parts[0] == "operations":
        return [parts[1]]
    asked = [setting.agreement.operation_of(each.request.method, each.request.path) for each in _answers(first.observation)]
    return list(dict.fromkeys(found[0].name for found in asked if found is not None))


def table(tally: Tally) -> str:
    """A row for each kind that is not rare, one for the rare ones together, one for all."""
    made = tally["made"]
    rare = [kind for kind, count in made.items() if count < LEAST]
    rows = [(kind, count, [tally[tool][kind] for tool in TOOLS]) for kind, count in made.most_common() if kind not in rare]
    rows.append(("others", sum(made[kind] for kind in rare), [sum(tally[tool][kind] for kind in rare) for tool in TOOLS]))
    rows.append(("all", made.total(), [tally[tool].total() for tool in TOOLS]))
    head = f"| {'mutants':28} | {'made':>5} | " + " | ".join(f"{tool:>14}" for tool in TOOLS) + " |"
    lines = [head, f"|{'-' * 30}|{'-' * 6}:|" + "|".join("-" * 15 + ":" for _ in TOOLS) + "|"]
    for kind, count, found in rows:
        lines.append(f"| {kind:28} | {count:5} | " + " | ".join(f"{each:5} ({each / max(1, count):6.1%})" for each in found) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
