"""Reading a contract as a whole: its form, and whether its parts agree with one another.

All problems are gathered and raised at once, each with its place in the file. Where the form is wrong, a
stand-in takes the place of what can't be read, so that the rest is still looked at.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause, derive_clauses
from harness.contract.document import Document, Steps
from harness.contract.model import Contract, Waiver
from harness.contract.problems import ContractError, Problem, nearest
from harness.contract.reader import read_document
from harness.contract.review.cross_references import check_references
from harness.contract.review.examples import check_examples
from harness.contract.review.expressions import check_expressions
from harness.contract.review.gathered import Review, value_at
from harness.contract.review.schema_use import check_schemas
from harness.contract.review.secrets import check_secrets
from harness.contract.review.traffic import check_traffic
from harness.contract.schemas import SchemaSet
from harness.contract.validation import model_problems


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A contract whose form is right; whether it agrees with itself is not known."""

    contract: Contract
    document: Document = field(repr=False)

    @cached_property
    def clauses(self) -> dict[str, Clause]:
        """Every clause by id."""
        return derive_clauses(self.document)


def read_outline(path: Path, *, shown_as: str | None = None) -> Outline:
    """Read only the form of the contract at ``path``; ContractError with every problem of it."""
    document = read_document(path, shown_as=shown_as)
    try:
        return Outline(contract=Contract.model_validate(document.value), document=document)
    except ValidationError as error:
        raise ContractError(model_problems(error, document, Contract)) from None


def read_agreement(path: Path, *, shown_as: str | None = None) -> Agreement:
    """Read and check the contract at ``path``; ContractError with every problem that it has."""
    return agree(read_document(path, shown_as=shown_as), path=path)


def agree(document: Document, *, path: Path) -> Agreement:
    """Check a read document and compile it; ContractError with every problem."""
    try:
        contract = Contract.model_validate(document.value)
    except ValidationError as error:
        raise ContractError(_problems_of_form(error, document)) from None
    review = _reviewed(document, contract)
    clauses = {} if review.problems else derive_clauses(document)
    _check_waivers(review, clauses)
    if review.problems:
        raise ContractError(review.problems)
    return Agreement(
        contract=contract,
        document=document,
        clauses=clauses,
        schemas=review.schemas,
        operations=review.operations,
        sequences=review.sequences,
        path=path,
    )


def _reviewed(document: Document, contract: Contract, repaired: frozenset[Steps] = frozenset()) -> Review:
    review = Review(document=document, contract=contract, schemas=SchemaSet(document.value), repaired=repaired)
    check_secrets(review)
    check_schemas(review)
    if review.is_whole(*((part,) for part in ("operations", "errors", "schemas") if (part,) in repaired)):
        check_references(review)
    check_expressions(review)
    check_examples(_parsable(review) if review.uncompiled else review)
    check_traffic(review)
    return review


def _parsable(review: Review) -> Review:
    """The same review with stand-ins for the expressions that can't be parsed, so that the others are tried."""
    value = deepcopy(review.document.value)
    for steps in review.uncompiled:
        value_at(value, steps[:-1])[steps[-1]] = "true"
    document = replace(review.document, value=value)
    contract = Contract.model_validate(value)
    repaired = review.repaired | review.uncompiled
    another = replace(review, document=document, contract=contract, repaired=repaired, uncompiled=set())
    check_expressions(another)
    return another


def _problems_of_form(error: ValidationError, document: Document) -> list[Problem]:
    """What is wrong with the form, and what else is wrong as far as that can still be seen."""
    from harness.contract.repair import repair  # needed for a broken contract only

    mended = repair(document, Contract, error)
    if mended is None:
        return model_problems(error, document, Contract)
    contract = Contract.model_validate(mended.document.value)
    return [*mended.problems, *_reviewed(mended.document, contract, mended.repaired).problems]


def _check_waivers(review: Review, clauses: dict[str, Clause]) -> None:
    for at, waiver in _waivers(review.contract):
        if clauses and not any(fnmatchcase(clause, waiver.clause) for clause in clauses):
            hint = nearest(waiver.clause, clauses)
            review.problem((*at, "clause"), f"the waiver `{waiver.clause}` matches no clause", "a clause id, `*` for any text", hint)


def _waivers(contract: Contract) -> list[tuple[Steps, Waiver]]:
    found: list[tuple[Steps, Waiver]] = [(("waivers", index), waiver) for index, waiver in enumerate(contract.waivers)]
    return found + [(("proof", "waivers", index), waiver) for index, waiver in enumerate(contract.proof.waivers)]
