"""On the same provider mutants: what a schema alone notices, what schemathesis alone notices, what the harness notices.

    python -m tests.benchmarks.noticing voyage_ai qdrant [--spec voyage_ai=openapi.yml] [--share N] [--json FILE]

prints a table in Markdown for each contract. Every mutant of a lying provider that the proof makes is tried on all three:

- **schema**: every answer that the harness's own cases got from the liar, validated against OpenAPI alone: is the status
  declared, is the media type, are required headers there, does the body keep its schema. It is the document that
  ``harness openapi`` exports, which says all that a schema can say of the contract; with ``--spec``, a published one beside it.
- **schemathesis**: its own engine over HTTP, with the exported document: the operation that the lie is about, the phases examples,
  coverage, fuzzing (100 examples, its default) and stateful, all of its checks, a fixed seed, not stopping at a failure,
  authenticated, from the state that the contract's examples begin in. A mutant is noticed when a check fails that does not fail
  for the same request, or for that operation at all, when nobody lies. Its stateful phase has nothing to do with these documents:
  no answer carries what another request needs, and it says so itself. **met** counts the mutants whose lie its requests were told:
  it can bring no provider into a failing state, and asks for no sequence of ours.
- **harness**: a check of the harness found something; **named** when it was the clause that was broken.

A schema and schemathesis judge responses: mutants of a client are out of their sight by design, and are not counted here.
With ``--share N`` every Nth mutant is tried, of a list that is the same each time.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
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
from harness.proof.sharing import Sharing
from harness.suites.case import Setting
from tests.benchmarks.noticing_schema import Schema, read_spec
from tests.benchmarks.noticing_schemathesis import Schemathesis

LEAST, MOST_LOOKED_AT, EXAMPLES = 5, 4, 100
HEADS = {
    "published": "published schema alone",
    "schema": "exported schema alone",
    "schemathesis": "schemathesis alone",
    "met": "(lies it met)",
    "harness": "harness",
    "named": "naming the clause",
}
Tally = dict[str, Counter[str]]


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    specs = dict(each.split("=", 1) for each in asked.spec)
    written: dict[str, object] = {}
    for name in asked.names:
        tally, seconds = compare(name, specs.get(name), share=asked.share, examples=asked.examples, workers=asked.workers)
        part = "all" if asked.share == 1 else f"1 in {asked.share}"
        print(f"\n{name}: {tally['made'].total()} mutants of a lying provider ({part}), {seconds / 60:.0f} minutes\n")
        print(table(tally))
        print(f"\nschemathesis {version('schemathesis')} ({asked.examples} examples), jsonschema-rs {version('jsonschema-rs')}, "
              f"Python {sys.version.split()[0]}")  # fmt: skip
        written[name] = {tool: dict(found) for tool, found in tally.items()}
    if asked.json:
        asked.json.write_text(json.dumps(written, indent=2))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.noticing", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="+", metavar="CONTRACT")
    parser.add_argument("--spec", action="append", default=[], metavar="CONTRACT=FILE", help="a published OpenAPI, beside the export")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="look at every Nth mutant only")
    parser.add_argument("--examples", type=int, default=EXAMPLES, metavar="N", help="of schemathesis, for each operation (default: its own)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes that share the mutants (default: 2)")
    return parser


def compare(name: str, spec: str | None = None, *, share: int = 1, examples: int = EXAMPLES, workers: int = 2) -> tuple[Tally, float]:
    """For each kind of mutant: how many were made, and how many each tool noticed."""
    agreement, began = agreement_named(name), perf_counter()
    setting = setting_for(agreement, provider=None, adapter=None, seed=0)
    prover = Prover(setting, find_suites(SUITES), workers=workers)
    document = export(agreement)
    schemas = {"schema": document} | ({"published": read_spec(Path(spec))} if spec else {})
    alone, tester = {name: Schema(each, agreement.base_path) for name, each in schemas.items()}, Schemathesis(setting, document, examples)
    tally: Tally = {tool: Counter() for tool in ("made", *HEADS) if tool in schemas or tool != "published"}
    try:
        tester.look_at_the_honest()
        made = [(lie, first) for lie, first in prover.provider_mutants() if not lie.idle][::share]
        setting.provider.close()  # what has threads is not for forking
        work = [partial(_noticed, prover, lie, first, alone, tester) for lie, first in made]
        for done, (number, noticed) in enumerate(Sharing[dict[str, bool]](workers, parting=setting.provider.close).results(work), 1):
            print(f"\r{name}: {done} of {len(made)}", end="", file=sys.stderr, flush=True)
            for tool, yes in noticed.items():
                tally[tool][made[number][0].kind] += yes
    finally:
        setting.provider.close()
    return tally, perf_counter() - began


def _noticed(prover: Prover, lie: Lie, first: Seen, schemas: dict[str, Schema], tester: Schemathesis) -> dict[str, bool]:
    """Which tools notice a lie; nothing if no case is told it."""
    noticed = dict.fromkeys((*schemas, "schemathesis", "met", "harness", "named"), False)
    told = False
    for honest, observation in _observations(prover, lie, first):
        told = True
        found = {judgement.clause: judgement.check for judgement in judge(tester.setting.agreement, observation) if judgement.finding}
        noticed["harness"] |= bool(found)
        noticed["named"] |= lie.named_in(found) is not None
        for name, schema in schemas.items():
            noticed[name] = noticed[name] or bool(_breaches(schema, observation) - _breaches(schema, honest))
        if noticed["named"] and all(noticed[name] for name in schemas):
            break
    if not told:
        return {}
    noticed["met"], noticed["schemathesis"] = tester.met_and_noticed(lie, _operations(tester.setting, lie, first))
    return {"made": True, **noticed}


def _breaches(schema: Schema, observation: Observation) -> set[str]:
    """What a schema has against the answers in an observation; a published one may have something against honest ones, too."""
    return {breach for exchange in _answers(observation) for breach in schema.breaches(exchange)}


def _observations(prover: Prover, lie: Lie, first: Seen) -> Iterator[tuple[Observation, Observation]]:
    """What the cases saw without the lie and with it; the first few are enough, and all for one that is not named by those."""
    for number, seen in enumerate(prover.noticing(lie, first)):
        observation = prover.lied_to(lie, seen)
        if observation is not None:
            yield seen.observation, observation
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
    """A row for each kind that is not rare, one for the rare ones together, one for all; in Markdown."""
    made, tools = tally["made"], [tool for tool in HEADS if tool in tally]
    rare = [kind for kind, count in made.items() if count < LEAST]
    rows = [(kind, count, [tally[tool][kind] for tool in tools]) for kind, count in made.most_common() if kind not in rare]
    if rare:
        told = f"{len(rare)} other kinds"
        rows.append((told, sum(made[kind] for kind in rare), [sum(tally[tool][kind] for kind in rare) for tool in tools]))
    lines = [f"| mutants | made | {' | '.join(HEADS[tool] for tool in tools)} |", "|---|" + "--:|" * (len(tools) + 1)]
    lines += [f"| {kind} | {count} | {' | '.join(map(str, found))} |" for kind, count, found in rows]
    shares = (f"{tally[tool].total()} ({tally[tool].total() / max(1, made.total()):.1%})" for tool in tools)
    return "\n".join([*lines, f"| **all** | **{made.total()}** | {' | '.join(f'**{share}**' for share in shares)} |"])


if __name__ == "__main__":
    sys.exit(main())
