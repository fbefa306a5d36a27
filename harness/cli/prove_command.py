"""``harness prove``: break every clause, and see whether a check notices and names it."""

from pathlib import Path

import click

from harness.cli.choosing import agreement_named, setting_for
from harness.cli.telling import BROKEN, progress, style
from harness.engine import find_suites
from harness.engine.beforehand import assure_client, assure_provider
from harness.exchange import Level
from harness.proof.prover import Prover
from harness.reporting.proof import lines, write_json

SUITES = ("static", "conformance", "fuzz", "stateful", "cassette", "fault", "load")


@click.command("prove")
@click.argument("name")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the whole result here.")
@click.option("--provider", default=None, help="stub, embedded, container[:TAG or :IMAGE:TAG], or a URL (default: what the contract says).")
@click.option("--adapter", default=None, help="The client: package.module:Class, or a binding by name or YAML file.")
@click.option("--suite", "suites", multiple=True, help="Only the cases of this suite; may be repeated.")
@click.option("--seed", type=int, default=0, show_default=True, help="The seed of everything random.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=None, help="Processes that share the mutants (default: 2 where there are cores)."
)
def command(
    name: str, json_file: Path | None, provider: str | None, adapter: str | None, suites: tuple[str, ...], seed: int, workers: int | None
) -> None:
    """Derive mutants from every clause of a contract, and run for each the cases that could notice it.

    A clause is proven when it was seen kept, and every mutant of it was killed by a check that named it.
    The exit status is 1 below the contract's `proof.score`, when a clause is broken with nobody lying,
    or when no case of all the suites touches it and no waiver says why.

    \b
    Examples:
      harness prove voyage_ai
      harness prove qdrant --json build/proof.json
      harness prove voyage_ai --suite fault
    """
    agreement = agreement_named(name)
    setting = setting_for(agreement, provider=provider, adapter=adapter, seed=seed)
    if setting.provider.level is Level.CONTAINER:
        workers = 1  # processes that share a container would undo what the others did
    try:
        assure_client(setting)
        assure_provider(setting)
        proof = Prover(setting, find_suites(suites or SUITES), whole=not suites, workers=workers, progress=progress).prove()
    finally:
        setting.provider.close()
    for text, how in lines(proof):
        click.echo(style(text, how))
    if json_file:
        write_json(json_file, proof)
    if not proof.sufficient:
        raise click.exceptions.Exit(BROKEN)
