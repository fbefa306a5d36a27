"""Are the contract's own dates in the future: accepted differences, and waivers?"""

from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatchcase

from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.verdict import Judgement


def check_terms(sight: Sight) -> Iterator[Judgement]:
    """Each accepted difference and each waiver against today; an expired one speaks against its clause."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="terms")
    if "today" not in sight.observation.measured:
        return
    today = date.fromordinal(int(sight.observation.measured["today"]))
    contract = sight.agreement.contract
    for index, evidence in enumerate(contract.evidence):
        for number, difference in enumerate(evidence.differs):
            yield from judge.expect(
                f"evidence.{index}.differs.{number}",
                difference.accepted <= today <= difference.expires,
                expected=f"an accepted difference that is in force on {today}",
                actual=f"accepted {difference.accepted}, expires {difference.expires}",
            )
    for waiver in (*contract.waivers, *contract.proof.waivers):
        if waiver.until < today:
            for clause in sight.agreement.clauses:
                if fnmatchcase(clause, waiver.clause):
                    yield judge.broken(
                        clause, expected="a waiver that is in force", actual=f"it expired on {waiver.until}: {waiver.because}"
                    )
