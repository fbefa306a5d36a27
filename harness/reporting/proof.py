"""A proof as text for people, and as JSON."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from harness.proof.mutant import Fate
from harness.proof.result import Proof, Standing
from harness.reporting.text import Line

MOST_SURVIVORS = 30
_COLOURS = {Standing.PROVEN: "green", Standing.CHECKED: "yellow", Standing.WAIVED: "yellow"}


def lines(proof: Proof) -> Iterator[Line]:
    """The lines of a proof's report, each with a style."""
    yield f"{proof.contract}: client {proof.client}, provider {proof.provider}", "bold"
    for standing in Standing:
        if proof.standings[standing]:
            yield f"  {proof.standings[standing]:4} clauses {standing}", _COLOURS.get(standing, "red")
    yield from _why(proof)
    yield (
        f"mutants: {proof.killed} of {proof.made} killed, {proof.equivalent} equivalent: mutation score {proof.score:.1%} "
        f"(required: {proof.required_score:.0%})",
        "bold",
    )
    for party in ("provider", "consumer"):
        own = [mutant for mutant in proof.mutants if mutant.party == party and mutant.fate is not Fate.EQUIVALENT]
        kinds = Counter(mutant.kind for mutant in own)
        yield f"  {len(own)} of a lying {party}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(12)), ""
    for mutant in proof.survivors[:MOST_SURVIVORS]:
        excused = proof.excused.get(mutant.clause)
        yield f"survived: {mutant.place}: {mutant.clause}: {mutant.kind}: {mutant.what}", "yellow" if excused else "red"
        yield from ((f"  {line}", "") for line in mutant.diff)
        yield f"  nearest: {mutant.nearest[:200] or 'no case'}", ""
        if excused:
            yield f"  excused: {excused}", ""
    if len(proof.survivors) > MOST_SURVIVORS:
        yield f"… and {len(proof.survivors) - MOST_SURVIVORS} more; all are in the JSON report", "red"
    spent = proof.seconds - proof.baseline_seconds
    pace = len(proof.mutants) / spent if spent > 0 else 0.0
    yield (
        f"{proof.cases} cases, {proof.seconds:.1f} s; {pace:.0f} mutants/s, {proof.wire_share:.0%} of that on the wire, the rest judging",
        "",
    )
    if proof.whole and proof.standings[Standing.UNCHECKED]:
        yield "an unchecked clause needs a case, or a waiver with a reason and a date", "red"
    yield from ((objection, "red") for objection in proof.objections)
    yield ("PROVEN" if proof.sufficient else "NOT PROVEN") + f": {proof.contract}", "green" if proof.sufficient else "red"


def _why(proof: Proof) -> Iterator[Line]:
    """Why clauses are not proven, those with the same reason together."""
    reasons: dict[tuple[Standing, str], list[str]] = {}
    for clause in proof.clauses:
        if clause.standing is not Standing.PROVEN:
            reasons.setdefault((clause.standing, clause.why), []).append(clause.id)
    for (standing, why), clauses in reasons.items():
        shown = ", ".join(clauses[:3]) + (f" and {len(clauses) - 3} more" if len(clauses) > 3 else "")
        yield f"       {standing}: {why}: {shown}", "" if standing is Standing.CHECKED else "yellow"


def write_json(path: Path, proof: Proof) -> None:
    """Write the proof as JSON, whole or not at all; OSError when the place can't be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(proof.as_json(), file, indent=2, ensure_ascii=False)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
