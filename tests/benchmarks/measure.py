"""What a benchmark found, and the table of all of it."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How thoroughly to measure; ``quick`` is for a look, not for figures to publish."""

    quick: bool
    rounds: int
    peers: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure beside a target; ``figure`` is what the target is about, often ours divided by the peer's."""

    what: str
    ours: str
    peer: str = ""
    figure: float
    target: float
    at_least: bool = False
    unit: str = "×"
    note: str = ""

    @property
    def met(self) -> bool:
        return self.figure >= self.target if self.at_least else self.figure <= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What was not measured, and how to have it measured."""

    what: str
    remedy: str
    failed: bool = False


Finding = Measure | Missing


def row(found: Finding) -> tuple[str, ...]:
    """One line of the table, by columns."""
    if isinstance(found, Missing):
        return (found.what, "", "", "", "", f"not measured: {found.remedy}")
    sign = "≥" if found.at_least else "≤"
    verdict = ("met" if found.met else "NOT MET") + (f" ({found.note})" if found.note else "")
    return (found.what, found.ours, found.peer, f"{found.figure:.3g} {found.unit}", f"{sign} {found.target:g} {found.unit}", verdict)


HEAD = ("what", "ours", "peer", "figure", "target", "met")


def table(findings: Iterable[Finding]) -> str:
    """All findings, one line each."""
    rows = [HEAD, *map(row, findings)]
    widths = [max(len(line[column]) for line in rows) for column in range(len(HEAD) - 1)]
    return "\n".join("  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]) for line in rows)


def write_json(path: Path, findings: Iterable[Finding]) -> None:
    """All findings with the load of the machine, for another program."""
    measured = [{**asdict(found), **({"met": found.met} if isinstance(found, Measure) else {})} for found in findings]
    path.write_text(json.dumps({"load_average": os.getloadavg(), "findings": measured}, indent=2, ensure_ascii=False) + "\n")
