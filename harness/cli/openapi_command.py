"""``harness openapi``: a contract as OpenAPI 3.1."""

import json

import click

from harness.cli.choosing import agreement_named


@click.command("openapi")
@click.argument("name")
def command(name: str) -> None:
    """Print a contract as OpenAPI 3.1 (JSON, which is also YAML); the contract stays the authority.

    \b
    Examples:
      harness openapi voyage_ai > openapi.json
      harness openapi qdrant@v1.8 | jq .paths
    """
    from harness.contract.openapi import export

    click.echo(json.dumps(export(agreement_named(name)), indent=2, ensure_ascii=False))
