"""Where contracts are found: ``contracts/<service>.yaml`` or ``contracts/<service>/<version>.yaml``."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from harness.contract.agreement import Agreement
from harness.contract.coherence import read_agreement
from harness.contract.problems import nearest

FOLDER = "contracts"
CLIENTS = "clients"


class UnknownContract(LookupError):
    """No contract goes by that name; the message says which exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A contract file that exists; not read yet."""

    service: str
    version: str | None
    path: Path

    @property
    def name(self) -> str:
        return f"{self.service}@{self.version}" if self.version else self.service


def contracts_folder(start: Path) -> Path:
    """The nearest ``contracts`` folder at or above ``start``; UnknownContract when there is none."""
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    raise UnknownContract(f"there is no `{FOLDER}` folder in {start} or above it; make one and put SERVICE.yaml into it")


def entries(folder: Path) -> list[Entry]:
    """Every contract file in a folder, by name; the newest version of a service first."""
    found = [Entry(service=path.stem, version=None, path=path) for path in sorted(folder.glob("*.yaml")) if not path.name.startswith(".")]
    for sub in sorted(path for path in folder.iterdir() if path.is_dir() and path.name != CLIENTS):
        versions = [Entry(service=sub.name, version=path.stem, path=path) for path in sub.glob("*.yaml")]
        found += sorted(versions, key=lambda entry: version_key(entry.version or ""), reverse=True)
    return found


def version_key(version: str) -> tuple[tuple[int, ...], str]:
    """Sorts v1.8 before v1.16: by the numbers in the text, then by the text."""
    return tuple(int(number) for number in re.findall(r"\d+", version)), version


def find(name: str, folder: Path) -> list[Entry]:
    """The entries that a name means: a service (its newest version), ``service@version``, ``all`` or a path."""
    if _is_path(name):
        path = Path(name)
        if not path.is_file():
            raise UnknownContract(f"there is no contract file {name}")
        return [Entry(service=path.stem, version=None, path=path)]
    known = entries(folder)
    if name == "all":
        if not known:
            raise UnknownContract(f"there is no contract in {folder}; put SERVICE.yaml into it")
        return known
    service, _, version = name.partition("@")
    found = [entry for entry in known if entry.service == service and version in ("", entry.version)]
    if not found:
        names = [entry.name for entry in known] + sorted({entry.service for entry in known if entry.version})
        hint = nearest(name, names)
        exist = ", ".join(names) or "none"
        raise UnknownContract(f"there is no contract `{name}` in {folder}; there are: {exist}" + (f"; {hint}" if hint else ""))
    return found[:1]


def find_from(name: str, start: Path) -> list[Entry]:
    """The entries that a name means in the folder at or above ``start``; a path needs no such folder."""
    return find(name, start if _is_path(name) else contracts_folder(start))


def clients_folder(start: Path) -> Path:
    """Where bindings of clients are looked for; it need not be there."""
    try:
        return contracts_folder(start) / CLIENTS
    except UnknownContract:
        return start / FOLDER / CLIENTS


def _is_path(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or os.sep in name


def load(path: Path, *, root: Path | None = None) -> Agreement:
    """Read the contract at ``path``; ContractError with every problem, places relative to ``root``."""
    shown = str(path)
    if root is not None and path.is_absolute() and path.is_relative_to(root):
        shown = str(path.relative_to(root))
    return read_agreement(path, shown_as=shown)
