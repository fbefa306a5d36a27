"""A contract under review, and the problems that were found so far."""

from dataclasses import dataclass, field

from harness.contract.agreement import OperationTerms, SequenceTerms
from harness.contract.document import Document, Steps, value_at
from harness.contract.model import Contract
from harness.contract.problems import Place, Problem
from harness.contract.schemas import SchemaSet

__all__ = ["Review", "value_at"]


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
