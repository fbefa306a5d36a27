"""A contract under review, and the problems that were found so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.contract.agreement import OperationTerms, SequenceTerms
from harness.contract.document import Document, Steps, value_at
from harness.contract.model import Contract, DrillRequest
from harness.contract.problems import Place, Problem
from harness.contract.schemas import SchemaSet

__all__ = ["Review", "drilled", "value_at"]


@dataclass(kw_only=True)
class Review:
    """Gathers the problems of one contract.

    ``repaired`` are the parts that were unreadable and have a stand-in: nothing is said about these again.
    ``unusable`` are the schemas that are broken or refer to one that is, ``uncompiled`` the expressions that
    can't be parsed.
    """

    document: Document
    contract: Contract
    schemas: SchemaSet
    repaired: frozenset[Steps] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    operations: dict[str, OperationTerms] = field(default_factory=dict)
    sequences: dict[str, SequenceTerms] = field(default_factory=dict)
    unusable: set[Steps] = field(default_factory=set)
    uncompiled: set[Steps] = field(default_factory=set)

    def problem(
        self, steps: Steps, message: str, allowed: str = "", hint: str = "", *, at_key: bool = False, place: Place | None = None
    ) -> None:
        if any(steps[: len(repaired)] == repaired for repaired in self.repaired):
            return
        found = self.document.key_place(steps) if at_key else self.document.place(steps)
        self.problems.append(Problem(place or found, message, allowed, hint))

    def is_whole(self, *roots: Steps) -> bool:
        """Whether neither these parts nor anything in them has a stand-in."""
        return not any(repaired[: len(root)] == root[: len(repaired)] for repaired in self.repaired for root in roots)


def drilled(contract: Contract) -> Iterator[tuple[Steps, DrillRequest]]:
    """The requests of the drill, each with where it stands."""
    drill = contract.stateful.drill if contract.stateful else None
    for part, listed in (("changes", drill.changes), ("questions", drill.questions)) if drill else ():
        for index, request in enumerate(listed):
            yield ("stateful", "drill", part, index), request
