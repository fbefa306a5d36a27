"""Which contract is meant, and what it is tried with: shared by the commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.contract.catalog import clients_folder, find_from, load

if TYPE_CHECKING:  # what a contract is tried with costs more to import than to read it
    from harness.contract.agreement import Agreement
    from harness.suites.case import Setting


def agreement_named(name: str) -> Agreement:
    """The contract that a name means, from the folder the command is run in."""
    here = Path.cwd()
    entry = find_from(name, here)[0]
    return load(entry.path, root=here)


def setting_for(agreement: Agreement, *, provider: str | None, adapter: str | None, seed: int) -> Setting:
    """A contract with a provider and a client."""
    from harness.client.binding import bind
    from harness.provider.choice import choose
    from harness.suites.case import Setting

    here = Path.cwd()
    return Setting(
        agreement=agreement,
        binding=bind(agreement, adapter, clients=clients_folder(here)),
        provider=choose(agreement, provider),
        root=here,
        seed=seed,
    )
