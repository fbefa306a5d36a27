"""Values changed a little: enough to be wrong, not enough to be told by their shape."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause
from harness.contract.reader import Steps
from harness.wire.mutations import breaking, confirmed


def perturbed(value: Any) -> Any:
    """Another value of the same shape; the first number, text or truth value in it is changed."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value + "~"
    if isinstance(value, np.ndarray):
        changed = np.array(value, dtype=np.float64)
        if changed.size:
            changed.flat[0] += 0.01 if changed.dtype.kind == "f" else 1
        return changed
    if isinstance(value, list | tuple):
        return [perturbed(value[0]), *value[1:]] if value else ["~"]
    if isinstance(value, Mapping):
        for key, item in value.items():
            if perturbed(item) != item:
                return {**value, key: perturbed(item)}
        return {**value, "extra": 1}
    return "~"


def broken_bodies(agreement: Agreement, clause: Clause, at: Steps, body: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Bodies that break just this keyword: the kind of change, what was done, the body. One of each kind."""
    kinds = set()
    for edit in confirmed(agreement, at, breaking(agreement, at, body)):
        if edit.clause == clause.id and edit.kind not in kinds:
            kinds.add(edit.kind)
            yield str(edit.kind), edit.name, edit.value
