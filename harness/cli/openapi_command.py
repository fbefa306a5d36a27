"""``harness openapi``: a contract as OpenAPI 3.1."""

import json

import click

from harness.cli.choosing import agreement_named
from harness.contract.openapi import export


@click.command("openapi")
@click.argument("name")
def command(name: str) -> None:
    """Print a contract as OpenAPI 3.1 (JSON); the contract stays the authority.

    \b
    Example:
      harness openapi voyage_ai > openapi.json
    """
    click.echo(json.dumps(export(agreement_named(name)), indent=2, ensure_ascii=False))
