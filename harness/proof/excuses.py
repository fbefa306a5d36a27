"""What a contract's waivers excuse in a proof, and what speaks against a waiver itself."""

from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase

from harness.contract.agreement import Agreement
from harness.contract.promises import Waiver
from harness.proof.mutant import Fate, Mutant


def in_force(waivers: Iterable[Waiver]) -> list[Waiver]:
    """Those whose day has not passed."""
    today = date.today()  # noqa: DTZ011 - the day where it is run
    return [waiver for waiver in waivers if waiver.until >= today]


def waived(agreement: Agreement, clause: str) -> str | None:
    """Why a clause may stay untouched, if it may."""
    return next((each.because for each in in_force(agreement.contract.waivers) if fnmatchcase(clause, each.clause)), None)


def excused(agreement: Agreement) -> dict[str, str]:
    """The clauses whose mutants may survive, each with the reason."""
    waivers = in_force(agreement.contract.proof.waivers)
    return {clause: each.because for each in waivers for clause in agreement.clauses if fnmatchcase(clause, each.clause)}


def objections(agreement: Agreement, mutants: Iterable[Mutant], *, whole: bool) -> Iterator[str]:
    """What speaks against the waivers of a proof: one has expired, or, seen by all suites, excuses nothing."""
    survived = {mutant.clause for mutant in mutants if mutant.fate is Fate.SURVIVED}
    valid = in_force(agreement.contract.proof.waivers)
    for index, waiver in enumerate(agreement.contract.proof.waivers):
        place = agreement.document.place(("proof", "waivers", index))
        told = f"{place}: the waiver of `{waiver.clause}` in the proof"
        if waiver not in valid:
            yield f"{told} expired on {waiver.until}: {waiver.because}"
        elif whole and not any(fnmatchcase(clause, waiver.clause) for clause in survived):
            yield f"{told} matches no surviving mutant: take it out"
